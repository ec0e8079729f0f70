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

allot_code allot_runner_init(allot_runner *r, allot_err *err)
{
    r->scratch = allot_mem_array(allot_scratch_floats(r->bundle), sizeof *r->scratch, err);
    if (!r->scratch) return ALLOT_ERUNTIME;
    r->accuracy = allot_mem_array((size_t)r->bundle->strategies.count, sizeof *r->accuracy, err);
    return r->accuracy ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_runner_clear(allot_runner *r)
{
    free(r->scratch);
    free(r->accuracy);
    allot_hosts_clear(&r->embed_hosts);
    memset(r, 0, sizeof *r);
}

int allot_runner_is_lost(const allot_runner *r)
{
    return r->broken || allot_engine_away_s(r->engine) > 0 || r->embed_hosts.away_since_s > 0;
}

static void scale_to_length_1(float *x, long n)
{
    double square = 0;
    for (long i = 0; i < n; i++)
        square += (double)x[i] * (double)x[i];
    for (long i = 0; i < n && square > 0; i++)
        x[i] = (float)((double)x[i] / sqrt(square));
}

static allot_code embed_on_server(const allot_runner *r, const char *problem, size_t n, float **out,
                                  allot_err *err)
{
    allot_buf text = {0};
    long dim = 0;
    allot_buf_str(&text, r->embed_prefix);
    allot_buf_add(&text, problem, n);
    allot_code rc = allot_buf_check(&text, err);
    const char *texts[] = {text.at};
    if (!rc) rc = allot_embedclient_run(&r->embed, texts, &text.n, 1, out, &dim, NULL, NULL, err);
    allot_buf_clear(&text);
    if (!rc && r->embed_normalized) scale_to_length_1(*out, dim);
    if (rc || dim == r->bundle->probe.d) return rc;
    free(*out);
    *out = NULL;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "embeddings of '%s' have %ld numbers, the bundle was trained with %d (serve "
                      "'%s', or train with this embedding)",
                      r->embed.model, dim, r->bundle->probe.d, r->bundle->embedding_model);
}

static allot_code embed(const allot_runner *r, const char *problem, size_t n, float **out,
                        allot_err *err)
{
    *out = NULL;
    if (strcmp(r->bundle->embedding_model, ALLOT_NGRAM_MODEL) != 0)
        return embed_on_server(r, problem, n, out, err);
    *out = allot_mem_array((size_t)r->bundle->probe.d, sizeof **out, err);
    if (!*out) return ALLOT_ERUNTIME;
    allot_ngram_embed(problem, n, r->bundle->probe.d, *out);
    return ALLOT_OK;
}

/* Chooses, and notes what is predicted for the choice. */
static allot_code choose(allot_runner *r, const char *problem, size_t n, allot_run_result *out,
                         allot_err *err)
{
    const allot_bundle *b = r->bundle;
    int at = r->forced ? allot_strategies_find(&b->strategies, r->forced) : -1;
    out->accuracy = out->tokens = out->seconds = NAN;
    if (r->forced) out->strategy = *r->forced;
    if (r->forced && at < 0) return ALLOT_OK;
    float *embedding;
    size_t codepoints = allot_features_codepoints(problem, n);
    allot_code rc = embed(r, problem, n, &embedding, err);
    if (!rc && r->forced)
        rc = allot_bundle_predict(b, embedding, codepoints, r->scratch, r->accuracy, err);
    else if (!rc)
        rc = allot_bundle_select(b, &r->rule, embedding, codepoints, r->scratch, r->accuracy, &at,
                                 err);
    free(embedding);
    if (rc) return rc;
    out->strategy = b->strategies.at[at];
    out->accuracy = r->accuracy[at];
    out->tokens = b->costs.at[at].tokens.mean;
    if (b->costs.has_seconds) out->seconds = b->costs.at[at].seconds.mean;
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
