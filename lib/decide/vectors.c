/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and their vectors, made as the bundle's training made them. */
#include "lib/decide/vectors.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "liballot/mem.h"
#include "liballot/ngram.h"

#define MAX_VECTOR_BYTES (16u << 20)

/* ---- queries ---- */

void allot_ask_clear(allot_ask *q)
{
    free(q->text);
    free(q->embedding);
    *q = (allot_ask){0};
}

allot_code allot_ask_text(const char *text, size_t n, allot_ask *out, allot_err *err)
{
    allot_code rc = allot_key_of_text(text, n, &out->key, err);
    if (rc) return rc;
    out->text = allot_mem_text(text, n, err);
    out->n = n;
    out->codepoints = allot_features_codepoints(text, n);
    return out->text ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code read_vector(const cJSON *array, const char *where, int dim, float **out,
                              allot_err *err)
{
    if (!cJSON_IsArray(array))
        return allot_fail(err, ALLOT_EINPUT, "%s: the embedding is no list of numbers", where);
    if (cJSON_GetArraySize(array) != dim)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "%s: the embedding has %d entries, the bundle "
                          "needs %d",
                          where, cJSON_GetArraySize(array), dim);
    *out = allot_mem_array((size_t)dim, sizeof **out, err);
    if (!*out) return ALLOT_ERUNTIME;
    int i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= FLT_MAX))
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: entry %d of the embedding is no number that "
                              "float32 holds",
                              where, i);
        (*out)[i++] = (float)item->valuedouble;
    }
    return ALLOT_OK;
}

allot_code allot_ask_line(const char *line, size_t n, const char *where, int dim, allot_ask *out,
                          allot_err *err)
{
    cJSON *object = NULL;
    const char *text = NULL;
    allot_code rc = allot_json_parse(line, n, where, &object, err);
    if (!rc) rc = allot_json_string(object, "problem", where, &text, err);
    if (!rc) {
        rc = allot_ask_text(text, strlen(text), out, err);
        if (rc) allot_fail_in(err, "%s", where);
    }
    const cJSON *vector = rc ? NULL : cJSON_GetObjectItemCaseSensitive(object, "embedding");
    if (vector) rc = read_vector(vector, where, dim, &out->embedding, err);
    cJSON_Delete(object);
    return rc;
}

/* ---- where vectors come from ---- */

int allot_vectors_own(const allot_bundle *b)
{
    return strcmp(b->embedding_model, ALLOT_NGRAM_MODEL) == 0;
}

static allot_code open_file(allot_vectors *v, allot_err *err)
{
    const allot_bundle *b = v->bundle;
    const char *path = v->source.file;
    allot_code rc = allot_embeddings_load(path, &v->file, err);
    if (!rc && strcmp(v->file.id, b->embedding_id) != 0)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "'%s' holds embeddings %s (%s, %ld entries), the "
                        "bundle was trained on %s (%s, %d entries) (embed with that model)",
                        path, v->file.id, v->file.model, v->file.dim, b->embedding_id,
                        b->embedding_model, b->probe.d);
    if (!rc && v->file.dim != b->probe.d)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "'%s' holds %ld entries per query, the bundle needs "
                        "%d",
                        path, v->file.dim, b->probe.d);
    if (!rc) rc = allot_keyindex_build(&v->index, v->file.keys, (size_t)v->file.n, path, err);
    return rc;
}

/* Prefix and pooling, as told or the bundle's, must give its embedding, scaled to length 1 or not.
 */
static allot_code check_embedding(allot_vectors *v, allot_err *err)
{
    const allot_bundle *b = v->bundle;
    const char *pooling = v->source.pooling ? v->source.pooling : b->embedding_pooling;
    if (v->source.prefix) v->prefix = v->source.prefix;
    for (v->normalized = 0; v->normalized < 2; v->normalized++) {
        char id[17];
        allot_embeddings_id(b->embedding_model, pooling, b->probe.d, v->normalized, v->prefix, id);
        if (strcmp(id, b->embedding_id) == 0) return ALLOT_OK;
    }
    v->normalized = 0;
    allot_err difference;
    allot_fail(&difference, ALLOT_EMISMATCH,
               "the bundle was trained with another embedding by '%s' than prefix '%s' and pooling "
               "'%s' give (say --embed-prefix and --embed-pooling as in 'allot-datasets embed', or "
               "--force)",
               b->embedding_model, v->prefix, pooling);
    if (!v->source.any_embedding) return allot_fail(err, ALLOT_EMISMATCH, "%s", difference.msg);
    allot_log_warn("%s", difference.msg);
    return ALLOT_OK;
}

static allot_code open_server(allot_vectors *v, allot_err *err)
{
    allot_embedclient *c = &v->source.client;
    allot_code rc = check_embedding(v, err);
    if (!c->model) c->model = v->bundle->embedding_model;
    if (!rc) rc = allot_hosts_open(c->base_url, &v->hosts, err);
    c->hosts = &v->hosts;
    return rc ? rc : allot_embedder_new(c, &v->embedder, err);
}

allot_code allot_vectors_open(allot_vectors *v, const allot_vector_source *s, const allot_bundle *b,
                              allot_err *err)
{
    *v = (allot_vectors){.bundle = b,
                         .source = *s,
                         .prefix = b->embedding_prefix,
                         .normalized = b->embedding_normalized};
    allot_code rc = ALLOT_OK;
    if (s->file) rc = open_file(v, err);
    else if (s->client.base_url) rc = open_server(v, err);
    if (rc) allot_vectors_close(v);
    return rc;
}

void allot_vectors_close(allot_vectors *v)
{
    allot_embedder_free(v->embedder);
    allot_hosts_clear(&v->hosts);
    allot_keyindex_clear(&v->index);
    allot_embeddings_clear(&v->file);
    *v = (allot_vectors){0};
}

/* ---- without a server ---- */

static allot_code from_json(const allot_vectors *v, allot_ask *q, allot_err *err)
{
    cJSON *array = NULL;
    const char *path = v->source.vector;
    allot_code rc = allot_json_load(path, MAX_VECTOR_BYTES, &array, err);
    if (!rc) rc = read_vector(array, path, v->bundle->probe.d, &q->embedding, err);
    cJSON_Delete(array);
    return rc;
}

static allot_code from_file(const allot_vectors *v, allot_ask *q, allot_err *err)
{
    long row = allot_keyindex_find(&v->index, &q->key);
    char hex[65];
    allot_key_hex(&q->key, hex);
    if (row < 0)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "'%s' has no embedding of the query with key %s "
                          "(embed it with 'allot-datasets embed', or use --embed-base-url)",
                          v->source.file, hex);
    size_t dim = (size_t)v->file.dim;
    q->embedding = allot_mem_array(dim, sizeof *q->embedding, err);
    if (!q->embedding) return ALLOT_ERUNTIME;
    memcpy(q->embedding, v->file.at + (size_t)row * dim, dim * sizeof *q->embedding);
    return ALLOT_OK;
}

static allot_code from_ngrams(const allot_vectors *v, allot_ask *q, allot_err *err)
{
    const allot_bundle *b = v->bundle;
    if (!allot_vectors_own(b))
        return allot_fail(err, ALLOT_EUSAGE,
                          "the bundle needs an embedding by '%s' (give "
                          "--embed-base-url, --embeddings or --embedding)",
                          b->embedding_model);
    q->embedding = allot_mem_array((size_t)b->probe.d, sizeof *q->embedding, err);
    if (!q->embedding) return ALLOT_ERUNTIME;
    allot_ngram_embed(q->text, q->n, b->probe.d, q->embedding);
    return ALLOT_OK;
}

static allot_code from_here(const allot_vectors *v, allot_ask *q, allot_err *err)
{
    if (q->embedding) return ALLOT_OK;
    if (v->source.vector) return from_json(v, q, err);
    return v->source.file ? from_file(v, q, err) : from_ngrams(v, q, err);
}

/* ---- by a server ---- */

static void scale_to_one(float *x, long n)
{
    double squares = 0;
    for (long i = 0; i < n; i++)
        squares += (double)x[i] * (double)x[i];
    for (long i = 0; squares > 0 && i < n; i++)
        x[i] = (float)((double)x[i] / sqrt(squares));
}

/* A copy of the server's vector, as the probe wants it. */
static allot_code take(const allot_vectors *v, const float *row, long dim, allot_ask *q,
                       allot_err *err)
{
    if (dim != v->bundle->probe.d)
        return allot_fail(
            err, ALLOT_EMISMATCH,
            "embeddings of '%s' have %ld numbers, the bundle was trained with %d (serve "
            "'%s', or train with this embedding)",
            v->source.client.model, dim, v->bundle->probe.d, v->bundle->embedding_model);
    q->embedding = allot_mem_array((size_t)dim, sizeof *q->embedding, err);
    if (!q->embedding) return ALLOT_ERUNTIME;
    memcpy(q->embedding, row, (size_t)dim * sizeof *q->embedding);
    if (v->normalized) scale_to_one(q->embedding, dim);
    return ALLOT_OK;
}

/* The text as it was sent in training: with the prefix of the embedding, if it has one. */
static allot_code prefixed(const allot_vectors *v, const allot_ask *q, allot_buf *out,
                           allot_err *err)
{
    allot_buf_str(out, v->prefix);
    allot_buf_add(out, q->text, q->n);
    return allot_buf_check(out, err);
}

typedef struct {
    allot_vectors *v;
    allot_ask *q;
    allot_vectors_done done;
    void *user;
} pending;

static void arrived(const float *rows, long dim, const allot_err *why, void *user)
{
    pending p = *(pending *)user;
    allot_err failure = *why;
    free(user);
    if (rows) failure.code = take(p.v, rows, dim, p.q, &failure);
    p.done(p.q, &failure, p.user);
}

static allot_code begin_on_server(allot_vectors *v, allot_ask *q, allot_vectors_done done,
                                  void *user, allot_err *err)
{
    allot_buf text = {0};
    pending *p = allot_mem_array(1, sizeof *p, err);
    allot_code rc = p ? prefixed(v, q, &text, err) : ALLOT_ERUNTIME;
    if (!rc) {
        *p = (pending){v, q, done, user};
        const char *texts[] = {text.at};
        rc = allot_embedder_ask(v->embedder, texts, &text.n, 1, arrived, p, err);
    }
    if (rc) free(p);
    allot_buf_clear(&text);
    return rc;
}

allot_code allot_vectors_begin(allot_vectors *v, allot_ask *q, allot_vectors_done done, void *user,
                               allot_err *err)
{
    if (v->embedder && !q->embedding) return begin_on_server(v, q, done, user, err);
    allot_err failure = {0};
    failure.code = from_here(v, q, &failure);
    done(q, &failure, user);
    return ALLOT_OK;
}

allot_code allot_vectors_poll(allot_vectors *v, int timeout_ms, allot_err *err)
{
    return v->embedder ? allot_embedder_poll(v->embedder, timeout_ms, err) : ALLOT_OK;
}

int allot_vectors_pending(const allot_vectors *v)
{
    return v->embedder ? allot_embedder_pending(v->embedder) : 0;
}

/* Asks for all missing vectors of a block in one go. */
static allot_code fill_from_server(allot_vectors *v, allot_ask *q, long n, allot_err *err)
{
    allot_buf *texts = allot_mem_array((size_t)n, sizeof *texts, err);
    const char **at = allot_mem_array((size_t)n, sizeof *at, err);
    size_t *lengths = allot_mem_array((size_t)n, sizeof *lengths, err);
    float *rows = NULL;
    long dim = 0, wanted = 0, taken = 0;
    allot_code rc = texts && at && lengths ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < n; i++) {
        if (q[i].embedding) continue;
        rc = prefixed(v, &q[i], &texts[wanted], err);
        at[wanted] = texts[wanted].at;
        lengths[wanted] = texts[wanted].n;
        wanted++;
    }
    if (!rc && wanted)
        rc = allot_embedder_run(v->embedder, at, lengths, wanted, &rows, &dim, NULL, NULL, err);
    for (long i = 0; !rc && i < n; i++)
        if (!q[i].embedding) rc = take(v, rows + dim * taken++, dim, &q[i], err);
    for (long i = 0; texts && i < n; i++)
        allot_buf_clear(&texts[i]);
    free(texts);
    free(at);
    free(lengths);
    free(rows);
    return rc;
}

allot_code allot_vectors_fill(allot_vectors *v, allot_ask *q, long n, allot_err *err)
{
    if (v->embedder) return fill_from_server(v, q, n, err);
    allot_code rc = ALLOT_OK;
    for (long i = 0; !rc && i < n; i++)
        rc = from_here(v, &q[i], err);
    return rc;
}
