/* SPDX-License-Identifier: Apache-2.0 */
/* Reads fields of requests: strict types and ranges, absent and null mean the default. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/json.h"
#include "demo/api.h"
#include "liballot/mem.h"

#define MAX_PROMPTS 1024

static const cJSON *field_of(const allot_call *c, const char *field)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->request, field);
    return v == NULL || cJSON_IsNull(v) ? NULL : v;
}

int allot_api_parse(allot_call *c)
{
    allot_err err = {0};
    if (allot_json_parse(c->body.at == NULL ? "" : c->body.at, c->body.n, "the request's body",
                         &c->request, &err) != ALLOT_OK)
        return allot_api_refuse(c, 400, NULL, "%s", err.msg);
    if (!cJSON_IsObject(c->request))
        return allot_api_refuse(c, 400, NULL, "the request's body is not a JSON object");
    return 0;
}

int allot_api_model(allot_call *c, int wanted)
{
    const cJSON *v = field_of(c, "model");
    c->model = wanted;
    if (wanted >= c->server->n_models)
        return allot_api_refuse(c, 404, "model", "this server was started without a reward model");
    if (v == NULL) return 0;
    if (!cJSON_IsString(v)) return allot_api_refuse(c, 400, "model", "'model' is not a string");
    for (int i = 0; i < c->server->n_models; i++) {
        if (strcmp(v->valuestring, c->server->models[i]->name) != 0) continue;
        if (i == wanted) return 0;
        return allot_api_refuse(c, 400, "model", "the model `%s` does not support %s",
                                v->valuestring, c->path);
    }
    return allot_api_refuse(c, 404, "model", "The model `%.100s` does not exist.", v->valuestring);
}

int allot_api_number(allot_call *c, const char *field, double min, double max, double absent,
                     double *out)
{
    const cJSON *v = field_of(c, field);
    *out = absent;
    if (v == NULL) return 0;
    if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble))
        return allot_api_refuse(c, 400, field, "'%s' is not a number", field);
    if (v->valuedouble < min || v->valuedouble > max)
        return allot_api_refuse(c, 400, field, "'%s' must be within %g..%g, got %g", field, min,
                                max, v->valuedouble);
    *out = v->valuedouble;
    return 0;
}

int allot_api_integer(allot_call *c, const char *field, double min, double max, long absent,
                      long *out)
{
    double x;
    *out = absent;
    if (field_of(c, field) == NULL) return 0;
    int refused = allot_api_number(c, field, min, max, 0, &x);
    if (refused) return refused;
    if (x != floor(x)) return allot_api_refuse(c, 400, field, "'%s' is not an integer", field);
    *out = (long)x;
    return 0;
}

int allot_api_flag(allot_call *c, const char *field, int absent, int *out)
{
    const cJSON *v = field_of(c, field);
    *out = absent;
    if (v == NULL) return 0;
    if (!cJSON_IsBool(v))
        return allot_api_refuse(c, 400, field, "'%s' is neither true nor false", field);
    *out = cJSON_IsTrue(v);
    return 0;
}

int allot_api_salt(allot_call *c, uint64_t *out)
{
    const cJSON *v = field_of(c, "cache_salt");
    *out = 0;
    if (v == NULL) return 0;
    if (!cJSON_IsString(v) || v->valuestring[0] == 0)
        return allot_api_refuse(c, 400, "cache_salt", "'cache_salt' is not a non-empty string");
    *out = 1469598103934665603u;
    for (const char *s = v->valuestring; *s; s++)
        *out = (*out ^ (unsigned char)*s) * 1099511628211u;
    return 0;
}

int allot_api_base64(allot_call *c)
{
    const cJSON *v = field_of(c, "encoding_format");
    c->base64 = 0;
    if (v == NULL || (cJSON_IsString(v) && strcmp(v->valuestring, "float") == 0)) return 0;
    if (!cJSON_IsString(v) || strcmp(v->valuestring, "base64") != 0)
        return allot_api_refuse(c, 400, "encoding_format",
                                "'encoding_format' is neither 'float' nor 'base64'");
    c->base64 = 1;
    return 0;
}

void allot_prompts_clear(allot_prompts *p)
{
    for (int i = 0; p->tokens != NULL && i < p->n; i++)
        free(p->tokens[i]);
    free(p->tokens);
    free(p->n_tokens);
    memset(p, 0, sizeof *p);
}

static int out_of_memory(allot_call *c)
{
    return allot_api_refuse(c, 500, NULL, "out of memory");
}

static int make_prompts(allot_call *c, int n, allot_prompts *out)
{
    out->tokens = allot_mem_array((size_t)n, sizeof *out->tokens, NULL);
    out->n_tokens = allot_mem_array((size_t)n, sizeof *out->n_tokens, NULL);
    out->n = out->tokens == NULL ? 0 : n;
    return out->tokens == NULL || out->n_tokens == NULL ? out_of_memory(c) : 0;
}

/* Every prompt must leave room for `extra` tokens in the context. */
static int check_length(allot_call *c, const char *field, size_t n, int extra)
{
    int limit = c->server->models[c->model]->transformer.n_ctx;
    if (n == 0) return allot_api_refuse(c, 400, field, "'%s' holds an empty prompt", field);
    if (n <= (size_t)limit && (size_t)extra <= (size_t)limit - n) return 0;
    return allot_api_refuse(c, 400, field,
                            "This model's maximum context length is %d tokens. However, you "
                            "requested %zu tokens (%zu in the prompt, %d for the completion).",
                            limit, n + (size_t)extra, n, extra);
}

static int text_prompt(allot_call *c, const char *field, const char *text, size_t n, int add_bos,
                       int extra, allot_prompts *out, int i)
{
    const allot_tokenizer *t = &c->server->models[c->model]->tokenizer;
    int32_t *tokens = allot_mem_array(allot_tokenizer_max(n), sizeof *tokens, NULL);
    if (tokens == NULL) return out_of_memory(c);
    out->tokens[i] = tokens;
    size_t count = allot_tokenizer_encode(t, text, n, add_bos, tokens);
    int refused = check_length(c, field, count, extra);
    if (!refused) out->n_tokens[i] = (int)count;
    return refused;
}

static int ids_prompt(allot_call *c, const char *field, const cJSON *list, int extra,
                      allot_prompts *out, int i)
{
    const int32_t n_vocab = c->server->models[c->model]->tokenizer.n;
    size_t n = 0, most = (size_t)cJSON_GetArraySize(list);
    int refused = check_length(c, field, most, extra);
    if (refused) return refused;
    int32_t *tokens = allot_mem_array(most, sizeof *tokens, NULL);
    if (tokens == NULL) return out_of_memory(c);
    out->tokens[i] = tokens;
    for (const cJSON *v = list->child; v != NULL; v = v->next) {
        if (!cJSON_IsNumber(v) || v->valuedouble != floor(v->valuedouble))
            return allot_api_refuse(c, 400, field, "'%s' holds a token that is not an integer",
                                    field);
        if (v->valuedouble < 0 || v->valuedouble >= n_vocab)
            return allot_api_refuse(c, 400, field, "Token id %.0f is out of vocabulary",
                                    v->valuedouble);
        tokens[n++] = (int32_t)v->valuedouble;
    }
    out->n_tokens[i] = (int)n;
    return 0;
}

int allot_api_prompts(allot_call *c, const cJSON *value, const char *field, int add_bos, int extra,
                      allot_prompts *out)
{
    if (value == NULL || cJSON_IsNull(value))
        return allot_api_refuse(c, 400, field, "'%s' is missing", field);
    int is_list = cJSON_IsArray(value) && !cJSON_IsNumber(value->child);
    int n = is_list ? cJSON_GetArraySize(value) : 1, i = 0;
    if (n < 1 || n > MAX_PROMPTS)
        return allot_api_refuse(c, 400, field, "'%s' must hold 1 to %d prompts, got %d", field,
                                MAX_PROMPTS, n);
    int refused = make_prompts(c, n, out);
    for (const cJSON *v = is_list ? value->child : value; v != NULL && !refused; v = v->next) {
        if (cJSON_IsString(v))
            refused = text_prompt(c, field, v->valuestring, strlen(v->valuestring), add_bos, extra,
                                  out, i++);
        else if (cJSON_IsArray(v)) refused = ids_prompt(c, field, v, extra, out, i++);
        else
            refused = allot_api_refuse(c, 400, field,
                                       "'%s' is not a text, a list of token ids, or a list of "
                                       "these",
                                       field);
        if (!is_list) break;
    }
    return refused;
}

/* A message's text: a string, or the "text" parts of a list. */
static int message_text(allot_call *c, const cJSON *content, allot_buf *out)
{
    if (cJSON_IsString(content)) {
        allot_buf_str(out, content->valuestring);
        return 0;
    }
    if (!cJSON_IsArray(content))
        return allot_api_refuse(c, 400, "messages", "a message has no text in 'content'");
    for (const cJSON *part = content->child; part != NULL; part = part->next) {
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(part, "type");
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(part, "text");
        if (!cJSON_IsString(type) || strcmp(type->valuestring, "text") != 0 ||
            !cJSON_IsString(text))
            return allot_api_refuse(c, 400, "messages", "this model reads text only");
        allot_buf_str(out, text->valuestring);
    }
    return 0;
}

int allot_api_chat_text(allot_call *c, allot_buf *out)
{
    const cJSON *messages = cJSON_GetObjectItemCaseSensitive(c->request, "messages");
    int questions = 0;
    if (!cJSON_IsArray(messages) || messages->child == NULL)
        return allot_api_refuse(c, 400, "messages", "'messages' is not a non-empty list");
    for (const cJSON *m = messages->child; m != NULL; m = m->next) {
        const cJSON *role = cJSON_GetObjectItemCaseSensitive(m, "role");
        if (!cJSON_IsString(role))
            return allot_api_refuse(c, 400, "messages", "a message has no 'role'");
        int user = strcmp(role->valuestring, "user") == 0;
        if (strcmp(role->valuestring, "system") == 0) continue;
        if (!user && strcmp(role->valuestring, "assistant") != 0)
            return allot_api_refuse(c, 400, "messages", "unknown role '%.40s'", role->valuestring);
        if (user) allot_buf_str(out, "Q: ");
        int refused = message_text(c, cJSON_GetObjectItemCaseSensitive(m, "content"), out);
        if (refused) return refused;
        if (user) allot_buf_str(out, "\n");
        questions += user;
    }
    if (questions == 0) return allot_api_refuse(c, 400, "messages", "there is no user message");
    return out->failed ? out_of_memory(c) : 0;
}

int allot_api_chat_prompt(allot_call *c, int extra, allot_prompts *out)
{
    allot_buf text = {0};
    int refused = allot_api_chat_text(c, &text);
    if (!refused) refused = make_prompts(c, 1, out);
    if (!refused) refused = text_prompt(c, "messages", text.at, text.n, 1, extra, out, 0);
    allot_buf_clear(&text);
    return refused;
}
