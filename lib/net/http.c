/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: queue, limits, time-outs, retries and outages, over libcurl's multi interface. */
#include "lib/net/http.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "lib/net/httpsockets.h"
#include "lib/net/httptransfer.h"
#include "liballot/mem.h"
#include "lib/core/log.h"
#include "lib/core/options.h"
#include "lib/core/progress.h"

#define MAX_EVENTS 256
#define ROOM 16             /* transfers of one multi handle, which looks through its connections */
#define SCAN_S 0.05         /* how often limits and retries are looked at */
#define TELL_S 2            /* an outage that is longer is told of */
#define LONGEST_WAIT_MS 200 /* a signal that comes just before a wait is seen after this */

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
    allot_transfers transfers;
    double scanned_s;
    CURLMcode broken; /* libcurl gave up: no event will come any more */
    int told_outage;
    uint64_t n_sent; /* serial numbers */
    uint64_t n_finished;
    int n_pending;
    int n_going; /* active and backing off, at most max_in_flight */
    allot_transfer *first_queued, *last_queued;
    allot_transfer *active, *backoff;
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
    allot_transfers_open(&h->transfers, &h->config, on_made, on_gone, h);
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

static void drop_list(allot_transfer *t)
{
    while (t) {
        allot_transfer *next = t->next;
        if (t->drop) t->drop(t->user);
        allot_transfer_give(t);
        t = next;
    }
}

void allot_http_free(allot_http *h)
{
    if (!h) return;
    for (allot_transfer *t = h->active; t; t = t->next)
        curl_multi_remove_handle(t->part->multi, t->handle.easy);
    drop_list(h->active);
    drop_list(h->backoff);
    drop_list(h->first_queued);
    for (int i = 0; i < h->n_parts; i++)
        curl_multi_cleanup(h->parts[i].multi);
    free(h->parts);
    allot_transfers_clear(&h->transfers);
    allot_sockets_close(&h->sockets);
    free(h);
}

allot_code allot_http_send(allot_http *h, const allot_http_request *r, allot_err *err)
{
    allot_transfer *t = allot_transfer_take(&h->transfers, r, err);
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
static void start(allot_http *h, allot_transfer *t)
{
    allot_transfer_begin(t);
    t->prev = NULL;
    t->next = h->active;
    if (h->active) h->active->prev = t;
    h->active = t;
    t->part = part_with_room(h);
    t->part->n_active++;
    curl_multi_add_handle(t->part->multi, t->handle.easy);
}

static void leave_active(allot_http *h, allot_transfer *t)
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
        allot_transfer *t = h->first_queued;
        h->first_queued = t->next;
        if (!h->first_queued) h->last_queued = NULL;
        h->n_going++;
        start(h, t);
    }
}

/* A try is over. */
static void finish(allot_http *h, allot_transfer *t, CURLcode code)
{
    leave_active(h, t);
    if (allot_transfer_again(t, code, allot_clock_s())) {
        t->next = h->backoff;
        h->backoff = t;
        return;
    }
    h->n_going--;
    h->n_pending--;
    h->n_finished++;
    allot_http_reply reply = allot_transfer_reply(t);
    t->done(&reply, t->user);
    allot_transfer_give(t);
}

static void finish_done(allot_http *h, const part *p)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(p->multi, &left))) {
        allot_transfer *t;
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result; /* m does not live beyond the removal of its handle */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(h, t, code);
    }
}

/* Silence is not libcurl's business at this resolution: limits of first byte and idle time. */
static void end_silent(allot_http *h, double now)
{
    for (allot_transfer *t = h->active, *next; t; t = next) {
        next = t->next;
        double limit = t->heard ? h->config.idle_timeout_s : h->config.first_byte_timeout_s;
        if (now - t->heard_s <= limit) continue;
        t->failure = t->heard ? "it fell silent" : "no byte came in time";
        finish(h, t, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void start_again(allot_http *h, double now)
{
    allot_transfer *waiting = h->backoff;
    h->backoff = NULL;
    while (waiting) {
        allot_transfer *t = waiting;
        waiting = t->next;
        if (allot_transfer_may_go(t, now)) {
            start(h, t);
        } else {
            t->next = h->backoff;
            h->backoff = t;
        }
    }
}

/* Some request met no server the last time. */
static int is_outage(const allot_http *h)
{
    for (const allot_transfer *t = h->active; t; t = t->next)
        if (t->away_since_s > 0) return 1;
    for (const allot_transfer *t = h->backoff; t; t = t->next)
        if (t->away_since_s > 0) return 1;
    return 0;
}

/* Tells of servers that are waited for; fails when that has taken too long. */
static allot_code watch_outage(allot_http *h, double now, allot_err *err)
{
    allot_transfer *longest = NULL;
    double longest_s = 0;
    for (allot_transfer *t = h->backoff; t; t = t->next) {
        double s = allot_transfer_waited_s(t, now);
        if (s > longest_s) longest = t, longest_s = s;
    }
    int too_long = longest_s > h->config.max_outage_s;
    if (h->told_outage && !is_outage(h)) {
        allot_log_info("the server is back");
        h->told_outage = 0;
    }
    if (!longest || (!too_long && (h->told_outage || longest_s < TELL_S))) return ALLOT_OK;
    allot_err why = {0};
    allot_http_reply reply = allot_transfer_reply(longest);
    (void)!allot_http_verdict(&reply, &why);
    if (too_long)
        return allot_fail(err, ALLOT_ESERVER,
                          "%s; it was away for %.0f s, longer than --max-outage %g", why.msg,
                          longest_s, h->config.max_outage_s);
    allot_log_info("%s; waiting up to %g s for it (--max-outage)", why.msg, h->config.max_outage_s);
    h->told_outage = 1;
    return ALLOT_OK;
}

static allot_code scan(allot_http *h, double now, allot_err *err)
{
    h->scanned_s = now;
    end_silent(h, now);
    start_again(h, now);
    return watch_outage(h, now, err);
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
    int n =
        allot_sockets_wait(&h->sockets, ev, MAX_EVENTS, wait_ms(h, timeout_ms, allot_clock_s()));
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
    allot_code rc = now - h->scanned_s >= SCAN_S ? scan(h, now, err) : ALLOT_OK;
    start_queued(h);
    return rc;
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

size_t allot_http_hide(const allot_http *h, char *text, size_t n)
{
    return allot_handles_hide(&h->transfers.handles, ALLOT_IN_DATA, text, n);
}

int allot_http_pending(const allot_http *h)
{
    return h->n_pending;
}
