/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h - the arithmetic of the transformer. Every output number is computed by the same
 * operations in the same order whatever else is computed with it: a matrix product adds over k one
 * by one, and only different outputs share a vector register. So a row's result does not depend on
 * the batch it is in. Two sets of the same functions: AVX2 with fused multiply-add, and plain
 * vectors of the compiler; the choice is made once, by the processor. */
#ifndef ALLOT_KERNELS_H
#define ALLOT_KERNELS_H
#include <stddef.h>
#include "liballot/err.h"

#define ALLOT_LANES 8  /* floats of a vector; positions of a KV block; every row is padded to it */
#define ALLOT_PANEL 16 /* columns of a packed panel */

/* The query heads of one token against the keys and values of its sequence. */
typedef struct {
    const float *q;       /* [n_head][head_dim] */
    float *const *blocks; /* KV blocks of the sequence, 8 positions each */
    size_t k_offset;      /* of the keys inside a block: [n_kv][head_dim][8 positions] */
    size_t v_offset;      /* of the values inside a block: [n_kv][8 positions][head_dim] */
    int n_head, n_kv;     /* n_head is a multiple of n_kv */
    int head_dim;         /* a multiple of 8 */
    int n;                /* positions attended to, >= 1 */
    float scale;          /* on the scores */
    float *scores;        /* scratch [n_head][n rounded up to 32] */
    float *out;           /* [n_head][head_dim] */
} allot_attention;

typedef struct {
    const char *name;
    /* c[rows][ldc] = a[rows][lda] x w, or += with add; w as packed by allot_kernels_pack: k inputs,
     * 16 * panels outputs, all of which are written. */
    void (*product)(const float *a, size_t lda, int rows, int k, const float *w, int panels,
                    float *c, size_t ldc, int add);
    /* out = x / sqrt(mean(x^2) + eps) * w; n a multiple of 8. */
    void (*rms_norm)(const float *x, const float *w, int n, float eps, float *out);
    /* out[i] = silu(gate[i]) * up[i]; n a multiple of 8. */
    void (*swiglu)(const float *gate, const float *up, int n, float *out);
    void (*attend)(const allot_attention *a);
    /* x[i] = exp((x[i] - max) * scale) in place for the first n; the rest up to the next multiple
     * of 8 becomes 0. Returns the sum. */
    float (*softmax_weights)(float *x, int n, float scale);
} allot_kernels;

/* The best set for this processor; ALLOT_DEMO_KERNELS=portable in the environment avoids AVX2. */
const allot_kernels *allot_kernels_best(void);
const allot_kernels *allot_kernels_portable(void);
const allot_kernels *allot_kernels_avx2(void); /* NULL where it cannot run */

/* n zeroed floats that start at a cache line; the caller frees. */
float *allot_kernels_floats(size_t n, allot_err *err);
/* Panels that n outputs need. */
int allot_kernels_panels(size_t n);
/* Packs w [n][k] (row-major, one row per output) behind each other from output `first` on:
 * out [panels][k][16], zeroed by the caller. */
void allot_kernels_pack(const float *w, size_t n, size_t k, size_t first, float *out);
#endif
