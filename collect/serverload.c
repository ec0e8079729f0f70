/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the servers' /metrics and adds them up, so that foreign load next to a timing shows. */
#include "collect/serverload.h"
#include <math.h>
#include <string.h>
#include "lib/core/buf.h"

#define TIMEOUT_S 5.0

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
    if (!rc) rc = allot_hosts_open(c->base_url, &s->hosts, err);
    if (!rc) rc = allot_http_new(&http, &s->http, err);
    if (rc) allot_serverload_close(s);
    return rc;
}

void allot_serverload_close(allot_serverload *s)
{
    allot_http_free(s->http);
    allot_endpoint_clear(&s->server);
    allot_hosts_clear(&s->hosts);
    memset(s, 0, sizeof *s);
}

static allot_code fetch(allot_serverload *s, int host, const char *path, const char *body,
                        allot_http_done done, void *user)
{
    allot_buf url = {0};
    allot_buf_printf(&url, "%s%s", s->hosts.at[host].root, path);
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

static void add(double *sum, double value)
{
    if (value >= 0) *sum = fmax(*sum, 0) + value;
}

static void take_metrics(const allot_http_reply *reply, void *user)
{
    allot_loadmetrics one, *all = user;
    if (reply->failure || reply->status != 200) return;
    allot_loadmetrics_parse(reply->body, &one);
    add(&all->running, one.running);
    add(&all->waiting, one.waiting);
    add(&all->cache_queries, one.cache_queries);
    add(&all->cache_hits, one.cache_hits);
}

void allot_serverload_metrics(allot_serverload *s, allot_loadmetrics *out)
{
    *out = (allot_loadmetrics){-1, -1, -1, -1};
    for (int i = 0; i < s->hosts.n; i++)
        (void)!fetch(s, i, "/metrics", NULL, take_metrics, out);
}

int allot_serverload_read(allot_serverload *s)
{
    allot_loadmetrics m;
    allot_serverload_metrics(s, &m);
    if (m.running < 0 || m.running + m.waiting > 1e6) return -1;
    return (int)(m.running + fmax(m.waiting, 0));
}

static void take_status(const allot_http_reply *reply, void *user)
{
    *(int *)user = reply->status;
}

int allot_serverload_reset(allot_serverload *s, const char *path)
{
    int n = 0;
    for (int i = 0; i < s->hosts.n; i++) {
        int status = 0;
        n += !fetch(s, i, path, "{}", take_status, &status) && status == 200;
    }
    return n == s->hosts.n;
}

int allot_serverload_alive(allot_serverload *s)
{
    for (int i = 0; i < s->hosts.n; i++) {
        int status = 0;
        if (!fetch(s, i, "/v1/models", NULL, take_status, &status) && status > 0 && status < 500)
            return 1;
    }
    return 0;
}
