/* SPDX-License-Identifier: Apache-2.0 */
/* realset.h - sets of real numbers with constant ends, however they are written: (1,2] \cup {5},
 * 1 < x <= 2 or x = 5, \mathbb{R} \setminus \{0\}, x \ne 0, \{x : x > 3\}. */
#ifndef ALLOT_REALSET_H
#define ALLOT_REALSET_H
#include "lib/grade/structure.h"

enum { ALLOT_PIECES_MAX = 24 };

typedef struct {
    double low, high; /* -INFINITY and INFINITY are never closed */
    int low_closed, high_closed;
} allot_piece;

typedef struct {
    int n; /* in order, apart from each other */
    allot_piece at[ALLOT_PIECES_MAX];
    allot_span unknown; /* the x of "x > 3", in the text read; empty: none, or that of a builder */
} allot_realset;

/* 1 if the text can only be a set of numbers: it holds an inequality, a union, the reals. */
int allot_realset_evident(allot_span t);

/* Reads normalised text; a pair in brackets is an interval. 1, or 0: none. */
int allot_realset_read(allot_span t, allot_realset *out);

/* Ends agree within 1e-9, and so do the small or Greek letters of two unknowns. */
int allot_realsets_equal(const allot_realset *a, const allot_realset *b);

/* x, \lambda; not e, i, \pi. */
int allot_is_variable(allot_span text);

#endif
