/* SPDX-License-Identifier: Apache-2.0 */
/* fitcosts.h - a cost table from measurements: timed whole strategies, or the measured cells of
 * outcomes. Never from modelled seconds. */
#ifndef ALLOT_FITCOSTS_H
#define ALLOT_FITCOSTS_H
#include "lib/store/costsfile.h"
#include "lib/store/outcomes.h"
#include "lib/store/querykey.h"
#include "lib/store/secondsmodel.h"

/* One number of one query. Rows of a query lie side by side. */
typedef struct {
    allot_key key;
    double value;
} allot_cost_row;

/* Mean and quantiles over all rows; the standard error over queries (repeated runs of one query are
 * dependent), NaN with one query. Sorts x [n], a scratch. n >= 1. */
allot_cost_stat allot_cost_stat_of(const allot_cost_row *rows, size_t n, double *x);

enum { ALLOT_FITCOSTS_MAX_LOADS = 16 }; /* as in a manifest */

typedef struct {
    long n_rows;                                       /* used */
    long n_retried, n_foreign, n_duplicates, n_errors; /* timings left out */
    int torn;
    char no_seconds[ALLOT_STRATEGY_TEXT + 80]; /* outcomes: why there are none; else empty */
    int dropped_strategies;                    /* outcomes: by the rule for missing cells */
    allot_seconds_error model[ALLOT_FITCOSTS_MAX_LOADS]; /* of timings: by load, see there */
} allot_fitcosts_counts;

/* Seconds of a strategy over the load: at_1 + per_load (load - 1), the least squares of the
 * relative errors over the loads that were timed. */
typedef struct {
    double at_1, per_load;
    double worst; /* largest |line - mean| / mean; all are NaN with fewer than two loads */
} allot_cost_line;
allot_cost_line allot_cost_line_fit(const allot_costsfile *c, int strategy);

/* Every strategy of the manifest needs a row at every load that has rows. */
ALLOT_MUST_CHECK allot_code allot_fitcosts_timing(const char *dir, allot_costsfile *out,
                                                  allot_fitcosts_counts *counts, allot_err *err);

/* From the train split of outcomes: measured cells, or tokens only where no strategy or not every
 * one has measured seconds. missing: of which queries and strategies (mask: all cells that are
 * there); load: what the seconds were measured at. */
ALLOT_MUST_CHECK allot_code allot_fitcosts_outcomes(const char *outcomes, const char *splits,
                                                    allot_missing missing, int load,
                                                    allot_costsfile *out,
                                                    allot_fitcosts_counts *counts, allot_err *err);
#endif
