/* SPDX-License-Identifier: Apache-2.0 */
/* Bootstrap over queries, hull and curve anew in each resample, and the largest deviation along
 * the curve. */
#include "eval/band.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/rng.h"
#include "lib/core/stats.h"
#include "liballot/mem.h"

enum { POINTS = ALLOT_BAND_POINTS };

void allot_band_weights(long seed, int r, int n, double *weight)
{
    allot_rng rng = allot_rng_start((uint64_t)seed, 0x626f6f74 /* "boot" */, (uint64_t)r, 0);
    memset(weight, 0, (size_t)n * sizeof *weight);
    for (int i = 0; i < n; i++)
        weight[allot_rng_below(&rng, (uint64_t)n)] += 1;
}

void allot_band_statics(const allot_evaldata *d, const double *cells, const double *weight,
                        double *mean)
{
    double total = 0;
    memset(mean, 0, (size_t)d->s * sizeof *mean);
    for (int q = 0; q < d->n; q++) {
        double w = weight ? weight[q] : 1;
        total += w;
        for (int s = 0; s < d->s; s++)
            mean[s] += w * cells[(size_t)q * (size_t)d->s + (size_t)s];
    }
    for (int s = 0; s < d->s; s++)
        mean[s] /= total;
}

/* Scratch of one evaluation of all curves under one weighting. */
typedef struct {
    double *cost, *accuracy; /* [max K] */
    double *mean_c, *mean_a; /* [S] */
    allot_hull hull;         /* room for S */
    double *weight;          /* [2n]: the cross-fitted oracle holds each query twice */
} scratch;

static allot_code scratch_init(scratch *w, const allot_evaldata *d, int max_k, allot_err *err)
{
    size_t s = (size_t)d->s, k = (size_t)max_k;
    w->cost = allot_mem_array(k, sizeof(double), err);
    w->accuracy = allot_mem_array(k, sizeof(double), err);
    w->mean_c = allot_mem_array(s, sizeof(double), err);
    w->mean_a = allot_mem_array(s, sizeof(double), err);
    w->hull.cost = allot_mem_array(s, sizeof(double), err);
    w->hull.accuracy = allot_mem_array(s, sizeof(double), err);
    w->hull.point = allot_mem_array(s, sizeof(int), err);
    w->weight = allot_mem_array(2 * (size_t)d->n, sizeof(double), err);
    return w->cost && w->accuracy && w->mean_c && w->mean_a && w->hull.cost && w->hull.accuracy &&
                   w->hull.point && w->weight
               ? ALLOT_OK
               : ALLOT_ERUNTIME;
}

static void scratch_clear(scratch *w)
{
    free(w->cost);
    free(w->accuracy);
    free(w->mean_c);
    free(w->mean_a);
    free(w->hull.cost);
    free(w->hull.accuracy);
    free(w->hull.point);
    free(w->weight);
}

static void curve_at(const allot_trajectory *t, const double *weight, scratch *w, const double *at,
                     double *out)
{
    allot_trajectory_curve(t, weight, w->cost, w->accuracy);
    for (int i = 0; i < POINTS; i++)
        out[i] = allot_interpolate(w->cost, w->accuracy, t->k, at[i]);
}

/* The three curves at the points of the cost axis, under weights [2n] or NULL. */
static void curves(const allot_evaldata *d, const double *realised_cost,
                   const allot_trajectory *rule, const allot_trajectory *oracle,
                   const double *weight, scratch *w, const double *at, double *rule_at,
                   double *hull_at, double *oracle_at)
{
    allot_band_statics(d, d->label, weight, w->mean_a);
    allot_band_statics(d, realised_cost, weight, w->mean_c);
    allot_hull_make(w->mean_c, w->mean_a, d->s, &w->hull);
    for (int i = 0; i < POINTS; i++)
        hull_at[i] = allot_hull_at(&w->hull, at[i]);
    curve_at(rule, weight, w, at, rule_at);
    if (oracle) curve_at(oracle, weight, w, at, oracle_at);
}

/* The points are equally spaced in log cost, so the trapezoid mean is the area over log cost. */
static double mean_over_log_cost(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < POINTS; i++)
        sum += (i == 0 || i == POINTS - 1 ? 0.5 : 1) * (a[i] - b[i]);
    return sum / (POINTS - 1);
}

static void interval(double *x, int n, double *low, double *high)
{
    allot_sort(x, (size_t)n);
    *low = allot_quantile_sorted(x, (size_t)n, 0.025);
    *high = allot_quantile_sorted(x, (size_t)n, 0.975);
}

/* From the resampled differences [R][POINTS] to the band. */
static void max_t(const double *diffs, int resamples, double *maxima, allot_band *b)
{
    double se[POINTS];
    for (int i = 0; i < POINTS; i++) {
        double sum = 0, square = 0;
        for (int r = 0; r < resamples; r++) {
            double x = diffs[(size_t)r * POINTS + (size_t)i] - b->difference[i];
            sum += x;
            square += x * x;
        }
        double mean = sum / resamples;
        se[i] = sqrt(fmax(0, square / resamples - mean * mean));
    }
    for (int r = 0; r < resamples; r++) {
        maxima[r] = 0;
        for (int i = 0; i < POINTS; i++) {
            double x = fabs(diffs[(size_t)r * POINTS + (size_t)i] - b->difference[i]);
            if (se[i] > 0) maxima[r] = fmax(maxima[r], x / se[i]);
        }
    }
    allot_sort(maxima, (size_t)resamples);
    b->critical = allot_quantile_sorted(maxima, (size_t)resamples, 0.95);
    for (int i = 0; i < POINTS; i++) {
        b->low[i] = b->difference[i] - b->critical * se[i];
        b->high[i] = b->difference[i] + b->critical * se[i];
        b->n_above += b->low[i] > 0;
        b->n_below += b->high[i] < 0;
    }
}

static void cost_axis(const allot_evaldata *d, const double *realised_cost, scratch *w,
                      double *cost)
{
    allot_band_statics(d, realised_cost, NULL, w->mean_c);
    double low = INFINITY, high = 0;
    for (int s = 0; s < d->s; s++) {
        low = fmin(low, w->mean_c[s]);
        high = fmax(high, w->mean_c[s]);
    }
    low = fmax(low, high * 1e-9); /* a strategy may be free; a logarithm may not */
    for (int i = 0; i < POINTS; i++)
        cost[i] = low * pow(high / low, i / (POINTS - 1.0));
}

/* areas[r]: the oracle's mean advantage over the hull in resample r. */
static void resample(const allot_evaldata *d, const double *realised_cost,
                     const allot_trajectory *rule, const allot_trajectory *oracle, long seed,
                     scratch *w, double *diffs, double *areas, allot_band *b)
{
    double rule_at[POINTS], hull_at[POINTS], oracle_at[POINTS];
    for (int r = 0; r < b->resamples; r++) {
        allot_band_weights(seed, r, d->n, w->weight);
        memcpy(w->weight + d->n, w->weight, (size_t)d->n * sizeof *w->weight);
        curves(d, realised_cost, rule, oracle, w->weight, w, b->cost, rule_at, hull_at, oracle_at);
        for (int i = 0; i < POINTS; i++)
            diffs[(size_t)r * POINTS + (size_t)i] = rule_at[i] - hull_at[i];
        b->resampled_mean[r] = mean_over_log_cost(rule_at, hull_at);
        if (oracle) areas[r] = mean_over_log_cost(oracle_at, hull_at);
    }
}

/* The closed gap is a ratio: it is told only where its denominator is surely positive. */
static void closed_gap(double *areas, double *sorted, allot_band *b)
{
    size_t n = (size_t)b->resamples;
    double low, high;
    memcpy(sorted, areas, n * sizeof *sorted);
    interval(sorted, b->resamples, &low, &high);
    b->oracle_difference = mean_over_log_cost(b->oracle, b->hull);
    if (low <= 0) return;
    b->gap = b->mean_difference / b->oracle_difference;
    for (size_t r = 0; r < n; r++)
        sorted[r] = b->resampled_mean[r] / areas[r];
    interval(sorted, b->resamples, &b->gap_low, &b->gap_high);
}

static void summarise(const allot_trajectory *oracle, const double *diffs, double *sorted,
                      double *areas, allot_band *b)
{
    max_t(diffs, b->resamples, sorted, b);
    b->mean_difference = mean_over_log_cost(b->rule, b->hull);
    memcpy(sorted, b->resampled_mean, (size_t)b->resamples * sizeof *sorted);
    interval(sorted, b->resamples, &b->mean_low, &b->mean_high);
    b->gap = b->gap_low = b->gap_high = b->oracle_difference = NAN;
    if (oracle) closed_gap(areas, sorted, b);
}

allot_code allot_band_make(const allot_evaldata *d, const double *realised_cost,
                           const allot_trajectory *rule, const allot_trajectory *oracle,
                           int resamples, long seed, allot_band *out, allot_err *err)
{
    *out = (allot_band){.resamples = resamples};
    scratch w = {0};
    size_t n_r = (size_t)resamples;
    double *diffs = allot_mem_array(n_r * POINTS, sizeof *diffs, err);
    double *areas = allot_mem_array(n_r, sizeof *areas, err);
    double *sorted = allot_mem_array(n_r, sizeof *sorted, err);
    out->resampled_mean = allot_mem_array(n_r, sizeof *out->resampled_mean, err);
    int max_k = oracle && oracle->k > rule->k ? oracle->k : rule->k;
    allot_code rc = scratch_init(&w, d, max_k, err);
    if (!diffs || !areas || !sorted || !out->resampled_mean) rc = ALLOT_ERUNTIME;
    if (!rc) {
        cost_axis(d, realised_cost, &w, out->cost);
        for (int i = 0; i < POINTS; i++)
            out->oracle[i] = NAN;
        curves(d, realised_cost, rule, oracle, NULL, &w, out->cost, out->rule, out->hull,
               out->oracle);
        for (int i = 0; i < POINTS; i++)
            out->difference[i] = out->rule[i] - out->hull[i];
        resample(d, realised_cost, rule, oracle, seed, &w, diffs, areas, out);
        summarise(oracle, diffs, sorted, areas, out);
    }
    scratch_clear(&w);
    free(diffs);
    free(areas);
    free(sorted);
    if (rc) allot_band_clear(out);
    return rc;
}

void allot_band_clear(allot_band *b)
{
    free(b->resampled_mean);
    *b = (allot_band){0};
}
