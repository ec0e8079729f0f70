/* SPDX-License-Identifier: Apache-2.0 */
/* Beam search guided by a process reward model. Each round: every beam grows by one step, in
 * parallel; complete beams leave; all beams are scored in one go; the best floor(N / M) of the
 * active stay and are repeated to N. Source: arXiv:2509.09864, section 2.1; Snell et al. 2024. */
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/engine/generate.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/methods/pick.h"
#include "lib/engine/prompt.h"

typedef struct {
    allot_job *job; /* the way from an answer back to its beam */
    allot_buf text; /* completion so far */
    long n_tokens;  /* along its own path */
    double *scores; /* owned [n_scores], of text */
    int n_scores, truncated;
    int complete;
    allot_finish finish; /* when complete... */
    int cut;             /* ...by the server's context, before its last step had all its tokens */
} beam;

typedef struct {
    beam *at;     /* owned [N]; survivors lie in front */
    int n_active; /* survivors */
    int round;
    size_t gen_capacity, round_capacity;
} search;

static void beam_clear(beam *b)
{
    allot_buf_clear(&b->text);
    free(b->scores);
    b->scores = NULL;
}

static void clear(allot_job *job)
{
    search *s = job->state;
    if (!s) return;
    for (int i = 0; s->at && i < job->strategy.n; i++)
        beam_clear(&s->at[i]);
    free(s->at);
    free(s);
}

static allot_round *this_round(allot_job *job)
{
    return &job->rec.rounds[job->rec.n_rounds - 1];
}

/* A step ends with its separator in the text, also where the server cuts that off. */
static void append_step(beam *b, const allot_generate_reply *reply, const char *separator)
{
    size_t len = strlen(separator);
    b->cut = reply->cut;
    if (allot_prompt_is_blank(reply->text, reply->n)) {
        b->complete = 1;
        b->finish = reply->finish;
        return;
    }
    allot_buf_add(&b->text, reply->text, reply->n);
    if (reply->ended) {
        b->complete = 1;
        b->finish = reply->finish;
    } else if (reply->n < len || memcmp(reply->text + reply->n - len, separator, len) != 0) {
        allot_buf_str(&b->text, separator);
    }
}

static void take_step(const allot_generate_reply *reply, void *user)
{
    beam *b = user;
    allot_job *job = b->job;
    allot_err failure = reply->failure;
    allot_job_count(job, reply);
    if (!failure.code) {
        append_step(b, reply, job->engine->config.step_separator);
        (void)!allot_buf_check(&b->text, &failure);
        b->n_tokens += reply->n_tokens;
        this_round(job)->n_tokens += reply->n_tokens;
    }
    allot_job_returned(job, &failure, reply->retries, reply->sent_s, reply->done_s);
}

static allot_code begin_round(allot_job *job, allot_err *err)
{
    allot_record *r = &job->rec;
    search *s = job->state;
    allot_code rc = allot_mem_grow((void **)&r->rounds, &s->round_capacity, (size_t)r->n_rounds + 1,
                                   sizeof *r->rounds, err);
    if (rc) return rc;
    r->rounds[r->n_rounds++] = (allot_round){0};
    allot_job_phase(job);
    return ALLOT_OK;
}

/* Survivors are repeated in order until there are N beams. */
static allot_code refill(allot_job *job, allot_err *err)
{
    search *s = job->state;
    for (int i = s->n_active; i < job->strategy.n; i++) {
        const beam *from = &s->at[i % s->n_active];
        allot_buf_add(&s->at[i].text, from->text.at ? from->text.at : "", from->text.n);
        s->at[i].n_tokens = from->n_tokens;
        allot_code rc = allot_buf_check(&s->at[i].text, err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

static void stepped(allot_job *job);

/* Sends one step of every beam. Fails only when nothing could be sent. */
static allot_code send_steps(allot_job *job, allot_err *err)
{
    search *s = job->state;
    const allot_engine *e = job->engine;
    allot_code rc = refill(job, err);
    if (!rc) rc = begin_round(job, err);
    if (rc) return rc;
    job->step = stepped;
    allot_err failure = {0};
    for (int i = 0; i < job->strategy.n && !rc; i++) {
        const allot_buf *text = &s->at[i].text;
        allot_generate_request r = {.so_far = text->at ? text->at : "",
                                    .n = text->n,
                                    .max_tokens = e->config.step_max_tokens,
                                    .stop_at_step = s->round + 1 < job->strategy.depth,
                                    .salt = job->salt};
        allot_job_seeds(job, i, s->round, r.seeds);
        rc = allot_generate(job->engine, job->query, &r, take_step, &s->at[i], &failure);
        if (!rc) job->outstanding++;
    }
    if (rc && job->outstanding == 0) return allot_fail(err, rc, "%s", failure.msg);
    allot_job_sent(job, rc, &failure);
    return ALLOT_OK;
}

static allot_code push_finished(allot_job *job, beam *b, allot_err *err)
{
    search *s = job->state;
    allot_record *r = &job->rec;
    allot_code rc = allot_mem_grow((void **)&r->gen, &s->gen_capacity, (size_t)r->n_gen + 1,
                                   sizeof *r->gen, err);
    if (rc) return rc;
    allot_generation *g = &r->gen[r->n_gen];
    *g = (allot_generation){.n = b->text.n,
                            .finish = b->finish,
                            .cut = b->cut,
                            .n_tokens = b->n_tokens,
                            .scores = b->scores,
                            .n_scores = b->n_scores,
                            .prm_truncated = b->truncated};
    b->scores = NULL;
    r->n_gen++;
    g->text = allot_mem_text(b->text.at ? b->text.at : "", b->text.n, err);
    return g->text ? ALLOT_OK : ALLOT_ERUNTIME;
}

static int same_text(const beam *a, const beam *b)
{
    return a->text.n == b->text.n && memcmp(a->text.at, b->text.at, a->text.n) == 0;
}

static void move_beam(beam *to, beam *from)
{
    if (to == from) return;
    beam_clear(to);
    to->text = from->text;
    to->n_tokens = from->n_tokens;
    to->scores = from->scores;
    to->n_scores = from->n_scores;
    to->truncated = from->truncated;
    from->text = (allot_buf){0};
    from->scores = NULL;
}

/* Active beams move to the front, without exact duplicates; the rest is emptied. */
static void keep_active(const allot_job *job)
{
    search *s = job->state;
    s->n_active = 0;
    for (int i = 0; i < job->strategy.n; i++) {
        int drop = s->at[i].complete;
        for (int j = 0; j < s->n_active && !drop; j++)
            drop = same_text(&s->at[j], &s->at[i]);
        if (!drop) move_beam(&s->at[s->n_active++], &s->at[i]);
    }
}

/* Of the active, the max(1, floor(N / M)) of the highest scores stay, in their order; among equals
 * the first. */
static void keep_best(const allot_job *job)
{
    search *s = job->state;
    int keep = job->strategy.n / job->strategy.width, kept = 0;
    double score[ALLOT_MAX_N];
    if (keep < 1) keep = 1;
    for (int i = 0; i < s->n_active; i++)
        score[i] = allot_aggregate(s->at[i].scores, s->at[i].n_scores, job->strategy.agg);
    for (int i = 0; i < s->n_active; i++) {
        int better = 0;
        for (int j = 0; j < s->n_active; j++)
            better += score[j] > score[i] || (score[j] == score[i] && j < i);
        if (better < keep) move_beam(&s->at[kept++], &s->at[i]);
    }
    s->n_active = kept;
    for (int i = kept; i < job->strategy.n; i++)
        beam_clear(&s->at[i]);
}

static void fail(allot_job *job, const allot_err *err)
{
    allot_job_sent(job, err->code, err);
}

/* After the scores are there: who is finished, who stays, and whether to go on. */
static void scored(allot_job *job)
{
    search *s = job->state;
    allot_err err = {0};
    this_round(job)->prm_s = job->phase_done_s - job->phase_sent_s;
    job->rec.prm_s += this_round(job)->prm_s;
    for (int i = 0; i < job->strategy.n; i++)
        if (s->at[i].complete && push_finished(job, &s->at[i], &err)) {
            fail(job, &err);
            return;
        }
    keep_active(job);
    keep_best(job);
    for (int i = 0; i < job->strategy.n; i++)
        s->at[i].complete = 0;
    s->round++;
    if (job->rec.n_gen >= job->strategy.n || s->n_active == 0 || s->round == job->strategy.depth) {
        job->rec.type = ALLOT_REC_BEAM;
        allot_job_report(job);
    } else if (send_steps(job, &err)) {
        fail(job, &err);
    }
}

static void take_scores(allot_prm_reply *reply, void *user)
{
    allot_job *job = user;
    search *s = job->state;
    job->rec.prm_tokens += reply->prm_tokens;
    this_round(job)->prm_tokens += reply->prm_tokens;
    for (int i = 0; i < reply->n && !reply->failure.code; i++) {
        beam *b = &s->at[i];
        free(b->scores);
        b->scores = reply->texts[i].scores;
        b->n_scores = reply->texts[i].n_marks;
        b->truncated = reply->texts[i].first > 0;
        reply->texts[i].scores = NULL;
    }
    allot_job_returned(job, &reply->failure, reply->retries, reply->sent_s, reply->done_s);
}

static allot_code send_scoring(allot_job *job, allot_err *err)
{
    search *s = job->state;
    int n = job->strategy.n;
    allot_prm_text *texts = allot_mem_array((size_t)n, sizeof *texts, err);
    if (!texts) return ALLOT_ERUNTIME;
    for (int i = 0; i < n; i++)
        texts[i] = (allot_prm_text){.query = job->query,
                                    .text = s->at[i].text.at ? s->at[i].text.at : "",
                                    .n = s->at[i].text.n};
    allot_job_phase(job);
    job->step = scored;
    allot_code rc = allot_prm_score(job->engine, texts, n, job->timed, take_scores, job, err);
    if (!rc) job->outstanding++;
    free(texts);
    return rc;
}

static void stepped(allot_job *job)
{
    search *s = job->state;
    allot_err err = {0};
    this_round(job)->gen_s = job->phase_done_s - job->phase_sent_s;
    job->rec.gen_s += this_round(job)->gen_s;
    /* The last round had no stop string: whatever came is the end. */
    if (s->round + 1 == job->strategy.depth)
        for (int i = 0; i < job->strategy.n; i++)
            s->at[i].complete = 1;
    if (send_scoring(job, &err)) fail(job, &err);
}

allot_code allot_beam_start(allot_job *job, allot_err *err)
{
    if (!job->engine->prm)
        return allot_fail(err, ALLOT_EUSAGE, "beam search needs a reward model (give --prm-model)");
    if (allot_generate_in_chat_form(job->engine) &&
        job->engine->profile->continues == ALLOT_CONTINUE_NONE)
        return allot_fail(err, ALLOT_EUSAGE,
                          "beam search on a server of kind '%s' needs a prompt template (give "
                          "--prompt-template)",
                          job->engine->profile->kind);
    if (job->engine->prm->outcome)
        return allot_fail(err, ALLOT_EUSAGE,
                          "beam search needs scores of steps, but a reward model of kind '%s' "
                          "scores whole answers",
                          job->engine->prm->kind);
    search *s = allot_mem_array(1, sizeof *s, err);
    if (!s) return ALLOT_ERUNTIME;
    job->state = s;
    job->clear = clear;
    s->at = allot_mem_array((size_t)job->strategy.n, sizeof *s->at, err);
    if (!s->at) return ALLOT_ERUNTIME;
    for (int i = 0; i < job->strategy.n; i++)
        s->at[i].job = job;
    s->n_active = job->strategy.n;
    return send_steps(job, err);
}
