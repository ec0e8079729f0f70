/* SPDX-License-Identifier: Apache-2.0 */
/* One thread of BLAS for each tile: the workers are ours, and results do not depend on their
 * number. */
#include "train/gemm.h"
#include <cblas.h>

void allot_blas_single_thread(void)
{
    openblas_set_num_threads(1);
}

void allot_blas_nt(int m, int n, int k, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, k, b, k, 0, c, n);
}

void allot_blas_nn(int m, int n, int k, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
}

void allot_blas_tn(int m, int n, int k, const float *a, int stride, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, stride, b, n, 0, c, n);
}
