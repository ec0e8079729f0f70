/* SPDX-License-Identifier: Apache-2.0 */
/* embedclient.h - vectors of texts from any /v1/embeddings server: floats or base64, placed by
 * index, constant dimension checked, finite. One request at a time without blocking, or many in a
 * row. */
#ifndef ALLOT_EMBEDCLIENT_H
#define ALLOT_EMBEDCLIENT_H
#include <stddef.h>
#include "lib/core/options.h"
#include "lib/net/hosts.h"

typedef struct {
    const char *base_url;     /* ".../v1" or without, several behind commas; required */
    allot_hosts *hosts;       /* its servers, if calls are to know what others met; borrowed; NULL =
                                 each call begins anew */
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

/* A server's embeddings, over connections that are kept. One thread at a time. */
typedef struct allot_embedder allot_embedder;
/* Borrows what c points to for as long as it lives. */
ALLOT_MUST_CHECK allot_code allot_embedder_new(const allot_embedclient *c, allot_embedder **out,
                                               allot_err *err);
/* Whoever still waits is not called any more. */
void allot_embedder_free(allot_embedder *e);

/* rows [n][dim] of the texts that were asked for, borrowed during the call; NULL: failure says why.
 */
typedef void (*allot_embed_done)(const float *rows, long dim, const allot_err *failure, void *user);
/* One request for n texts with lengths[n] (copied). Never blocks: done is called once, from
 * allot_embedder_poll, which waits up to timeout_ms (0: not at all). */
ALLOT_MUST_CHECK allot_code allot_embedder_ask(allot_embedder *e, const char *const *texts,
                                               const size_t *lengths, long n, allot_embed_done done,
                                               void *user, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_embedder_poll(allot_embedder *e, int timeout_ms, allot_err *err);
int allot_embedder_pending(const allot_embedder *e); /* requests that are not done */

/* Called with rows [count][dim] of the texts from `from` on, in whatever order they come. A failure
 * ends the run. */
typedef allot_code (*allot_embed_arrived)(long from, long count, const float *rows, long dim,
                                          void *user, allot_err *err);

/* texts[n] with lengths[n], however many; *out [n][*dim] is allocated, the caller frees. Blocks.
 * Neighbours share a request: texts in order of length waste least of the server's time. arrived
 * may be NULL. Nothing else is in flight then; after an interrupt or an outage only
 * allot_embedder_free may follow. */
ALLOT_MUST_CHECK allot_code allot_embedder_run(allot_embedder *e, const char *const *texts,
                                               const size_t *lengths, long n, float **out,
                                               long *dim, allot_embed_arrived arrived, void *user,
                                               allot_err *err);
#endif
