/* SPDX-License-Identifier: Apache-2.0 */
/* N independent samples of one query, at once; then, where the strategy needs them, the scores of
 * all N in one request: how all pooled methods are run; and one pool sample (N = 1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/engine/generate.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"

/* The way from an answer back to its slot. */
typedef struct {
    allot_job *job;
    int index;
} slot;

static void clear(allot_job *job)
{
    free(job->state);
}

static void take_sample(const allot_generate_reply *reply, void *user)
{
    slot *at = user;
    allot_job *job = at->job;
    allot_record *r = &job->rec;
    allot_generation *g = &r->gen[at->index];
    allot_err failure = reply->failure;
    allot_job_count(job, reply);
    if (!job->timed) {
        r->attempt += job->query->first_attempt;
        r->seed = allot_job_seed(job, r->slot, 0, r->attempt);
    }
    if (!failure.code) {
        g->text = allot_mem_text(reply->text, reply->n, &failure);
        g->n = reply->n;
        g->finish = reply->finish;
        g->cut = reply->cut;
        g->n_tokens = reply->n_tokens;
    }
    allot_job_returned(job, &failure, reply->retries, reply->sent_s, reply->done_s);
}

/* One round for the record: generation, then (perhaps) scoring. */
static void finish(allot_job *job)
{
    allot_record *r = &job->rec;
    allot_err err = {0};
    r->rounds = job->timed ? allot_mem_array(1, sizeof *r->rounds, &err) : NULL;
    if (r->rounds) {
        r->n_rounds = 1;
        r->rounds[0] = (allot_round){r->n_tokens, r->prm_tokens, r->gen_s, r->prm_s};
    }
    r->type = ALLOT_REC_SAMPLE;
    allot_job_report(job);
}

static void scored(allot_job *job)
{
    job->rec.prm_s = job->phase_done_s - job->phase_sent_s;
    finish(job);
}

static void take_scores(allot_prm_reply *reply, void *user)
{
    allot_job *job = user;
    job->rec.prm_tokens += reply->prm_tokens;
    for (int i = 0; i < reply->n && !reply->failure.code; i++) {
        allot_generation *g = &job->rec.gen[i];
        g->scores = reply->texts[i].scores;
        g->n_scores = reply->texts[i].n_marks;
        g->prm_truncated = reply->texts[i].first > 0;
        reply->texts[i].scores = NULL;
    }
    allot_job_returned(job, &reply->failure, reply->retries, reply->sent_s, reply->done_s);
}

static allot_code send_scoring(allot_job *job, allot_err *err)
{
    allot_record *r = &job->rec;
    allot_prm_text *texts = allot_mem_array((size_t)r->n_gen, sizeof *texts, err);
    if (!texts) return ALLOT_ERUNTIME;
    for (int i = 0; i < r->n_gen; i++)
        texts[i] = (allot_prm_text){.query = job->query, .text = r->gen[i].text, .n = r->gen[i].n};
    allot_code rc =
        allot_prm_score(job->engine, texts, r->n_gen, job->timed, take_scores, job, err);
    free(texts);
    return rc;
}

static void sampled(allot_job *job)
{
    job->rec.gen_s = job->phase_done_s - job->phase_sent_s;
    if (!job->timed || !allot_strategy_uses_prm(&job->strategy)) {
        finish(job);
        return;
    }
    allot_err err = {0};
    allot_job_phase(job);
    job->step = scored;
    allot_code rc = send_scoring(job, &err);
    if (!rc) job->outstanding++;
    allot_job_sent(job, rc, &err);
}

/* The report of a text's scores holds them alone: the text is in the sample's own record. */
static void text_scored(allot_job *job)
{
    allot_generation *g = &job->rec.gen[0];
    job->rec.prm_s = job->phase_done_s - job->phase_sent_s;
    free(g->text);
    g->text = NULL;
    g->n = 0;
    job->rec.type = ALLOT_REC_SCORE;
    allot_job_report(job);
}

allot_code allot_score_start(allot_job *job, const char *text, size_t n, allot_err *err)
{
    job->step = text_scored;
    job->rec.gen = allot_mem_array(1, sizeof *job->rec.gen, err);
    if (!job->rec.gen) return ALLOT_ERUNTIME;
    job->rec.n_gen = 1;
    job->rec.gen[0].n = n;
    job->rec.gen[0].text = allot_mem_text(text, n, err);
    if (!job->rec.gen[0].text) return ALLOT_ERUNTIME;
    allot_job_phase(job);
    allot_code rc = send_scoring(job, err);
    if (!rc) job->outstanding++;
    return rc;
}

allot_code allot_parallel_start(allot_job *job, int first_slot, int n, allot_err *err)
{
    slot *slots = allot_mem_array((size_t)n, sizeof *slots, err);
    job->state = slots;
    job->clear = clear;
    job->step = sampled;
    job->rec.gen = allot_mem_array((size_t)n, sizeof *job->rec.gen, err);
    if (!slots || !job->rec.gen) return ALLOT_ERUNTIME;
    job->rec.n_gen = n;
    allot_job_phase(job);
    for (int i = 0; i < n; i++) {
        slots[i] = (slot){job, i};
        allot_generate_request r = {
            .so_far = "", .max_tokens = job->engine->config.max_tokens, .salt = job->salt};
        allot_job_seeds(job, first_slot + i, 0, r.seeds);
        allot_err failure = {0};
        allot_code rc =
            allot_generate(job->engine, job->query, &r, take_sample, &slots[i], &failure);
        if (rc && job->outstanding == 0) return allot_fail(err, rc, "%s", failure.msg);
        allot_job_sent(job, rc, &failure); /* those before will come back, the last one reports */
        if (rc) break;
        job->outstanding++;
    }
    return ALLOT_OK;
}
