/* SPDX-License-Identifier: Apache-2.0 */
/* runquery.h - one query through bundle and server. */
#ifndef ALLOT_RUNQUERY_H
#define ALLOT_RUNQUERY_H
#include "lib/decide/decide.h"
#include "lib/engine/engine.h"
#include "liballot/allot.h"

/* What stays the same from query to query; borrowed. */
typedef struct {
    const allot_bundle *bundle;
    allot_engine *engine;
    allot_rule rule;
    const allot_strategy *forced; /* NULL = choose */
    allot_decider *decider;       /* on the engine's loop */
    int broken;                   /* the engine cannot go on */
} allot_runner;

typedef struct {
    allot_strategy strategy;
    double accuracy;  /* predicted; NaN for a forced strategy that the bundle does not know */
    double tokens;    /* predicted mean; NaN likewise */
    double seconds;   /* predicted mean; NaN if not measured */
    double select_s;  /* embedding and choosing took so long */
    allot_record rec; /* owned: what happened, type timed */
    int picked;       /* index of the answer's candidate in rec.gen, or -1 */
    char *answer;     /* owned; NULL = no candidate has an answer */
} allot_run_result;

/* After a query that failed: whether those to come would, too, because a server is away. */
int allot_runner_is_lost(const allot_runner *r);

/* problem: n bytes of UTF-8. Blocks until the answer is there. */
ALLOT_MUST_CHECK allot_code allot_runner_ask(allot_runner *r, const char *problem, size_t n,
                                             allot_run_result *out, allot_err *err);
void allot_run_result_clear(allot_run_result *out);

#endif
