/* SPDX-License-Identifier: Apache-2.0 */
#include "serverload.h"
#include <stdlib.h>
#include <string.h>
#include "core/buf.h"

#define TIMEOUT_S 5.0

static const char *const METRICS[] = {
    "vllm:num_requests_running",    "vllm:num_requests_waiting",   "sglang:num_running_reqs",
    "sglang:num_queue_reqs",        "llamacpp:requests_processing", "llamacpp:requests_deferred",
};

/* /metrics lies at the server's root, beside /v1. */
static char *metrics_url(const char *base_url, allot_err *err)
{
    size_t n = strlen(base_url);
    const char *v1 = strstr(base_url, "/v1");
    if (v1 && (v1[3] == '\0' || v1[3] == '/')) n = (size_t)(v1 - base_url);
    while (n > 0 && base_url[n - 1] == '/') n--;
    allot_buf b = {0};
    allot_buf_add(&b, base_url, n);
    allot_buf_str(&b, "/metrics");
    if (!allot_buf_check(&b, err)) return b.at;
    allot_buf_clear(&b);
    return NULL;
}

allot_code allot_serverload_open(allot_serverload *s, const allot_engine_config *c, allot_err *err)
{
    allot_http_config http;
    allot_http_defaults(&http);
    http.connect_timeout_s = http.timeout_s = TIMEOUT_S;
    http.insecure = c->insecure;
    http.cacert = c->cacert;
    *s = (allot_serverload){0};
    s->url = metrics_url(c->base_url, err);
    allot_code rc = s->url ? allot_http_new(&http, &s->http, err) : ALLOT_ERUNTIME;
    if (rc) allot_serverload_close(s);
    return rc;
}

void allot_serverload_close(allot_serverload *s)
{
    allot_http_free(s->http);
    free(s->url);
    memset(s, 0, sizeof *s);
}

static void take_reply(const allot_http_reply *reply, void *user)
{
    if (!reply->failure && reply->status == 200) *(int *)user = allot_serverload_parse(reply->body);
}

int allot_serverload_read(allot_serverload *s)
{
    int n = -1;
    allot_http_request r = {.url = s->url, .no_retry = 1, .done = take_reply, .user = &n};
    return allot_http_fetch(s->http, &r, NULL) ? -1 : n;
}

/* The value of a line `name{labels} value`, or -1 if the line is of something else. */
static double value_of(const char *line, size_t n)
{
    for (size_t i = 0; i < sizeof METRICS / sizeof *METRICS; i++) {
        size_t name = strlen(METRICS[i]);
        if (n <= name || strncmp(line, METRICS[i], name) != 0) continue;
        const char *at = line + name;
        if (*at == '{') at = memchr(at, '}', n - name) ? (char *)memchr(at, '}', n - name) + 1 : NULL;
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
