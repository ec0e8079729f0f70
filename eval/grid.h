/* SPDX-License-Identifier: Apache-2.0 */
/* grid.h - rules at given pairs of lambdas, the paper's grids among them: what a rule chooses and
 * what it realises. Source: arXiv:2509.09864, section 3. */
#ifndef ALLOT_GRID_H
#define ALLOT_GRID_H
#include "lib/core/buf.h"
#include "eval/evaldata.h"

/* The rules that are compared. */
typedef enum {
    ALLOT_RULE_ADAPTIVE,     /* calibrated probe, cost table */
    ALLOT_RULE_UNCALIBRATED, /* the same without Platt scaling */
    ALLOT_RULE_ORACLE_COSTS, /* calibrated probe, the query's own realised costs */
    ALLOT_RULE_ORACLE,       /* soft labels as predictions, cost table: flattered by label noise */
    ALLOT_N_RULES
} allot_rule_kind;

/* Means over the test queries. */
typedef struct {
    double accuracy, tokens, seconds; /* seconds 0 when there are none */
    double utility;                   /* accuracy - lambda_T tokens - lambda_L seconds */
} allot_realised;

/* chosen [n] (may be NULL) gets the strategy of each query. Rules with lambda_per_second > 0 need
 * d->seconds. */
void allot_grid_point(const allot_evaldata *d, allot_rule_kind kind, const allot_rule *rule,
                      int *chosen, allot_realised *out);

/* A strategy picked uniformly at random for each query: its expectation. */
void allot_grid_random(const allot_evaldata *d, const allot_rule *rule, allot_realised *out);

/* The paper's grids as CSV:
 * rule,lambda_per_token,lambda_per_second,accuracy,tokens,seconds,utility. by_seconds 0: lambda_T
 * in logspace(-7,-1,25) at lambda_L in {0,1e-4,1e-3,1e-2} (only 0 without seconds); 1: lambda_L in
 * logspace(-5,-1,25) at lambda_T in {0,1e-7,1e-6,1e-5}. */
void allot_grid_csv(const allot_evaldata *d, int by_seconds, allot_buf *out);

/* The k-th of the 25 points of a grid. */
double allot_grid_lambda(int by_seconds, int k);
enum { ALLOT_GRID_POINTS = 25, ALLOT_GRID_FIXED = 4 };
#endif
