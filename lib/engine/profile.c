/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds of servers, and how one is told from another. */
#include "lib/engine/profile.h"
#include <stdio.h>
#include <string.h>
#include "lib/core/buf.h"

#define COMPLETIONS "/v1/completions"

/* Detection asks in this order, the most telling path first; the last row fits whatever is
 * left. */
static const allot_profile PROFILES[] = {
    {.kind = "sglang",
     .probe_path = "/get_server_info",
     .probe_field = "version",
     .version = "version",
     .completions = COMPLETIONS,
     .limit = "max_tokens",
     .keep_stop = "no_stop_trim",
     .salt = "cache_salt",
     .plain = {{"top_k", -1}, {"min_p", 0}, {"repetition_penalty", 1}},
     .continues = ALLOT_CONTINUE_FIELD,
     .eos = ALLOT_EOS_MATCHED_TOKEN,
     .render = {"/tokenize", "tokens", "/detokenize", "text", 1},
     .reset_cache = "/flush_cache",
     .metrics = {"sglang:num_running_reqs", "sglang:num_queue_reqs", "sglang:prompt_tokens_total",
                 "sglang:cached_tokens_total"}},
    {.kind = "llama.cpp",
     .probe_path = "/props",
     .probe_field = "default_generation_settings",
     .version = "build_info",
     .completions = "/completion",
     .limit = "n_predict",
     .salt = "cache_prompt",
     .salt_is_switch = 1,
     .tokens_over = 3, /* the rest of a character of four bytes, as its manual says */
     .plain = {{"top_k", 0}, {"min_p", 0}, {"repeat_penalty", 1}},
     .continues = ALLOT_CONTINUE_AUTO,
     .eos = ALLOT_EOS_TOKEN,
     .render = {"/apply-template", "prompt", NULL, NULL, 0},
     .metrics = {"llamacpp:requests_processing", "llamacpp:requests_deferred", NULL, NULL}},
    {.kind = "tgi",
     .probe_path = "/info",
     .probe_field = "model_id",
     .version = "version",
     .completions = COMPLETIONS,
     .limit = "max_tokens",
     .refuses_top_p_1 = 1,
     .continues = ALLOT_CONTINUE_AUTO,
     .eos = ALLOT_EOS_FINISH,
     .render = {"/chat_tokenize", "templated_text", NULL, NULL, 0},
     .metrics = {"tgi_batch_current_size", "tgi_queue_size", NULL, NULL}},
    {.kind = "vllm",
     .probe_path = "/version",
     .probe_field = "version",
     .version = "version",
     .completions = COMPLETIONS,
     .limit = "max_tokens",
     .keep_stop = "include_stop_str_in_output",
     .salt = "cache_salt",
     .bos_field = 1,
     .plain = {{"top_k", -1}, {"min_p", 0}, {"repetition_penalty", 1}},
     .continues = ALLOT_CONTINUE_FIELDS,
     .eos = ALLOT_EOS_NO_REASON,
     .render = {"/tokenize", "tokens", "/detokenize", "prompt", 0},
     .reset_cache = "/reset_prefix_cache",
     .metrics = {"vllm:num_requests_running", "vllm:num_requests_waiting",
                 "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"}},
    /* mistral.rs counts a token more at the limit, LM Studio one less. */
    {.kind = "openai",
     .tokens_over = 1,
     .tokens_under = 1,
     .probe_path = "/v1/models",
     .probe_field = "data",
     .completions = COMPLETIONS,
     .limit = "max_tokens",
     .continues = ALLOT_CONTINUE_NONE,
     .eos = ALLOT_EOS_UNKNOWN},
};
enum { N_PROFILES = sizeof PROFILES / sizeof *PROFILES };

const allot_profile *allot_profile_find(const char *kind)
{
    for (int i = 0; i < N_PROFILES; i++)
        if (strcmp(PROFILES[i].kind, kind) == 0) return &PROFILES[i];
    return NULL;
}

const allot_profile *allot_profile_at(int i)
{
    return i >= 0 && i < N_PROFILES ? &PROFILES[i] : NULL;
}

void allot_profile_kinds(char *out, size_t n)
{
    size_t at = 0;
    for (int i = 0; i < N_PROFILES && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%s", i ? ", " : "", PROFILES[i].kind);
}

typedef struct {
    const char *field;
    cJSON *found;
    int loading; /* llama.cpp's server lists its models before it can say what it is */
} probe;

static void probed(const allot_http_reply *reply, void *user)
{
    probe *p = user;
    p->loading = reply->status == 503 && strcasestr(reply->body, "loading");
    if (allot_http_verdict(reply, NULL)) return;
    cJSON *o = cJSON_ParseWithLength(reply->body, reply->n);
    if (cJSON_GetObjectItemCaseSensitive(o, p->field)) p->found = o;
    else cJSON_Delete(o);
}

allot_code allot_profile_detect(allot_http *h, const allot_endpoint *server,
                                const allot_profile **out, cJSON **about, allot_err *err)
{
    *about = NULL;
    *out = &PROFILES[N_PROFILES - 1];
    for (const allot_profile *p = PROFILES; p < PROFILES + N_PROFILES; p++) {
        probe ask = {.field = p->probe_field};
        allot_buf url = {0};
        allot_buf_printf(&url, "%s%s", server->root, p->probe_path);
        allot_http_request r = {
            .url = url.at, .api_key = server->api_key, .no_retry = 1, .done = probed, .user = &ask};
        allot_code rc = allot_buf_check(&url, err);
        if (!rc) rc = allot_http_fetch(h, &r, err);
        r.no_retry = 0;
        if (!rc && ask.loading) rc = allot_http_fetch(h, &r, err);
        allot_buf_clear(&url);
        if (rc) return rc;
        if (!ask.found) continue;
        *out = p;
        *about = ask.found;
        break;
    }
    return ALLOT_OK;
}

const char *allot_profile_version(const allot_profile *p, const cJSON *about)
{
    const char *text =
        p->version ? cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(about, p->version))
                   : NULL;
    return text ? text : "";
}

static void copy_count(cJSON *to, const char *name, const cJSON *from, const char *field)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(from, field);
    if (cJSON_IsNumber(v)) cJSON_AddNumberToObject(to, name, v->valuedouble);
}

/* The reason in the words of a server that tells both ends apart; NULL while a stream goes on. */
static const char *finish_of(const cJSON *answer)
{
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "stop_type"));
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(answer, "stop")) || !type) return NULL;
    return strcmp(type, "eos") == 0     ? "eos_token"
           : strcmp(type, "word") == 0  ? "stop_sequence"
           : strcmp(type, "limit") == 0 ? "length"
                                        : "other";
}

void allot_profile_answer(cJSON *answer)
{
    cJSON *text = cJSON_GetObjectItemCaseSensitive(answer, "content");
    if (!cJSON_IsString(text) || cJSON_GetObjectItemCaseSensitive(answer, "choices")) return;
    const char *finish = finish_of(answer);
    cJSON *choice = cJSON_CreateObject();
    cJSON_AddItemToObject(choice, "text", cJSON_DetachItemViaPointer(answer, text));
    if (finish) cJSON_AddStringToObject(choice, "finish_reason", finish);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "choices"), choice);
    if (!finish) return;
    cJSON *usage = cJSON_AddObjectToObject(answer, "usage");
    copy_count(usage, "completion_tokens", answer, "tokens_predicted");
    copy_count(usage, "prompt_tokens", answer, "tokens_evaluated");
    copy_count(cJSON_AddObjectToObject(usage, "prompt_tokens_details"), "cached_tokens",
               cJSON_GetObjectItemCaseSensitive(answer, "timings"), "cache_n");
}
