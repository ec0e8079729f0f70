/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request in the words of each kind of server, and what its answer says. */
#include "lib/engine/generate.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/progress.h"
#include "lib/core/rng.h"
#include "lib/engine/extrabody.h"
#include "lib/engine/job.h"
#include "liballot/mem.h"
#include "lib/engine/prompt.h"
#include "lib/engine/sse.h"
#include "lib/engine/tokencount.h"

static const char *template_of(const allot_engine *e)
{
    return allot_prompt_template(e->config.prompt_template, *e->config.system_prompt != '\0');
}

/* The rendered prompt and what was generated so far are one text to the server. A server's own
 * template has its begin-of-sequence token already. */
static void add_prompt(cJSON *o, const allot_engine *e, const allot_query *q,
                       const allot_generate_request *r)
{
    const char *text = r->prompt ? r->prompt : template_of(e);
    size_t bos = allot_prompt_bos(text);
    if ((bos || r->prompt) && e->profile->bos_field) {
        cJSON_AddFalseToObject(o, "add_special_tokens");
        bos = 0;
    }
    allot_buf prompt = {0};
    if (r->prompt) allot_buf_str(&prompt, text + bos);
    else (void)allot_prompt_render(text + bos, e->config.system_prompt, q->problem, q->n, &prompt);
    allot_buf_add(&prompt, r->so_far, r->n);
    if (!prompt.failed) cJSON_AddStringToObject(o, "prompt", prompt.at);
    allot_buf_clear(&prompt);
}

static void add_messages(cJSON *o, const allot_engine *e, const allot_query *q,
                         const allot_generate_request *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "messages");
    const char *system_prompt = e->config.system_prompt;
    if (*system_prompt) allot_prompt_message(list, "system", system_prompt, strlen(system_prompt));
    allot_prompt_message(list, "user", q->problem, q->n);
    if (r->n == 0) return;
    allot_prompt_message(list, "assistant", r->so_far, r->n);
    if (e->profile->continues == ALLOT_CONTINUE_FIELDS)
        cJSON_AddFalseToObject(o, "add_generation_prompt");
    if (e->profile->continues != ALLOT_CONTINUE_AUTO)
        cJSON_AddTrueToObject(o, "continue_final_message");
}

int allot_generate_in_chat_form(const allot_engine *e)
{
    return !e->renderer && !template_of(e);
}

static void add_salt(cJSON *o, const allot_profile *p, const char *salt)
{
    if (!salt || !p->salt) return;
    if (p->salt_is_switch) cJSON_AddFalseToObject(o, p->salt);
    else cJSON_AddStringToObject(o, p->salt, salt);
}

/* Plain sampling at the temperature, unless --extra-body asks for something else. */
static void add_plain(cJSON *o, const allot_profile *p)
{
    for (int i = 0; i < ALLOT_MAX_PLAIN && p->plain[i].name; i++)
        if (!cJSON_GetObjectItemCaseSensitive(o, p->plain[i].name))
            cJSON_AddNumberToObject(o, p->plain[i].name, p->plain[i].off);
}

cJSON *allot_generate_body(const allot_engine *e, const allot_query *q,
                           const allot_generate_request *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->model);
    int chat = allot_generate_in_chat_form(e);
    if (chat) add_messages(o, e, q, r);
    else add_prompt(o, e, q, r);
    cJSON_AddNumberToObject(o, "temperature", e->config.temperature);
    if (e->config.top_p < 1 || !e->profile->refuses_top_p_1)
        cJSON_AddNumberToObject(o, "top_p", e->config.top_p);
    cJSON_AddNumberToObject(o, chat ? "max_tokens" : e->profile->limit, (double)r->max_tokens);
    cJSON_AddNumberToObject(o, "seed", (double)r->seeds[0]);
    if (r->stop_at_step) {
        cJSON *stop = cJSON_AddArrayToObject(o, "stop");
        cJSON_AddItemToArray(stop, cJSON_CreateString(e->config.step_separator));
        if (e->profile->keep_stop) cJSON_AddTrueToObject(o, e->profile->keep_stop);
    }
    if (e->config.stream) {
        cJSON_AddTrueToObject(o, "stream");
        cJSON_AddTrueToObject(cJSON_AddObjectToObject(o, "stream_options"), "include_usage");
    }
    add_salt(o, e->profile, r->salt);
    allot_extrabody_add(e->extra, o);
    add_plain(o, e->profile);
    return o;
}

static allot_code get_count(const cJSON *usage, const char *field, long *out, allot_err *err)
{
    allot_code rc = allot_tokencount_read(usage, field, out, err);
    if (rc || *out >= 0) return rc;
    return allot_fail(err, ALLOT_ESERVER,
                      "the server does not tell '%s' (tokens are needed for costs)", field);
}

/* What cannot be: costs would be made of it. */
static allot_code check_tokens(const allot_engine *e, const allot_generate_request *r,
                               allot_generate_reply *reply, allot_err *err)
{
    if (reply->n_tokens == 0 && reply->n > 0)
        return allot_fail(err, ALLOT_ESERVER, "the server tells 0 tokens for a text of %zu bytes",
                          reply->n);
    if (reply->n_tokens > r->max_tokens + e->profile->tokens_over)
        return allot_fail(err, ALLOT_ESERVER,
                          "the server tells %ld tokens of a text that may have "
                          "%ld (it counts wrongly, or takes no notice of the limit)",
                          reply->n_tokens, r->max_tokens);
    reply->cut = reply->finish == ALLOT_FINISH_LENGTH &&
                 reply->n_tokens < r->max_tokens - e->profile->tokens_under;
    return ALLOT_OK;
}

static allot_code get_usage(const allot_engine *e, const allot_generate_request *r, const cJSON *o,
                            allot_generate_reply *reply, allot_err *err)
{
    const cJSON *usage = cJSON_GetObjectItemCaseSensitive(o, "usage");
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(usage, "prompt_tokens_details");
    allot_code rc = get_count(usage, "completion_tokens", &reply->n_tokens, err);
    if (!rc) rc = get_count(usage, "prompt_tokens", &reply->prompt_tokens, err);
    if (!rc) rc = allot_tokencount_read(details, "cached_tokens", &reply->cached_tokens, err);
    if (reply->cached_tokens < 0) reply->cached_tokens = 0;
    return rc ? rc : check_tokens(e, r, reply, err);
}

static const char *text_of(const cJSON *choice)
{
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(choice, "message");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(choice, "text"));
    if (text || !message) return text;
    text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "content"));
    /* A reasoning model that was cut while it thought has said nothing. */
    if (!text && (cJSON_HasObjectItem(message, "reasoning") ||
                  cJSON_HasObjectItem(message, "reasoning_content")))
        text = "";
    return text;
}

static int is_end_of_sequence(const allot_profile *p, const cJSON *choice, const char *reason)
{
    const cJSON *stop = cJSON_GetObjectItemCaseSensitive(choice, "stop_reason");
    const cJSON *matched = cJSON_GetObjectItemCaseSensitive(choice, "matched_stop");
    switch (p->eos) {
    case ALLOT_EOS_NO_REASON:
        return !cJSON_IsString(stop);
    case ALLOT_EOS_MATCHED_TOKEN:
        return !cJSON_IsString(matched);
    case ALLOT_EOS_FINISH:
        return strcmp(reason, "stop_sequence") != 0;
    case ALLOT_EOS_TOKEN:
        return strcmp(reason, "eos_token") == 0;
    case ALLOT_EOS_UNKNOWN:
        break;
    }
    return 0;
}

/* An aborted text is part of one: it would be graded as if the model had stopped there. */
static allot_code get_finish(const allot_engine *e, const allot_generate_request *r,
                             const cJSON *choice, allot_generate_reply *reply, allot_err *err)
{
    const char *reason =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(choice, "finish_reason"));
    if (!reason || strcmp(reason, "abort") == 0 || strcmp(reason, "error") == 0)
        return allot_fail(err, ALLOT_ESERVER,
                          "the server did not finish the text (finish_reason %s)",
                          reason ? reason : "is missing");
    if (strcmp(reason, "length") == 0) reply->finish = ALLOT_FINISH_LENGTH;
    else if (strcmp(reason, "stop") == 0 || strcmp(reason, "eos_token") == 0 ||
             strcmp(reason, "stop_sequence") == 0)
        reply->finish = ALLOT_FINISH_STOP;
    else reply->finish = ALLOT_FINISH_OTHER;
    reply->ended = !r->stop_at_step || reply->finish != ALLOT_FINISH_STOP ||
                   is_end_of_sequence(e->profile, choice, reason);
    return ALLOT_OK;
}

static allot_code read_answer(const allot_engine *e, const allot_generate_request *r,
                              const cJSON *json, allot_generate_reply *reply, allot_err *err)
{
    const cJSON *choices = cJSON_GetObjectItemCaseSensitive(json, "choices");
    const cJSON *choice = cJSON_GetArrayItem(choices, 0);
    if (!cJSON_IsArray(choices) || cJSON_GetArraySize(choices) != 1)
        return allot_fail(err, ALLOT_ESERVER, "the server answered with %d choices instead of 1",
                          cJSON_IsArray(choices) ? cJSON_GetArraySize(choices) : 0);
    reply->text = text_of(choice);
    if (!reply->text) return allot_fail(err, ALLOT_ESERVER, "the server answered without a text");
    reply->n = strlen(reply->text);
    allot_code rc = get_finish(e, r, choice, reply, err);
    return rc ? rc : get_usage(e, r, json, reply, err);
}

allot_code allot_generate_parse(const allot_engine *e, const allot_generate_request *r,
                                const char *body, size_t n, cJSON **json,
                                allot_generate_reply *reply, allot_err *err)
{
    allot_buf clean = {0};
    allot_prompt_clean_json(body, n, &clean);
    allot_code rc = allot_buf_check(&clean, err);
    if (!rc &&
        allot_json_parse(clean.at ? clean.at : "", clean.n, "the server's answer", json, err))
        rc = err ? (err->code = ALLOT_ESERVER) : ALLOT_ESERVER;
    allot_buf_clear(&clean);
    if (rc) return rc;
    allot_profile_answer(*json);
    return read_answer(e, r, *json, reply, err);
}

typedef struct {
    allot_engine *engine;
    const allot_query *query;
    allot_generate_request request; /* prompt and salt are not kept; so_far neither, unless owned */
    char *so_far, *salt;            /* owned copies while the prompt is awaited */
    cJSON *body;                    /* owned: what was sent, to be drawn again */
    int attempt, retries;           /* those of earlier attempts */
    double left_s;                  /* of the time for this attempt; 0 = all of it */
    allot_sse stream;               /* of an answer that comes in pieces */
    allot_generate_fn done;
    void *user;
} pending;

static void pending_free(void *user)
{
    pending *p = user;
    free(p->so_far);
    free(p->salt);
    cJSON_Delete(p->body);
    allot_sse_clear(&p->stream);
    free(p);
}

static allot_code send_body(pending *p, allot_err *err);

static void put_seed(pending *p)
{
    cJSON *seed = cJSON_GetObjectItemCaseSensitive(p->body, "seed");
    if (seed) (void)cJSON_SetNumberHelper(seed, (double)p->request.seeds[p->attempt]);
}

/* The place where a draw that failed is remembered, and what is there then. */
static uint64_t *place_of(const pending *p, int attempt, uint64_t *mark)
{
    allot_engine *e = p->engine;
    const uint64_t words[] = {allot_key_u64(&p->query->key), p->request.seeds[attempt]};
    *mark = allot_rng_mix(words, 2);
    return &e->failed_draws[*mark % (sizeof e->failed_draws / sizeof *e->failed_draws)];
}

static int draw_failed(const pending *p, int attempt)
{
    uint64_t mark;
    return *place_of(p, attempt, &mark) == mark;
}

static void remember_failed(const pending *p)
{
    uint64_t mark;
    uint64_t *place = place_of(p, p->attempt, &mark);
    *place = mark;
}

/* The attempt failed for its own sake. */
static int is_failed_draw(const allot_http_reply *http)
{
    return (http->status == 500 || http->status == 424) && !http->failure;
}

/* Sends the next attempt, if there is one. */
static int draw_again(pending *p, const allot_http_reply *http)
{
    if (!is_failed_draw(http)) return 0;
    remember_failed(p);
    if (http->told_off || p->attempt + 1 == ALLOT_MAX_DRAWS) return 0;
    p->attempt++;
    p->left_s = 0;
    p->retries += http->retries + 1;
    p->engine->n_redraws++;
    put_seed(p);
    return !send_body(p, NULL);
}

static void take_bytes(const char *bytes, size_t n, void *user)
{
    pending *p = user;
    if (bytes) allot_sse_take(&p->stream, bytes, n, allot_clock_s());
    else allot_sse_clear(&p->stream);
}

/* A stream that broke off behind its status is asked for again as a whole. */
static int stream_again(pending *p, const allot_http_reply *http)
{
    int retries = p->retries + http->retries;
    if (!p->engine->config.stream || http->failure || http->status != 200) return 0;
    if (p->stream.at_once || allot_sse_is_whole(&p->stream) ||
        retries >= p->engine->config.max_retries || http->left_s <= 0)
        return 0;
    p->retries = retries + 1;
    p->left_s = http->left_s;
    allot_sse_clear(&p->stream);
    return !send_body(p, NULL);
}

static allot_code take_answer(pending *p, const allot_http_reply *http, cJSON **json,
                              allot_generate_reply *reply)
{
    allot_err *err = &reply->failure;
    if (!p->engine->config.stream)
        return allot_generate_parse(p->engine, &p->request, http->body, http->n, json, reply, err);
    if (p->stream.first_s > 0) reply->first_s = p->stream.first_s;
    allot_code rc = allot_sse_answer(&p->stream, json, err);
    return rc ? rc : read_answer(p->engine, &p->request, *json, reply, err);
}

static void answered(const allot_http_reply *http, void *user)
{
    pending *p = user;
    if (draw_again(p, http) || stream_again(p, http)) return;
    cJSON *json = NULL;
    allot_generate_reply reply = {.attempt = p->attempt,
                                  .failed_draws = is_failed_draw(http) ? p->attempt + 1 : 0,
                                  .retries = p->retries + http->retries,
                                  .sent_s = http->sent_s,
                                  .first_s = NAN,
                                  .done_s = http->done_s};
    if (!allot_http_verdict(http, &reply.failure) && take_answer(p, http, &json, &reply)) {
        (void)allot_fail_in(&reply.failure, "'%s'", http->url);
        if (p->stream.at_once) p->engine->stop = reply.failure;
    }
    p->done(&reply, p->user);
    cJSON_Delete(json);
    pending_free(p);
}

static allot_code send_body(pending *p, allot_err *err)
{
    allot_engine *e = p->engine;
    int chat = allot_generate_in_chat_form(e);
    char *text = cJSON_PrintUnformatted(p->body);
    allot_code rc = ALLOT_OK;
    if (!text) rc = allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    if (!rc) {
        allot_http_request r = {.hosts = &e->hosts,
                                .path = chat ? "/v1/chat/completions" : e->profile->completions,
                                .body = text,
                                .n = strlen(text),
                                .api_key = e->server.api_key,
                                .left_s = p->left_s,
                                .done = answered,
                                .on_data = e->config.stream ? take_bytes : NULL,
                                .drop = pending_free,
                                .user = p};
        rc = allot_http_send(e->http, &r, err);
    }
    free(text);
    return rc;
}

static allot_code send_request(pending *p, const allot_generate_request *r, allot_err *err)
{
    p->body = allot_generate_body(p->engine, p->query, r);
    while (p->attempt + 1 < ALLOT_MAX_DRAWS && draw_failed(p, p->attempt))
        p->attempt++;
    put_seed(p);
    p->engine->n_texts++;
    return send_body(p, err);
}

/* The prompt has come: what was held back is sent. */
static void rendered(const char *prompt, const allot_err *failure, void *user)
{
    pending *p = user;
    allot_generate_reply reply = {.sent_s = INFINITY, .first_s = NAN};
    if (prompt) {
        allot_generate_request r = p->request;
        r.prompt = prompt;
        if (!send_request(p, &r, &reply.failure)) return;
    } else if (failure) {
        reply.failure = *failure;
    }
    if (reply.failure.code) p->done(&reply, p->user);
    pending_free(p);
}

/* The first request of a query waits for its prompt. */
static allot_code send_later(pending *p, const allot_generate_request *r, allot_err *err)
{
    p->so_far = allot_mem_text(r->so_far, r->n, err);
    if (!p->so_far) return ALLOT_ERUNTIME;
    if (r->salt && !(p->salt = allot_mem_text(r->salt, strlen(r->salt), err)))
        return ALLOT_ERUNTIME;
    p->request.so_far = p->so_far;
    p->request.salt = p->salt;
    return allot_render_ask(p->engine->renderer, p->query, rendered, p, err);
}

allot_code allot_generate(allot_engine *e, const allot_query *q, const allot_generate_request *r,
                          allot_generate_fn f, void *user, allot_err *err)
{
    pending *p = malloc(sizeof *p);
    if (!p) return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    *p = (pending){
        .engine = e, .query = q, .request = *r, .stream.http = e->http, .done = f, .user = user};
    p->request.so_far = p->request.salt = NULL;
    allot_generate_request with_prompt = *r;
    with_prompt.prompt = e->renderer ? allot_render_known(e->renderer, q) : NULL;
    allot_code rc = e->renderer && !with_prompt.prompt ? send_later(p, r, err)
                                                       : send_request(p, &with_prompt, err);
    if (rc) pending_free(p);
    return rc;
}
