/* SPDX-License-Identifier: Apache-2.0 */
/* Log loss, Brier score, AUC and calibration errors, in sums over sorted forecasts. */
#include "lib/core/metrics.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = ((const allot_forecast *)a)->p, y = ((const allot_forecast *)b)->p;
    return (x > y) - (x < y);
}

void allot_forecasts_sort(allot_forecast *f, size_t n)
{
    if (n) qsort(f, n, sizeof *f, compare);
}

double allot_log_loss(const allot_forecast *f, size_t n)
{
    double sum = 0, w = 0;
    for (size_t i = 0; i < n; i++) {
        double p = fmin(fmax(f[i].p, 1e-12), 1 - 1e-12);
        sum -= f[i].w * (f[i].a * log(p) + (1 - f[i].a) * log1p(-p));
        w += f[i].w;
    }
    return sum / w;
}

double allot_brier(const allot_forecast *f, size_t n)
{
    double sum = 0, w = 0;
    for (size_t i = 0; i < n; i++) {
        sum += f[i].w * (f[i].p * f[i].p - 2 * f[i].p * f[i].a + f[i].a);
        w += f[i].w;
    }
    return sum / w;
}

double allot_auc(const allot_forecast *f, size_t n)
{
    double below = 0, pairs = 0, right = 0; /* below: failures of a smaller p */
    for (size_t i = 0, end; i < n; i = end) {
        double successes = 0, failures = 0;
        for (end = i; end < n && f[end].p == f[i].p; end++) {
            successes += f[end].w * f[end].a;
            failures += f[end].w * (1 - f[end].a);
        }
        pairs += successes * (below + failures / 2);
        below += failures;
        right += successes;
    }
    return pairs / (right * below);
}

/* Where a run of equal p with weights (before, before + w] of the total belongs. */
static int bin_of(double p, double before, double w, double total, allot_bins kind, int n_bins)
{
    double place =
        kind == ALLOT_BINS_WIDTH ? ceil(p * n_bins) - 1 : floor((before + w / 2) / total * n_bins);
    return (int)fmin(fmax(place, 0), n_bins - 1);
}

void allot_reliability(const allot_forecast *f, size_t n, allot_bins kind, int n_bins,
                       allot_reliability_bin *out)
{
    double total = 0, before = 0;
    for (size_t i = 0; i < n; i++)
        total += f[i].w;
    for (int b = 0; b < n_bins; b++)
        out[b] = (allot_reliability_bin){0, 0, 0};
    for (size_t i = 0, end; i < n; i = end) {
        double w = 0, a = 0;
        for (end = i; end < n && f[end].p == f[i].p; end++) {
            w += f[end].w;
            a += f[end].w * f[end].a;
        }
        if (w <= 0) continue;
        allot_reliability_bin *bin = &out[bin_of(f[i].p, before, w, total, kind, n_bins)];
        bin->p += w * f[i].p;
        bin->a += a;
        bin->w += w;
        before += w;
    }
    for (int b = 0; b < n_bins; b++) {
        out[b].p /= out[b].w;
        out[b].a /= out[b].w;
    }
}

double allot_ece(const allot_forecast *f, size_t n, allot_bins kind, int n_bins)
{
    allot_reliability_bin bins[ALLOT_MAX_BINS];
    assert(n_bins >= 1 && n_bins <= ALLOT_MAX_BINS);
    double sum = 0, w = 0;
    allot_reliability(f, n, kind, n_bins, bins);
    for (int b = 0; b < n_bins; b++) {
        if (bins[b].w > 0) sum += bins[b].w * fabs(bins[b].p - bins[b].a);
        w += bins[b].w;
    }
    return sum / w;
}
