/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for x86 with AVX2 and FMA, built by any x86 compiler without special flags. */
#include "demo/kernels.h"

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include <immintrin.h>
#define FMA(a, b, c) ((v8)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#include "demo/kernels_body.inc"
#if defined(__clang__)
#pragma clang attribute pop
#endif

static const allot_kernels table = {"avx2", product, rms_norm, swiglu, attend, softmax_weights};

const allot_kernels *allot_kernels_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table : NULL;
}
#else
const allot_kernels *allot_kernels_avx2(void)
{
    return NULL;
}
#endif
