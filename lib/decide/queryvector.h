/* SPDX-License-Identifier: Apache-2.0 */
/* queryvector.h - the one place that turns a query into the vector that a bundle's probe reads:
 * built-in n-grams, a file of embeddings or a server of the bundle's embedding model. Model,
 * prefix, pooling and normalisation are those of the bundle, and the length is counted here.
 *
 * Errors: ALLOT_EMISMATCH what does not fit the bundle, ALLOT_ESERVER the server, ALLOT_EUSAGE no
 * way to a vector, ALLOT_EINPUT no text.
 * Threads: a source belongs to one thread, which is also that of its allot_http. */
#ifndef ALLOT_QUERYVECTOR_H
#define ALLOT_QUERYVECTOR_H
#include "lib/net/embedclient.h"
#include "lib/store/embeddings.h"
#include "liballot/bundle.h"

/* What is known of a query. Zero: nothing to clear. */
typedef struct {
    char *text;        /* owned, NUL-terminated; NULL when only key and length are known */
    size_t n;          /* bytes of text */
    size_t codepoints; /* of text, the prefix of the embedding not counted */
    allot_key key;
    float *vector; /* owned [D of the bundle]; NULL until found */
} allot_decide_query;

/* From n bytes of UTF-8, copied; invalid and empty ones are refused. */
ALLOT_MUST_CHECK allot_code allot_decide_query_read(const char *text, size_t n,
                                                    allot_decide_query *out, allot_err *err);
void allot_decide_query_clear(allot_decide_query *q);

/* Where vectors come from. At most one of file and server.base_url is set; with neither they are
 * n-grams, if the bundle was trained on these. Strings are borrowed for the source's life. */
typedef struct {
    const char *file;         /* X.emb.h5, looked up by key */
    allot_embedclient server; /* base_url NULL = none; model NULL = named as in the bundle */
    const char *prefix;       /* instead of the bundle's; NULL = that */
    allot_http *http;         /* loop for requests to the server that others poll; borrowed; NULL =
                                 one of its own, for allot_vectorsource_fill only */
} allot_vectorsource_config;

typedef struct {
    const allot_bundle *bundle; /* borrowed */
    allot_vectorsource_config config;
    allot_embeddings file;
    allot_keyindex index;
    allot_embedlink link; /* connections are kept until the source is closed */
} allot_vectorsource;     /* zero: nothing to close. It may not move */

/* Whether a bundle's vectors are the built-in n-grams: no server is needed. */
int allot_vectorsource_builtin(const allot_bundle *b);
/* Refuses a prefix and a pooling (NULL = the bundle's) that do not give the bundle's embedding id.
 */
ALLOT_MUST_CHECK allot_code allot_vectorsource_agree(const allot_bundle *b, const char *prefix,
                                                     const char *pooling, allot_err *err);

/* Reads the file and checks it against the bundle; no server is asked yet. */
ALLOT_MUST_CHECK allot_code allot_vectorsource_open(const allot_bundle *b,
                                                    const allot_vectorsource_config *c,
                                                    allot_vectorsource *out, allot_err *err);
/* A config.http on which requests are under way is freed first; they end without a callback. */
void allot_vectorsource_close(allot_vectorsource *s);
/* Seconds that the servers have all been away; 0 = they are there, as far as is known. */
double allot_vectorsource_away_s(const allot_vectorsource *s);

/* Fills the vectors that are missing in q[n]. Blocks; on a server several queries share a request
 * and several requests are under way. After a failure only allot_vectorsource_close may follow. */
ALLOT_MUST_CHECK allot_code allot_vectorsource_fill(allot_vectorsource *s, allot_decide_query *q,
                                                    long n, allot_err *err);

/* vector [D], borrowed during the call; NULL: failure says why (else it is NULL). */
typedef void (*allot_vector_done)(const float *vector, const allot_err *failure, void *user);

/* One query's vector, without blocking: on a server done is called once from allot_http_poll (never
 * if config.http is freed before: then drop is called instead; NULL = nothing to free); n-grams,
 * those of a file and one that q has already come before this returns. After a failure neither is
 * called. q is not needed any more when this returns. */
ALLOT_MUST_CHECK allot_code allot_vectorsource_begin(allot_vectorsource *s,
                                                     const allot_decide_query *q,
                                                     allot_vector_done done, void (*drop)(void *),
                                                     void *user, allot_err *err);
#endif
