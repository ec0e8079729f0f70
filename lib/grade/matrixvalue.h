/* SPDX-License-Identifier: Apache-2.0 */
/* matrixvalue.h - matrices by their values at random points: literals, sums, products, powers,
 * transposes, inverses, determinants, vectors written as tuples. At most 64 cells. */
#ifndef ALLOT_MATRIXVALUE_H
#define ALLOT_MATRIXVALUE_H
#include "lib/grade/structure.h"

/* 1 if the text holds a matrix. */
int allot_matrix_evident(allot_span t);

/* 1 if both are matrices, or vectors and determinants beside one, and agree within 1e-9. */
int allot_matrices_equal(allot_span a, allot_span b);

#endif
