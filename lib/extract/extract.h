/* SPDX-License-Identifier: Apache-2.0 */
/* extract.h - takes the answer out of a text, and compares answers that may stand in a sentence.
 * In process, with bounded work: no input may hang it.
 * Extraction: behind the last </think>; the last balanced \boxed{} (boxes joined by "and" or a
 * comma are one span, commands included), else after the last "answer is" / "answer:" / "####" /
 * "A:", else (option) the last formula or number. An unterminated box is none; an empty one that
 * is the last is an answer left open: NONE. docs/grading.md has the whole order. */
#ifndef ALLOT_EXTRACT_H
#define ALLOT_EXTRACT_H
#include <stddef.h>
#include "lib/grade/grade.h"

typedef enum {
    ALLOT_EXTRACT_NONE,
    ALLOT_EXTRACT_BOXED,
    ALLOT_EXTRACT_PHRASE,
    ALLOT_EXTRACT_LAST_NUMBER, /* the last number or formula, or a text that is a formula */
    ALLOT_EXTRACT_CHOICE,      /* the last letter that chooses */
    ALLOT_N_EXTRACT
} allot_extract_how;

/* Which ways are tried, in this order. */
typedef enum {
    ALLOT_PRESET_MATH,  /* box, phrase */
    ALLOT_PRESET_BOXED, /* box */
    ALLOT_PRESET_GSM8K, /* box, phrase, last number */
    ALLOT_PRESET_CHOICE /* box, phrase, letter */
} allot_extract_preset;

/* How texts are graded: the way to an answer, and what is equal to it. Zero is the default. */
typedef struct {
    allot_extract_preset extract;
    int last_number; /* fall back to the last number in the text */
    allot_grade_policies policies;
} allot_grade_options;

void allot_grade_defaults(allot_grade_options *o);

/* The answer in text of n bytes: *start, *len point into text; NONE if there is none. */
allot_extract_how allot_extract(const char *text, size_t n, const allot_grade_options *o,
                                const char **start, size_t *len);

/* 1 if the prediction, or the answer in it if it is a sentence, answers as the reference does.
 * o: NULL for the defaults. */
int allot_answers_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred,
                        const allot_grade_options *o);

/* The same, and why. */
void allot_answers_explain(const char *reference, size_t n_ref, const char *prediction,
                           size_t n_pred, const allot_grade_options *o, allot_explanation *out);

/* The reference answer of a problem: the given answer, else the last balanced box of the solution.
 * Returns 0 if there is none that can be read. */
int allot_reference(const char *answer, size_t n_answer, const char *solution, size_t n_solution,
                    const char **start, size_t *len);
#endif
