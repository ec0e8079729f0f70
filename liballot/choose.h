/* SPDX-License-Identifier: Apache-2.0 */
/* choose.h - the decision: argmax over strategies of  accuracy - lambda_T tokens - lambda_L seconds
 * or, with caps, the best accuracy among those that fit. Pure functions, no allocation.
 * Source: arXiv:2509.09864, equations 1 and 2. */
#ifndef ALLOT_CHOOSE_H
#define ALLOT_CHOOSE_H
#include "cost.h"

typedef enum {
    ALLOT_CAP_MEAN,
    ALLOT_CAP_P50,
    ALLOT_CAP_P90,
    ALLOT_CAP_P95,
    ALLOT_CAP_P99
} allot_cap_on;

typedef struct {
    double lambda_per_token;  /* accuracy per token, finite, >= 0 */
    double lambda_per_second; /* accuracy per second, finite, >= 0 */
    double max_tokens;        /* cap on predicted tokens, > 0; INFINITY = none */
    double max_seconds;       /* cap on predicted seconds, > 0; INFINITY = none */
    allot_cap_on cap_on;      /* which number of the cost table the caps look at */
} allot_rule;

/* "mean", "p50", "p90", "p95", "p99". */
const char *allot_cap_name(allot_cap_on on);

/* lambdas 0, no caps, caps on the mean. */
void allot_rule_defaults(allot_rule *rule);
/* Refuses wrong numbers, and weights or caps on what the cost table does not have. */
ALLOT_MUST_CHECK allot_code allot_rule_check(const allot_rule *rule, const allot_costs *costs,
                                             allot_err *err);

/* U = accuracy - lambda_T tokens - lambda_L seconds. */
double allot_utility(const allot_rule *rule, double accuracy, double tokens, double seconds);

/* Index of the strategy of greatest utility among those within the caps, for a checked rule.
 * accuracy [S]. Ties: fewer predicted seconds, then fewer tokens, then the lesser canonical text,
 * so permuting the set does not change the choice. Fails with ALLOT_EINPUT when no strategy fits
 * the caps, naming the nearest. */
ALLOT_MUST_CHECK allot_code allot_choose(const allot_rule *rule, const allot_strategies *set,
                                         const double *accuracy, const allot_costs *costs,
                                         int *chosen, allot_err *err);

/* The same on arrays, for evaluation with per-query costs: tokens [S], seconds [S] or NULL. No caps
 * but the same tie-breaks; always succeeds. */
int allot_choose_argmax(const allot_rule *rule, const allot_strategies *set, const double *accuracy,
                        const double *tokens, const double *seconds);

#endif
