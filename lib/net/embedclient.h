/* SPDX-License-Identifier: Apache-2.0 */
/* embedclient.h - vectors of texts from any /v1/embeddings server, in as many requests as that
 * takes (embedrequest.h has the single one). Threads: a link belongs to the thread of its
 * allot_http. */
#ifndef ALLOT_EMBEDCLIENT_H
#define ALLOT_EMBEDCLIENT_H
#include <stddef.h>
#include "lib/core/options.h"
#include "lib/net/embedrequest.h"
#include "lib/net/endpoint.h"

typedef struct {
    const char *base_url;     /* ".../v1" or without, several behind commas; required */
    const char *model;        /* name on the server; required */
    const char *api_key_env;  /* NULL = OPENAI_API_KEY if set */
    const char *api_key_file; /* NULL = none */
    const char *key_of;       /* the key is that of these servers (behind commas), and goes to no
                                 other; NULL = it was given for base_url */
    int max_concurrency;      /* requests in flight, default 8 */
    int batch;                /* texts in one request, at most; default 32 */
    int batch_tokens;         /* and tokens, each text counted as the longest; default 16384.
                                 Estimated: 2, and one for each 3 bytes. A longer one goes alone */
    int max_retries;
    double max_outage_s; /* how long servers that are away are waited for; 0 = not */
    double timeout_s;    /* of a request, all its tries */
    int insecure;
    const char *cacert;
    allot_list headers; /* "Name: value" */
} allot_embedclient;

void allot_embedclient_defaults(allot_embedclient *c);

/* An open way to the servers: address, key, what is known of who is there, and the connections,
 * which are kept. Zero: nothing to close. It may not move while requests are under way. */
typedef struct {
    allot_embedclient client; /* strings are borrowed */
    allot_endpoint server;    /* has the key */
    allot_hosts hosts;
    allot_http *http;
    int owns_http;
} allot_embedlink;

/* shared: a loop that others drive and poll (an engine's), whose limits, retries and headers hold
 * then instead of those of c; borrowed; NULL = a loop of its own, for allot_embedlink_all. */
ALLOT_MUST_CHECK allot_code allot_embedlink_open(const allot_embedclient *c, allot_http *shared,
                                                 allot_embedlink *out, allot_err *err);
/* A shared loop on which requests of this link are still under way is freed first. */
void allot_embedlink_close(allot_embedlink *l);

/* Queues one request; done comes from allot_http_poll. r: texts, n, done, drop and user; the rest
 * is the link's. Never blocks. */
ALLOT_MUST_CHECK allot_code allot_embedlink_send(allot_embedlink *l, allot_embed_request r,
                                                 allot_err *err);

/* Called with rows [count][dim] of the texts from `from` on, in whatever order they come. A failure
 * ends the run. */
typedef allot_code (*allot_embed_arrived)(long from, long count, const float *rows, long dim,
                                          void *user, allot_err *err);

/* texts[n] with lengths[n]; *out [n][*dim] is allocated, the caller frees. Blocks. Neighbours share
 * a request: texts in order of length waste least of the server's time. arrived may be NULL. After
 * a failure requests may still be under way: only what frees the loop may follow. */
ALLOT_MUST_CHECK allot_code allot_embedlink_all(allot_embedlink *l, const char *const *texts,
                                                const size_t *lengths, long n, float **out,
                                                long *dim, allot_embed_arrived arrived, void *user,
                                                allot_err *err);
/* The same on a link that is opened for it and closed behind it. */
ALLOT_MUST_CHECK allot_code allot_embedclient_run(const allot_embedclient *c,
                                                  const char *const *texts, const size_t *lengths,
                                                  long n, float **out, long *dim,
                                                  allot_embed_arrived arrived, void *user,
                                                  allot_err *err);
#endif
