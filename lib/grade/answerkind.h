/* SPDX-License-Identifier: Apache-2.0 */
/* answerkind.h - for people: what an answer is read as. */
#ifndef ALLOT_ANSWERKIND_H
#define ALLOT_ANSWERKIND_H
#include <stddef.h>

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

#endif
