/* SPDX-License-Identifier: Apache-2.0 */
#include "run/runquery.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/options.h"
#include "lib/core/progress.h"
#include "liballot/mem.h"

#define POLL_MS 200

int allot_runner_is_lost(const allot_runner *r)
{
    return r->broken || allot_engine_away_s(r->engine) > 0 || r->vectors.hosts.away_since_s > 0;
}

/* Chooses, and notes what is predicted for the choice. */
static allot_code choose(allot_runner *r, const char *problem, size_t n, allot_run_result *out,
                         allot_err *err)
{
    const allot_bundle *b = r->decider.bundle;
    int at = r->forced ? allot_strategies_find(&b->strategies, r->forced) : -1;
    out->accuracy = out->tokens = out->seconds = NAN;
    if (r->forced) out->strategy = *r->forced;
    if (r->forced && at < 0) return ALLOT_OK;
    allot_ask q = {0};
    allot_decision d;
    allot_code rc = allot_ask_text(problem, n, &q, err);
    if (!rc) rc = allot_vectors_fill(&r->vectors, &q, 1, err);
    if (!rc) rc = allot_decide(&r->decider, &q, at, &d, err);
    allot_ask_clear(&q);
    if (rc) return rc;
    out->strategy = b->strategies.at[d.strategy];
    out->accuracy = d.accuracy;
    out->tokens = d.tokens;
    out->seconds = d.seconds;
    return ALLOT_OK;
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
    while (!rc && !w.done) {
        rc = allot_engine_poll(r->engine, POLL_MS, err);
        if (allot_interrupted()) rc = allot_fail(err, ALLOT_EINTR, "interrupted");
        r->broken = rc != ALLOT_OK; /* the query is still under way in there */
    }
    if (!rc && out->rec.type == ALLOT_REC_ERROR)
        rc = allot_fail(err, out->rec.code, "%s", out->rec.message ? out->rec.message : "failed");
    return rc;
}

allot_code allot_runner_ask(allot_runner *r, const char *problem, size_t n, allot_run_result *out,
                            allot_err *err)
{
    double start_s = allot_clock_s();
    *out = (allot_run_result){.picked = -1};
    allot_query q = {.problem = problem, .n = n};
    allot_code rc = allot_key_of_text(problem, n, &q.key, err);
    if (!rc) rc = choose(r, problem, n, out, err);
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
