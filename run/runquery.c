/* SPDX-License-Identifier: Apache-2.0 */
/* One query: chosen for by the decider, executed by the engine, both on the engine's loop. */
#include "run/runquery.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/options.h"
#include "lib/core/progress.h"

#define POLL_MS 200

int allot_runner_is_lost(const allot_runner *r)
{
    return r->broken || allot_engine_away_s(r->engine) > 0 ||
           allot_vectorsource_away_s(&r->decider->source) > 0;
}

/* Until *done is set by a callback. */
static allot_code wait_for(allot_runner *r, const int *done, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    while (!rc && !*done) {
        rc = allot_engine_poll(r->engine, POLL_MS, err);
        if (allot_interrupted()) rc = allot_fail(err, ALLOT_EINTR, "interrupted");
        r->broken = rc != ALLOT_OK; /* the query is still under way in there */
    }
    return rc;
}

typedef struct {
    const allot_bundle *bundle;
    allot_run_result *out;
    int at; /* the strategy; -1 = as decided */
    allot_err failure;
    int done;
} choosing;

/* Notes what is predicted for the choice. */
static void on_decided(const allot_decision *decision, const allot_err *failure, void *user)
{
    choosing *c = user;
    const allot_bundle *b = c->bundle;
    c->done = 1;
    if (failure) {
        c->failure = *failure;
        return;
    }
    if (c->at < 0) c->at = decision->chosen;
    c->out->strategy = b->strategies.at[c->at];
    c->out->accuracy = decision->accuracy[c->at];
    c->out->tokens = b->costs.at[c->at].tokens.mean;
    c->out->seconds = allot_decide_seconds(b, c->at);
}

static allot_code choose(allot_runner *r, const allot_decide_query *q, allot_run_result *out,
                         allot_err *err)
{
    choosing c = {.bundle = r->bundle, .out = out, .at = -1};
    out->accuracy = out->tokens = out->seconds = NAN;
    if (r->forced) {
        out->strategy = *r->forced;
        c.at = allot_strategies_find(&r->bundle->strategies, r->forced);
        if (c.at < 0) return ALLOT_OK;
    }
    allot_code rc =
        allot_decider_begin(r->decider, q, r->forced ? NULL : &r->rule, on_decided, &c, err);
    if (!rc) rc = wait_for(r, &c.done, err);
    if (!rc && c.failure.code) rc = allot_fail(err, c.failure.code, "%s", c.failure.msg);
    return rc;
}

typedef struct {
    allot_run_result *out;
    int done;
} waiting;

static void on_done(allot_done *done, void *user)
{
    waiting *w = user;
    w->done = 1;
    w->out->rec = done->rec;
    w->out->picked = done->picked;
    if (done->answer) w->out->answer = strndup(done->answer, done->answer_n);
    memset(&done->rec, 0, sizeof done->rec);
}

static allot_code execute(allot_runner *r, const allot_query *q, allot_run_result *out,
                          allot_err *err)
{
    waiting w = {.out = out};
    allot_code rc = allot_engine_strategy(r->engine, q, &out->strategy, 0, NULL, on_done, &w, err);
    if (!rc) rc = wait_for(r, &w.done, err);
    if (!rc && out->rec.type == ALLOT_REC_ERROR)
        rc = allot_fail(err, out->rec.code, "%s", out->rec.message ? out->rec.message : "failed");
    return rc;
}

allot_code allot_runner_ask(allot_runner *r, const char *problem, size_t n, allot_run_result *out,
                            allot_err *err)
{
    double start_s = allot_clock_s();
    *out = (allot_run_result){.picked = -1};
    allot_decide_query asked;
    allot_code rc = allot_decide_query_read(problem, n, &asked, err);
    allot_query q = {.key = asked.key, .problem = problem, .n = n};
    if (!rc) rc = choose(r, &asked, out, err);
    allot_decide_query_clear(&asked);
    out->select_s = allot_clock_s() - start_s;
    if (!rc) rc = execute(r, &q, out, err);
    if (rc) allot_run_result_clear(out);
    return rc;
}

void allot_run_result_clear(allot_run_result *out)
{
    allot_record_clear(&out->rec);
    free(out->answer);
    memset(out, 0, sizeof *out);
}
