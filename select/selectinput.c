/* SPDX-License-Identifier: Apache-2.0 */
#include "select/selectinput.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "liballot/mem.h"
#include "liballot/ngram.h"

#define MAX_VECTOR_BYTES (16u << 20)

void allot_select_query_clear(allot_select_query *q)
{
    free(q->text);
    free(q->embedding);
    *q = (allot_select_query){0};
}

allot_code allot_select_open(const allot_select_source *s, const allot_bundle *b,
                             allot_select_file *out, allot_err *err)
{
    if (!s->file) return ALLOT_OK;
    allot_code rc = allot_embeddings_load(s->file, &out->at, err);
    if (!rc && strcmp(out->at.id, b->embedding_id) != 0)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "'%s' holds embeddings %s (%s, %ld entries), the "
                        "bundle was trained on %s (%s, %d entries) (embed with that model)",
                        s->file, out->at.id, out->at.model, out->at.dim, b->embedding_id,
                        b->embedding_model, b->probe.d);
    if (!rc && out->at.dim != b->probe.d)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "'%s' holds %ld entries per query, the bundle needs "
                        "%d",
                        s->file, out->at.dim, b->probe.d);
    if (!rc) rc = allot_keyindex_build(&out->index, out->at.keys, (size_t)out->at.n, s->file, err);
    return rc;
}

void allot_select_close(allot_select_file *f)
{
    allot_keyindex_clear(&f->index);
    allot_embeddings_clear(&f->at);
}

allot_code allot_select_read_text(const char *text, size_t n, allot_select_query *out,
                                  allot_err *err)
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

allot_code allot_select_read_line(const char *line, size_t n, const char *where, int dim,
                                  allot_select_query *out, allot_err *err)
{
    cJSON *object = NULL;
    const char *text = NULL;
    allot_code rc = allot_json_parse(line, n, where, &object, err);
    if (!rc) rc = allot_json_string(object, "problem", where, &text, err);
    if (!rc) {
        rc = allot_select_read_text(text, strlen(text), out, err);
        if (rc) allot_fail_in(err, "%s", where);
    }
    const cJSON *vector = rc ? NULL : cJSON_GetObjectItemCaseSensitive(object, "embedding");
    if (vector) rc = read_vector(vector, where, dim, &out->embedding, err);
    cJSON_Delete(object);
    return rc;
}

static allot_code embed_from_json(const char *path, int dim, allot_select_query *q, allot_err *err)
{
    cJSON *array = NULL;
    allot_code rc = allot_json_load(path, MAX_VECTOR_BYTES, &array, err);
    if (!rc) rc = read_vector(array, path, dim, &q->embedding, err);
    cJSON_Delete(array);
    return rc;
}

static allot_code embed_from_file(const allot_select_source *s, const allot_select_file *f,
                                  allot_select_query *q, allot_err *err)
{
    long row = allot_keyindex_find(&f->index, &q->key);
    char hex[65];
    allot_key_hex(&q->key, hex);
    if (row < 0)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "'%s' has no embedding of the query with key %s "
                          "(embed it with 'allot-datasets embed', or use --embed-base-url)",
                          s->file, hex);
    size_t dim = (size_t)f->at.dim;
    q->embedding = allot_mem_array(dim, sizeof *q->embedding, err);
    if (!q->embedding) return ALLOT_ERUNTIME;
    memcpy(q->embedding, f->at.at + (size_t)row * dim, dim * sizeof *q->embedding);
    return ALLOT_OK;
}

/* The text as it was sent in training: with the prefix of the embedding, if it has one. */
static char *prefixed(const char *prefix, const allot_select_query *q, size_t *n, allot_err *err)
{
    size_t n_prefix = strlen(prefix);
    char *text = allot_mem_array(n_prefix + q->n + 1, 1, err);
    *n = n_prefix + q->n;
    if (!text) return NULL;
    memcpy(text, prefix, n_prefix);
    memcpy(text + n_prefix, q->text, q->n);
    return text;
}

static void scale_to_one(float *x, long n)
{
    double squares = 0;
    for (long i = 0; i < n; i++)
        squares += (double)x[i] * (double)x[i];
    for (long i = 0; squares > 0 && i < n; i++)
        x[i] = (float)((double)x[i] / sqrt(squares));
}

/* Asks the server for all vectors of a block in one go. */
static allot_code embed_from_server(const allot_select_source *s, const allot_bundle *b,
                                    allot_select_query *q, long n, allot_err *err)
{
    allot_embedclient client = s->client;
    char **texts = allot_mem_array((size_t)n, sizeof *texts, err);
    size_t *lengths = allot_mem_array((size_t)n, sizeof *lengths, err);
    float *vectors = NULL;
    long dim = 0;
    allot_code rc = texts && lengths ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < n; i++) {
        texts[i] = prefixed(b->embedding_prefix, &q[i], &lengths[i], err);
        if (!texts[i]) rc = ALLOT_ERUNTIME;
    }
    if (!client.model) client.model = b->embedding_model;
    if (!rc)
        rc = allot_embedclient_run(&client, (const char *const *)texts, lengths, n, &vectors, &dim,
                                   NULL, NULL, err);
    if (!rc && dim != b->probe.d)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "the model '%s' on the server gives %ld entries, the "
                        "bundle needs %d",
                        client.model, dim, b->probe.d);
    for (long i = 0; !rc && i < n; i++) {
        q[i].embedding = allot_mem_array((size_t)dim, sizeof(float), err);
        if (!q[i].embedding) {
            rc = ALLOT_ERUNTIME;
            continue;
        }
        memcpy(q[i].embedding, vectors + i * dim, (size_t)dim * sizeof(float));
        if (b->embedding_normalized) scale_to_one(q[i].embedding, dim);
    }
    for (long i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
    free(lengths);
    free(vectors);
    return rc;
}

static allot_code embed_ngrams(const allot_bundle *b, allot_select_query *q, allot_err *err)
{
    if (strcmp(b->embedding_model, ALLOT_NGRAM_MODEL) != 0)
        return allot_fail(err, ALLOT_EUSAGE,
                          "the bundle needs an embedding by '%s' (give "
                          "--embed-base-url, --embeddings or --embedding)",
                          b->embedding_model);
    q->embedding = allot_mem_array((size_t)b->probe.d, sizeof *q->embedding, err);
    if (!q->embedding) return ALLOT_ERUNTIME;
    allot_ngram_embed(q->text, q->n, b->probe.d, q->embedding);
    return ALLOT_OK;
}

allot_code allot_select_embed(const allot_select_source *s, const allot_select_file *f,
                              const allot_bundle *b, allot_select_query *q, long n, allot_err *err)
{
    if (s->client.base_url) return embed_from_server(s, b, q, n, err);
    for (long i = 0; i < n; i++) {
        allot_code rc = q[i].embedding ? ALLOT_OK
                        : s->vector    ? embed_from_json(s->vector, b->probe.d, &q[i], err)
                        : s->file      ? embed_from_file(s, f, &q[i], err)
                                       : embed_ngrams(b, &q[i], err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}
