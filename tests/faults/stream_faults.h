/* SPDX-License-Identifier: Apache-2.0 */
/* stream_faults.h - streams as servers send them, and what goes wrong behind a status of 200; and
 * refusals of gateways. Part of faults.h. */
#ifndef ALLOT_STREAM_FAULTS_H
#define ALLOT_STREAM_FAULTS_H

#define SSE_PIECE(index, text)                                                                     \
    "data: {\"choices\":[{\"index\":" index ",\"text\":\"" text "\",\"finish_reason\":null}],"     \
    "\"usage\":null}\n\n"
#define SSE_BEGIN ": ping - 12:00\n\n" SSE_PIECE("0", "") SSE_PIECE("0", "2+2=4\\n\\nThe answer")
#define SSE_STOP                                                                                   \
    ": ping\n\n"                                                                                   \
    "data: {\"choices\":[{\"index\":0,\"text\":\" is \\\\boxed{4}\",\"finish_reason\":\"stop\","   \
    "\"stop_reason\":null}],\"usage\":null}\r\n\r\n"
#define SSE_END                                                                                    \
    SSE_STOP                                                                                       \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5}}\n\n"
#define SSE_DONE "data: [DONE]\n\n"

static enum MHD_Result fault_sse(const fault_request *r, const char *events)
{
    return fault_send(r, 200, "Content-Type", "text/event-stream", events);
}

static int fault_wants_stream(const fault_request *r)
{
    return cJSON_IsTrue(cJSON_GetObjectItem(r->json, "stream"));
}

static enum MHD_Result fault_ok_stream(const fault_request *r)
{
    return fault_sse(r, SSE_BEGIN SSE_END SSE_DONE);
}

static enum MHD_Result fault_stream_error(const fault_request *r)
{
    if (r->tries > 0) return fault_ok_stream(r);
    return fault_sse(r,
                     SSE_BEGIN "data: {\"error\":{\"message\":\"EngineCore died\"}}\n\n" SSE_DONE);
}

static enum MHD_Result fault_stream_dead(const fault_request *r)
{
    return fault_sse(r,
                     SSE_BEGIN "data: {\"error\":{\"message\":\"EngineCore died\"}}\n\n" SSE_DONE);
}

static enum MHD_Result fault_stream_cut(const fault_request *r)
{
    return r->tries > 0 ? fault_ok_stream(r) : fault_sse(r, SSE_BEGIN);
}

/* "[DONE]" without a finish_reason proves nothing. */
static enum MHD_Result fault_stream_unfinished(const fault_request *r)
{
    return fault_sse(r, SSE_BEGIN SSE_DONE);
}

static enum MHD_Result fault_stream_late_cut(const fault_request *r)
{
    usleep(300000);
    return fault_sse(r, SSE_BEGIN);
}

static enum MHD_Result fault_stream_no_done(const fault_request *r)
{
    return fault_sse(r, SSE_BEGIN SSE_END);
}

static enum MHD_Result fault_stream_interleaved(const fault_request *r)
{
    return fault_sse(r, SSE_BEGIN SSE_PIECE("1", "x") SSE_END SSE_DONE);
}

/* As if nobody had asked for a stream; pretty-printed. */
static enum MHD_Result fault_stream_ignored(const fault_request *r)
{
    return fault_send(r, 200, NULL, NULL,
                      "\n{\n  \"choices\": [{\"index\": 0, \"text\": \"4\",\n"
                      "    \"finish_reason\": \"stop\"}],\n"
                      "  \"usage\": {\"prompt_tokens\": 7, \"completion_tokens\": 5}\n}\n");
}

static enum MHD_Result fault_stream_not_json(const fault_request *r)
{
    return fault_sse(r, SSE_BEGIN "data: {\"choices\": [\n\n" SSE_END SSE_DONE);
}

/* Gateways and others. */

static enum MHD_Result fault_gateway(const fault_request *r)
{
    if (r->tries > 0) return fault_ok(r);
    return fault_send(r, 502, "Content-Type", "text/html", "<html><h1>502 Bad Gateway</h1></html>");
}

static enum MHD_Result fault_too_large(const fault_request *r)
{
    return fault_send(r, 413, "Content-Type", "text/html",
                      "<html><h1>413 Request Entity Too Large</h1></html>");
}

/* llama.cpp, of n above its slots. */
static enum MHD_Result fault_slots(const fault_request *r)
{
    return fault_send(r, 400, NULL, NULL,
                      "{\"error\":{\"code\":400,\"message\":\"n_cmpl cannot be greater than the "
                      "number of slots\",\"type\":\"invalid_request_error\"}}");
}

/* TGI: more requests than it queues. */
static enum MHD_Result fault_overloaded(const fault_request *r)
{
    if (r->tries > 0) return fault_ok(r);
    return fault_send(r, 429, NULL, NULL,
                      "{\"error\":\"Model is overloaded\",\"error_type\":\"overloaded\"}");
}

/* In a second or less. */
static enum MHD_Result fault_rate_limit_date(const fault_request *r)
{
    char date[64];
    time_t soon = time(NULL) + 1;
    struct tm tm;
    if (r->tries > 0) return fault_ok(r);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&soon, &tm));
    return fault_send(r, 429, "Retry-After", date, "{\"error\":{\"message\":\"slow down\"}}");
}

/* A model that was cut while it thought. */
static enum MHD_Result fault_reasoning(const fault_request *r)
{
    return fault_send(r, 200, NULL, NULL,
                      "{\"choices\":[{\"index\":0,\"message\":{\"content\":null,"
                      "\"reasoning_content\":\"Let me think\"},\"finish_reason\":\"length\"}],"
                      "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5}}");
}
#endif
