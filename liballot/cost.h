/* SPDX-License-Identifier: Apache-2.0 */
/* cost.h - the cost table: mean (and quantiles) of generated tokens and of wall-clock seconds per
 * strategy, at one declared load.
 * Source: arXiv:2509.09864, section 2.3 and table 1; quantiles are ours. */
#ifndef ALLOT_COST_H
#define ALLOT_COST_H
#include <stddef.h>
#include "strategy.h"

typedef struct {
    double mean;               /* tokens, or seconds; >= 0 */
    double se;                 /* standard error of the mean; NaN if unknown (n = 1) */
    double p50, p90, p95, p99; /* quantiles over queries; NaN if unknown */
    long n;                    /* measurements behind it */
} allot_cost_stat;

/* The numbers of a statistic but n, in the order of files: name, place, and of which quantile it is
 * (0: of none). Files, caps and fits go by this one list. */
typedef struct {
    const char *name;
    size_t offset;
    double quantile;
} allot_cost_field;
enum { ALLOT_N_COST_FIELDS = 6 };
extern const allot_cost_field allot_cost_fields[ALLOT_N_COST_FIELDS];
/* Number i of a statistic (0 is the mean), to read and to write. */
double allot_cost_number(const allot_cost_stat *s, int i);
double *allot_cost_at(allot_cost_stat *s, int i);

typedef struct {
    allot_cost_stat tokens;
    allot_cost_stat seconds;
    allot_cost_stat ttft; /* seconds to the first piece of a text; mean 0 = unknown */
} allot_cost;

typedef struct {
    int n_strategies;
    int has_seconds; /* 0: seconds were not measured; lambda per second > 0 is then refused */
    int load;        /* queries in flight when timed, >= 1 (0 without seconds) */
    allot_cost *at;  /* [n_strategies], owned */
} allot_costs;

void allot_costs_clear(allot_costs *c);

#endif
