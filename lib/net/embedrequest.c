/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a /v1/embeddings server: its body, and the reading of its answer. */
#include "lib/net/embedrequest.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/base64.h"
#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "liballot/mem.h"

#define MAX_DIM 65536

/* The vectors of an answer while it is read. */
typedef struct {
    float *at; /* owned [n][dim]; NULL until the first */
    long n, dim;
    char *seen; /* owned [n] */
} vectors;

typedef struct {
    long n;
    allot_embed_done done;
    void (*drop)(void *user);
    void *user;
} pending;

static allot_code set_dim(vectors *v, long dim, allot_err *err)
{
    if (dim < 1 || dim > MAX_DIM)
        return allot_fail(err, ALLOT_ESERVER, "an embedding has %ld numbers, not 1 to %d", dim,
                          MAX_DIM);
    if (v->at && dim != v->dim)
        return allot_fail(err, ALLOT_ESERVER, "one embedding has %ld numbers, another %ld", v->dim,
                          dim);
    if (v->at) return ALLOT_OK;
    v->dim = dim;
    v->at = allot_mem_array((size_t)v->n, (size_t)dim * sizeof *v->at, err);
    return v->at ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code take_base64(vectors *v, long row, const char *text, allot_err *err)
{
    float *values;
    size_t n;
    allot_code rc = allot_base64_floats(text, strlen(text), &values, &n, err);
    if (rc) return rc;
    rc = set_dim(v, (long)n, err);
    if (!rc) memcpy(v->at + row * v->dim, values, n * sizeof *values);
    free(values);
    return rc;
}

static allot_code take_list(vectors *v, long row, const cJSON *list, allot_err *err)
{
    allot_code rc = set_dim(v, cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, err);
    if (rc) return rc;
    float *to = v->at + row * v->dim;
    const cJSON *x;
    cJSON_ArrayForEach(x, list) *to++ = cJSON_IsNumber(x) ? (float)x->valuedouble : NAN;
    return ALLOT_OK;
}

static allot_code take_vector(vectors *v, const cJSON *item, allot_err *err)
{
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    const cJSON *vector = cJSON_GetObjectItemCaseSensitive(item, "embedding");
    int row = cJSON_IsNumber(index) ? index->valueint : -1;
    if (row < 0 || row >= v->n || v->seen[row]++)
        return allot_fail(err, ALLOT_ESERVER, "an embedding has a wrong or repeated index");
    allot_code rc = cJSON_IsString(vector) ? take_base64(v, row, vector->valuestring, err)
                                           : take_list(v, row, vector, err);
    for (long d = 0; !rc && d < v->dim; d++)
        if (!isfinite(v->at[row * v->dim + d]))
            rc = allot_fail(err, ALLOT_ESERVER, "number %ld of embedding %d is not finite", d, row);
    return rc;
}

allot_code allot_embed_read(const char *body, size_t bytes, long n, float **out, long *dim,
                            allot_err *err)
{
    cJSON *o = NULL;
    const cJSON *item;
    vectors v = {.n = n};
    allot_code rc = allot_json_parse(body, bytes, "the server's answer", &o, err);
    if (rc) return rc;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data");
    int count = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    v.seen = allot_mem_array((size_t)n, 1, err);
    if (!v.seen) rc = ALLOT_ERUNTIME;
    else if (count != n)
        rc = allot_fail(err, ALLOT_ESERVER, "%d embeddings came for %ld texts", count, n);
    cJSON_ArrayForEach(item, data) if (!rc) rc = take_vector(&v, item, err);
    free(v.seen);
    cJSON_Delete(o);
    if (rc) {
        free(v.at);
        return rc;
    }
    *out = v.at;
    *dim = v.dim;
    return ALLOT_OK;
}

static void answered(const allot_http_reply *reply, void *user)
{
    pending *p = user;
    float *rows = NULL;
    long dim = 0;
    allot_err failure = {0};
    if (!allot_http_verdict(reply, &failure) &&
        allot_embed_read(reply->body, reply->n, p->n, &rows, &dim, &failure)) {
        (void)allot_fail_in(&failure, "'%s'", reply->url);
        if (failure.code != ALLOT_ERUNTIME) failure.code = ALLOT_ESERVER;
    }
    p->done(rows, dim, failure.code ? &failure : NULL, p->user);
    free(rows);
    free(p);
}

static void dropped(void *user)
{
    pending *p = user;
    if (p->drop) p->drop(p->user);
    free(p);
}

static void write_body(const allot_embed_request *r, allot_buf *b)
{
    allot_buf_str(b, "{\"model\":");
    allot_buf_json(b, r->model, strlen(r->model));
    allot_buf_str(b, ",\"input\":[");
    for (long i = 0; i < r->n; i++) {
        if (i > 0) allot_buf_str(b, ",");
        allot_buf_json(b, r->texts[i], r->lengths[i]);
    }
    allot_buf_str(b, "]}");
}

allot_code allot_embed_send(allot_http *h, const allot_embed_request *r, allot_err *err)
{
    allot_buf body = {0};
    write_body(r, &body);
    allot_code rc = allot_buf_check(&body, err);
    pending *p = rc ? NULL : allot_mem_array(1, sizeof *p, err);
    if (!p) rc = ALLOT_ERUNTIME;
    if (!rc) {
        *p = (pending){r->n, r->done, r->drop, r->user};
        allot_http_request q = {.hosts = r->hosts,
                                .path = "/v1/embeddings",
                                .body = body.at,
                                .n = body.n,
                                .api_key = r->api_key,
                                .done = answered,
                                .drop = dropped,
                                .user = p};
        rc = allot_http_send(h, &q, err);
    }
    if (rc) free(p);
    allot_buf_clear(&body);
    return rc;
}
