/* SPDX-License-Identifier: Apache-2.0 */
/* What replies are made of: strings, numbers, errors, usage. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "demo/api.h"
#include "liballot/utf8.h"

size_t allot_api_whole_chars(const char *text, size_t n)
{
    /* only a start of a character in the last 3 bytes can still become one */
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)text[n - back];
        if (c < 0x80) return n;
        if (c < 0xc0) continue;
        size_t size = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        return size > back ? n - back : n;
    }
    return n;
}

void allot_api_quote(allot_buf *out, const char *text, size_t n)
{
    allot_buf_add(out, "\"", 1);
    for (size_t i = 0, plain = 0;;) {
        unsigned char c = i < n ? (unsigned char)text[i] : 0;
        int size = i < n ? allot_utf8_length(text + i, n - i) : 0;
        if (size > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += (size_t)size;
            continue;
        }
        allot_buf_add(out, text + plain, i - plain);
        if (i >= n) break;
        if (size == 0) allot_buf_str(out, "\\ufffd");
        else if (c == '\n') allot_buf_str(out, "\\n");
        else if (c == '"' || c == '\\') allot_buf_printf(out, "\\%c", c);
        else allot_buf_printf(out, "\\u%04x", c);
        plain = ++i;
    }
    allot_buf_add(out, "\"", 1);
}

static void base64(allot_buf *out, const unsigned char *x, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)x[i] << 16 | (i + 1 < n ? (unsigned)x[i + 1] << 8 : 0) |
                     (i + 2 < n ? x[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
                        i + 1 < n ? digits[v >> 6 & 63] : '=', i + 2 < n ? digits[v & 63] : '='};
        allot_buf_add(out, four, 4);
    }
}

void allot_api_floats(allot_buf *out, const float *x, int n, int as_base64)
{
    if (as_base64) { /* both processors that this is built for are little-endian */
        allot_buf_add(out, "\"", 1);
        base64(out, (const unsigned char *)x, (size_t)n * sizeof *x);
        allot_buf_add(out, "\"", 1);
        return;
    }
    for (int i = 0; i < n; i++)
        allot_buf_printf(out, "%c%.9g", i == 0 ? '[' : ',', (double)x[i]);
    allot_buf_str(out, n == 0 ? "[]" : "]");
}

static const char *error_type(int status)
{
    switch (status) {
    case 404:
        return "NotFoundError";
    case 405:
        return "MethodNotAllowedError";
    case 413:
        return "RequestEntityTooLargeError";
    case 500:
        return "InternalServerError";
    case 503:
        return "ServiceUnavailableError";
    default:
        return "BadRequestError";
    }
}

int allot_api_refuse(allot_call *c, int status, const char *param, const char *fmt, ...)
{
    char message[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    allot_buf_reset(&c->reply);
    allot_buf_str(&c->reply, "{\"error\":{\"message\":");
    allot_api_quote(&c->reply, message, strlen(message));
    allot_buf_printf(&c->reply, ",\"type\":\"%s\",\"param\":", error_type(status));
    if (param != NULL) allot_api_quote(&c->reply, param, strlen(param));
    else allot_buf_str(&c->reply, "null");
    allot_buf_printf(&c->reply, ",\"code\":%d}}", status);
    c->content_type = "application/json";
    return c->status = status;
}

void allot_api_usage(allot_buf *out, const allot_call *c)
{
    long prompt = 0, generated = 0, cached = 0;
    const int n = c->gen.n > 0 ? c->gen.n : 1;
    for (int i = 0; i < c->n_seqs; i++) {
        generated += c->seqs[i].n_tokens - c->seqs[i].n_prompt;
        if (i % n != 0) continue;
        prompt += c->seqs[i].n_prompt;
        cached += c->seqs[i].n_cached;
    }
    allot_buf_printf(out,
                     "\"usage\":{\"prompt_tokens\":%ld,\"total_tokens\":%ld,"
                     "\"completion_tokens\":%ld,\"prompt_tokens_details\":{\"cached_tokens\":%ld}}",
                     prompt, prompt + generated, generated, cached);
}

const char *allot_api_finish_reason(const allot_seq *s)
{
    return s->end == ALLOT_END_STOP ? "stop" : s->end == ALLOT_END_LENGTH ? "length" : "abort";
}

/* What a token is called in log-probabilities: the text it spells; special and byte tokens by name,
 * so that different tokens have different names. */
static const char *token_text(const allot_call *c, int32_t id, size_t *n)
{
    const allot_token *t = &c->server->models[c->model]->tokenizer.tokens[id];
    int by_name = t->special || (t->n == 1 && strncmp(t->name, "<0x", 3) == 0);
    *n = by_name ? strlen(t->name) : t->n;
    return by_name ? t->name : t->text;
}

static void chat_token(allot_buf *out, const allot_call *c, int32_t id, float logprob)
{
    size_t n;
    const char *text = token_text(c, id, &n);
    allot_buf_str(out, "{\"token\":");
    allot_api_quote(out, text, n);
    allot_buf_printf(out, ",\"logprob\":%.9g,\"bytes\":[", (double)logprob);
    for (size_t i = 0; i < n; i++)
        allot_buf_printf(out, "%s%d", i == 0 ? "" : ",", (unsigned char)text[i]);
    allot_buf_str(out, "]");
}

static void chat_logprobs(allot_buf *out, const allot_call *c, const allot_seq *s, int from, int to)
{
    allot_buf_str(out, "\"logprobs\":{\"content\":[");
    for (int i = from; i < to; i++) {
        const allot_logprobs *p = &s->logprobs[i];
        if (i > from) allot_buf_str(out, ",");
        chat_token(out, c, s->tokens[s->n_prompt + i], p->sampled);
        allot_buf_str(out, ",\"top_logprobs\":[");
        for (int j = 0; j < p->n; j++) {
            if (j > 0) allot_buf_str(out, ",");
            chat_token(out, c, p->top[j], p->top_value[j]);
            allot_buf_str(out, "}");
        }
        allot_buf_str(out, "]}");
    }
    allot_buf_str(out, "]}");
}

void allot_api_logprobs(allot_buf *out, const allot_call *c, const allot_seq *s, int from, int to)
{
    size_t n;
    if (s->logprobs == NULL) {
        allot_buf_str(out, "\"logprobs\":null");
        return;
    }
    if (c->gen.chat) {
        chat_logprobs(out, c, s, from, to);
        return;
    }
    allot_buf_str(out, "\"logprobs\":{\"text_offset\":[");
    for (int i = from; i < to; i++)
        allot_buf_printf(out, "%s%u", i == from ? "" : ",", i == 0 ? 0 : s->text_ends[i - 1]);
    allot_buf_str(out, "],\"token_logprobs\":[");
    for (int i = from; i < to; i++)
        allot_buf_printf(out, "%s%.9g", i == from ? "" : ",", (double)s->logprobs[i].sampled);
    allot_buf_str(out, "],\"tokens\":[");
    for (int i = from; i < to; i++) {
        const char *text = token_text(c, s->tokens[s->n_prompt + i], &n);
        if (i > from) allot_buf_str(out, ",");
        allot_api_quote(out, text, n);
    }
    allot_buf_str(out, "],\"top_logprobs\":[");
    for (int i = from; i < to; i++) {
        const allot_logprobs *p = &s->logprobs[i];
        allot_buf_str(out, i == from ? "{" : ",{");
        for (int j = 0; j < p->n; j++) {
            const char *text = token_text(c, p->top[j], &n);
            if (j > 0) allot_buf_str(out, ",");
            allot_api_quote(out, text, n);
            allot_buf_printf(out, ":%.9g", (double)p->top_value[j]);
        }
        allot_buf_str(out, "}");
    }
    allot_buf_str(out, "]}");
}
