/* SPDX-License-Identifier: Apache-2.0 */
/* expression.h - value of an expression at a random point, twice: in complex floating point and,
 * where it is rational, in the field of integers modulo 2^61-1. Two expressions that agree at
 * several points are the same with near certainty. Linear in the length; depth is bounded. */
#ifndef ALLOT_EXPRESSION_H
#define ALLOT_EXPRESSION_H
#include <stddef.h>
#include "lib/grade/valuemath.h"

/* Variables are positive at the first points, and all negative at the last: |x| is not x. */
enum { ALLOT_POINTS = 6, ALLOT_POSITIVE_POINTS = 3 };

/* Normalised text of n bytes; point: which random point, below ALLOT_POINTS. 1, or 0: no
 * expression, or no value. */
int allot_expression_eval(const char *s, size_t n, unsigned point, allot_value *out);

/* 1 if both are expressions and agree. Numbers with decimals agree within 1e-6 of each other. What
 * holds variables is not equal to a constant, though it may be identical: sin^2 x + cos^2 x and 1.
 */
int allot_expressions_equal(const char *a, size_t na, const char *b, size_t nb);
int allot_expressions_identical(const char *a, size_t na, const char *b, size_t nb);

/* 1 if a = k b for a constant k other than 0 (positive if `positive`), at all points; each is a
 * relation's left side minus its right side, given as two spans (left, right). */
typedef struct {
    const char *left, *right;
    size_t n_left, n_right;
} allot_relation;
int allot_relations_equal(const allot_relation *a, const allot_relation *b, int positive);

#endif
