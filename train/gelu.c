/* SPDX-License-Identifier: Apache-2.0 */
/* A polynomial exponential over lanes that compilers vectorise, and GELU made of it. */
#include "train/gelu.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

/* So many numbers go through each step together: loops of a fixed length become vector code. */
enum { LANES = 16 };

/* e^x for -87 <= x <= 0: x = k ln 2 + r, e^r by a polynomial (Cephes' expf), 2^k by its exponent.
 * Adding and subtracting 1.5 2^23 rounds to the nearest integer. */
static void exp_lanes(const float *x, float *out)
{
    int32_t bits[LANES];
    float scale[LANES];
    for (int i = 0; i < LANES; i++) {
        float k = (x[i] * 1.44269504f + 12582912.0f) - 12582912.0f;
        float r = (x[i] - k * 0.693359375f) + k * 2.12194440e-4f;
        float p = 1.9875691500e-4f;
        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        out[i] = p * r * r + r + 1.0f;
        bits[i] = ((int32_t)k + 127) << 23;
    }
    memcpy(scale, bits, sizeof scale);
    for (int i = 0; i < LANES; i++)
        out[i] *= scale[i];
}

/* The upper tail 1 - Phi(|a|) = poly(t) e^(-a^2/2) / 2, t = 1 / (1 + p |a| / sqrt 2): Abramowitz
 * and Stegun 7.1.26, absolute error below 1e-7; e^(-a^2/2) serves the slope as well. */
static void gelu_lanes(float *value, float *slope)
{
    float x[LANES], e[LANES];
    for (int i = 0; i < LANES; i++) {
        float half_square = 0.5f * value[i] * value[i];
        x[i] = half_square < 87.0f ? -half_square : -87.0f;
    }
    exp_lanes(x, e);
    for (int i = 0; i < LANES; i++) {
        float a = value[i], t = 1.0f / (1.0f + 0.23164189f * fabsf(a));
        float p = 1.061405429f;
        p = p * t - 1.453152027f;
        p = p * t + 1.421413741f;
        p = p * t - 0.284496736f;
        p = p * t + 0.254829592f;
        float tail = 0.5f * p * t * e[i];
        float cdf = a > 0 ? 1.0f - tail : tail;
        value[i] = a * cdf;
        slope[i] = cdf + a * 0.39894228f * e[i];
    }
}

void allot_gelu_slopes(float *value, float *slope, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        gelu_lanes(value + i, slope + i);
    if (i == n) return;
    float rest[LANES] = {0}, rest_slope[LANES];
    memcpy(rest, value + i, (n - i) * sizeof *rest);
    gelu_lanes(rest, rest_slope);
    memcpy(value + i, rest, (n - i) * sizeof *rest);
    memcpy(slope + i, rest_slope, (n - i) * sizeof *rest);
}
