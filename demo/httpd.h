/* SPDX-License-Identifier: Apache-2.0 */
/* httpd.h - the HTTP side: one libmicrohttpd thread reads requests, hands them to the routes, and
 * suspends the connection until the engine is done; so a few threads serve many connections. */
#ifndef ALLOT_HTTPD_H
#define ALLOT_HTTPD_H
#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdint.h>
#include "lib/core/buf.h"
#include "demo/scheduler.h"

#define ALLOT_MAX_BODY ((size_t)8 << 20)

typedef struct {
    allot_served *models[ALLOT_MAX_MODELS]; /* 0: generator, 1: reward model; borrowed */
    int n_models;
    allot_scheduler *scheduler; /* borrowed */
    long created;               /* epoch seconds */
    uint64_t run_id;            /* random: ids of replies differ between runs */
    _Atomic uint64_t next_id;
} allot_server;

typedef struct allot_call allot_call;
struct MHD_Connection;

/* A request's options when it generates text. */
typedef struct {
    int chat, stream, include_usage;
    int n;              /* samples of each prompt */
    int logprobs;       /* -1 none */
    const char **stops; /* owned [n_stops]; the strings belong to the request's JSON */
    int n_stops;
} allot_generation_options;

/* One HTTP request, from its first byte to the last byte of the reply. */
struct allot_call {
    allot_server *server;
    struct MHD_Connection *connection;
    const char *path;              /* of the route */
    int (*handler)(allot_call *c); /* fills status and reply, or submits and returns 0 */
    void (*finish)(allot_call *c); /* after the last sequence: fills status and reply */
    allot_buf body;
    int too_long, read_whole;
    cJSON *request; /* owned; parsed body */

    int status;        /* of the reply */
    const char *allow; /* the Allow header of a 405 */
    const char *content_type;
    allot_buf reply;

    pthread_mutex_t lock; /* guards the sequences' results and all below */
    allot_seq *seqs;      /* owned [n_seqs] */
    int n_seqs, n_left;
    int suspended;
    int fd;     /* of the connection; -1 when the client is known to be gone */
    int unseen; /* progress since the client was looked after */
    int model;
    char id[48];
    long created;
    int base64; /* embeddings, scores */
    allot_generation_options gen;
    size_t sent; /* of reply, while streaming */
    struct allot_streamed {
        size_t text; /* bytes of the sequence's text sent */
        int tokens;  /* tokens whose log-probabilities were sent */
        int opened, closed;
    } * streamed;      /* owned [n_seqs] */
    int stream_closed; /* [DONE] is written */
    allot_call *next_orphan;
};

typedef struct allot_httpd allot_httpd;

/* Listens on 127.0.0.1; port 0 takes a free one. *port_used: the one that it is. */
ALLOT_MUST_CHECK allot_code allot_httpd_start(allot_server *server, int port, allot_httpd **out,
                                              int *port_used, allot_err *err);
/* Stops the scheduler, so that every request gets an answer, and then the listening. */
void allot_httpd_stop(allot_httpd *h);

/* Room for n sequences, with lock, progress and user set. 0 when out of memory. */
int allot_call_seqs(allot_call *c, int n);
/* Suspends the connection and submits all sequences. finish is called when they have ended. */
void allot_call_submit(allot_call *c, void (*finish)(allot_call *c));
/* The same, but answers at once with an event stream. */
void allot_call_stream(allot_call *c);
#endif
