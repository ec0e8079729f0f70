/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h - sums that hold their precision, quantiles, combinatorics. */
#ifndef ALLOT_STATS_H
#define ALLOT_STATS_H
#include <stddef.h>

double allot_mean(const double *x, size_t n);     /* NaN for n = 0 */
double allot_variance(const double *x, size_t n); /* n - 1 below; NaN for n < 2 */
/* Linear interpolation between order statistics (type 7); x is sorted ascending; 0 <= q <= 1. */
double allot_quantile_sorted(const double *x, size_t n, double q);
void allot_sort(double *x, size_t n);
double allot_log_choose(int n, int k); /* log C(n, k); -inf if 0 */

#endif
