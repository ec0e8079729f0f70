/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/completions and /v1/chat/completions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "demo/api.h"
#include "liballot/mem.h"

#define MAX_SAMPLES 4096 /* of one request, over all prompts */
#define MAX_STOPS 16

/* Fields that change what is sampled and that this server does not have: refused unless neutral,
 * rather than ignored. */
static int refuse_unsupported(allot_call *c)
{
    static const struct {
        const char *field;
        double neutral, other_neutral;
    } numbers[] = {{"top_k", -1, 0},
                   {"min_p", 0, 0},
                   {"presence_penalty", 0, 0},
                   {"frequency_penalty", 0, 0},
                   {"repetition_penalty", 1, 1},
                   {"min_tokens", 0, 0}};
    static const char *const absent[] = {"suffix",    "logit_bias",        "stop_token_ids",
                                         "bad_words", "allowed_token_ids", "prompt_logprobs",
                                         "tools",     "response_format",   "structured_outputs"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double x;
        const char *f = numbers[i].field;
        int refused = allot_api_number(c, f, -1e9, 1e9, numbers[i].neutral, &x);
        if (refused) return refused;
        if (x < numbers[i].neutral || (x > numbers[i].neutral && x != numbers[i].other_neutral))
            return allot_api_refuse(c, 400, f, "'%s' is not supported by this server", f);
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->request, absent[i]);
        if (v == NULL || cJSON_IsNull(v) || cJSON_IsFalse(v)) continue;
        if ((cJSON_IsArray(v) || cJSON_IsObject(v)) && v->child == NULL) continue;
        return allot_api_refuse(c, 400, absent[i], "'%s' is not supported by this server",
                                absent[i]);
    }
    return 0;
}

static int take_stops(allot_call *c)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->request, "stop");
    if (v == NULL || cJSON_IsNull(v)) return 0;
    int is_list = cJSON_IsArray(v), n = is_list ? cJSON_GetArraySize(v) : 1;
    if (n > MAX_STOPS)
        return allot_api_refuse(c, 400, "stop", "'stop' holds %d strings, at most %d", n,
                                MAX_STOPS);
    c->gen.stops = allot_mem_array((size_t)n, sizeof *c->gen.stops, NULL);
    if (c->gen.stops == NULL) return allot_api_refuse(c, 500, NULL, "out of memory");
    for (const cJSON *s = is_list ? v->child : v; s != NULL; s = s->next) {
        if (!cJSON_IsString(s) || s->valuestring[0] == 0 || strlen(s->valuestring) > 1024)
            return allot_api_refuse(c, 400, "stop",
                                    "'stop' is not a string, or a list of strings, of 1 to 1024 "
                                    "bytes");
        c->gen.stops[c->gen.n_stops++] = s->valuestring;
        if (!is_list) break;
    }
    return 0;
}

static int take_stream(allot_call *c)
{
    int refused = allot_api_flag(c, "stream", 0, &c->gen.stream);
    if (refused) return refused;
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(c->request, "stream_options");
    if (o == NULL || cJSON_IsNull(o)) return 0;
    if (!cJSON_IsObject(o))
        return allot_api_refuse(c, 400, "stream_options", "'stream_options' is not an object");
    if (!c->gen.stream)
        return allot_api_refuse(c, 400, "stream_options",
                                "Stream options can only be defined when `stream=True`.");
    const cJSON *usage = cJSON_GetObjectItemCaseSensitive(o, "include_usage");
    if (usage != NULL && !cJSON_IsNull(usage) && !cJSON_IsBool(usage))
        return allot_api_refuse(c, 400, "stream_options",
                                "'include_usage' is neither true nor false");
    c->gen.include_usage = cJSON_IsTrue(usage);
    return 0;
}

/* Chat has a flag and a number, completions one number. */
static int take_logprobs(allot_call *c)
{
    long n;
    int on = 1;
    int refused = c->gen.chat ? allot_api_flag(c, "logprobs", 0, &on) : 0;
    if (!refused)
        refused = allot_api_integer(c, c->gen.chat ? "top_logprobs" : "logprobs", 0,
                                    ALLOT_MAX_LOGPROBS, c->gen.chat ? 0 : -1, &n);
    if (refused) return refused;
    c->gen.logprobs = on ? (int)n : -1;
    return 0;
}

/* Options that are the same for all samples of the request. */
static int take_sampling(allot_call *c, allot_seq *like)
{
    double temperature, top_p;
    long seed, n;
    int refused = allot_api_number(c, "temperature", 0, 100, 1, &temperature);
    if (!refused) refused = allot_api_number(c, "top_p", 0, 1, 1, &top_p);
    if (!refused) refused = allot_api_integer(c, "seed", -9e18, 9e18, 0, &seed);
    if (!refused) refused = allot_api_integer(c, "n", 1, 1024, 1, &n);
    if (!refused) refused = allot_api_flag(c, "include_stop_str_in_output", 0, &like->include_stop);
    if (!refused) refused = allot_api_flag(c, "ignore_eos", 0, &like->ignore_eos);
    if (!refused) refused = allot_api_salt(c, &like->salt);
    if (refused) return refused;
    if (top_p <= 0) return allot_api_refuse(c, 400, "top_p", "'top_p' must be within (0, 1]");
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->request, "seed");
    like->sampling = (allot_sampling){.temperature = temperature < 1e-5   ? 0
                                                     : temperature < 0.01 ? 0.01
                                                                          : temperature,
                                      .top_p = top_p,
                                      .seed = (uint64_t)seed,
                                      .n_logprobs = c->gen.logprobs};
    c->gen.n = (int)n;
    if (v != NULL && !cJSON_IsNull(v)) return 0;
    /* without a seed every request draws anew */
    if (getrandom(&like->sampling.seed, sizeof like->sampling.seed, 0) !=
        (ssize_t)sizeof like->sampling.seed)
        return allot_api_refuse(c, 500, NULL, "the system gave no random numbers");
    return 0;
}

/* max_tokens, or 0 where chat leaves it to the context. */
static int take_max_tokens(allot_call *c, long *out)
{
    int refused = allot_api_integer(c, "max_tokens", 1, 1e9, c->gen.chat ? 0 : 16, out);
    if (refused || !c->gen.chat) return refused;
    return allot_api_integer(c, "max_completion_tokens", 1, 1e9, *out, out);
}

static int fill_seq(allot_call *c, allot_seq *s, const allot_seq *like, const int32_t *tokens,
                    int n, int max_tokens, int child)
{
    size_t room = (size_t)n + (size_t)max_tokens + 1;
    s->tokens = allot_mem_array(room, sizeof *s->tokens, NULL);
    if (s->tokens == NULL) return 0;
    memcpy(s->tokens, tokens, (size_t)n * sizeof *tokens);
    s->kind = ALLOT_SEQ_GENERATE;
    s->n_prompt = s->n_tokens = n;
    s->max_tokens = max_tokens;
    s->sampling = like->sampling;
    s->sampling.seed += (uint64_t)child; /* vLLM's rule for child j of n */
    s->stops = c->gen.stops;
    s->n_stops = c->gen.n_stops;
    s->include_stop = like->include_stop;
    s->ignore_eos = like->ignore_eos;
    s->salt = like->salt;
    s->stop = -1;
    if (c->gen.logprobs < 0) return 1;
    s->logprobs = allot_mem_array((size_t)max_tokens, sizeof *s->logprobs, NULL);
    s->text_ends = allot_mem_array((size_t)max_tokens, sizeof *s->text_ends, NULL);
    return s->logprobs != NULL && s->text_ends != NULL;
}

static void choice(allot_buf *out, const allot_call *c, int i)
{
    const allot_seq *s = &c->seqs[i];
    allot_buf_printf(out, "{\"index\":%d,", i);
    if (c->gen.chat) allot_buf_str(out, "\"message\":{\"role\":\"assistant\",\"content\":");
    else allot_buf_str(out, "\"text\":");
    allot_api_quote(out, s->text.at == NULL ? "" : s->text.at, s->text.n);
    if (c->gen.chat) allot_buf_str(out, ",\"refusal\":null,\"tool_calls\":[]}");
    allot_buf_str(out, ",");
    allot_api_logprobs(out, c, s, 0, s->n_tokens - s->n_prompt);
    allot_buf_printf(out, ",\"finish_reason\":\"%s\",\"stop_reason\":", allot_api_finish_reason(s));
    if (s->stop >= 0) allot_api_quote(out, s->stops[s->stop], strlen(s->stops[s->stop]));
    else allot_buf_str(out, "null");
    allot_buf_str(out, c->gen.chat ? "}" : ",\"prompt_logprobs\":null}");
}

static void finish(allot_call *c)
{
    allot_buf *out = &c->reply;
    for (int i = 0; i < c->n_seqs; i++) {
        if (c->seqs[i].end == ALLOT_END_ABORT) {
            allot_api_refuse(c, 503, NULL, "the server is shutting down");
            return;
        }
    }
    allot_buf_printf(out,
                     "{\"id\":\"%s\",\"object\":\"%s\",\"created\":%ld,\"model\":\"%s\","
                     "\"choices\":[",
                     c->id, c->gen.chat ? "chat.completion" : "text_completion", c->created,
                     c->server->models[c->model]->name);
    for (int i = 0; i < c->n_seqs; i++) {
        if (i > 0) allot_buf_str(out, ",");
        choice(out, c, i);
    }
    allot_buf_str(out, "],");
    allot_api_usage(out, c);
    allot_buf_str(out, "}");
    c->status = 200;
}

/* n samples of each prompt; the choice's index is prompt * n + sample, as vLLM counts. */
static int submit(allot_call *c, const allot_prompts *prompts, const allot_seq *like,
                  long max_tokens)
{
    int limit = c->server->models[c->model]->transformer.n_ctx;
    if (prompts->n > MAX_SAMPLES / c->gen.n)
        return allot_api_refuse(c, 400, "n", "%d prompts with n = %d are more than %d samples",
                                prompts->n, c->gen.n, MAX_SAMPLES);
    if (!allot_call_seqs(c, prompts->n * c->gen.n))
        return allot_api_refuse(c, 500, NULL, "out of memory");
    for (int i = 0; i < c->n_seqs; i++) {
        int p = i / c->gen.n;
        int most = max_tokens > 0 ? (int)max_tokens : limit - prompts->n_tokens[p];
        if (!fill_seq(c, &c->seqs[i], like, prompts->tokens[p], prompts->n_tokens[p], most,
                      i % c->gen.n))
            return allot_api_refuse(c, 500, NULL, "out of memory");
    }
    if (c->gen.stream) allot_call_stream(c);
    else allot_call_submit(c, finish);
    return 0;
}

static int generate(allot_call *c, int chat)
{
    allot_seq like = {0};
    allot_prompts prompts = {0};
    long max_tokens;
    int bos, echo;
    c->gen.chat = chat;
    int refused = allot_api_parse(c);
    if (!refused) refused = allot_api_model(c, 0);
    if (!refused) refused = refuse_unsupported(c);
    if (!refused) refused = allot_api_flag(c, "echo", 0, &echo);
    if (!refused && echo)
        refused = allot_api_refuse(c, 400, "echo", "'echo' is not supported by this server");
    if (!refused) refused = allot_api_flag(c, "add_special_tokens", 1, &bos);
    if (!refused) refused = take_stream(c);
    if (!refused) refused = take_stops(c);
    if (!refused) refused = take_logprobs(c);
    if (!refused) refused = take_sampling(c, &like);
    if (!refused) refused = take_max_tokens(c, &max_tokens);
    if (refused) return refused;
    int extra = max_tokens > 0 ? (int)max_tokens : 1;
    refused = chat ? allot_api_chat_prompt(c, extra, &prompts)
                   : allot_api_prompts(c, cJSON_GetObjectItemCaseSensitive(c->request, "prompt"),
                                       "prompt", bos, extra, &prompts);
    if (!refused) refused = submit(c, &prompts, &like, max_tokens);
    allot_prompts_clear(&prompts);
    return refused;
}

int allot_api_completions(allot_call *c)
{
    return generate(c, 0);
}

int allot_api_chat(allot_call *c)
{
    return generate(c, 1);
}
