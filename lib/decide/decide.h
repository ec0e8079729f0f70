/* SPDX-License-Identifier: Apache-2.0 */
/* decide.h - the choice for one query: rule and bundle in, strategy and what is predicted for it
 * out. Symbols: S strategies. Threads: a decider belongs to one; the bundle may be shared. */
#ifndef ALLOT_DECIDE_H
#define ALLOT_DECIDE_H
#include "lib/decide/vectors.h"
#include "liballot/choose.h"

typedef struct {
    const allot_bundle *bundle; /* borrowed */
    allot_rule rule;            /* checked against the bundle's costs */
    float *scratch;             /* owned [allot_scratch_floats] */
    double *accuracy;           /* owned [S]: of the last decision */
} allot_decider;

typedef struct {
    int strategy;    /* index in the bundle */
    double accuracy; /* predicted */
    double tokens;   /* predicted mean */
    double seconds;  /* predicted mean; NaN if not measured */
} allot_decision;

ALLOT_MUST_CHECK allot_code allot_decider_init(allot_decider *d, const allot_bundle *b,
                                               const allot_rule *rule, allot_err *err);
void allot_decider_clear(allot_decider *d);

/* q has its vector. forced: index of a strategy that is wanted whatever the rule says, -1 = choose.
 */
ALLOT_MUST_CHECK allot_code allot_decide(allot_decider *d, const allot_ask *q, int forced,
                                         allot_decision *out, allot_err *err);
#endif
