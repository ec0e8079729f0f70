/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to events to choices, within bounds; errors and keys in between are taken out. */
#include "lib/engine/sse.h"
#include <stdio.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/engine/profile.h"
#include "lib/engine/prompt.h"

#define MAX_BYTES (64u << 20)

static void fail(allot_sse *s, const char *why)
{
    if (!*s->failure) snprintf(s->failure, sizeof s->failure, "%s", why);
}

static const char *text_in(const cJSON *o, const char *field)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, field));
    return text ? text : "";
}

/* {"error": {"message": ...}}, {"error": "..."}: the status was sent long before. */
static void take_error(allot_sse *s, const cJSON *error)
{
    const char *text = cJSON_IsString(error) ? error->valuestring : text_in(error, "message");
    fail(s, *text ? text : "an error without a message");
}

/* TGI says "" until the text has ended. */
static void keep_finish(allot_sse *s, const cJSON *choice)
{
    static const char *const fields[] = {"finish_reason", "stop_reason", "matched_stop"};
    if (!*text_in(choice, fields[0])) return;
    cJSON_Delete(s->choice);
    s->choice = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const cJSON *f = cJSON_GetObjectItemCaseSensitive(choice, fields[i]);
        if (f) cJSON_AddItemToObject(s->choice, fields[i], cJSON_Duplicate(f, 1));
    }
}

static void take_choice(allot_sse *s, const cJSON *choice, double now)
{
    const cJSON *delta = cJSON_GetObjectItemCaseSensitive(choice, "delta");
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(choice, "index");
    const char *piece = delta ? text_in(delta, "content") : text_in(choice, "text");
    if (cJSON_IsNumber(index) && index->valuedouble != 0) {
        fail(s, "the server streams several choices instead of 1");
        return;
    }
    if (s->first_s == 0 &&
        (*piece || *text_in(delta, "reasoning") || *text_in(delta, "reasoning_content")))
        s->first_s = now;
    allot_buf_str(&s->text, piece);
    keep_finish(s, choice);
}

static void take_event(allot_sse *s, const char *data, size_t n, double now)
{
    allot_buf clean = {0};
    cJSON *o = NULL;
    const cJSON *choice;
    allot_prompt_clean_json(data, n, &clean);
    if (clean.failed || allot_json_parse(clean.at ? clean.at : "", clean.n, "an event", &o, NULL)) {
        fail(s, "an event of the stream is not valid JSON");
    } else {
        allot_profile_answer(o);
        const cJSON *error = cJSON_GetObjectItemCaseSensitive(o, "error");
        if (error && !cJSON_IsNull(error)) take_error(s, error);
        cJSON_ArrayForEach(choice, cJSON_GetObjectItemCaseSensitive(o, "choices"))
            take_choice(s, choice, now);
        cJSON *usage = cJSON_DetachItemFromObjectCaseSensitive(o, "usage");
        if (cJSON_IsObject(usage)) {
            cJSON_Delete(s->usage);
            s->usage = usage;
        } else {
            cJSON_Delete(usage);
        }
    }
    cJSON_Delete(o);
    allot_buf_clear(&clean);
}

/* A key may lie across two reads, or two pieces of the text. */
static void hide_secrets(const allot_sse *s, allot_buf *b)
{
    if (s->http && b->n) b->n = allot_http_hide(s->http, b->at, b->n);
}

static void take_line(allot_sse *s, double now)
{
    static const char field[] = "data:";
    hide_secrets(s, &s->line);
    size_t n = s->line.n, from = sizeof field - 1;
    const char *line = s->line.at;
    while (n > 0 && line[n - 1] == '\r')
        n--;
    if (n < from || memcmp(line, field, from) != 0) return;
    while (from < n && line[from] == ' ')
        from++;
    if (from == n || strncmp(line + from, "[DONE]", 6) == 0) return;
    take_event(s, line + from, n - from, now);
}

/* A line of a stream begins with the name of a field or with a colon. */
static void look_at_first(allot_sse *s, const char *bytes, size_t n)
{
    size_t at = 0;
    while (at < n && strchr(" \t\r\n", bytes[at]))
        at++;
    if (at == n) return;
    s->began = 1;
    s->at_once = bytes[at] == '{';
}

void allot_sse_take(allot_sse *s, const char *bytes, size_t n, double now)
{
    if (!s->began) look_at_first(s, bytes, n);
    if (s->at_once) return;
    while (n > 0 && !*s->failure) {
        const char *end = memchr(bytes, '\n', n);
        size_t part = end ? (size_t)(end - bytes) : n;
        allot_buf_add(&s->line, bytes, part);
        if (s->line.failed || s->text.failed || s->line.n + s->text.n > MAX_BYTES) {
            fail(s, "the stream is larger than allowed");
            return;
        }
        if (end) {
            if (s->line.n) take_line(s, now);
            allot_buf_reset(&s->line);
            part++;
        }
        bytes += part;
        n -= part;
    }
}

int allot_sse_is_whole(const allot_sse *s)
{
    return s->choice && !*s->failure;
}

allot_code allot_sse_answer(allot_sse *s, cJSON **out, allot_err *err)
{
    if (s->at_once)
        return allot_fail(err, ALLOT_ESERVER,
                          "the server takes no notice of 'stream': a text came at once, which does "
                          "not tell the time to its first piece (go on without --stream)");
    if (*s->failure)
        return allot_fail(err, ALLOT_ESERVER, "the server broke off the text: %s", s->failure);
    if (!s->choice)
        return allot_fail(err, ALLOT_ESERVER,
                          "the stream ended before the text (no finish_reason)");
    hide_secrets(s, &s->text);
    cJSON_AddStringToObject(s->choice, "text", s->text.at ? s->text.at : "");
    *out = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(*out, "choices"), s->choice);
    s->choice = NULL;
    if (s->usage) cJSON_AddItemToObject(*out, "usage", s->usage);
    s->usage = NULL;
    return ALLOT_OK;
}

void allot_sse_clear(allot_sse *s)
{
    allot_buf_clear(&s->line);
    allot_buf_clear(&s->text);
    cJSON_Delete(s->choice);
    cJSON_Delete(s->usage);
    *s = (allot_sse){.http = s->http};
}
