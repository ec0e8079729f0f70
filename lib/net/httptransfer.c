/* SPDX-License-Identifier: Apache-2.0 */
/* Aims a transfer at a server, takes its bytes, and judges whether it is tried again. */
#include "lib/net/httptransfer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "liballot/mem.h"
#include "lib/core/progress.h"
#include "lib/core/rng.h"

#define MOST_KEPT 65536 /* bytes of memory that a text of an idle transfer keeps */

static double epoch_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void hear(allot_transfer *t)
{
    t->heard_s = allot_clock_s();
    if (!t->heard) t->first_s = t->heard_s;
    t->heard = 1;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    allot_transfer *t = user;
    (void)size;
    if (n >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
        t->hint = (allot_retry_hint)ALLOT_RETRY_NONE; /* a 1xx answer came before the real one */
    allot_retry_header(&t->hint, line, n, epoch_s());
    hear(t);
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    allot_transfer *t = user;
    (void)size;
    hear(t);
    long status = 0;
    if (t->on_data) curl_easy_getinfo(t->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        t->on_data(bytes, n, t->user);
        return n;
    }
    if (t->answer.n + n > t->home->config->max_body) {
        t->failure = "it is larger than allowed";
        return 0;
    }
    allot_buf_add(&t->answer, bytes, n);
    if (!t->answer.failed) return n;
    t->failure = "out of memory";
    return 0;
}

void allot_transfers_open(allot_transfers *home, const allot_http_config *c,
                          curl_sockopt_callback on_made, curl_closesocket_callback on_gone,
                          void *owner)
{
    *home = (allot_transfers){.config = c,
                              .handles = {.config = c,
                                          .on_header = on_header,
                                          .on_body = on_body,
                                          .on_made = on_made,
                                          .on_gone = on_gone,
                                          .owner = owner}};
}

static void transfer_free(allot_transfer *t)
{
    allot_handle_close(&t->handle);
    allot_buf_clear(&t->url);
    allot_buf_clear(&t->path);
    allot_buf_clear(&t->body);
    allot_buf_clear(&t->answer);
    free(t);
}

void allot_transfers_clear(allot_transfers *home)
{
    for (allot_transfer *t = home->idle, *next; t; t = next) {
        next = t->next;
        transfer_free(t);
    }
    allot_handles_clear(&home->handles);
    home->idle = NULL;
}

/* A spare one, or a new one. */
static allot_transfer *spare_or_new(allot_transfers *home)
{
    allot_transfer *t = home->idle;
    if (t) {
        home->idle = t->next;
        return t;
    }
    t = allot_mem_array(1, sizeof *t, NULL);
    if (!t) return NULL;
    t->home = home;
    if (allot_handle_open(&t->handle, &home->handles, t)) return t;
    free(t);
    return NULL;
}

static void keep_or_clear(allot_buf *b)
{
    if (b->failed || b->capacity > MOST_KEPT) allot_buf_clear(b);
    else allot_buf_reset(b);
}

void allot_transfer_give(allot_transfer *t)
{
    keep_or_clear(&t->url);
    keep_or_clear(&t->path);
    keep_or_clear(&t->body);
    keep_or_clear(&t->answer);
    t->next = t->home->idle;
    t->home->idle = t;
}

allot_transfer *allot_transfer_take(allot_transfers *home, const allot_http_request *r,
                                    allot_err *err)
{
    allot_transfer *t = spare_or_new(home);
    const allot_header_list *lines =
        allot_handles_lines(&home->handles, r->api_key, r->body != NULL);
    int ok = t && lines;
    if (ok) {
        if (r->hosts) allot_buf_str(&t->path, r->path);
        else allot_buf_str(&t->url, r->url);
        allot_buf_add(&t->body, r->body, r->n);
        ok = !t->path.failed && !t->url.failed && !t->body.failed;
    }
    if (!ok) {
        if (t) allot_transfer_give(t);
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
    t->retries = t->moves = t->n_away = 0;
    t->away_since_s = 0;
    t->left_s = home->config->total_timeout_s > 0 ? home->config->total_timeout_s : INFINITY;
    if (r->left_s > 0) t->left_s = r->left_s;
    t->next = NULL;
    return t;
}

/* Where this try goes. */
static void aim(allot_transfer *t)
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

void allot_transfer_begin(allot_transfer *t)
{
    allot_buf_reset(&t->answer);
    if (t->on_data && t->retries > 0) t->on_data(NULL, 0, t->user);
    t->hint = (allot_retry_hint)ALLOT_RETRY_NONE;
    t->failure = NULL;
    t->heard = 0;
    t->first_s = NAN;
    t->started_s = t->heard_s = allot_clock_s();
    aim(t);
    curl_easy_setopt(t->handle.easy, CURLOPT_TIMEOUT_MS,
                     (long)(fmin(t->home->config->timeout_s, t->left_s) * 1000) + 1);
}

/* Of the answer; 0 = none came. */
static long status_of(const allot_transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->handle.easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* No connection came about: nobody has seen the request. */
static int is_unreached(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_CONNECT;
}

/* Would the same request fail again? Certificates, malformed URLs and too large answers would. */
static int is_transient(CURLcode code, const allot_transfer *t)
{
    static const CURLcode passing[] = {CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT,
                                       CURLE_GOT_NOTHING,  CURLE_SEND_ERROR,
                                       CURLE_RECV_ERROR,   CURLE_SSL_CONNECT_ERROR};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (code == passing[i]) return 1;
    return is_unreached(code) || (code == CURLE_ABORTED_BY_CALLBACK && t->failure);
}

/* A connection that breaks off is no sign of a server that is away: it may be the request that
 * broke it. A gateway's 504 is one of a text that takes long. */
static int is_away(const allot_transfer *t, CURLcode code, long status)
{
    long sent = 0;
    if (code == CURLE_OK) return status == 502 || status == 503;
    if (code != CURLE_OPERATION_TIMEDOUT) return is_unreached(code);
    curl_easy_getinfo(t->handle.easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent == 0;
}

static allot_host_end end_of(const allot_transfer *t, CURLcode code, long status)
{
    if (is_away(t, code, status)) return ALLOT_HOST_AWAY;
    int failed = code != CURLE_OK ? is_transient(code, t) : status == 504;
    return failed ? ALLOT_HOST_FAILED : ALLOT_HOST_THERE;
}

/* Tries that count. */
static int n_counted(const allot_transfer *t)
{
    return t->retries - t->moves - t->n_away;
}

static int wants_again(const allot_transfer *t, CURLcode code, long status)
{
    if (t->no_retry || n_counted(t) >= t->home->config->max_retries || t->left_s <= 0) return 0;
    if (code != CURLE_OK) return is_transient(code, t);
    /* A spent quota is also reported as 429, and does not come back by waiting. */
    if (status == 429 && t->answer.n > 0 && strstr(t->answer.at, "insufficient_quota")) return 0;
    return status != 200 && allot_retry_wanted((int)status, n_counted(t), &t->hint);
}

/* Counts the try where it went; 1 if another host is there for the next. */
static int has_other_host(allot_transfer *t, allot_host_end how, long status, double now)
{
    if (!t->hosts) return 0;
    if (status) t->hosts->seen = 1;
    allot_hosts_end(t->hosts, t->host, how, now);
    return how != ALLOT_HOST_THERE && !t->no_retry && t->left_s > 0 && t->moves + 1 < t->hosts->n &&
           allot_hosts_alive(t->hosts, now);
}

/* Whether the next try is to wait until a server is there; an address at which nobody has ever
 * answered is a wrong one. */
static int awaits_server(const allot_transfer *t, long status, double now)
{
    int seen = status || (t->hosts && t->hosts->seen);
    return seen && !t->no_retry && t->home->config->max_outage_s > 0 &&
           allot_retry_wanted((int)status, 0, &t->hint) &&
           !(t->hosts && allot_hosts_alive(t->hosts, now));
}

/* libcurl, or nobody, has said which limit was reached. */
static void name_limit(allot_transfer *t)
{
    int silent = t->code == CURLE_ABORTED_BY_CALLBACK && !t->heard && t->failure;
    if (t->left_s > 0 || (!silent && t->code != CURLE_OPERATION_TIMEDOUT)) return;
    t->failure = NULL;
    snprintf(t->handle.error, sizeof t->handle.error, "it took longer than %g s (--timeout)",
             t->home->config->total_timeout_s);
}

int allot_transfer_again(allot_transfer *t, CURLcode code, double now)
{
    long status = status_of(t);
    allot_host_end how = end_of(t, code, status);
    if (how != ALLOT_HOST_AWAY) t->left_s -= now - t->started_s;
    int moves = has_other_host(t, how, status, now);
    int waits = !moves && how == ALLOT_HOST_AWAY && awaits_server(t, status, now);
    t->code = code;
    name_limit(t);
    if (!waits) t->away_since_s = 0;
    else if (t->away_since_s == 0) t->away_since_s = t->hosts ? t->hosts->away_since_s : now;
    if (!moves && !waits && !wants_again(t, code, status)) return 0;
    allot_rng rng = allot_rng_start(t->home->config->seed, t->serial, (uint64_t)t->retries, 0);
    double wait_s =
        allot_retry_delay(waits ? t->n_away : n_counted(t), &t->hint, allot_rng_unit(&rng));
    t->again_s = moves ? now : now + wait_s;
    t->moves += moves;
    t->n_away += waits;
    t->retries++;
    return 1;
}

int allot_transfer_may_go(const allot_transfer *t, double now)
{
    if (now < t->again_s) return 0;
    return t->away_since_s == 0 || !t->hosts || allot_hosts_alive(t->hosts, now);
}

double allot_transfer_waited_s(const allot_transfer *t, double now)
{
    if (t->away_since_s == 0 || (t->hosts && allot_hosts_probing(t->hosts))) return 0;
    double since_s = t->hosts ? t->hosts->away_since_s : t->away_since_s;
    return since_s > 0 ? now - since_s : 0;
}

allot_http_reply allot_transfer_reply(allot_transfer *t)
{
    int status = (int)status_of(t);
    t->answer.n =
        allot_handles_hide(&t->home->handles, status == 200 ? ALLOT_IN_DATA : ALLOT_IN_ERROR,
                           t->answer.at, t->answer.n);
    /* libcurl's own times of a try are coarse when it drives many sockets; only the way to a new
     * connection is its to tell. */
    double connect_s = 0, tls_s = 0;
    curl_easy_getinfo(t->handle.easy, CURLINFO_CONNECT_TIME, &connect_s);
    curl_easy_getinfo(t->handle.easy, CURLINFO_APPCONNECT_TIME, &tls_s);
    allot_http_reply r = {.url = t->url.n ? t->url.at : "",
                          .status = status,
                          .body = t->answer.n ? t->answer.at : "",
                          .n = t->answer.n,
                          .retries = t->retries,
                          .told_off = t->hint.should == 0,
                          .left_s = t->left_s,
                          .sent_s = t->started_s + fmax(connect_s, tls_s),
                          .first_byte_s = t->first_s,
                          .done_s = t->heard ? t->heard_s : allot_clock_s()};
    if (t->code != CURLE_OK)
        r.failure = t->failure           ? t->failure
                    : t->handle.error[0] ? t->handle.error
                                         : curl_easy_strerror(t->code);
    return r;
}
