/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - for people: what an answer is read as, and how two of them were compared. */
#ifndef ALLOT_EXPLAIN_H
#define ALLOT_EXPLAIN_H
#include "lib/grade/grade.h"

typedef enum {
    ALLOT_KIND_NONE,     /* empty, too long, a NUL byte */
    ALLOT_KIND_UNREAD,   /* compared letter by letter only */
    ALLOT_KIND_NUMBER,   /* an exact rational */
    ALLOT_KIND_CONSTANT, /* a value without variables */
    ALLOT_KIND_FUNCTION, /* of variables */
    ALLOT_KIND_SET,      /* numbers by inequalities, intervals, unions; members in braces */
    ALLOT_KIND_LIST,
    ALLOT_KIND_TUPLE, /* or an interval */
    ALLOT_KIND_MATRIX,
    ALLOT_KIND_EQUATION,
    ALLOT_KIND_MOMENT, /* a date, a time */
    ALLOT_KIND_CHOICE, /* a letter A to J */
    ALLOT_KIND_WORDS,  /* at most six */
    ALLOT_N_KINDS
} allot_answer_kind;

/* What the grader reads in an answer. A list, tuple, set or equation with a part that cannot be
 * read cannot be read. */
allot_answer_kind allot_answer_kind_of(const char *answer, size_t n);
const char *allot_answer_kind_name(allot_answer_kind kind);

typedef struct {
    int equal;
    const char *rule; /* what made them equal, "" if nothing did */
    char reference[2 * ALLOT_ANSWER_MAX], prediction[2 * ALLOT_ANSWER_MAX]; /* normalised */
} allot_explanation;

/* Compares as allot_answers_equal does. */
void allot_answers_explain(const char *reference, size_t n_ref, const char *prediction,
                           size_t n_pred, const allot_grade_options *o, allot_explanation *out);

#endif
