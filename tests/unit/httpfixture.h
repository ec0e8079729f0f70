/* SPDX-License-Identifier: Apache-2.0 */
/* httpfixture.h - a client on the server of faults, and what came of one request. */
#ifndef ALLOT_HTTPFIXTURE_H
#define ALLOT_HTTPFIXTURE_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/net/endpoint.h"
#include "lib/net/http.h"
#include "lib/net/httpretry.h"
#include "lib/net/httpsecret.h"
#include "lib/core/progress.h"
#include "tests/faults/fault_server.h"

static int port;

typedef struct {
    int calls, status, retries;
    allot_err err;
    size_t n;
    double seconds;
} outcome;

static inline void take(const allot_http_reply *r, void *user)
{
    outcome *o = user;
    o->calls++;
    o->status = r->status;
    o->retries = r->retries;
    o->n = r->n;
    o->seconds = r->done_s - r->sent_s;
    o->err = (allot_err){0};
    (void)!allot_http_verdict(r, &o->err);
}

static inline allot_http *open_http(double timeout_s)
{
    allot_err err = {0};
    allot_http *h;
    allot_http_config c;
    allot_http_defaults(&c);
    c.first_byte_timeout_s = c.idle_timeout_s = timeout_s;
    c.max_retries = 2;
    c.max_body = 1 << 20;
    assert_int_equal(allot_http_new(&c, &h, &err), ALLOT_OK);
    return h;
}

/* Posts to a fault; expects the message before 'URL' after (NULL = fine). */
static inline outcome post(allot_http *h, const char *fault_name, const char *before,
                           const char *after)
{
    allot_err err = {0};
    outcome o = {0};
    char url[128], expected[1024];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/v1/completions", port, fault_name);
    allot_http_request r = {.url = url, .body = "{}", .n = 2, .done = take, .user = &o};
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    assert_int_equal(o.calls, 1);
    snprintf(expected, sizeof expected, "%s'%s'%s", before ? before : "", url, after ? after : "");
    assert_string_equal(o.err.msg, after ? expected : "");
    return o;
}

typedef struct {
    size_t n;
    int restarts;
} stream;
#endif
