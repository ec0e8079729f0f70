/* SPDX-License-Identifier: Apache-2.0 */
/* gemm.h - the only file of this room that speaks BLAS: products of row-major float32
 * matrices, one BLAS thread each, callable from several of our own threads at once. */
#ifndef ALLOT_GEMM_H
#define ALLOT_GEMM_H

/* Once, before the first product: our workers are the threads, so that a result does not depend on
 * their number. */
void allot_blas_single_thread(void);

/* c[m][n] = a[m][k] b[n][k]^T */
void allot_blas_nt(int m, int n, int k, const float *a, const float *b, float *c);
/* c[m][n] = a[m][k] b[k][n] */
void allot_blas_nn(int m, int n, int k, const float *a, const float *b, float *c);
/* c[m][n] = a^T b for b[k][n] and m columns of a matrix of k rows with `stride` columns. */
void allot_blas_tn(int m, int n, int k, const float *a, int stride, const float *b, float *c);

#endif
