/* SPDX-License-Identifier: Apache-2.0 */
/* embedrequest.h - one request to a /v1/embeddings server, on an allot_http that others may use as
 * well: floats or base64, placed by index, all of one dimension, finite.
 * Threads: that of the allot_http. */
#ifndef ALLOT_EMBEDREQUEST_H
#define ALLOT_EMBEDREQUEST_H
#include "lib/net/http.h"

/* rows [n][dim] of the texts in their order, borrowed during the call; NULL: failure says why (else
 * it is NULL). */
typedef void (*allot_embed_done)(const float *rows, long dim, const allot_err *failure, void *user);

/* Everything is copied but hosts, which stay alive until the request is done or dropped. */
typedef struct {
    allot_hosts *hosts;
    const char *model;        /* its name on the server */
    const char *api_key;      /* NULL = none */
    const char *const *texts; /* [n] UTF-8, no NUL-termination needed */
    const size_t *lengths;    /* [n] bytes of each */
    long n;                   /* >= 1 */
    allot_embed_done done;
    void (*drop)(void *user); /* instead of done, by allot_http_free; NULL = nothing to free */
    void *user;
} allot_embed_request;

/* Queues it; done is called once, from allot_http_poll. After a failure it never is, nor is drop.
 */
ALLOT_MUST_CHECK allot_code allot_embed_send(allot_http *h, const allot_embed_request *r,
                                             allot_err *err);

/* An answer's body of `bytes` bytes for n texts: *out [n][*dim], which the caller frees. */
ALLOT_MUST_CHECK allot_code allot_embed_read(const char *body, size_t bytes, long n, float **out,
                                             long *dim, allot_err *err);
#endif
