/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes for a variance, quantiles by interpolation, logarithms of binomials. */
#include "lib/core/stats.h"
#include <math.h>
#include <stdlib.h>

double allot_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : NAN;
}

double allot_variance(const double *x, size_t n)
{
    if (n < 2) return NAN;
    double mean = allot_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)(n - 1);
}

double allot_quantile_sorted(const double *x, size_t n, double q)
{
    if (n == 0) return NAN;
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n) return x[n - 1];
    return x[i] + (at - (double)i) * (x[i + 1] - x[i]);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void allot_sort(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
}

double allot_log_choose(int n, int k)
{
    if (k < 0 || k > n) return -INFINITY;
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}
