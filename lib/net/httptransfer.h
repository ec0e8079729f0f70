/* SPDX-License-Identifier: Apache-2.0 */
/* httptransfer.h - one request on its way and what came of it: where it goes, what it hears,
 * whether it is to be tried again. Not for use outside core/http.c. */
#ifndef ALLOT_HTTPTRANSFER_H
#define ALLOT_HTTPTRANSFER_H
#include "lib/net/httphandle.h"
#include "lib/net/httpretry.h"

struct part; /* of http.c */

/* It lies in exactly one list: of those of http.c, or idle: then it waits for another request, with
 * its handle and its memory. */
typedef struct allot_transfer {
    struct allot_transfer *next, *prev; /* prev is used in the active list only */
    struct allot_transfers *home;
    allot_handle handle;
    struct part *part;              /* that drives it, while active */
    const allot_header_list *lines; /* borrowed from home */
    allot_hosts *hosts;             /* borrowed; NULL = url is fixed */
    allot_buf url, path, body;      /* path: below the root of a host */
    int has_body;
    int host, moves;     /* of the try that is out; retries on another host that was there */
    int n_away;          /* tries that met no server, while none was there */
    double away_since_s; /* monotonic: no server is there, this one waits; 0 = it does not */
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
    double left_s;       /* of the total of all tries; INFINITY = no limit */
    CURLcode code;       /* of the last try */
    const char *failure; /* found by us, not by libcurl */
} allot_transfer;

typedef struct allot_transfers {
    const allot_http_config *config; /* borrowed */
    allot_handles handles;
    allot_transfer *idle;
} allot_transfers; /* zero: nothing to clear */

/* on_made, on_gone: of connections, with `owner`. */
void allot_transfers_open(allot_transfers *home, const allot_http_config *c,
                          curl_sockopt_callback on_made, curl_closesocket_callback on_gone,
                          void *owner);
/* All transfers are back. */
void allot_transfers_clear(allot_transfers *home);

/* For a request; NULL and err when out of memory. It goes back with allot_transfer_give. */
allot_transfer *allot_transfer_take(allot_transfers *home, const allot_http_request *r,
                                    allot_err *err);
void allot_transfer_give(allot_transfer *t);

/* A try begins: everything of the last one is forgotten, and the handle is ready to go. */
void allot_transfer_begin(allot_transfer *t);
/* The try is over, as libcurl says. 1 = it is to be tried again, at again_s. */
int allot_transfer_again(allot_transfer *t, CURLcode code, double now);
/* Backing off: whether its time has come, and a server is there to be asked. */
int allot_transfer_may_go(const allot_transfer *t, double now);
/* Seconds that its servers have been away while nobody asks them; 0 = it does not wait for them. */
double allot_transfer_waited_s(const allot_transfer *t, double now);
/* What came of the last try; borrowed from t. */
allot_http_reply allot_transfer_reply(allot_transfer *t);
#endif
