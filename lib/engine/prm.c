/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds of reward models, and what they share: calls, requests, replies, templates. */
#include "lib/engine/prm.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/progress.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/engine/hostlist.h"
#include "lib/engine/prompt.h"
#include "lib/engine/tokencount.h"

#define STEPS "{steps}"

static const allot_prm_backend *const BACKENDS[] = {&allot_prm_pooling, &allot_prm_logprob,
                                                    &allot_prm_classify, &allot_prm_rerank,
                                                    &allot_prm_replay};
enum { N_BACKENDS = sizeof BACKENDS / sizeof *BACKENDS };

const allot_prm_backend *allot_prm_find(const char *kind)
{
    for (int i = 0; i < N_BACKENDS; i++)
        if (strcmp(BACKENDS[i]->kind, kind) == 0) return BACKENDS[i];
    return NULL;
}

void allot_prm_kinds(char *out, size_t n)
{
    size_t at = 0;
    for (int i = 0; i < N_BACKENDS && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%s", i ? ", " : "", BACKENDS[i]->kind);
}

allot_code allot_prm_open(allot_engine *e, allot_err *err)
{
    allot_engine_config *c = &e->config;
    e->prm = allot_prm_find(c->prm_kind);
    if (!c->prm_system_prompt) c->prm_system_prompt = e->prm->system_prompt;
    if (!e->prm->no_server) {
        allot_code rc = allot_hostlist_pick(e->http, &e->prm_hosts, &e->prm_server, c->prm_model,
                                            NULL, &e->prm_model, err);
        if (rc) return rc;
    } else if (!(e->prm_model = allot_mem_text(c->prm_model, strlen(c->prm_model), err))) {
        return ALLOT_ERUNTIME;
    }
    return e->prm->open ? e->prm->open(e, err) : ALLOT_OK;
}

allot_code allot_prm_call_new(allot_engine *e, const allot_prm_text *texts, int n,
                              allot_prm_call **out, allot_err *err)
{
    allot_prm_call *call = allot_mem_array(1, sizeof *call, err);
    if (!call) return ALLOT_ERUNTIME;
    call->engine = e;
    call->reply.sent_s = INFINITY;
    call->reply.texts = allot_mem_array((size_t)n, sizeof *texts, err);
    if (!call->reply.texts) {
        free(call);
        return ALLOT_ERUNTIME;
    }
    memcpy(call->reply.texts, texts, (size_t)n * sizeof *texts);
    call->reply.n = n;
    *out = call;
    return ALLOT_OK;
}

static void free_calls(allot_prm_call *call)
{
    while (call) {
        allot_prm_call *next = call->next;
        allot_prm_call_free(call);
        call = next;
    }
}

void allot_prm_call_free(allot_prm_call *call)
{
    free_calls(call->parts);
    for (int i = 0; i < call->reply.n; i++)
        free(call->reply.texts[i].scores);
    free(call->reply.texts);
    free(call);
}

void allot_prm_reply_now(allot_prm_call *call)
{
    call->engine->scores.n_out -= call->counted;
    call->done(&call->reply, call->user);
    allot_prm_call_free(call);
}

int allot_prm_lists(const allot_engine *e)
{
    if (e->config.prm_batch == 1) return 0;
    return e->prm->lists == ALLOT_PRM_LISTS ||
           (e->prm->lists == ALLOT_PRM_LISTS_TEMPLATE && allot_prm_template(e));
}

void allot_prm_ready(allot_prm_call *call)
{
    call->reply.sent_s = call->reply.done_s = allot_clock_s();
    call->next = call->engine->prm_ready;
    call->engine->prm_ready = call;
}

int allot_prm_waiting(const allot_engine *e)
{
    int n = e->scores.n_waiting;
    for (const allot_prm_call *c = e->prm_ready; c; c = c->next)
        n++;
    return n;
}

/* Callbacks may make new calls; those wait for the next time. */
void allot_prm_deliver(allot_engine *e)
{
    allot_prm_call *call = e->prm_ready, *next;
    e->prm_ready = NULL;
    for (; call; call = next) {
        next = call->next;
        allot_prm_reply_now(call);
    }
}

void allot_prm_close(allot_engine *e)
{
    if (e->prm && e->prm->close) e->prm->close(e->prm_state);
    e->prm_state = NULL;
    free_calls(e->prm_ready);
    free_calls(e->scores.first);
    e->prm_ready = e->scores.first = NULL;
}

static void dropped(void *user)
{
    allot_prm_request *r = user;
    if (--r->call->outstanding == 0) allot_prm_call_free(r->call);
    free(r);
}

static allot_code take_answer(const allot_prm_request *r, const allot_http_reply *http,
                              allot_err *err)
{
    cJSON *o = NULL;
    long n_tokens;
    allot_code rc = allot_json_parse(http->body, http->n, "the answer", &o, err);
    if (rc) return rc;
    rc = allot_tokencount_read(cJSON_GetObjectItemCaseSensitive(o, "usage"), "prompt_tokens",
                               &n_tokens, err);
    if (n_tokens > 0) r->call->reply.prm_tokens += n_tokens;
    if (!rc) rc = r->read(r, o, err);
    cJSON_Delete(o);
    return rc;
}

/* The server's words for a text that its context does not hold. */
static int is_too_long(const allot_http_reply *r)
{
    static const char *const words[] = {"context length", "context size", "max_model_len",
                                        "maximum model length", "too long"};
    for (size_t i = 0; r->status == 400 && i < sizeof words / sizeof *words; i++)
        if (strcasestr(r->body, words[i])) return 1;
    return 0;
}

/* The last answer of a call delivers its reply. What several calls share is not made shorter: they
 * are sent apart first. */
static void answered(const allot_http_reply *http, void *user)
{
    allot_prm_request *r = user;
    allot_prm_call *call = r->call;
    allot_err failure = {0};
    if (allot_http_verdict(http, &failure)) {
        if (!call->parts && r->shorten && is_too_long(http) && r->shorten(r))
            failure.code = ALLOT_OK;
    } else if (take_answer(r, http, &failure)) {
        (void)allot_fail_in(&failure, "'%s'", http->url);
        failure.code = ALLOT_ESERVER;
    }
    if (failure.code && !call->reply.failure.code) call->reply.failure = failure;
    call->reply.retries += http->retries;
    call->reply.sent_s = fmin(call->reply.sent_s, http->sent_s);
    call->reply.done_s = fmax(call->reply.done_s, http->done_s);
    free(r);
    if (--call->outstanding == 0) allot_prm_reply_now(call);
}

static allot_code send_text(allot_prm_request *r, const char *path, const char *body,
                            allot_err *err)
{
    allot_engine *e = r->call->engine;
    allot_http_request h = {.hosts = &e->prm_hosts,
                            .path = path,
                            .body = body,
                            .n = strlen(body),
                            .api_key = e->prm_server.api_key,
                            .done = answered,
                            .drop = dropped,
                            .user = r};
    return allot_http_send(e->http, &h, err);
}

allot_code allot_prm_post(const allot_prm_request *r, const char *path, cJSON *body, allot_err *err)
{
    allot_prm_request *copy = allot_mem_array(1, sizeof *copy, err);
    char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    allot_code rc = !copy   ? ALLOT_ERUNTIME
                    : !text ? allot_fail(err, ALLOT_ERUNTIME, "out of memory")
                            : ALLOT_OK;
    if (!rc) {
        *copy = *r;
        rc = send_text(copy, path, text, err);
    }
    free(text);
    if (rc) free(copy);
    else r->call->outstanding++;
    return rc;
}

allot_code allot_prm_each(allot_prm_call *call,
                          allot_code (*send)(allot_prm_call *call, int text, allot_err *err),
                          allot_err *err)
{
    for (int i = 0; i < call->reply.n; i++) {
        allot_err failure = {0};
        allot_code rc = send(call, i, &failure);
        if (!rc) continue;
        if (call->outstanding == 0) return allot_fail(err, rc, "%s", failure.msg);
        call->reply.failure = failure; /* reported when those before have come back */
        break;
    }
    return ALLOT_OK;
}

allot_code allot_prm_room(allot_prm_text *t, int n_marks, allot_err *err)
{
    t->n_marks = n_marks;
    t->scores = allot_mem_array((size_t)n_marks, sizeof *t->scores, err);
    return t->scores ? ALLOT_OK : ALLOT_ERUNTIME;
}

allot_prm_text *allot_prm_indexed(const allot_prm_request *r, const cJSON *item, allot_err *err)
{
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    int i = cJSON_IsNumber(index) ? index->valueint : -1;
    if (i >= 0 && i < r->count && !r->call->reply.texts[r->from + i].scores)
        return &r->call->reply.texts[r->from + i];
    (void)allot_fail(err, ALLOT_ESERVER, "the reward model's answer has a wrong or repeated index");
    return NULL;
}

const char *allot_prm_template(const allot_engine *e)
{
    return allot_prompt_template(e->config.prm_template, *e->config.prm_system_prompt != '\0');
}

void allot_prm_dialogue(const allot_engine *e, const allot_query *q, const allot_buf *answer,
                        int whole, allot_buf *out)
{
    const char *text = allot_prm_template(e), *place = strstr(text, STEPS);
    char *before = strndup(text, place ? (size_t)(place - text) : strlen(text));
    allot_buf problem = {0};
    allot_prompt_without(q->problem, q->n, e->config.prm_separator, &problem);
    if (before)
        (void)allot_prompt_render(before, e->config.prm_system_prompt, problem.at ? problem.at : "",
                                  problem.n, out);
    out->failed |= !before || problem.failed;
    allot_buf_add(out, answer->at, answer->n);
    if (place) allot_buf_str(out, place + strlen(STEPS));
    else if (whole) allot_buf_str(out, allot_prompt_end(e->config.prm_template));
    allot_buf_clear(&problem);
    free(before);
}

void allot_prm_messages(const allot_engine *e, const allot_query *q, const allot_buf *answer,
                        cJSON *body)
{
    cJSON *list = cJSON_AddArrayToObject(body, "messages");
    const char *system_prompt = e->config.prm_system_prompt;
    allot_buf problem = {0};
    allot_prompt_without(q->problem, q->n, e->config.prm_separator, &problem);
    if (*system_prompt) allot_prompt_message(list, "system", system_prompt, strlen(system_prompt));
    allot_prompt_message(list, "user", problem.at, problem.n);
    allot_prompt_message(list, "assistant", answer->at, answer->n);
    allot_buf_clear(&problem);
}
