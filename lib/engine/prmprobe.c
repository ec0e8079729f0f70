/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/engine/prmprobe.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/log.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"

#define PROBLEM "7*3+12=?"
#define POLL_MS 200

enum {
    N_JUDGED = 2,   /* short answers: a right one and a wrong one, so that not both are near 1 */
    MOST_TEXTS = 8, /* in the batch */
    LEAST_TEXTS = 3,
    STEP_BYTES = 90, /* of a long text; those too long for the model lose their older half */
    FEW_STEPS = 2    /* where each is a request */
};

/* Bytes of a long text, tried in this order until the model's context holds it. The first are more
 * together than a server reads in one go. */
static const size_t LENGTHS[] = {1500, 300, 60};
enum { N_LENGTHS = sizeof LENGTHS / sizeof *LENGTHS };

typedef struct {
    allot_engine *engine;
    allot_query query;
    allot_buf judged[N_JUDGED], companions[MOST_TEXTS];
    allot_prm_text alone[N_JUDGED]; /* with their scores */
    allot_prm_text batch[MOST_TEXTS];
    int n;                 /* of the batch */
    allot_prm_reply reply; /* of the latest call; without texts */
    int done;
} probe;

int allot_prm_worst_step(const allot_prm_text *a, const allot_prm_text *b, double *difference)
{
    int worst = 0;
    *difference = 1;
    if (a->n_marks != b->n_marks) return -1;
    *difference = 0;
    for (int i = 0; i < a->n_marks; i++) {
        double d = fabs(a->scores[i] - b->scores[i]);
        if (!(d > *difference)) continue;
        *difference = d;
        worst = i;
    }
    return worst;
}

/* Which of the judged texts is in this place of the batch; -1: a long one. First, middle, last. */
static int judged_at(int place, int n)
{
    if (place == n / 2) return 1;
    return place == 0 || place == n - 1 ? 0 : -1;
}

static void write_judged(probe *p)
{
    const char *mark = p->engine->config.step_separator;
    allot_buf_printf(&p->judged[0], "7*3=21%s21+12=33", mark);
    allot_buf_printf(&p->judged[1], "7*3=24%s24+12=63", mark);
}

/* Sums, each after the last one, another first in each text. */
static void write_companion(probe *p, int i, size_t bytes)
{
    allot_buf *b = &p->companions[i];
    int steps = FEW_STEPS + (p->engine->prm->each_step ? 0 : (int)bytes / STEP_BYTES);
    int value = i + 1;
    allot_buf_reset(b);
    for (int step = 0; step < steps; step++) {
        if (step) allot_buf_str(b, p->engine->config.step_separator);
        do {
            allot_buf_printf(b, "%d+%d=%d\n", value, i + 2, value + i + 2);
            value += i + 2;
        } while (b->n < bytes * (size_t)(step + 1) / (size_t)steps && !b->failed);
    }
}

static allot_prm_text text_of(const probe *p, const allot_buf *b)
{
    return (allot_prm_text){.query = &p->query, .text = b->at, .n = b->n};
}

static void take(allot_prm_reply *reply, void *user)
{
    probe *p = user;
    p->done = 1;
    p->reply.failure = reply->failure;
    for (int i = 0; i < reply->n && !reply->failure.code; i++) {
        p->reply.texts[i] = reply->texts[i];
        reply->texts[i].scores = NULL;
    }
}

/* Scores texts [n] in one call. Fails only when the work is to end; else the failure is in the
 * reply. */
static allot_code score(probe *p, allot_prm_text *texts, int n, allot_err *err)
{
    p->done = 0;
    p->reply = (allot_prm_reply){.texts = texts};
    if (allot_prm_score(p->engine, texts, n, 1, take, p, &p->reply.failure)) return ALLOT_OK;
    while (!p->done) {
        allot_code rc = allot_engine_poll(p->engine, POLL_MS, err);
        if (allot_interrupted()) rc = allot_fail(err, ALLOT_EINTR, "interrupted");
        if (rc) return rc;
    }
    return ALLOT_OK;
}

static void forget_scores(allot_prm_text *texts, int n)
{
    for (int i = 0; i < n; i++) {
        free(texts[i].scores);
        texts[i].scores = NULL;
    }
}

static allot_code score_alone(probe *p, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    for (int i = 0; i < N_JUDGED && !rc; i++) {
        if ((rc = allot_buf_check(&p->judged[i], err))) return rc;
        p->alone[i] = text_of(p, &p->judged[i]);
        rc = score(p, &p->alone[i], 1, err);
        if (p->reply.failure.code) return rc;
    }
    return rc;
}

/* Sets *fits when all were scored whole, side by side. */
static allot_code score_batch(probe *p, size_t bytes, int *fits, allot_err *err)
{
    forget_scores(p->batch, p->n);
    for (int i = 0; i < p->n; i++) {
        int judged = judged_at(i, p->n);
        if (judged < 0) write_companion(p, i, bytes);
        const allot_buf *b = judged < 0 ? &p->companions[i] : &p->judged[judged];
        allot_code rc = allot_buf_check(b, err);
        if (rc) return rc;
        p->batch[i] = text_of(p, b);
    }
    allot_code rc = score(p, p->batch, p->n, err);
    *fits = !rc && !p->reply.failure.code;
    for (int i = 0; i < p->n && *fits; i++)
        *fits = p->batch[i].first == 0;
    return rc;
}

static allot_code refuse(const probe *p, const char *root, const allot_prm_text *alone,
                         const allot_prm_text *among, int step, allot_err *err)
{
    const allot_engine *e = p->engine;
    int lists = allot_prm_lists(e);
    char what[128];
    snprintf(what, sizeof what, "scores of %d steps alone, of %d", alone->n_marks, among->n_marks);
    if (step >= 0)
        snprintf(what, sizeof what, "%.3f alone, %.3f", alone->scores[step], among->scores[step]);
    return allot_fail(
        err, ALLOT_ESERVER,
        "the reward model '%s' at '%s' gives the same text %s among %d others %s: "
        "such scores measure nothing, only %g may be rounding (use another version of "
        "the server, or %s)",
        e->prm_model, root, what, p->n - 1, lists ? "in one request" : "at the same time",
        ALLOT_PRM_TOLERANCE,
        lists ? "--prm-batch 1, which is checked, too" : "let it work on one text at a time");
}

static allot_code compare(const probe *p, const char *root, allot_err *err)
{
    double most = 0;
    for (int i = 0; i < p->n; i++) {
        double difference;
        int judged = judged_at(i, p->n);
        if (judged < 0) continue;
        int step = allot_prm_worst_step(&p->alone[judged], &p->batch[i], &difference);
        if (difference > ALLOT_PRM_TOLERANCE)
            return refuse(p, root, &p->alone[judged], &p->batch[i], step, err);
        most = fmax(most, difference);
    }
    allot_log_debug("the reward model at '%s' scores a text alone and among %d others %g apart",
                    root, p->n - 1, most);
    return ALLOT_OK;
}

/* Sets *checked to 0 when there is nothing to compare. */
static allot_code ask(probe *p, const char *root, int *checked, allot_err *err)
{
    int fits = 0;
    allot_code rc = score_alone(p, err);
    int answers = !rc && !p->reply.failure.code;
    for (int i = 0; i < N_LENGTHS && answers && !rc && !fits; i++)
        rc = score_batch(p, LENGTHS[i], &fits, err);
    if (rc) return rc;
    if (fits) return compare(p, root, err);
    *checked = 0;
    allot_log_warn("whether the reward model at '%s' scores a text alone as it does among others "
                   "could not be checked: %s",
                   root, p->reply.failure.code ? p->reply.failure.msg : "its context is too short");
    return ALLOT_OK;
}

static void clear(probe *p)
{
    forget_scores(p->alone, N_JUDGED);
    forget_scores(p->batch, MOST_TEXTS);
    for (int i = 0; i < N_JUDGED; i++)
        allot_buf_clear(&p->judged[i]);
    for (int i = 0; i < MOST_TEXTS; i++)
        allot_buf_clear(&p->companions[i]);
}

static allot_code check_host(allot_engine *e, const char *root, int *checked, allot_err *err)
{
    probe p = {.engine = e, .query = {.problem = PROBLEM, .n = strlen(PROBLEM)}, .n = MOST_TEXTS};
    if (allot_prm_lists(e) && e->config.prm_batch < p.n) p.n = e->config.prm_batch;
    if (p.n < LEAST_TEXTS) p.n = LEAST_TEXTS;
    write_judged(&p);
    allot_code rc = ask(&p, root, checked, err);
    clear(&p);
    return rc;
}

/* One server after the other, each as if it were the only one. */
allot_code allot_engine_check_prm(allot_engine *e, const allot_strategies *set, int *checked,
                                  allot_err *err)
{
    allot_hosts all = e->prm_hosts;
    allot_code rc = ALLOT_OK;
    *checked = 0;
    for (int i = 0; i < set->count && e->prm && !e->prm->no_server; i++)
        *checked |= allot_strategy_uses_prm(&set->at[i]);
    for (int i = 0, asked = *checked; i < all.n && asked && !rc; i++) {
        e->prm_hosts = (allot_hosts){.at = &all.at[i], .n = 1, .last = -1};
        rc = check_host(e, all.at[i].root, checked, err);
        all.n_ended += e->prm_hosts.n_ended;
    }
    e->prm_hosts = all;
    return rc;
}
