/* SPDX-License-Identifier: Apache-2.0 */
/* Seeds, counts and phases of a job, and its one report at the end. */
#include "lib/engine/job.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/core/progress.h"
#include "lib/core/rng.h"
#include "liballot/mem.h"
#include "lib/methods/pick.h"

allot_code allot_job_new(allot_engine *e, const allot_query *q, const char *source, int run,
                         allot_done_fn f, void *user, allot_job **out, allot_err *err)
{
    allot_job *job = allot_mem_array(1, sizeof *job, err);
    if (!job) return ALLOT_ERUNTIME;
    job->engine = e;
    job->query = q;
    job->done = f;
    job->user = user;
    job->sent_s = INFINITY;
    job->rec.key = q->key;
    job->rec.run = run;
    job->rec.draws = q->first_attempt;
    job->rec.ttft_s = NAN;
    strncpy(job->rec.source, source, sizeof job->rec.source - 1);
    job->rec.seed = allot_job_seed(job, 0, 0, 0);
    job->next = e->jobs;
    job->link = &e->jobs;
    if (e->jobs) e->jobs->link = &job->next;
    e->jobs = job;
    *out = job;
    return ALLOT_OK;
}

void allot_job_free(allot_job *job)
{
    *job->link = job->next;
    if (job->next) job->next->link = job->link;
    if (job->clear) job->clear(job);
    allot_record_clear(&job->rec);
    free(job->salt);
    free(job);
}

uint64_t allot_job_seed(const allot_job *job, int slot, int step, int attempt)
{
    const char *source = job->rec.source;
    const uint64_t words[] = {(uint64_t)job->engine->config.seed,
                              allot_key_u64(&job->query->key),
                              allot_fnv1a(ALLOT_FNV_START, source, strlen(source)),
                              (uint64_t)job->rec.run,
                              (uint64_t)slot,
                              (uint64_t)step,
                              (uint64_t)attempt};
    uint64_t mixed = allot_rng_mix(words, sizeof words / sizeof *words);
    return (mixed ^ mixed >> 32) & 0x7fffffff;
}

void allot_job_seeds(const allot_job *job, int slot, int step, uint64_t *seeds)
{
    for (int i = 0; i < ALLOT_MAX_DRAWS; i++)
        seeds[i] = allot_job_seed(job, slot, step, job->query->first_attempt + i);
}

void allot_job_count(allot_job *job, const allot_generate_reply *reply)
{
    allot_record *r = &job->rec;
    r->attempt += reply->attempt;
    int draws = job->query->first_attempt + reply->failed_draws;
    if (draws > r->draws) r->draws = draws;
    if (reply->failure.code) return;
    r->n_tokens += reply->n_tokens;
    r->prompt_tokens += reply->prompt_tokens;
    r->cached_tokens += reply->cached_tokens;
    if (isnan(reply->first_s)) return;
    job->ttft_s += reply->first_s - reply->sent_s;
    r->ttft_s = job->ttft_s / ++job->n_ttft;
}

void allot_job_phase(allot_job *job)
{
    job->phase_sent_s = INFINITY;
    job->phase_done_s = 0;
}

/* The clock that measures does not know the date. */
static double begin_epoch_s(const allot_job *job)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double waited_s = isfinite(job->sent_s) ? allot_clock_s() - job->sent_s : 0;
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9 - waited_s;
}

static void hand_over(allot_job *job, int picked)
{
    if (job->timed) allot_strategy_print(&job->strategy, job->rec.source);
    job->rec.t_start = begin_epoch_s(job);
    allot_done done = {.rec = job->rec, .picked = picked};
    allot_grade_options o;
    allot_grade_defaults(&o);
    if (picked >= 0) {
        const allot_generation *g = &done.rec.gen[picked];
        if (allot_extract(g->text, g->n, &o, &done.answer, &done.answer_n) == ALLOT_EXTRACT_NONE)
            done.answer = NULL;
    }
    allot_done_fn f = job->done;
    void *user = job->user;
    memset(&job->rec, 0, sizeof job->rec);
    allot_job_free(job);
    f(&done, user);
}

void allot_job_report(allot_job *job)
{
    allot_record *r = &job->rec;
    int picked = r->type == ALLOT_REC_SAMPLE ? 0 : -1;
    if (job->timed) {
        allot_grade_options o;
        allot_grade_defaults(&o);
        r->type = ALLOT_REC_TIMED;
        picked = allot_pick(&job->strategy, r->gen, r->n_gen, &o);
    }
    r->seconds = allot_clock_s() - job->sent_s;
    hand_over(job, picked);
}

/* The report of a failure keeps what says which unit failed, and the costs so far. */
static void report_failure(allot_job *job)
{
    allot_record *r = &job->rec;
    for (int i = 0; i < r->n_gen; i++) {
        free(r->gen[i].text);
        free(r->gen[i].scores);
    }
    free(r->gen);
    free(r->rounds);
    r->gen = NULL;
    r->rounds = NULL;
    r->n_gen = r->n_rounds = 0;
    r->type = ALLOT_REC_ERROR;
    r->code = job->failure.code;
    r->message = strdup(job->failure.msg);
    r->seconds = isfinite(job->sent_s) ? allot_clock_s() - job->sent_s : 0;
    hand_over(job, -1);
}

void allot_job_returned(allot_job *job, const allot_err *failure, int retries, double sent_s,
                        double done_s)
{
    if (failure && failure->code && !job->failure.code) job->failure = *failure;
    job->rec.retries += retries;
    job->sent_s = fmin(job->sent_s, sent_s);
    job->phase_sent_s = fmin(job->phase_sent_s, sent_s);
    job->phase_done_s = fmax(job->phase_done_s, done_s);
    if (--job->outstanding > 0) return;
    if (job->failure.code) report_failure(job);
    else job->step(job);
}

void allot_job_sent(allot_job *job, allot_code rc, const allot_err *err)
{
    if (rc && !job->failure.code) job->failure = *err;
    if (rc && job->outstanding == 0) report_failure(job);
}
