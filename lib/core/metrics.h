/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - how good probabilities are against soft labels. A forecast is a probability p, a
 * label a in [0, 1] and a weight w >= 0 (cells, or how often a resample drew their query). A soft
 * label counts as a of a success and 1 - a of a failure. Pure, nothing is allocated. All are NaN
 * when the weights sum to 0. */
#ifndef ALLOT_METRICS_H
#define ALLOT_METRICS_H
#include <stddef.h>

typedef struct {
    double p; /* predicted, [0, 1] */
    double a; /* label, [0, 1] */
    double w; /* weight, >= 0 */
} allot_forecast;

/* Ascending p: what auc, ece and reliability ask for. Weights may change afterwards. */
void allot_forecasts_sort(allot_forecast *f, size_t n);

/* mean of -a log p - (1 - a) log(1 - p), p kept 1e-12 from 0 and 1. */
double allot_log_loss(const allot_forecast *f, size_t n);
/* mean of p^2 - 2 p a + a: the expected squared error over a coin of bias a. */
double allot_brier(const allot_forecast *f, size_t n);
/* Probability that a success has a higher p than a failure, ties half. Sorted. NaN if all labels
 * are 0 or all 1. */
double allot_auc(const allot_forecast *f, size_t n);

typedef enum {
    ALLOT_BINS_WIDTH, /* (k / B, (k + 1) / B]; 0 belongs to the first */
    ALLOT_BINS_MASS   /* equal weights; equal p are never parted */
} allot_bins;

typedef struct {
    double p, a; /* means in the bin; NaN if empty */
    double w;    /* weight in the bin */
} allot_reliability_bin;

/* out[n_bins]. Sorted. */
void allot_reliability(const allot_forecast *f, size_t n, allot_bins kind, int n_bins,
                       allot_reliability_bin *out);
/* Expected calibration error: sum over bins of w_b / w |mean p - mean a|. Sorted; n_bins <=
 * ALLOT_MAX_BINS. */
#define ALLOT_MAX_BINS 100
double allot_ece(const allot_forecast *f, size_t n, allot_bins kind, int n_bins);

#endif
