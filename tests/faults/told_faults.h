/* SPDX-License-Identifier: Apache-2.0 */
/* told_faults.h - numbers of tokens that cannot be, and keys that are sent back; part of faults.h.
 */
#ifndef ALLOT_TOLD_FAULTS_H
#define ALLOT_TOLD_FAULTS_H
/* Counts of tokens that cannot be: of the text (a stream tells them, too), of what was read. */
static enum MHD_Result fault_count(const fault_request *r, const char *field, const char *count)
{
    char usage[128], stream[sizeof usage + sizeof SSE_BEGIN + sizeof SSE_STOP + 64];
    snprintf(usage, sizeof usage, "{\"prompt_tokens\":%s,\"completion_tokens\":%s}",
             *field == 'p' ? count : "7", *field == 'c' ? count : "5");
    if (fault_wants_stream(r)) {
        snprintf(stream, sizeof stream,
                 SSE_BEGIN SSE_STOP "data: {\"choices\":[],\"usage\":%s}\n\n" SSE_DONE, usage);
        return fault_sse(r, stream);
    }
    cJSON *o = strcmp(r->path, "/pooling") == 0 ? fault_pooling_answer(r, ROWS_PAIRS)
                                                : fault_completion(r, 1, FAULT_TEXT);
    cJSON_ReplaceItemInObject(o, "usage", cJSON_Parse(usage));
    return fault_send_json(r, o);
}

static enum MHD_Result fault_count_above(const fault_request *r)
{
    return fault_count(r, "completion_tokens", "2049");
}

static enum MHD_Result fault_count_zero(const fault_request *r)
{
    return fault_count(r, "completion_tokens", "0");
}

static enum MHD_Result fault_count_negative(const fault_request *r)
{
    return fault_count(r, "completion_tokens", "-3");
}

static enum MHD_Result fault_count_half(const fault_request *r)
{
    return fault_count(r, "completion_tokens", "1.5");
}

static enum MHD_Result fault_count_text(const fault_request *r)
{
    return fault_count(r, "completion_tokens", "\"5\"");
}

static enum MHD_Result fault_prompt_half(const fault_request *r)
{
    return fault_count(r, "prompt_tokens", "1.5");
}

/* Only of what the reward model reads. */
static enum MHD_Result fault_prm_count(const fault_request *r)
{
    return strcmp(r->path, "/pooling") == 0 ? fault_count(r, "prompt_tokens", "-3") : fault_ok(r);
}

/* To a path of its own, which is asked for by whoever follows. */
static enum MHD_Result fault_redirect(const fault_request *r)
{
    return fault_send(r, 307, "Location", "/ok/v1/completions", "");
}

/* The keys that came with a request, as a debugging proxy tells them; its JSON escapes slashes. */
static const char *fault_keys(const fault_request *r, char *out, size_t n)
{
    const char *auth = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Authorization");
    const char *key = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "X-Api-Key");
    snprintf(out, n, "Authorization: %s, X-Api-Key: %s", auth ? auth : "", key ? key : "");
    return out;
}

static void fault_escape(const char *from, char *to, size_t n)
{
    size_t at = 0;
    for (; *from && at + 7 < n; from++)
        if (*from == '/') to[at++] = '\\', to[at++] = '/';
        else if (*from == 's') at += (size_t)snprintf(to + at, n - at, "\\u%04x", *from);
        else to[at++] = *from;
    to[at] = '\0';
}

static enum MHD_Result fault_echo_error(const fault_request *r)
{
    char keys[256], escaped[1024], body[1200];
    fault_escape(fault_keys(r, keys, sizeof keys), escaped, sizeof escaped);
    snprintf(body, sizeof body, "{\"error\":{\"message\":\"refused: %s\",\"code\":400}}", escaped);
    return fault_send(r, 400, NULL, NULL, body);
}

/* As a stream: cut within the key. */
static enum MHD_Result fault_echo_text(const fault_request *r)
{
    char keys[256], events[2048];
    fault_keys(r, keys, sizeof keys);
    if (!fault_wants_stream(r)) return fault_send_json(r, fault_completion(r, 1, keys));
    snprintf(events, sizeof events, SSE_PIECE("0", "%.30s") SSE_PIECE("0", "%s") SSE_END SSE_DONE,
             keys, strlen(keys) > 30 ? keys + 30 : "");
    return fault_sse(r, events);
}

static enum MHD_Result fault_echo_stream_error(const fault_request *r)
{
    char keys[256], events[1024];
    snprintf(events, sizeof events, SSE_BEGIN "data: {\"error\":{\"message\":\"died: %s\"}}\n\n",
             fault_keys(r, keys, sizeof keys));
    return fault_sse(r, events);
}

static enum MHD_Result fault_echo_models(const fault_request *r)
{
    char keys[256];
    if (strcmp(r->path, "/v1/models") != 0) return fault_ok(r);
    cJSON *o = cJSON_CreateObject(), *m = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "data"), m);
    cJSON_AddStringToObject(m, "id", fault_keys(r, keys, sizeof keys));
    return fault_send_json(r, o);
}
#endif
