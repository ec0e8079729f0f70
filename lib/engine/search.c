/* SPDX-License-Identifier: Apache-2.0 */
/* What searches share: rounds, finishing, scoring. Source: arXiv:2509.09864, section 2.1; Snell et
 * al. 2024. */
#include "lib/engine/search.h"
#include <stdlib.h>
#include <string.h>
#include "lib/engine/generate.h"
#include "liballot/mem.h"
#include "lib/methods/pick.h"
#include "lib/engine/prompt.h"

static const allot_search_rule *const rules[ALLOT_N_METHODS] = {
    [ALLOT_BEAM] = &allot_search_beam,
    [ALLOT_DVTS] = &allot_search_dvts,
};

typedef struct {
    const allot_search_rule *rule;
    allot_branch *at; /* owned [N] */
    int n_live;
    int round;
    size_t gen_capacity, round_capacity;
} search;

const allot_search_rule *allot_search_rule_of(allot_method m)
{
    return rules[m];
}

double allot_branch_score(const allot_branch *b, allot_agg agg)
{
    return allot_aggregate(b->scores, b->n_scores, agg);
}

void allot_branch_clear(allot_branch *b)
{
    allot_buf_clear(&b->text);
    free(b->scores);
    *b = (allot_branch){.job = b->job};
}

void allot_branch_move(allot_branch *to, allot_branch *from)
{
    if (to == from) return;
    allot_branch_clear(to);
    *to = *from;
    *from = (allot_branch){.job = from->job};
}

allot_code allot_branch_copy(allot_branch *to, const allot_branch *from, allot_err *err)
{
    allot_branch_clear(to);
    allot_buf_add(&to->text, from->text.at ? from->text.at : "", from->text.n);
    to->n_tokens = from->n_tokens;
    to->live = 1;
    return allot_buf_check(&to->text, err);
}

static void clear(allot_job *job)
{
    search *s = job->state;
    if (!s) return;
    for (int i = 0; s->at && i < job->strategy.n; i++)
        allot_branch_clear(&s->at[i]);
    free(s->at);
    free(s);
}

static allot_round *this_round(allot_job *job)
{
    return &job->rec.rounds[job->rec.n_rounds - 1];
}

/* A step ends with its separator in the text, also where the server cuts that off. */
static void append_step(allot_branch *b, const allot_generate_reply *reply, const char *separator)
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
    allot_branch *b = user;
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

static void stepped(allot_job *job);

/* Sends one step of every live branch. Fails only when nothing could be sent. */
static allot_code send_steps(allot_job *job, allot_err *err)
{
    search *s = job->state;
    const allot_engine *e = job->engine;
    allot_code rc = begin_round(job, err);
    if (rc) return rc;
    job->step = stepped;
    allot_err failure = {0};
    for (int i = 0; i < job->strategy.n && !rc; i++) {
        if (!s->at[i].live) continue;
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

static allot_code push_finished(allot_job *job, allot_branch *b, allot_err *err)
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
    if (!g->text) return ALLOT_ERUNTIME;
    allot_branch_clear(b);
    return ALLOT_OK;
}

static void fail(allot_job *job, const allot_err *err)
{
    allot_job_sent(job, err->code, err);
}

/* Complete branches become candidates, in order. */
static allot_code finish_complete(allot_job *job, allot_err *err)
{
    search *s = job->state;
    allot_code rc = ALLOT_OK;
    for (int i = 0; i < job->strategy.n && !rc; i++)
        if (s->at[i].complete) rc = push_finished(job, &s->at[i], err);
    return rc;
}

static void count_live(allot_job *job)
{
    search *s = job->state;
    s->n_live = 0;
    for (int i = 0; i < job->strategy.n; i++)
        s->n_live += s->at[i].live;
}

/* After the scores are there: who is finished, who goes on, and whether anybody does. */
static void scored(allot_job *job)
{
    search *s = job->state;
    allot_err err = {0};
    this_round(job)->prm_s = job->phase_done_s - job->phase_sent_s;
    job->rec.prm_s += this_round(job)->prm_s;
    s->round++;
    allot_code rc = finish_complete(job, &err);
    int over = job->rec.n_gen >= job->strategy.n || s->round == job->strategy.depth;
    if (!rc && !over) rc = s->rule->next(&job->strategy, s->at, &err);
    count_live(job);
    if (!rc && (over || s->n_live == 0)) {
        job->rec.type = ALLOT_REC_BEAM;
        allot_job_report(job);
        return;
    }
    if (!rc) rc = send_steps(job, &err);
    if (rc) fail(job, &err);
}

static void take_scores(allot_prm_reply *reply, void *user)
{
    allot_job *job = user;
    search *s = job->state;
    job->rec.prm_tokens += reply->prm_tokens;
    this_round(job)->prm_tokens += reply->prm_tokens;
    for (int i = 0, k = 0; i < job->strategy.n && !reply->failure.code; i++) {
        allot_branch *b = &s->at[i];
        if (!b->live) continue;
        allot_prm_text *text = &reply->texts[k++];
        free(b->scores);
        b->scores = text->scores;
        b->n_scores = text->n_marks;
        b->truncated = text->first > 0;
        text->scores = NULL;
    }
    allot_job_returned(job, &reply->failure, reply->retries, reply->sent_s, reply->done_s);
}

static allot_code send_scoring(allot_job *job, allot_err *err)
{
    search *s = job->state;
    int n = 0;
    allot_prm_text *texts = allot_mem_array((size_t)s->n_live, sizeof *texts, err);
    if (!texts) return ALLOT_ERUNTIME;
    for (int i = 0; i < job->strategy.n; i++)
        if (s->at[i].live)
            texts[n++] = (allot_prm_text){.query = job->query,
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
            s->at[i].complete = s->at[i].live;
    if (send_scoring(job, &err)) fail(job, &err);
}

static allot_code check_server(const allot_job *job, const char *name, allot_err *err)
{
    const allot_engine *e = job->engine;
    if (!e->prm)
        return allot_fail(err, ALLOT_EUSAGE, "%s needs a reward model (give --prm-model)", name);
    if (allot_generate_in_chat_form(e) && e->profile->continues == ALLOT_CONTINUE_NONE)
        return allot_fail(err, ALLOT_EUSAGE,
                          "%s on a server of kind '%s' needs a prompt template (give "
                          "--prompt-template)",
                          name, e->profile->kind);
    if (e->prm->outcome)
        return allot_fail(err, ALLOT_EUSAGE,
                          "%s needs scores of steps, but a reward model of kind '%s' scores whole "
                          "answers",
                          name, e->prm->kind);
    return ALLOT_OK;
}

allot_code allot_search_start(allot_job *job, allot_err *err)
{
    const allot_search_rule *rule = allot_search_rule_of(job->strategy.method);
    allot_code rc = check_server(job, rule->name, err);
    if (rc) return rc;
    search *s = allot_mem_array(1, sizeof *s, err);
    if (!s) return ALLOT_ERUNTIME;
    s->rule = rule;
    job->state = s;
    job->clear = clear;
    s->at = allot_mem_array((size_t)job->strategy.n, sizeof *s->at, err);
    if (!s->at) return ALLOT_ERUNTIME;
    for (int i = 0; i < job->strategy.n; i++)
        s->at[i] = (allot_branch){.job = job, .live = 1};
    s->n_live = job->strategy.n;
    return send_steps(job, err);
}
