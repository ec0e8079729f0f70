/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events of a streamed generation. */
#include <string.h>

#include "demo/api.h"

static void open_event(allot_buf *out, const allot_call *c)
{
    allot_buf_printf(out,
                     "data: {\"id\":\"%s\",\"object\":\"%s\",\"created\":%ld,"
                     "\"model\":\"%s\",",
                     c->id, c->gen.chat ? "chat.completion.chunk" : "text_completion", c->created,
                     c->server->models[c->model]->name);
}

static void close_event(allot_buf *out, const allot_call *c)
{
    allot_buf_str(out, c->gen.include_usage ? ",\"usage\":null}\n\n" : "}\n\n");
}

/* The first event of a chat's choice carries its role only. */
static void role_event(allot_buf *out, const allot_call *c, int i)
{
    open_event(out, c);
    allot_buf_printf(out,
                     "\"choices\":[{\"index\":%d,\"delta\":{\"role\":\"assistant\",\"content\":"
                     "\"\"},\"logprobs\":null,\"finish_reason\":null}]",
                     i);
    close_event(out, c);
}

static void text_event(allot_buf *out, const allot_call *c, int i, size_t to)
{
    const allot_seq *s = &c->seqs[i];
    struct allot_streamed *was = &c->streamed[i];
    int done = s->end != ALLOT_END_NONE, tokens = s->n_tokens - s->n_prompt;
    open_event(out, c);
    allot_buf_printf(out, "\"choices\":[{\"index\":%d,%s", i,
                     c->gen.chat ? "\"delta\":{\"content\":" : "\"text\":");
    allot_api_quote(out, s->text.at == NULL ? "" : s->text.at + was->text, to - was->text);
    allot_buf_str(out, c->gen.chat ? "}," : ",");
    allot_api_logprobs(out, c, s, was->tokens, tokens);
    if (done)
        allot_buf_printf(out,
                         ",\"finish_reason\":\"%s\",\"stop_reason\":", allot_api_finish_reason(s));
    else allot_buf_str(out, ",\"finish_reason\":null,\"stop_reason\":");
    if (done && s->stop >= 0) allot_api_quote(out, s->stops[s->stop], strlen(s->stops[s->stop]));
    else allot_buf_str(out, "null");
    allot_buf_str(out, "}]");
    close_event(out, c);
    was->text = to;
    was->tokens = tokens;
    was->closed = done;
}

static void end_events(allot_call *c)
{
    allot_buf *out = &c->reply;
    for (int i = 0; i < c->n_seqs; i++) {
        if (c->seqs[i].end != ALLOT_END_ABORT) continue;
        allot_buf_str(out, "data: {\"error\":{\"message\":\"the server is shutting down\",\"type\":"
                           "\"ServiceUnavailableError\",\"param\":null,\"code\":503}}\n\n");
        break;
    }
    if (c->gen.include_usage) {
        open_event(out, c);
        allot_buf_str(out, "\"choices\":[],");
        allot_api_usage(out, c);
        allot_buf_str(out, "}\n\n");
    }
    allot_buf_str(out, "data: [DONE]\n\n");
    c->stream_closed = 1;
}

void allot_api_stream_events(allot_call *c)
{
    int open = 0;
    if (c->stream_closed) return;
    for (int i = 0; i < c->n_seqs; i++) {
        const allot_seq *s = &c->seqs[i];
        struct allot_streamed *was = &c->streamed[i];
        int done = s->end != ALLOT_END_NONE;
        if (s->n_tokens == s->n_prompt && !done) {
            open++;
            continue;
        }
        if (c->gen.chat && !was->opened) role_event(&c->reply, c, i);
        was->opened = 1;
        size_t to = s->stable;
        if (!done) to = s->text.at == NULL ? 0 : allot_api_whole_chars(s->text.at, to);
        if (to < was->text) to = was->text;
        if (!was->closed && (done || to > was->text)) text_event(&c->reply, c, i, to);
        open += !was->closed;
    }
    if (open == 0) end_events(c);
}
