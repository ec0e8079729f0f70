/* SPDX-License-Identifier: Apache-2.0 */
#include "serverload.h"
#include <stdlib.h>
#include <string.h>
#include "core/buf.h"

#define TIMEOUT_S 5.0

static const char *const METRICS[] = {
    "vllm:num_requests_running", "vllm:num_requests_waiting",    "sglang:num_running_reqs",
    "sglang:num_queue_reqs",     "llamacpp:requests_processing", "llamacpp:requests_deferred",
};

allot_code allot_serverload_open(allot_serverload *s, const allot_engine_config *c, allot_err *err)
{
    allot_http_config http;
    allot_http_defaults(&http);
    http.connect_timeout_s = http.timeout_s = TIMEOUT_S;
    http.insecure = c->insecure;
    http.cacert = c->cacert;
    http.headers = c->headers.at;
    http.n_headers = c->headers.n;
    *s = (allot_serverload){0};
    allot_code rc =
        allot_endpoint_open(c->base_url, c->api_key_env, c->api_key_file, &s->server, err);
    if (!rc) rc = allot_http_new(&http, &s->http, err);
    if (rc) allot_serverload_close(s);
    return rc;
}

void allot_serverload_close(allot_serverload *s)
{
    allot_http_free(s->http);
    allot_endpoint_clear(&s->server);
    memset(s, 0, sizeof *s);
}

static allot_code fetch(allot_serverload *s, const char *path, const char *body,
                        allot_http_done done, void *user)
{
    allot_buf url = {0};
    allot_buf_printf(&url, "%s%s", s->server.root, path);
    allot_http_request r = {.url = url.at,
                            .body = body,
                            .n = body ? strlen(body) : 0,
                            .api_key = s->server.api_key,
                            .no_retry = 1,
                            .done = done,
                            .user = user};
    allot_code rc = allot_buf_check(&url, NULL);
    if (!rc) rc = allot_http_fetch(s->http, &r, NULL);
    allot_buf_clear(&url);
    return rc;
}

static void take_metrics(const allot_http_reply *reply, void *user)
{
    if (!reply->failure && reply->status == 200) *(int *)user = allot_serverload_parse(reply->body);
}

int allot_serverload_read(allot_serverload *s)
{
    int n = -1;
    return fetch(s, "/metrics", NULL, take_metrics, &n) ? -1 : n;
}

static void take_status(const allot_http_reply *reply, void *user)
{
    *(int *)user = reply->status;
}

int allot_serverload_reset(allot_serverload *s, const char *path)
{
    int status = 0;
    return !fetch(s, path, "{}", take_status, &status) && status == 200;
}

int allot_serverload_alive(allot_serverload *s)
{
    int status = 0;
    return !fetch(s, "/v1/models", NULL, take_status, &status) && status > 0 && status < 500;
}

/* The value of a line `name{labels} value`, or -1 if the line is of something else. */
static double value_of(const char *line, size_t n)
{
    for (size_t i = 0; i < sizeof METRICS / sizeof *METRICS; i++) {
        size_t name = strlen(METRICS[i]);
        if (n <= name || strncmp(line, METRICS[i], name) != 0) continue;
        const char *at = line + name;
        if (*at == '{')
            at = memchr(at, '}', n - name) ? (char *)memchr(at, '}', n - name) + 1 : NULL;
        if (!at || *at != ' ') continue;
        double value = strtod(at, NULL);
        return value >= 0 && value < 1e6 ? value : -1;
    }
    return -1;
}

int allot_serverload_parse(const char *text)
{
    double sum = -1;
    while (*text) {
        size_t n = strcspn(text, "\n");
        double value = value_of(text, n);
        if (value >= 0) sum = (sum < 0 ? 0 : sum) + value;
        text += n + (text[n] == '\n');
    }
    return (int)sum;
}
