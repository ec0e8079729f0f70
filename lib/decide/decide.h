/* SPDX-License-Identifier: Apache-2.0 */
/* decide.h - which strategy a query gets: its vector (queryvector.h), the accuracies that the
 * bundle predicts, and the choice among them by a rule. A blocking form for programs that do
 * nothing else, and one for event loops with many queries under way.
 *
 * Errors: those of queryvector.h, allot_bundle_predict and allot_bundle_select.
 * Threads: a decider belongs to one thread, which is also that of its allot_http; several may share
 * a bundle. */
#ifndef ALLOT_DECIDE_H
#define ALLOT_DECIDE_H
#include <cjson/cJSON.h>
#include "lib/decide/queryvector.h"
#include "liballot/choose.h"

typedef struct {
    const allot_bundle *bundle; /* borrowed */
    allot_vectorsource source;
    float *scratch;   /* owned [allot_scratch_floats] */
    double *accuracy; /* owned [S] */
} allot_decider;      /* zero: nothing to close. It may not move */

/* What came out. */
typedef struct {
    int chosen;             /* index of the strategy in the bundle; -1 without a rule */
    const double *accuracy; /* [S] predicted, in [0, 1]; borrowed until the decider's next query */
} allot_decision;

ALLOT_MUST_CHECK allot_code allot_decider_open(const allot_bundle *b,
                                               const allot_vectorsource_config *c,
                                               allot_decider *out, allot_err *err);
/* A config.http on which queries are under way is freed first; they end without a callback. */
void allot_decider_close(allot_decider *d);

/* For a query whose vector is there (allot_vectorsource_fill of d->source). rule NULL = predict
 * only. Never blocks. */
ALLOT_MUST_CHECK allot_code allot_decider_choose(allot_decider *d, const allot_decide_query *q,
                                                 const allot_rule *rule, allot_decision *out,
                                                 allot_err *err);

/* decision NULL: failure says why (else it is NULL). */
typedef void (*allot_decided)(const allot_decision *decision, const allot_err *failure, void *user);

/* Embeds and decides without blocking: done is called once, from allot_http_poll (of an engine that
 * lends its loop: from allot_engine_poll), or before this returns where no server is asked; after a
 * failure never. q and rule (NULL = predict only) are not needed any more when this returns. Any
 * number of queries may be under way. A callback may begin others. */
ALLOT_MUST_CHECK allot_code allot_decider_begin(allot_decider *d, const allot_decide_query *q,
                                                const allot_rule *rule, allot_decided done,
                                                void *user, allot_err *err);

/* Mean seconds of a strategy; NaN = they were not measured. */
double allot_decide_seconds(const allot_bundle *b, int strategy);

#define ALLOT_RATE_ACCURACY 0.01 /* the accuracy whose price is told */
/* Adds {"exchange_rate": {"accuracy", "tokens", "seconds"}}: what that accuracy may cost by a rule;
 * null = anything. */
void allot_decide_add_rate(cJSON *to, const allot_rule *rule);
#endif
