/* SPDX-License-Identifier: Apache-2.0 */
/* timing_rule.h - when enough was timed: a load is done once the standard error of every strategy's
 * mean seconds is below a share of the mean. Rows of one query depend on each other, so the error
 * is that of the queries' means. Rows under foreign load do not count. Symbols: Q queries, L loads,
 * S strategies. */
#ifndef ALLOT_TIMING_RULE_H
#define ALLOT_TIMING_RULE_H
#include "lib/store/rundir.h"

/* With fewer queries a standard error says nothing. */
#define ALLOT_TIMING_MIN_QUERIES 10

typedef struct {
    long n_queries;
    int n_loads, n_strategies;
    double *seconds;            /* owned [L,S,Q]: sums */
    int *n;                     /* owned [L,S,Q] */
    long *n_failed;             /* owned [L,S] */
    double *client_s, *total_s; /* owned [L]: sums of rows that tell the client's share */
} allot_timing_rule;

ALLOT_MUST_CHECK allot_code allot_timing_rule_init(allot_timing_rule *r, long n_queries,
                                                   const allot_rundir *m, allot_err *err);
void allot_timing_rule_clear(allot_timing_rule *r);
/* A timed row; client_s may be NaN. */
void allot_timing_rule_add(allot_timing_rule *r, long q, int load, int strategy, double seconds,
                           double client_s);
/* A timing that failed. A strategy that failed as often as there must be queries, and was never
 * timed, has no mean that could be waited for. */
void allot_timing_rule_fail(allot_timing_rule *r, int load, int strategy);
/* Largest standard error over mean at a load, and whose it is; INFINITY with too few queries, NaN
 * if every strategy only fails. */
double allot_timing_rule_worst(const allot_timing_rule *r, int load, int *strategy);
/* The client's share of the seconds at a load; NaN if unknown. */
double allot_timing_rule_client(const allot_timing_rule *r, int load);
#endif
