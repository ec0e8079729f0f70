/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"
#include <stdlib.h>
#include <string.h>
#include "core/json.h"
#include "job.h"
#include "prompt.h"

#define MAX_TOKENS_TOLD 9007199254740992.0

static void add_message(cJSON *list, const char *role, const char *text)
{
    cJSON *m = cJSON_CreateObject();
    cJSON_AddStringToObject(m, "role", role);
    cJSON_AddStringToObject(m, "content", text);
    cJSON_AddItemToArray(list, m);
}

/* The rendered prompt and what was generated so far are one text to the server. */
static void add_prompt(cJSON *o, const allot_engine *e, const allot_query *q,
                       const allot_generate_request *r)
{
    const char *template_text = e->config.prompt_template;
    size_t bos = allot_prompt_bos(template_text);
    if (bos && e->profile->bos_field) {
        cJSON_AddFalseToObject(o, "add_special_tokens");
        bos = 0;
    }
    allot_buf prompt = {0};
    (void)allot_prompt_render(template_text + bos, e->config.system_prompt, q->problem, q->n,
                              &prompt);
    allot_buf_add(&prompt, r->so_far, r->n);
    if (!prompt.failed) cJSON_AddStringToObject(o, "prompt", prompt.at);
    allot_buf_clear(&prompt);
}

static void add_messages(cJSON *o, const allot_engine *e, const allot_query *q,
                         const allot_generate_request *r)
{
    cJSON *list = cJSON_AddArrayToObject(o, "messages");
    allot_buf text = {0};
    if (*e->config.system_prompt) add_message(list, "system", e->config.system_prompt);
    allot_buf_add(&text, q->problem, q->n);
    if (!text.failed) add_message(list, "user", text.at);
    if (r->n > 0) {
        allot_buf_reset(&text);
        allot_buf_add(&text, r->so_far, r->n);
        if (!text.failed) add_message(list, "assistant", text.at);
        if (e->profile->continues == ALLOT_CONTINUE_FIELDS)
            cJSON_AddFalseToObject(o, "add_generation_prompt");
        if (e->profile->continues != ALLOT_CONTINUE_AUTO)
            cJSON_AddTrueToObject(o, "continue_final_message");
    }
    allot_buf_clear(&text);
}

static void add_salt(cJSON *o, const allot_profile *p, const char *salt)
{
    if (!salt || !p->salt) return;
    if (p->salt_is_switch) cJSON_AddFalseToObject(o, p->salt);
    else cJSON_AddStringToObject(o, p->salt, salt);
}

cJSON *allot_generate_body(const allot_engine *e, const allot_query *q,
                           const allot_generate_request *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", e->model);
    if (e->config.prompt_template) add_prompt(o, e, q, r);
    else add_messages(o, e, q, r);
    cJSON_AddNumberToObject(o, "temperature", e->config.temperature);
    cJSON_AddNumberToObject(o, "top_p", e->config.top_p);
    cJSON_AddNumberToObject(o, "max_tokens", (double)r->max_tokens);
    cJSON_AddNumberToObject(o, "seed", (double)r->seed);
    if (r->stop_at_step) {
        cJSON *stop = cJSON_AddArrayToObject(o, "stop");
        cJSON_AddItemToArray(stop, cJSON_CreateString(e->config.step_separator));
        if (e->profile->keep_stop) cJSON_AddTrueToObject(o, e->profile->keep_stop);
    }
    add_salt(o, e->profile, r->salt);
    return o;
}

static allot_code get_count(const cJSON *usage, const char *field, long *out, allot_err *err)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(usage, field);
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= MAX_TOKENS_TOLD))
        return allot_fail(err, ALLOT_ESERVER,
                          "the server does not tell '%s' (tokens are needed for costs)", field);
    *out = (long)v->valuedouble;
    return ALLOT_OK;
}

static allot_code get_usage(const cJSON *o, allot_generate_reply *reply, allot_err *err)
{
    const cJSON *usage = cJSON_GetObjectItemCaseSensitive(o, "usage");
    const cJSON *details = cJSON_GetObjectItemCaseSensitive(usage, "prompt_tokens_details");
    allot_code rc = get_count(usage, "completion_tokens", &reply->n_tokens, err);
    if (!rc) rc = get_count(usage, "prompt_tokens", &reply->prompt_tokens, err);
    if (get_count(details, "cached_tokens", &reply->cached_tokens, NULL)) reply->cached_tokens = 0;
    return rc;
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
    const cJSON *choices = cJSON_GetObjectItemCaseSensitive(*json, "choices");
    const cJSON *choice = cJSON_GetArrayItem(choices, 0);
    if (!cJSON_IsArray(choices) || cJSON_GetArraySize(choices) != 1)
        return allot_fail(err, ALLOT_ESERVER, "the server answered with %d choices instead of 1",
                          cJSON_IsArray(choices) ? cJSON_GetArraySize(choices) : 0);
    reply->text = text_of(choice);
    if (!reply->text) return allot_fail(err, ALLOT_ESERVER, "the server answered without a text");
    reply->n = strlen(reply->text);
    rc = get_finish(e, r, choice, reply, err);
    return rc ? rc : get_usage(*json, reply, err);
}

typedef struct {
    allot_engine *engine;
    allot_generate_request request; /* so_far is not kept */
    allot_generate_fn done;
    void *user;
} pending;

static void answered(const allot_http_reply *http, void *user)
{
    pending *p = user;
    cJSON *json = NULL;
    allot_generate_reply reply = {
        .retries = http->retries, .sent_s = http->sent_s, .done_s = http->done_s};
    if (!allot_http_verdict(http, &reply.failure) &&
        allot_generate_parse(p->engine, &p->request, http->body, http->n, &json, &reply,
                             &reply.failure))
        (void)allot_fail_in(&reply.failure, "'%s'", http->url);
    p->done(&reply, p->user);
    cJSON_Delete(json);
    free(p);
}

/* Engine and url are the caller's; the body is printed and sent. */
static allot_code send_body(allot_engine *e, const cJSON *body, pending *p, allot_err *err)
{
    allot_buf url = {0};
    allot_buf_printf(&url, "%s/%s", e->server.v1,
                     e->config.prompt_template ? "completions" : "chat/completions");
    char *text = cJSON_PrintUnformatted(body);
    allot_code rc = allot_buf_check(&url, err);
    if (!rc && !text) rc = allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    if (!rc) {
        allot_http_request r = {.url = url.at,
                                .body = text,
                                .n = strlen(text),
                                .api_key = e->server.api_key,
                                .done = answered,
                                .drop = free,
                                .user = p};
        rc = allot_http_send(e->http, &r, err);
    }
    allot_buf_clear(&url);
    free(text);
    return rc;
}

allot_code allot_generate(allot_engine *e, const allot_query *q, const allot_generate_request *r,
                          allot_generate_fn f, void *user, allot_err *err)
{
    pending *p = malloc(sizeof *p);
    if (!p) return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    *p = (pending){.engine = e, .request = *r, .done = f, .user = user};
    p->request.so_far = NULL;
    p->request.salt = NULL;
    cJSON *body = allot_generate_body(e, q, r);
    allot_code rc = send_body(e, body, p, err);
    cJSON_Delete(body);
    if (rc) free(p);
    return rc;
}
