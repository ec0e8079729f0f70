/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - what a bundle is asked about: a query's text, key, length and vector. The vector is
 * made as in training: by the built-in n-grams, or looked up in a file of embeddings, or asked of a
 * server, with the prefix, pooling and normalisation that the bundle tells. The one place that
 * knows this. Symbols: D numbers of a vector. Threads: one at a time. */
#ifndef ALLOT_VECTORS_H
#define ALLOT_VECTORS_H
#include <cjson/cJSON.h>
#include "lib/net/embedclient.h"
#include "lib/store/embeddings.h"
#include "liballot/bundle.h"

/* A query. Start from zero, clear after use. */
typedef struct {
    char *text; /* owned; NULL when only key and length are known */
    size_t n;   /* bytes of text */
    size_t codepoints;
    allot_key key;
    float *embedding; /* owned [D]; NULL until found */
} allot_ask;

/* From text of n bytes (copied), or from a line of JSON, {"problem": text, "embedding": [D]?};
 * where: names the line in messages. */
ALLOT_MUST_CHECK allot_code allot_ask_text(const char *text, size_t n, allot_ask *out,
                                           allot_err *err);
ALLOT_MUST_CHECK allot_code allot_ask_line(const char *line, size_t n, const char *where, int dim,
                                           allot_ask *out, allot_err *err);
void allot_ask_clear(allot_ask *q);

/* Where vectors come from; borrowed. At most one of vector, file and client.base_url; with none the
 * bundle's own n-grams, or the field "embedding" of a line. */
typedef struct {
    const char *vector;           /* JSON file with D numbers */
    const char *file;             /* X.emb.h5, looked up by key */
    allot_embedclient client;     /* model NULL = the bundle's; hosts is set here */
    const char *prefix, *pooling; /* as told on the command line; NULL = the bundle's */
    int any_embedding; /* even if prefix and pooling do not give the bundle's embedding */
} allot_vector_source;

/* Whether the bundle embeds by itself. */
int allot_vectors_own(const allot_bundle *b);

typedef struct {
    const allot_bundle *bundle; /* borrowed */
    allot_vector_source source;
    allot_embeddings file; /* of source.file */
    allot_keyindex index;
    allot_embedder *embedder; /* owned: to source.client's servers, kept from query to query */
    allot_hosts hosts;        /* its servers */
    const char *prefix;       /* put before the text */
    int normalized;           /* vectors are scaled to length 1 */
} allot_vectors;

/* Refuses a file or settings that are of another embedding than the bundle's. */
ALLOT_MUST_CHECK allot_code allot_vectors_open(allot_vectors *v, const allot_vector_source *s,
                                               const allot_bundle *b, allot_err *err);
void allot_vectors_close(allot_vectors *v);

/* Fills the vectors that are missing in q[n]; blocks while a server is asked. */
ALLOT_MUST_CHECK allot_code allot_vectors_fill(allot_vectors *v, allot_ask *q, long n,
                                               allot_err *err);

/* One query without blocking: done is called once, at once or from allot_vectors_poll;
 * failure->code is ALLOT_OK when q->embedding is there. q and user stay borrowed until then; after
 * allot_vectors_close nobody is called. */
typedef void (*allot_vectors_done)(allot_ask *q, const allot_err *failure, void *user);
ALLOT_MUST_CHECK allot_code allot_vectors_begin(allot_vectors *v, allot_ask *q,
                                                allot_vectors_done done, void *user,
                                                allot_err *err);
/* Waits up to timeout_ms (0: not at all) for servers. */
ALLOT_MUST_CHECK allot_code allot_vectors_poll(allot_vectors *v, int timeout_ms, allot_err *err);
int allot_vectors_pending(const allot_vectors *v); /* queries that wait for a server */
#endif
