/* SPDX-License-Identifier: Apache-2.0 */
/* comparison.h - one comparison of two answers, between the files that share the work. Spans are
 * normalised text. Depth and the number of part comparisons are bounded. */
#ifndef ALLOT_COMPARISON_H
#define ALLOT_COMPARISON_H
#include "lib/grade/grade.h"
#include "lib/grade/structure.h"

typedef struct allot_comparison allot_comparison;
struct allot_comparison {
    const allot_grade_policies *o;
    /* allot_same: how parts of parts come back to where it began, from every file */
    int (*parts)(allot_span a, allot_span b, allot_comparison *c);
    int depth;         /* of parts inside parts */
    int left;          /* part comparisons still allowed; long ones count more */
    int from_sentence; /* the prediction was taken out of one */
    int bare;          /* the reference is a value without "=" */
    const char *rule;  /* what made the answers equal; NULL */
};

/* 1 if the answers, or parts of answers, are equal. */
int allot_same(allot_span a, allot_span b, allot_comparison *c);

/* ---- compare_each.c ---- */

/* Each part of a is one of b's, and another one if `once`. */
int allot_parts_cover(const allot_structure *a, const allot_structure *b, int once,
                      allot_comparison *c);
/* All parts of two structures; in order: of two that have as many. */
int allot_same_in_order(const allot_structure *a, const allot_structure *b, allot_comparison *c);
int allot_same_in_any_order(const allot_structure *a, const allot_structure *b,
                            allot_comparison *c);

/* 1 equal, 0 not, -1: not two numbers. */
int allot_same_numbers(allot_span a, allot_span b, const allot_grade_policies *o);

/* 1 if this is a decimal of three digits or more, at least so many behind the point, and the other,
 * which is none, rounds to it. */
int allot_rounds_to(allot_span exact, allot_span decimal, int least);

/* 1 if one side is a decimal of three digits or more, that many places among them, and the other
 * rounds to it. */
int allot_same_rounded(allot_span a, allot_span b, int places);

/* "2\pm\sqrt{3}, 5" is "2+\sqrt{3} or 2-\sqrt{3}, 5". out [ALLOT_NORMAL_SIZE]; returns its length,
 * 0 if there is no plus-minus, or too much. */
size_t allot_both_signs(const char *s, size_t n, char *out);

/* ---- compare_relations.c ---- */

/* One of them is a relation, at least; the other may be an interval. */
int allot_same_relations(const allot_structure *a, const allot_structure *b, allot_comparison *c);

/* r is "name = value", or something worked out ("64 + 37 = 101"): its last part counts, if the
 * parts that are values agree. predicted: r is the prediction, which may name what was asked for
 * ("x^2 + y^2 = 5"); a reference "x^2 + y^2 = 5" is an equation. */
int allot_same_as_value(const allot_structure *r, allot_span value, int predicted,
                        allot_comparison *c);

/* "x = y = z = 0" is (0, 0, 0). */
int allot_same_all_over(const allot_structure *chain, const allot_structure *point,
                        allot_comparison *c);

/* A value without variables. */
int allot_is_constant(allot_span t);

/* ---- compare_text.c ---- */

/* Case, blanks (but those between digits), braces around one character or none do not count. */
int allot_same_text(allot_span a, allot_span b);

/* "3 (mod 7)" and "3" are one answer, "3 (mod 5)" is another; so are numbers in a base. 0 also
 * where neither side says one. */
int allot_same_qualified(allot_span a, allot_span b, allot_comparison *c);

/* "EDACB" and "tea" are orders or words, where neither is the product of letters that "xyz" is. */
int allot_are_words(allot_span a, allot_span b);

/* The left side of "(x, y) = (1, 2)". */
int allot_is_point_of_names(allot_span t);

/* "x \in A" and "(x, y) \in A" answer "A"; a part's unit, or its sign of degrees, is left out. */
allot_span allot_without_membership(allot_span t);
allot_span allot_without_unit(allot_span t);

/* Copies t with the variable `to` for `from` into out [t.n]; commands and words stay. 0 if `to` is
 * there before. */
int allot_rename(allot_span t, char from, char to, char *out);

#endif
