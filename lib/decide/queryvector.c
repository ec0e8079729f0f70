/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to the vector that a bundle's probe reads, whatever it comes from. */
#include "lib/decide/queryvector.h"
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/progress.h"
#include "liballot/features.h"
#include "liballot/mem.h"
#include "liballot/ngram.h"

allot_code allot_decide_query_read(const char *text, size_t n, allot_decide_query *out,
                                   allot_err *err)
{
    *out = (allot_decide_query){.n = n, .codepoints = allot_features_codepoints(text, n)};
    allot_code rc = allot_key_of_text(text, n, &out->key, err);
    if (rc) return rc;
    out->text = allot_mem_text(text, n, err);
    return out->text ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_decide_query_clear(allot_decide_query *q)
{
    free(q->text);
    free(q->vector);
    *q = (allot_decide_query){0};
}

int allot_vectorsource_builtin(const allot_bundle *b)
{
    return strcmp(b->embedding_model, ALLOT_NGRAM_MODEL) == 0;
}

allot_code allot_vectorsource_agree(const allot_bundle *b, const char *prefix, const char *pooling,
                                    allot_err *err)
{
    char id[17];
    if (!prefix) prefix = b->embedding_prefix;
    if (!pooling) pooling = b->embedding_pooling;
    allot_embeddings_id(b->embedding_model, pooling, b->probe.d, b->embedding_normalized, prefix,
                        id);
    if (strcmp(id, b->embedding_id) == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "the bundle was trained with another embedding by '%s' than prefix '%s' and "
                      "pooling '%s' give (say --embed-prefix and --embed-pooling as in "
                      "'allot-datasets embed', or --force)",
                      b->embedding_model, prefix, pooling);
}

static allot_code open_file(allot_vectorsource *s, allot_err *err)
{
    const allot_bundle *b = s->bundle;
    const char *path = s->config.file;
    allot_code rc = allot_embeddings_load(path, &s->file, err);
    if (rc) return rc;
    if (strcmp(s->file.id, b->embedding_id) != 0 || s->file.dim != b->probe.d)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "'%s' holds embeddings %s (%s, %ld entries), the bundle was trained on "
                          "%s (%s, %d entries) (embed with that model)",
                          path, s->file.id, s->file.model, s->file.dim, b->embedding_id,
                          b->embedding_model, b->probe.d);
    return allot_keyindex_build(&s->index, s->file.keys, (size_t)s->file.n, path, err);
}

allot_code allot_vectorsource_open(const allot_bundle *b, const allot_vectorsource_config *c,
                                   allot_vectorsource *out, allot_err *err)
{
    *out = (allot_vectorsource){.bundle = b, .config = *c};
    allot_embedclient *server = &out->config.server;
    if (!server->model) server->model = b->embedding_model;
    if (!out->config.prefix) out->config.prefix = b->embedding_prefix;
    allot_code rc = c->file ? open_file(out, err) : ALLOT_OK;
    if (!rc && server->base_url) rc = allot_embedlink_open(server, c->http, &out->link, err);
    if (rc) allot_vectorsource_close(out);
    return rc;
}

void allot_vectorsource_close(allot_vectorsource *s)
{
    allot_embedlink_close(&s->link);
    allot_keyindex_clear(&s->index);
    allot_embeddings_clear(&s->file);
    memset(s, 0, sizeof *s);
}

double allot_vectorsource_away_s(const allot_vectorsource *s)
{
    double since_s = s->link.hosts.away_since_s;
    return since_s > 0 ? allot_clock_s() - since_s : 0;
}

static allot_code look_up(const allot_vectorsource *s, const allot_key *key, float *out,
                          allot_err *err)
{
    char hex[65];
    long row = allot_keyindex_find(&s->index, key);
    allot_key_hex(key, hex);
    if (row < 0)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "'%s' has no embedding of the query with key %s (embed it with "
                          "'allot-datasets embed', or use --embed-base-url)",
                          s->config.file, hex);
    memcpy(out, s->file.at + row * s->file.dim, (size_t)s->file.dim * sizeof *out);
    return ALLOT_OK;
}

/* What needs no server. out [D]. */
static allot_code find_here(const allot_vectorsource *s, const allot_decide_query *q, float *out,
                            allot_err *err)
{
    const allot_bundle *b = s->bundle;
    if (s->config.file) return look_up(s, &q->key, out, err);
    if (!allot_vectorsource_builtin(b))
        return allot_fail(err, ALLOT_EUSAGE,
                          "the bundle needs an embedding by '%s' (give --embed-base-url, "
                          "--embeddings or --embedding)",
                          b->embedding_model);
    if (!q->text)
        return allot_fail(err, ALLOT_EUSAGE,
                          "a query without its text has no n-grams (give it, or "
                          "its embedding)");
    allot_ngram_embed(q->text, q->n, b->probe.d, out);
    return ALLOT_OK;
}

/* The text as it was sent in training. */
static allot_code write_text(const allot_vectorsource *s, const allot_decide_query *q,
                             allot_buf *out, allot_err *err)
{
    if (!q->text)
        return allot_fail(err, ALLOT_EUSAGE,
                          "a query without its text cannot be sent to an embedding server");
    allot_buf_str(out, s->config.prefix);
    allot_buf_add(out, q->text, q->n);
    return allot_buf_check(out, err);
}

/* A server's vector of dim numbers as the probe reads it. out [D]. */
static allot_code take_vector(const allot_vectorsource *s, const float *vector, long dim,
                              float *out, allot_err *err)
{
    const allot_bundle *b = s->bundle;
    if (dim != b->probe.d)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "embeddings of '%s' have %ld numbers, the bundle was trained with %d "
                          "(serve '%s', or train with this embedding)",
                          s->config.server.model, dim, b->probe.d, b->embedding_model);
    memcpy(out, vector, (size_t)dim * sizeof *out);
    if (b->embedding_normalized) allot_embeddings_scale(out, dim);
    return ALLOT_OK;
}

static allot_code new_vector(const allot_vectorsource *s, float **out, allot_err *err)
{
    *out = allot_mem_array((size_t)s->bundle->probe.d, sizeof **out, err);
    return *out ? ALLOT_OK : ALLOT_ERUNTIME;
}

/* The texts of the queries that have no vector, for the server. */
typedef struct {
    allot_buf *text; /* owned [n], as the three below */
    const char **at;
    size_t *length;
    long *row; /* of the query */
    long n;
} sending;

static allot_code open_sending(const allot_vectorsource *s, const allot_decide_query *q, long n,
                               sending *out, allot_err *err)
{
    out->text = allot_mem_array((size_t)n, sizeof *out->text, err);
    out->at = allot_mem_array((size_t)n, sizeof *out->at, err);
    out->length = allot_mem_array((size_t)n, sizeof *out->length, err);
    out->row = allot_mem_array((size_t)n, sizeof *out->row, err);
    if (!out->text || !out->at || !out->length || !out->row) return ALLOT_ERUNTIME;
    for (long i = 0; i < n; i++) {
        if (q[i].vector) continue;
        allot_buf *text = &out->text[out->n];
        allot_code rc = write_text(s, &q[i], text, err);
        out->at[out->n] = text->at;
        out->length[out->n] = text->n;
        out->row[out->n++] = i;
        if (rc) return rc;
    }
    return ALLOT_OK;
}

static void close_sending(sending *s)
{
    for (long i = 0; i < s->n; i++)
        allot_buf_clear(&s->text[i]);
    free(s->text);
    free(s->at);
    free(s->length);
    free(s->row);
}

static allot_code fill_from_server(allot_vectorsource *s, allot_decide_query *q, long n,
                                   allot_err *err)
{
    sending t = {0};
    float *vectors = NULL;
    long dim = 0;
    allot_code rc = open_sending(s, q, n, &t, err);
    if (!rc && t.n > 0)
        rc = allot_embedlink_all(&s->link, t.at, t.length, t.n, &vectors, &dim, NULL, NULL, err);
    for (long i = 0; i < t.n && !rc; i++) {
        float **to = &q[t.row[i]].vector;
        rc = new_vector(s, to, err);
        if (!rc) rc = take_vector(s, vectors + i * dim, dim, *to, err);
    }
    free(vectors);
    close_sending(&t);
    return rc;
}

allot_code allot_vectorsource_fill(allot_vectorsource *s, allot_decide_query *q, long n,
                                   allot_err *err)
{
    if (s->config.server.base_url) return fill_from_server(s, q, n, err);
    for (long i = 0; i < n; i++) {
        if (q[i].vector) continue;
        allot_code rc = new_vector(s, &q[i].vector, err);
        if (!rc) rc = find_here(s, &q[i], q[i].vector, err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

/* A query on its way to the server. */
typedef struct {
    const allot_vectorsource *source;
    allot_vector_done done;
    void (*drop)(void *user);
    void *user;
} pending;

static void answered(const float *rows, long dim, const allot_err *failure, void *user)
{
    pending *p = user;
    float *vector = NULL;
    allot_err err = {0};
    if (failure) err = *failure;
    else err.code = new_vector(p->source, &vector, &err);
    if (!err.code) err.code = take_vector(p->source, rows, dim, vector, &err);
    p->done(err.code ? NULL : vector, err.code ? &err : NULL, p->user);
    free(vector);
    free(p);
}

static void dropped(void *user)
{
    pending *p = user;
    if (p->drop) p->drop(p->user);
    free(p);
}

static allot_code begin_on_server(allot_vectorsource *s, const allot_decide_query *q,
                                  const pending *what, allot_err *err)
{
    allot_buf text = {0};
    pending *p = allot_mem_array(1, sizeof *p, err);
    if (!p) return ALLOT_ERUNTIME;
    *p = *what;
    allot_code rc = write_text(s, q, &text, err);
    const char *texts[] = {text.at};
    allot_embed_request r = {
        .texts = texts, .lengths = &text.n, .n = 1, .done = answered, .drop = dropped, .user = p};
    if (!rc) rc = allot_embedlink_send(&s->link, r, err);
    if (rc) free(p);
    allot_buf_clear(&text);
    return rc;
}

allot_code allot_vectorsource_begin(allot_vectorsource *s, const allot_decide_query *q,
                                    allot_vector_done done, void (*drop)(void *), void *user,
                                    allot_err *err)
{
    pending p = {s, done, drop, user};
    if (q->vector) {
        done(q->vector, NULL, user);
        return ALLOT_OK;
    }
    if (s->config.server.base_url) return begin_on_server(s, q, &p, err);
    float *vector;
    allot_code rc = new_vector(s, &vector, err);
    if (!rc) rc = find_here(s, q, vector, err);
    if (!rc) done(vector, NULL, user);
    free(vector);
    return rc;
}
