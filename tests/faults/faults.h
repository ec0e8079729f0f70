/* SPDX-License-Identifier: Apache-2.0 */
/* faults.h - a server that misbehaves as real ones do. The first part of the path names the fault:
 * http://127.0.0.1:PORT/FAULT/v1/... ; a new fault is one row of FAULTS. What is asked with GET
 * (models, version) is answered as it should be, unless the row says otherwise; so is everything
 * under /ok/. fault_server.h serves them. */
#ifndef ALLOT_FAULTS_H
#define ALLOT_FAULTS_H
#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FAULT_GIANT_BYTES (UINT64_C(200) << 20)
#define FAULT_SLOW_S 1

typedef struct {
    struct MHD_Connection *connection;
    const char *path; /* behind the fault's name: "/v1/completions" */
    cJSON *json;      /* body, NULL for GET */
    int tries;        /* of this fault before, this path */
} fault_request;

typedef enum MHD_Result (*fault_answer)(const fault_request *r);

/* Answers. */

static enum MHD_Result fault_send(const fault_request *r, unsigned status, const char *header,
                                  const char *value, const char *body)
{
    struct MHD_Response *m = MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body,
                                                             MHD_RESPMEM_MUST_COPY);
    if (header) (void)MHD_add_response_header(m, header, value);
    enum MHD_Result ok = MHD_queue_response(r->connection, status, m);
    MHD_destroy_response(m);
    return ok;
}

static enum MHD_Result fault_send_json(const fault_request *r, cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);
    enum MHD_Result ok = fault_send(r, 200, "Content-Type", "application/json", text);
    free(text);
    cJSON_Delete(o);
    return ok;
}

static cJSON *fault_usage(cJSON *o)
{
    cJSON *u = cJSON_AddObjectToObject(o, "usage");
    cJSON_AddNumberToObject(u, "prompt_tokens", 7);
    cJSON_AddNumberToObject(u, "completion_tokens", 5);
    return u;
}

#define FAULT_TEXT "2+2=4\n\nThe answer is \\boxed{4}"

static cJSON *fault_choice(const fault_request *r, const char *text)
{
    cJSON *c = cJSON_CreateObject();
    cJSON_AddNumberToObject(c, "index", 0);
    if (strstr(r->path, "chat")) {
        cJSON *m = cJSON_AddObjectToObject(c, "message");
        if (text) cJSON_AddStringToObject(m, "content", text);
        else cJSON_AddNullToObject(m, "content");
    } else if (text) {
        cJSON_AddStringToObject(c, "text", text);
    } else {
        cJSON_AddNullToObject(c, "text");
    }
    cJSON_AddStringToObject(c, "finish_reason", "stop");
    cJSON_AddNullToObject(c, "stop_reason");
    return c;
}

static cJSON *fault_completion(const fault_request *r, int choices, const char *text)
{
    cJSON *o = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(o, "choices");
    for (int i = 0; i < choices; i++)
        cJSON_AddItemToArray(list, fault_choice(r, text));
    fault_usage(o);
    return o;
}

/* Step marks in a text. */
static int fault_marks(const char *text)
{
    int n = 0;
    for (const char *p = text; p && (p = strstr(p, "<extra_0>")); p++)
        n++;
    return n;
}

typedef enum { ROWS_PAIRS, ROWS_FLAT, ROWS_BASE64, ROWS_LOGITS, ROWS_SHORT } fault_rows;

/* Three floats 0.5, 0.5, 0.5 at most: enough for texts of up to three steps. */
static cJSON *fault_base64_rows(int n)
{
    static const char *const text[] = {"", "AAAAPw==", "AAAAPwAAAD8=", "AAAAPwAAAD8AAAA/"};
    return cJSON_CreateString(text[n < 4 ? n : 3]);
}

static cJSON *fault_row_list(int n, fault_rows how)
{
    if (how == ROWS_BASE64) return fault_base64_rows(n);
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < (how == ROWS_SHORT ? n - 1 : n); i++) {
        double good = 1.0 / (i + 2);
        double row[2] = {1 - good, good};
        if (how == ROWS_LOGITS) row[0] = 3, row[1] = 3;
        if (how == ROWS_FLAT) cJSON_AddItemToArray(list, cJSON_CreateNumber(good));
        else cJSON_AddItemToArray(list, cJSON_CreateDoubleArray(row, 2));
    }
    return list;
}

static cJSON *fault_pooling_answer(const fault_request *r, fault_rows how)
{
    const cJSON *inputs = cJSON_GetObjectItem(r->json, "input");
    const cJSON *messages = cJSON_GetObjectItem(r->json, "messages");
    int n = inputs ? cJSON_GetArraySize(inputs) : 1;
    cJSON *o = cJSON_CreateObject();
    cJSON *data = cJSON_AddArrayToObject(o, "data");
    for (int i = n - 1; i >= 0; i--) { /* backwards: a client has to look at the index */
        const cJSON *last = cJSON_GetArrayItem(messages, cJSON_GetArraySize(messages) - 1);
        const char *text = inputs ? cJSON_GetArrayItem(inputs, i)->valuestring
                                  : cJSON_GetObjectItem(last, "content")->valuestring;
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "index", i);
        cJSON_AddItemToObject(item, "data", fault_row_list(fault_marks(text), how));
        cJSON_AddItemToArray(data, item);
    }
    fault_usage(o);
    return o;
}

static enum MHD_Result fault_pooling(const fault_request *r, fault_rows how)
{
    return fault_send_json(r, fault_pooling_answer(r, how));
}

typedef enum { VECTORS_FLOATS, VECTORS_BASE64, VECTORS_RAGGED } fault_vectors;

static enum MHD_Result fault_embeddings(const fault_request *r, fault_vectors how)
{
    const cJSON *inputs = cJSON_GetObjectItem(r->json, "input");
    cJSON *o = cJSON_CreateObject();
    cJSON *data = cJSON_AddArrayToObject(o, "data");
    for (int i = cJSON_GetArraySize(inputs) - 1; i >= 0; i--) {
        double v[3] = {(double)strlen(cJSON_GetArrayItem(inputs, i)->valuestring), 0.5, -1};
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "index", i);
        cJSON_AddItemToObject(
            item, "embedding",
            how == VECTORS_BASE64
                ? cJSON_CreateString("AAAAPwAAAD8AAAA/")
                : cJSON_CreateDoubleArray(v, how == VECTORS_RAGGED && i == 1 ? 2 : 3));
        cJSON_AddItemToArray(data, item);
    }
    fault_usage(o);
    return fault_send_json(r, o);
}

static enum MHD_Result fault_ok(const fault_request *r);
#include "tests/faults/stream_faults.h"

static enum MHD_Result fault_ok(const fault_request *r)
{
    if (strcmp(r->path, "/v1/models") == 0)
        return fault_send(r, 200, NULL, NULL, "{\"data\":[{\"id\":\"gen\"},{\"id\":\"prm\"}]}");
    if (strcmp(r->path, "/version") == 0)
        return fault_send(r, 200, NULL, NULL, "{\"version\":\"0.26.0\"}");
    if (strcmp(r->path, "/pooling") == 0) return fault_pooling(r, ROWS_PAIRS);
    if (strcmp(r->path, "/v1/embeddings") == 0) return fault_embeddings(r, VECTORS_FLOATS);
    if (fault_wants_stream(r)) return fault_ok_stream(r);
    if (strstr(r->path, "completions"))
        return fault_send_json(r, fault_completion(r, 1, FAULT_TEXT));
    return fault_send(r, 404, NULL, NULL, "{\"detail\":\"Not Found\"}");
}

/* Faults. Those that pass do so at the second try. */

static enum MHD_Result fault_rate_limit_ms(const fault_request *r)
{
    if (r->tries > 0) return fault_ok(r);
    return fault_send(r, 429, "retry-after-ms", "40", "{\"error\":{\"message\":\"slow down\"}}");
}

static enum MHD_Result fault_rate_limit(const fault_request *r)
{
    if (r->tries > 0) return fault_ok(r);
    return fault_send(r, 429, "Retry-After", "0.25", "{\"error\":{\"message\":\"slow down\"}}");
}

static enum MHD_Result fault_rate_limit_hour(const fault_request *r)
{
    return fault_send(r, 429, "Retry-After", "3600",
                      "{\"error\":{\"message\":\"come back later\"}}");
}

static enum MHD_Result fault_quota(const fault_request *r)
{
    return fault_send(r, 429, NULL, NULL,
                      "{\"error\":{\"message\":\"you exceeded your quota\","
                      "\"code\":\"insufficient_quota\"}}");
}

static enum MHD_Result fault_unauthorized(const fault_request *r)
{
    return fault_send(r, 401, NULL, NULL, "{\"error\":\"Unauthorized\"}");
}

static enum MHD_Result fault_bad_nested(const fault_request *r)
{
    return fault_send(r, 400, NULL, NULL,
                      "{\"error\":{\"message\":\"top_p is wrong\",\"type\":"
                      "\"BadRequestError\",\"param\":null,\"code\":400}}");
}

static enum MHD_Result fault_bad_flat(const fault_request *r)
{
    return fault_send(r, 400, NULL, NULL,
                      "{\"object\":\"error\",\"message\":\"top_p is wrong\","
                      "\"type\":\"BadRequestError\",\"param\":null,\"code\":400}");
}

static enum MHD_Result fault_detail(const fault_request *r)
{
    return fault_send(r, 422, NULL, NULL,
                      "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}");
}

static enum MHD_Result fault_wrong_model(const fault_request *r)
{
    return fault_send(r, 404, NULL, NULL,
                      "{\"error\":{\"message\":\"The model `gen` does not exist.\","
                      "\"type\":\"NotFoundError\",\"code\":404}}");
}

static enum MHD_Result fault_loading(const fault_request *r)
{
    if (r->tries > 0) return fault_ok(r);
    return fault_send(r, 503, "retry-after-ms", "20",
                      "{\"error\":{\"code\":503,\"message\":"
                      "\"Loading model\",\"type\":\"unavailable_error\"}}");
}

static enum MHD_Result fault_no_retry(const fault_request *r)
{
    return fault_send(r, 500, "x-should-retry", "false", "Internal server error");
}

static enum MHD_Result fault_html(const fault_request *r)
{
    return fault_send(r, 403, "Content-Type", "text/html", "<html><h1>403 Forbidden</h1></html>\n");
}

static enum MHD_Result fault_not_json(const fault_request *r)
{
    return fault_send(r, 200, NULL, NULL, "{\"choices\": [{\"text\": ");
}

static enum MHD_Result fault_empty(const fault_request *r)
{
    return fault_send(r, 200, NULL, NULL, "");
}

#include "tests/faults/broken_faults.h"

static enum MHD_Result fault_two_choices(const fault_request *r)
{
    return fault_send_json(r, fault_completion(r, 2, FAULT_TEXT));
}

static enum MHD_Result fault_no_choices(const fault_request *r)
{
    return fault_send_json(r, fault_completion(r, 0, NULL));
}

static enum MHD_Result fault_null_content(const fault_request *r)
{
    return fault_send_json(r, fault_completion(r, 1, NULL));
}

static enum MHD_Result fault_no_usage(const fault_request *r)
{
    cJSON *o = fault_completion(r, 1, FAULT_TEXT);
    cJSON_DeleteItemFromObject(o, "usage");
    return fault_send_json(r, o);
}

#include "tests/faults/told_faults.h"

static enum MHD_Result fault_aborted(const fault_request *r)
{
    cJSON *o = fault_completion(r, 1, "The ans");
    cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "choices"), 0);
    cJSON_ReplaceItemInObject(choice, "finish_reason", cJSON_CreateString("abort"));
    return fault_send_json(r, o);
}

static enum MHD_Result fault_bad_utf8(const fault_request *r)
{
    return fault_send(
        r, 200, NULL, NULL,
        "{\"choices\":[{\"text\":\"a\xff\\u0000b\\\\u0000\",\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":3}}");
}

/* llama.cpp's server when the bytes drawn are no UTF-8: another seed draws others. */
static enum MHD_Result fault_bad_draw(const fault_request *r)
{
    const cJSON *seed = cJSON_GetObjectItem(r->json, "seed");
    if (!seed || (long)seed->valuedouble % 8 != 0) return fault_ok(r);
    return fault_send(r, 500, "retry-after-ms", "1",
                      "{\"error\":{\"code\":500,\"message\":\"[json.exception.type_error.316] "
                      "invalid UTF-8 byte\",\"type\":\"server_error\"}}");
}

static enum MHD_Result fault_always_500(const fault_request *r)
{
    return fault_send(r, 500, "retry-after-ms", "1", "Internal Server Error");
}

/* TGI: the generation went wrong. */
static enum MHD_Result fault_generation(const fault_request *r)
{
    return fault_send(r, 424, "retry-after-ms", "1",
                      "{\"error\":\"Request failed during generation\","
                      "\"error_type\":\"generation\"}");
}

/* Faults of the reward model and of embeddings only: samples are fine. */

static enum MHD_Result fault_odd_rows(const fault_request *r, fault_rows how)
{
    return strcmp(r->path, "/pooling") == 0 ? fault_pooling(r, how) : fault_ok(r);
}

static enum MHD_Result fault_flat_rows(const fault_request *r)
{
    return fault_odd_rows(r, ROWS_FLAT);
}

static enum MHD_Result fault_base64(const fault_request *r)
{
    if (strstr(r->path, "embeddings")) return fault_embeddings(r, VECTORS_BASE64);
    return fault_odd_rows(r, ROWS_BASE64);
}

static enum MHD_Result fault_logits(const fault_request *r)
{
    return fault_odd_rows(r, ROWS_LOGITS);
}

static enum MHD_Result fault_short_rows(const fault_request *r)
{
    return fault_odd_rows(r, ROWS_SHORT);
}

/* Among others in a request a text's scores are not those that it has alone. */
static enum MHD_Result fault_batch_scores(const fault_request *r)
{
    int n = cJSON_GetArraySize(cJSON_GetObjectItem(r->json, "input"));
    return fault_odd_rows(r, n > 1 ? ROWS_LOGITS : ROWS_PAIRS);
}

static enum MHD_Result fault_ragged(const fault_request *r)
{
    return strstr(r->path, "embeddings") ? fault_embeddings(r, VECTORS_RAGGED) : fault_ok(r);
}

/* A context of two steps: batches and longer texts are refused. */
static enum MHD_Result fault_short_context(const fault_request *r)
{
    const cJSON *inputs = cJSON_GetObjectItem(r->json, "input"), *text;
    int most = 0;
    if (strcmp(r->path, "/pooling") != 0) return fault_ok(r);
    cJSON_ArrayForEach(text, inputs)
    {
        int n = fault_marks(text->valuestring);
        if (n > most) most = n;
    }
    if (most <= 2) return fault_pooling(r, ROWS_PAIRS);
    return fault_send(r, 400, NULL, NULL,
                      "{\"error\":{\"message\":\"This model's maximum context "
                      "length is 2 steps\",\"code\":400}}");
}

static enum MHD_Result fault_delay(const fault_request *r)
{
    usleep(50000);
    return fault_ok(r);
}

/* For long runs: slow, and every now and then one of the faults above. */
static enum MHD_Result fault_flaky(const fault_request *r)
{
    fault_request first = *r;
    first.tries = 0;
    usleep(20000);
    if (r->tries % 13 == 3) return fault_loading(&first);
    if (r->tries % 17 == 5) return fault_closed(&first);
    if (r->tries % 19 == 7) return fault_truncated(&first);
    if (r->tries % 29 == 11) return fault_not_json(r);
    return fault_ok(r);
}

typedef struct {
    const char *name;
    fault_answer answer;
    int also_gets; /* GET requests meet the fault, too */
} fault;

static const fault FAULTS[] = {
    {"ok", fault_ok, 1},
    {"rate-limit-ms", fault_rate_limit_ms, 0},
    {"rate-limit", fault_rate_limit, 0},
    {"rate-limit-hour", fault_rate_limit_hour, 0},
    {"quota", fault_quota, 0},
    {"unauthorized", fault_unauthorized, 1},
    {"bad-nested", fault_bad_nested, 0},
    {"bad-flat", fault_bad_flat, 0},
    {"detail", fault_detail, 0},
    {"wrong-model", fault_wrong_model, 0},
    {"loading", fault_loading, 1},
    {"no-retry", fault_no_retry, 0},
    {"html", fault_html, 1},
    {"not-json", fault_not_json, 0},
    {"empty", fault_empty, 0},
    {"closed", fault_closed, 0},
    {"truncated", fault_truncated, 0},
    {"idle", fault_idle, 0},
    {"giant", fault_giant, 0},
    {"slow", fault_slow, 0},
    {"two-choices", fault_two_choices, 0},
    {"no-choices", fault_no_choices, 0},
    {"null-content", fault_null_content, 0},
    {"no-usage", fault_no_usage, 0},
    {"count-above", fault_count_above, 0},
    {"count-zero", fault_count_zero, 0},
    {"count-negative", fault_count_negative, 0},
    {"count-half", fault_count_half, 0},
    {"count-text", fault_count_text, 0},
    {"prompt-half", fault_prompt_half, 0},
    {"prm-count", fault_prm_count, 0},
    {"redirect", fault_redirect, 0},
    {"echo-error", fault_echo_error, 0},
    {"echo-text", fault_echo_text, 0},
    {"echo-stream-error", fault_echo_stream_error, 0},
    {"echo-models", fault_echo_models, 1},
    {"aborted", fault_aborted, 0},
    {"bad-utf8", fault_bad_utf8, 0},
    {"bad-draw", fault_bad_draw, 0},
    {"always-500", fault_always_500, 0},
    {"generation", fault_generation, 0},
    {"stream-error", fault_stream_error, 0},
    {"stream-dead", fault_stream_dead, 0},
    {"stream-cut", fault_stream_cut, 0},
    {"stream-unfinished", fault_stream_unfinished, 0},
    {"stream-drip", fault_stream_drip, 0},
    {"stream-late-cut", fault_stream_late_cut, 0},
    {"stream-no-done", fault_stream_no_done, 0},
    {"stream-interleaved", fault_stream_interleaved, 0},
    {"stream-not-json", fault_stream_not_json, 0},
    {"stream-ignored", fault_stream_ignored, 0},
    {"gateway", fault_gateway, 0},
    {"too-large", fault_too_large, 0},
    {"slots", fault_slots, 0},
    {"overloaded", fault_overloaded, 0},
    {"rate-limit-date", fault_rate_limit_date, 0},
    {"reasoning", fault_reasoning, 0},
    {"flat-rows", fault_flat_rows, 0},
    {"base64", fault_base64, 0},
    {"logits", fault_logits, 0},
    {"short-rows", fault_short_rows, 0},
    {"short-context", fault_short_context, 0},
    {"batch-scores", fault_batch_scores, 0},
    {"ragged", fault_ragged, 0},
    {"delay", fault_delay, 0},
    {"flaky", fault_flaky, 0},
};
enum { N_FAULTS = sizeof FAULTS / sizeof *FAULTS };

#endif
