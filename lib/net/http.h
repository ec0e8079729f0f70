/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - many HTTP requests in flight from one thread, with limits, retries and bounded answers
 * (libcurl's multi interface over one epoll). Connections are kept and used again.
 * Limits count from the moment a request leaves this queue, never from its submission.
 * Retries: statuses 408, 409, 424 (once), 429 and >= 500, broken connections and timeouts; the
 * server's x-should-retry, retry-after-ms and Retry-After are obeyed; else 0.5 s * 2^k up to 8 s
 * with jitter. Servers that are all away (the connection is refused, status 502 or 503) although
 * they answered before are waited for, up to max_outage_s: these tries are not counted against
 * max_retries, and one request at a time asks. Proxies come from the environment, but loopback
 * never goes through one; redirects are not followed; an API key is never logged, and what a server
 * repeats of it, or of a header that is a secret, is "***" in the reply. */
#ifndef ALLOT_HTTP_H
#define ALLOT_HTTP_H
#include <stddef.h>
#include <stdint.h>
#include "lib/net/hosts.h"
#include "lib/net/httpconfig.h"
#include "liballot/err.h"

typedef struct allot_http allot_http;

ALLOT_MUST_CHECK allot_code allot_http_new(const allot_http_config *c, allot_http **out,
                                           allot_err *err);
void allot_http_free(allot_http *h); /* drops what is in flight; NULL is fine */

/* What came back; borrowed, valid during the callback. */
typedef struct {
    const char *url;
    int status;       /* of HTTP; 0 = none came (see failure) */
    const char *body; /* [n], NUL-terminated; empty with on_data */
    size_t n;
    const char *failure; /* no whole answer came: why, in words; NULL otherwise */
    int retries;         /* tries after the first */
    int told_off;        /* the server wants no further try (x-should-retry: false) */
    double left_s;       /* of total_timeout_s; INFINITY = no limit */
    double sent_s;       /* monotonic (allot_clock_s): last try, first byte sent */
    double first_byte_s; /* monotonic; NaN if none came */
    double done_s;       /* monotonic: last byte received */
} allot_http_reply;

typedef void (*allot_http_done)(const allot_http_reply *reply, void *user);

/* Everything is copied. */
typedef struct {
    const char *url;
    allot_hosts *hosts; /* instead of url: each try goes to one of these (they stay alive)... */
    const char *path;   /* ...and to this below its root */
    const char *body;   /* JSON to POST; NULL = GET */
    size_t n;
    const char *api_key; /* NULL = none */
    int no_retry;        /* one try only */
    double left_s;       /* total_timeout_s, of which others have taken some; 0 = all of it */
    allot_http_done done;
    /* For event streams: bytes of an answer with status 200 as they come (no secret is hidden in
     * them: one may lie across two; see allot_http_hide); bytes = NULL: a new try begins, forget
     * what came. NULL = the answer is collected. */
    void (*on_data)(const char *bytes, size_t n, void *user);
    void (*drop)(void *user); /* instead of done, by allot_http_free; NULL = nothing to free */
    void *user;
} allot_http_request;

/* Queues; done is called once, from allot_http_poll. Callbacks may send. */
ALLOT_MUST_CHECK allot_code allot_http_send(allot_http *h, const allot_http_request *r,
                                            allot_err *err);
/* Waits up to timeout_ms for events and handles them. ALLOT_EINTR after SIGINT or SIGTERM;
 * ALLOT_ESERVER when the servers have been away for longer than max_outage_s: what waits for them
 * is still pending then. */
ALLOT_MUST_CHECK allot_code allot_http_poll(allot_http *h, int timeout_ms, allot_err *err);
/* Queued, in flight and waiting for a retry. */
int allot_http_pending(const allot_http *h);

/* One blocking request; other requests in flight go on. r->done gets its reply;
 * on_data is not for it. After a failure (an interrupt) only allot_http_free may follow. */
ALLOT_MUST_CHECK allot_code allot_http_fetch(allot_http *h, const allot_http_request *r,
                                             allot_err *err);

/* Hides what a reply hides in text[n], which has a byte behind it: the new length. */
size_t allot_http_hide(const allot_http *h, char *text, size_t n);

/* ALLOT_OK for a whole answer of status 200; else ALLOT_ESERVER with one line that has the url and
 * the server's own words. Reads every known shape of error body (see httperror.c). */
ALLOT_MUST_CHECK allot_code allot_http_verdict(const allot_http_reply *r, allot_err *err);

#endif
