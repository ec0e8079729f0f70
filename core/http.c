/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "httphandle.h"
#include "httpretry.h"
#include "httpsockets.h"
#include "liballot/mem.h"
#include "options.h"
#include "progress.h"
#include "rng.h"

#define MAX_EVENTS 256
#define ROOM 16             /* transfers of one multi handle, which looks through its connections */
#define MOST_KEPT 65536     /* bytes of memory that a text of an idle transfer keeps */
#define SCAN_S 0.05         /* how often limits and retries are looked at */
#define LONGEST_WAIT_MS 200 /* a signal that comes just before a wait is seen after this */

/* One request on its way. It lies in exactly one list: queued, active, backing off or idle: then it
 * waits for another request, with its handle and its memory. */
typedef struct transfer {
    struct transfer *next, *prev; /* prev is used in the active list only */
    allot_http *http;
    allot_handle handle;
    struct part *part;    /* that drives it, while active */
    const allot_header_list *lines; /* borrowed from http */
    allot_hosts *hosts;             /* borrowed; NULL = url is fixed */
    allot_buf url, path, body;      /* path: below the root of a host */
    int has_body;
    int host, moves;    /* of the try that is out; retries on another host that was there */
    allot_http_done done;
    void (*on_data)(const char *bytes, size_t n, void *user);
    void (*drop)(void *user);
    void *user;
    allot_buf answer;
    allot_retry_hint hint;
    uint64_t serial;
    int retries, no_retry;
    double started_s;    /* monotonic: this try left the queue */
    double first_s;      /* first byte of the answer; NaN until then */
    double heard_s;      /* last byte of the answer, or started_s */
    int heard;           /* a byte of the answer came */
    double again_s;      /* when backing off: next try */
    const char *failure; /* found by us, not by libcurl */
} transfer;

/* One multi handle; they share the epoll. With thousands of requests in flight one alone would take
 * half as much processor time again for each. */
typedef struct part {
    allot_http *http;
    CURLM *multi;
    double timer_s; /* when libcurl wants to be called; INFINITY = not */
    int n_active;   /* transfers, at most ROOM */
} part;

struct allot_http {
    allot_http_config config;
    part *parts; /* owned [n_parts] */
    int n_parts;
    allot_sockets sockets;
    allot_handles handles;
    double scanned_s;
    CURLMcode broken; /* libcurl gave up: no event will come any more */
    uint64_t n_sent;  /* serial numbers */
    uint64_t n_finished;
    int n_pending;
    int n_going; /* active and backing off, at most max_in_flight */
    transfer *first_queued, *last_queued;
    transfer *active, *backoff, *idle;
};

/* libcurl tells which sockets it waits for; epoll does the waiting, so that the work of one event
 * does not grow with the requests in flight. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    (void)easy, (void)known;
    const part *p = user;
    uint32_t events = 0;
    if (what != CURL_POLL_REMOVE && what & CURL_POLL_IN) events |= EPOLLIN;
    if (what != CURL_POLL_REMOVE && what & CURL_POLL_OUT) events |= EPOLLOUT;
    return allot_sockets_want(&p->http->sockets, fd, events, (uint32_t)(p - p->http->parts));
}

static int on_made(void *user, curl_socket_t fd, curlsocktype purpose)
{
    allot_http *h = user;
    (void)purpose;
    allot_sockets_made(&h->sockets, fd);
    return CURL_SOCKOPT_OK;
}

static int on_gone(void *user, curl_socket_t fd)
{
    allot_http *h = user;
    allot_sockets_gone(&h->sockets, fd);
    return close(fd);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    part *p = user;
    p->timer_s = timeout_ms < 0 ? INFINITY : allot_clock_s() + (double)timeout_ms / 1000;
    return 0;
}

static double epoch_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void hear(transfer *t)
{
    t->heard_s = allot_clock_s();
    if (!t->heard) t->first_s = t->heard_s;
    t->heard = 1;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    transfer *t = user;
    (void)size;
    if (n >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
        t->hint = (allot_retry_hint)ALLOT_RETRY_NONE; /* a 1xx answer came before the real one */
    allot_retry_header(&t->hint, line, n, epoch_s());
    hear(t);
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    transfer *t = user;
    (void)size;
    hear(t);
    long status = 0;
    if (t->on_data) curl_easy_getinfo(t->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        t->on_data(bytes, n, t->user);
        return n;
    }
    if (t->answer.n + n > t->http->config.max_body) {
        t->failure = "it is larger than allowed";
        return 0;
    }
    allot_buf_add(&t->answer, bytes, n);
    if (!t->answer.failed) return n;
    t->failure = "out of memory";
    return 0;
}

static int open_part(allot_http *h, part *p)
{
    *p = (part){.http = h, .multi = curl_multi_init(), .timer_s = INFINITY};
    if (!p->multi) return 0;
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)ROOM);
    return 1;
}

allot_code allot_http_new(const allot_http_config *c, allot_http **out, allot_err *err)
{
    allot_code rc = allot_http_check(c, err);
    if (!rc) rc = allot_http_room(c->max_in_flight, err);
    if (rc) return rc;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot start libcurl");
    allot_http *h = allot_mem_array(1, sizeof *h, err);
    if (!h) return ALLOT_ERUNTIME;
    h->config = *c;
    h->handles = (allot_handles){.config = &h->config,
                                 .on_header = on_header,
                                 .on_body = on_body,
                                 .on_made = on_made,
                                 .on_gone = on_gone,
                                 .owner = h};
    rc = allot_sockets_open(&h->sockets, c->max_in_flight, err);
    int n = (c->max_in_flight + ROOM - 1) / ROOM;
    h->parts = allot_mem_array((size_t)n, sizeof *h->parts, err);
    while (h->parts && h->n_parts < n && open_part(h, &h->parts[h->n_parts]))
        h->n_parts++;
    if (!rc && h->n_parts < n) rc = allot_fail(err, ALLOT_ERUNTIME, "cannot start libcurl");
    if (rc) {
        allot_http_free(h);
        return rc;
    }
    *out = h;
    return ALLOT_OK;
}

static void transfer_free(transfer *t)
{
    allot_handle_close(&t->handle);
    allot_buf_clear(&t->url);
    allot_buf_clear(&t->path);
    allot_buf_clear(&t->body);
    allot_buf_clear(&t->answer);
    free(t);
}

static void drop_list(transfer *t, int is_idle)
{
    while (t) {
        transfer *next = t->next;
        if (!is_idle && t->drop) t->drop(t->user);
        transfer_free(t);
        t = next;
    }
}

void allot_http_free(allot_http *h)
{
    if (!h) return;
    for (transfer *t = h->active; t; t = t->next)
        curl_multi_remove_handle(t->part->multi, t->handle.easy);
    drop_list(h->active, 0);
    drop_list(h->backoff, 0);
    drop_list(h->first_queued, 0);
    drop_list(h->idle, 1);
    for (int i = 0; i < h->n_parts; i++)
        curl_multi_cleanup(h->parts[i].multi);
    free(h->parts);
    allot_handles_clear(&h->handles);
    allot_sockets_close(&h->sockets);
    free(h);
}

/* Where this try goes. */
static void aim(transfer *t)
{
    if (t->hosts) {
        t->host = allot_hosts_begin(t->hosts, t->started_s);
        allot_buf_reset(&t->url);
        allot_buf_str(&t->url, t->hosts->at[t->host].root);
        allot_buf_add(&t->url, t->path.at, t->path.n);
    }
    allot_handle_aim(&t->handle, t->url.failed ? "" : t->url.at, t->lines,
                     t->has_body ? t->body.at : NULL, t->body.n);
}

/* A spare one, or a new one. */
static transfer *transfer_take(allot_http *h)
{
    transfer *t = h->idle;
    if (t) {
        h->idle = t->next;
        return t;
    }
    t = allot_mem_array(1, sizeof *t, NULL);
    if (!t) return NULL;
    t->http = h;
    if (allot_handle_open(&t->handle, &h->handles, t)) return t;
    free(t);
    return NULL;
}

static void keep_or_clear(allot_buf *b)
{
    if (b->failed || b->capacity > MOST_KEPT) allot_buf_clear(b);
    else allot_buf_reset(b);
}

static void transfer_give(transfer *t)
{
    keep_or_clear(&t->url);
    keep_or_clear(&t->path);
    keep_or_clear(&t->body);
    keep_or_clear(&t->answer);
    t->next = t->http->idle;
    t->http->idle = t;
}

static transfer *transfer_new(allot_http *h, const allot_http_request *r, allot_err *err)
{
    transfer *t = transfer_take(h);
    const allot_header_list *lines = allot_handles_lines(&h->handles, r->api_key, r->body != NULL);
    int ok = t && lines;
    if (ok) {
        if (r->hosts) allot_buf_str(&t->path, r->path);
        else allot_buf_str(&t->url, r->url);
        allot_buf_add(&t->body, r->body, r->n);
        ok = !t->path.failed && !t->url.failed && !t->body.failed;
    }
    if (!ok) {
        if (t) transfer_give(t);
        (void)allot_fail(err, ALLOT_ERUNTIME, "out of memory");
        return NULL;
    }
    t->has_body = r->body != NULL;
    t->lines = lines;
    t->hosts = r->hosts;
    t->done = r->done;
    t->on_data = r->on_data;
    t->drop = r->drop;
    t->user = r->user;
    t->no_retry = r->no_retry;
    t->retries = t->moves = 0;
    t->next = NULL;
    return t;
}

allot_code allot_http_send(allot_http *h, const allot_http_request *r, allot_err *err)
{
    transfer *t = transfer_new(h, r, err);
    if (!t) return ALLOT_ERUNTIME;
    t->serial = h->n_sent++;
    if (h->last_queued) h->last_queued->next = t;
    else h->first_queued = t;
    h->last_queued = t;
    h->n_pending++;
    return ALLOT_OK;
}

/* The first with room: where few are in flight, few connections are kept. */
static part *part_with_room(allot_http *h)
{
    part *p = h->parts;
    while (p->n_active == ROOM)
        p++;
    return p;
}

/* Begins a try. */
static void start(allot_http *h, transfer *t)
{
    allot_buf_reset(&t->answer);
    if (t->on_data && t->retries > 0) t->on_data(NULL, 0, t->user);
    t->hint = (allot_retry_hint)ALLOT_RETRY_NONE;
    t->failure = NULL;
    t->heard = 0;
    t->first_s = NAN;
    t->started_s = t->heard_s = allot_clock_s();
    aim(t);
    t->prev = NULL;
    t->next = h->active;
    if (h->active) h->active->prev = t;
    h->active = t;
    t->part = part_with_room(h);
    t->part->n_active++;
    curl_multi_add_handle(t->part->multi, t->handle.easy);
}

static void leave_active(allot_http *h, transfer *t)
{
    curl_multi_remove_handle(t->part->multi, t->handle.easy);
    t->part->n_active--;
    if (t->prev) t->prev->next = t->next;
    else h->active = t->next;
    if (t->next) t->next->prev = t->prev;
    t->next = t->prev = NULL;
}

static void start_queued(allot_http *h)
{
    while (h->first_queued && h->n_going < h->config.max_in_flight) {
        transfer *t = h->first_queued;
        h->first_queued = t->next;
        if (!h->first_queued) h->last_queued = NULL;
        h->n_going++;
        start(h, t);
    }
}

/* Would the same request fail again? Certificates, malformed URLs and too large answers would. */
static int is_transient(CURLcode code, const transfer *t)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
        return 1;
    default:
        return code == CURLE_ABORTED_BY_CALLBACK && t->failure;
    }
}

static int try_again(const transfer *t, CURLcode code, long status)
{
    const allot_http *h = t->http;
    if (t->no_retry || t->retries - t->moves >= h->config.max_retries) return 0;
    if (code != CURLE_OK) return is_transient(code, t);
    /* A spent quota is also reported as 429, and does not come back by waiting. */
    if (status == 429 && t->answer.n > 0 && strstr(t->answer.at, "insufficient_quota")) return 0;
    return status != 200 && allot_retry_wanted((int)status, t->retries - t->moves, &t->hint);
}

/* Counts the try where it went; 1 if another host is there for the next. */
static int has_other_host(transfer *t, CURLcode code, long status, double now)
{
    if (!t->hosts) return 0;
    int failed = code != CURLE_OK ? is_transient(code, t) : status >= 502 && status <= 504;
    allot_hosts_end(t->hosts, t->host, failed, now);
    return failed && !t->no_retry && t->moves + 1 < t->hosts->n && allot_hosts_alive(t->hosts, now);
}

static void report(transfer *t, CURLcode code, long status)
{
    /* libcurl's own times of a try are coarse when it drives many sockets; only the way to a new
     * connection is its to tell. */
    double connect_s = 0, tls_s = 0;
    curl_easy_getinfo(t->handle.easy, CURLINFO_CONNECT_TIME, &connect_s);
    curl_easy_getinfo(t->handle.easy, CURLINFO_APPCONNECT_TIME, &tls_s);
    allot_http_reply r = {.url = t->url.n ? t->url.at : "",
                          .status = (int)status,
                          .body = t->answer.n ? t->answer.at : "",
                          .n = t->answer.n,
                          .retries = t->retries,
                          .told_off = t->hint.should == 0,
                          .sent_s = t->started_s + fmax(connect_s, tls_s),
                          .first_byte_s = t->first_s,
                          .done_s = t->heard ? t->heard_s : allot_clock_s()};
    if (code != CURLE_OK)
        r.failure = t->failure         ? t->failure
                    : t->handle.error[0] ? t->handle.error
                                          : curl_easy_strerror(code);
    t->done(&r, t->user);
}

/* A try is over. */
static void finish(allot_http *h, transfer *t, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(t->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    leave_active(h, t);
    double now = allot_clock_s();
    int moves = has_other_host(t, code, status, now);
    if (moves || try_again(t, code, status)) {
        allot_rng rng = allot_rng_start(h->config.seed, t->serial, (uint64_t)t->retries, 0);
        double wait_s = allot_retry_delay(t->retries - t->moves, &t->hint, allot_rng_unit(&rng));
        t->again_s = moves ? now : now + wait_s;
        t->moves += moves;
        t->retries++;
        t->next = h->backoff;
        h->backoff = t;
        return;
    }
    h->n_going--;
    h->n_pending--;
    h->n_finished++;
    report(t, code, status);
    transfer_give(t);
}

static void finish_done(allot_http *h, const part *p)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(p->multi, &left))) {
        transfer *t;
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result; /* m does not live beyond the removal of its handle */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(h, t, code);
    }
}

/* Silence is not libcurl's business at this resolution: limits of first byte and idle time. */
static void scan(allot_http *h, double now)
{
    h->scanned_s = now;
    for (transfer *t = h->active, *next; t; t = next) {
        next = t->next;
        double limit = t->heard ? h->config.idle_timeout_s : h->config.first_byte_timeout_s;
        if (now - t->heard_s <= limit) continue;
        t->failure = t->heard ? "it fell silent" : "no byte came in time";
        finish(h, t, CURLE_ABORTED_BY_CALLBACK);
    }
    transfer *waiting = h->backoff;
    h->backoff = NULL;
    while (waiting) {
        transfer *t = waiting;
        waiting = t->next;
        if (now >= t->again_s) {
            start(h, t);
        } else {
            t->next = h->backoff;
            h->backoff = t;
        }
    }
}

static int wait_ms(const allot_http *h, int timeout_ms, double now)
{
    double ms = timeout_ms < LONGEST_WAIT_MS ? timeout_ms : LONGEST_WAIT_MS;
    if (h->active || h->backoff) ms = fmin(ms, fmax(0, (h->scanned_s + SCAN_S - now) * 1000));
    for (int i = 0; i < h->n_parts; i++)
        ms = fmin(ms, fmax(0, (h->parts[i].timer_s - now) * 1000));
    return (int)ceil(ms);
}

static void act(allot_http *h, const part *p, curl_socket_t fd, int flags)
{
    int running;
    CURLMcode code = curl_multi_socket_action(p->multi, fd, flags, &running);
    if (code != CURLM_OK && code != CURLM_BAD_SOCKET) h->broken = code;
}

/* One wait and what it brings. */
static allot_code turn(allot_http *h, int timeout_ms, allot_err *err)
{
    allot_socket_event ev[MAX_EVENTS];
    start_queued(h);
    int n = allot_sockets_wait(&h->sockets, ev, MAX_EVENTS,
                               wait_ms(h, timeout_ms, allot_clock_s()));
    if (n < 0 && errno != EINTR)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot wait for the network: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        int flags = (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                    (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                    (ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        act(h, &h->parts[ev[i].tag], ev[i].fd, flags);
    }
    double now = allot_clock_s();
    for (part *p = h->parts; p < h->parts + h->n_parts; p++) {
        if (now < p->timer_s) continue;
        p->timer_s = INFINITY;
        act(h, p, CURL_SOCKET_TIMEOUT, 0);
    }
    if (h->broken)
        return allot_fail(err, ALLOT_ERUNTIME, "libcurl failed: %s",
                          curl_multi_strerror(h->broken));
    for (int i = 0; i < h->n_parts; i++)
        finish_done(h, &h->parts[i]);
    if (now - h->scanned_s >= SCAN_S) scan(h, now);
    start_queued(h);
    return ALLOT_OK;
}

allot_code allot_http_poll(allot_http *h, int timeout_ms, allot_err *err)
{
    double until = allot_clock_s() + timeout_ms / 1000.0;
    uint64_t finished = h->n_finished;
    /* Internal turns (a connection made, a part of an answer) are not events of the caller's. */
    do {
        if (allot_interrupted()) return allot_fail(err, ALLOT_EINTR, "interrupted");
        double left_ms = (until - allot_clock_s()) * 1000;
        allot_code rc = turn(h, left_ms > 0 ? (int)ceil(left_ms) : 0, err);
        if (rc) return rc;
    } while (h->n_finished == finished && h->n_pending > 0 && allot_clock_s() < until);
    return ALLOT_OK;
}

int allot_http_pending(const allot_http *h)
{
    return h->n_pending;
}
