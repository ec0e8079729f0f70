/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of calls, a window in which they gather, and the way back of each part of an answer. */
#include "lib/engine/scorebatch.h"
#include <stdlib.h>
#include <string.h>
#include "lib/engine/job.h"
#include "liballot/mem.h"

#define MAX_BYTES (256 << 10) /* of one request, unless a call alone has more */

void allot_scorebatch_add(allot_engine *e, allot_prm_call *call)
{
    allot_scorebatch *b = &e->scores;
    if (!b->first) b->last = &b->first;
    *b->last = call;
    b->last = &call->next;
    b->n_waiting++;
}

static size_t bytes_of(const allot_prm_call *call)
{
    size_t bytes = 0;
    for (int i = 0; i < call->reply.n; i++)
        bytes += call->reply.texts[i].query->n + call->reply.texts[i].n;
    return bytes;
}

/* Sends it as it is; what cannot be sent is answered at once. */
static void start(allot_prm_call *call)
{
    call->counted = 1;
    call->engine->scores.n_out++;
    if (call->engine->prm->start(call, &call->reply.failure)) allot_prm_reply_now(call);
}

/* Each part takes its texts' scores, and its share of the tokens: up to the end of its share of the
 * weight, rounded down, less what went before; so nothing is lost or counted twice. */
static void share_out(allot_prm_call *shared)
{
    allot_prm_reply *all = &shared->reply;
    int i = 0;
    double whole = 0, upto = 0;
    long given = 0;
    for (int k = 0; k < all->n; k++)
        whole += all->texts[k].weight;
    for (allot_prm_call *part = shared->parts; part; part = part->next) {
        for (int k = 0; k < part->reply.n; k++, i++) {
            upto += all->texts[i].weight;
            part->reply.texts[k] = all->texts[i];
            all->texts[i].scores = NULL;
        }
        long end = i == all->n ? all->prm_tokens : (long)((double)all->prm_tokens * upto / whole);
        part->reply.prm_tokens = end - given;
        given = end;
    }
}

/* The answer of a shared request: its parts go their own ways, with their scores or to ask anew. */
static void part_ways(allot_prm_reply *all, void *user)
{
    allot_prm_call *shared = user, *next;
    if (!all->failure.code) share_out(shared);
    for (allot_prm_call *part = shared->parts; part; part = next) {
        next = part->next;
        shared->parts = next;
        part->next = NULL;
        part->reply.retries = all->retries;
        if (all->failure.code) {
            start(part);
            continue;
        }
        part->reply.sent_s = all->sent_s;
        part->reply.done_s = all->done_s;
        allot_prm_reply_now(part);
    }
}

/* One call with the texts of all parts, which it takes; NULL when out of memory. */
static allot_prm_call *join(allot_engine *e, allot_prm_call *parts, int n)
{
    allot_prm_call *shared = NULL;
    allot_prm_text *texts = allot_mem_array((size_t)n, sizeof *texts, NULL);
    int at = 0;
    for (const allot_prm_call *part = parts; texts && part; part = part->next) {
        memcpy(texts + at, part->reply.texts, (size_t)part->reply.n * sizeof *texts);
        at += part->reply.n;
    }
    if (!texts || allot_prm_call_new(e, texts, n, &shared, NULL)) shared = NULL;
    free(texts);
    if (!shared) return NULL;
    shared->parts = parts;
    shared->done = part_ways;
    shared->user = shared;
    return shared;
}

/* Takes the first calls that go together out of the queue. n_texts: of all of them. */
static allot_prm_call *take_some(allot_engine *e, int *n_texts)
{
    allot_scorebatch *b = &e->scores;
    allot_prm_call *first = b->first, **end = &b->first;
    size_t bytes = 0;
    *n_texts = 0;
    for (allot_prm_call *c = first; c; c = c->next) {
        bytes += bytes_of(c);
        if (c != first && (*n_texts + c->reply.n > e->config.prm_batch || bytes > MAX_BYTES)) break;
        *n_texts += c->reply.n;
        b->n_waiting--;
        end = &c->next;
    }
    b->first = *end;
    *end = NULL;
    return first;
}

static int window(const allot_engine *e)
{
    int n = (e->config.max_concurrency - 1) / e->config.prm_batch + 1;
    return n > e->prm_hosts.n ? n : e->prm_hosts.n;
}

void allot_scorebatch_send(allot_engine *e)
{
    while (e->scores.first && e->scores.n_out < window(e)) {
        int n;
        allot_prm_call *some = take_some(e, &n), *shared = NULL;
        if (some->next) shared = join(e, some, n);
        if (shared) {
            start(shared);
            continue;
        }
        for (allot_prm_call *next; some; some = next) {
            next = some->next;
            some->next = NULL;
            start(some);
        }
    }
}

/* A call goes off alone, or waits for company. */
allot_code allot_prm_score(allot_engine *e, const allot_prm_text *texts, int n, int alone,
                           allot_prm_fn f, void *user, allot_err *err)
{
    allot_prm_call *call;
    if (!e->prm)
        return allot_fail(err, ALLOT_EUSAGE, "a reward model is needed (give --prm-model)");
    allot_code rc = allot_prm_call_new(e, texts, n, &call, err);
    if (rc) return rc;
    call->done = f;
    call->user = user;
    if (!alone && e->prm->joins && allot_prm_lists(e)) {
        allot_scorebatch_add(e, call);
        return ALLOT_OK;
    }
    rc = e->prm->start(call, err);
    if (rc) allot_prm_call_free(call);
    return rc;
}
