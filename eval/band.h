/* SPDX-License-Identifier: Apache-2.0 */
/* band.h - a rule's curve against the hull of the statics, with a simultaneous 95 % band.
 * Whole queries are resampled; in each resample the static means, their hull and the curves are
 * computed again. The band is max-t over the points of the cost axis: difference +- q * se, with q
 * the 95 % quantile of the largest |studentised| deviation. Closed gap: area between the rule and
 * the hull over log cost, divided by that between the cross-fitted oracle and the hull. */
#ifndef ALLOT_BAND_H
#define ALLOT_BAND_H
#include "eval/hull.h"
#include "eval/trajectory.h"

#define ALLOT_BAND_POINTS 50

typedef struct {
    double cost[ALLOT_BAND_POINTS]; /* log-spaced, cheapest to dearest static mean */
    double rule[ALLOT_BAND_POINTS]; /* accuracy of the rule at this mean cost */
    double hull[ALLOT_BAND_POINTS];
    double oracle[ALLOT_BAND_POINTS];     /* cross-fitted; NaN without halves */
    double difference[ALLOT_BAND_POINTS]; /* rule - hull */
    double low[ALLOT_BAND_POINTS];        /* simultaneous 95 % band of the difference */
    double high[ALLOT_BAND_POINTS];
    double critical;                             /* q above */
    int n_above, n_below;                        /* points where the band excludes 0 */
    double mean_difference, mean_low, mean_high; /* over log cost, 95 % percentile interval */
    double oracle_difference;                    /* the same of the oracle; NaN without halves */
    double gap, gap_low, gap_high; /* closed gap; NaN without oracle, or when the oracle is
                                      not surely (95 %) above the hull */
    int resamples;
    double *resampled_mean; /* [resamples] owned: mean difference in each resample, for
                               paired comparisons of rules on the same queries */
} allot_band;

/* realised_cost [n][S]; oracle may be NULL. Deterministic in seed: resample r draws its queries
 * from the stream (seed, r), so two rules on the same queries see the same resamples. */
ALLOT_MUST_CHECK allot_code allot_band_make(const allot_evaldata *d, const double *realised_cost,
                                            const allot_trajectory *rule,
                                            const allot_trajectory *oracle, int resamples,
                                            long seed, allot_band *out, allot_err *err);
void allot_band_clear(allot_band *b);

/* weight[n] of resample r: how often each query was drawn. */
void allot_band_weights(long seed, int r, int n, double *weight);

/* Means over queries of the S statics, with weights (NULL = all 1). */
void allot_band_statics(const allot_evaldata *d, const double *cells, const double *weight,
                        double *mean);
#endif
