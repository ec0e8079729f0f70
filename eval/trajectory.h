/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory.h - a selection rule along its lambda: what every query realises at each of K lambdas.
 * For one lambda fixed, a query's choice changes only at finitely many values of the other (the
 * corners of an upper envelope of lines); the K lambdas lie between these corners, so no tie and no
 * grid is involved.
 * Symbols: n test queries, S strategies, K lambdas. */
#ifndef ALLOT_TRAJECTORY_H
#define ALLOT_TRAJECTORY_H
#include <stdint.h>
#include "eval/evaldata.h"

typedef enum { ALLOT_BY_TOKENS, ALLOT_BY_SECONDS } allot_axis;

/* What a rule believes when it chooses. */
typedef struct {
    const char *name;
    const double *accuracy; /* [n][S] */
    const double *cost;     /* of the axis: [S], or [n][S] with per_query */
    int per_query;
} allot_belief;

typedef struct {
    int k, n;
    double *lambda;   /* [K] ascending, owned; the first is 0 */
    float *accuracy;  /* [K][n] realised, owned */
    float *cost;      /* [K][n] realised, owned */
    uint16_t *choice; /* [K][n], owned */
} allot_trajectory;

/* At most max_k lambdas. realised_accuracy, realised_cost: [n][S]. */
ALLOT_MUST_CHECK allot_code allot_trajectory_make(const allot_evaldata *d, const allot_belief *b,
                                                  const double *realised_accuracy,
                                                  const double *realised_cost, int max_k,
                                                  allot_trajectory *out, allot_err *err);
void allot_trajectory_clear(allot_trajectory *t);

/* Mean cost and accuracy at each lambda with weights [n] (NULL = all 1), sorted by cost. Room for K
 * each. */
void allot_trajectory_curve(const allot_trajectory *t, const double *weight, double *cost,
                            double *accuracy);

/* The cross-fitted oracle: choose by the labels of one half of the pool, realise those of the
 * other, both ways; 2n "queries" with the n of the data twice. Needs d->half. */
ALLOT_MUST_CHECK allot_code allot_trajectory_crossfit(const allot_evaldata *d, const double *cost,
                                                      const double *realised_cost, int max_k,
                                                      allot_trajectory *out, allot_err *err);
#endif
