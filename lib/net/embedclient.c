/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a server for vectors: the connection that stays, one request, and many in a row. */
#include "lib/net/embedclient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/base64.h"
#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "lib/net/endpoint.h"
#include "lib/net/http.h"
#include "liballot/mem.h"

#define MAX_DIM 65536

struct allot_embedder {
    allot_embedclient c;   /* what it borrows, it borrows for as long */
    allot_endpoint server; /* has the key */
    allot_hosts own;       /* unless the caller has them */
    allot_http *http;
};

/* One request: n texts and the vectors of its answer. */
typedef struct {
    long n, dim;
    float *out; /* [n][dim]; NULL until the first vector */
    allot_embed_done done;
    void *user;
} request;

void allot_embedclient_defaults(allot_embedclient *c)
{
    *c = (allot_embedclient){.max_concurrency = 8,
                             .batch = 32,
                             .batch_tokens = 16384,
                             .max_retries = 4,
                             .timeout_s = 600};
}

static allot_code set_dim(request *r, long dim, allot_err *err)
{
    if (dim < 1 || dim > MAX_DIM)
        return allot_fail(err, ALLOT_ESERVER, "an embedding has %ld numbers, not 1 to %d", dim,
                          MAX_DIM);
    if (r->out && dim != r->dim)
        return allot_fail(err, ALLOT_ESERVER, "one embedding has %ld numbers, another %ld", r->dim,
                          dim);
    if (r->out) return ALLOT_OK;
    r->dim = dim;
    r->out = allot_mem_array((size_t)r->n, (size_t)dim * sizeof *r->out, err);
    return r->out ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code take_base64(request *r, long row, const char *text, allot_err *err)
{
    float *values;
    size_t n;
    allot_code rc = allot_base64_floats(text, strlen(text), &values, &n, err);
    if (rc) return rc;
    rc = set_dim(r, (long)n, err);
    if (!rc) memcpy(r->out + row * r->dim, values, n * sizeof *values);
    free(values);
    return rc;
}

static allot_code take_list(request *r, long row, const cJSON *list, allot_err *err)
{
    allot_code rc = set_dim(r, cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, err);
    if (rc) return rc;
    float *to = r->out + row * r->dim;
    const cJSON *v;
    cJSON_ArrayForEach(v, list) *to++ = cJSON_IsNumber(v) ? (float)v->valuedouble : NAN;
    return ALLOT_OK;
}

static allot_code take_vector(request *r, const cJSON *item, char *seen, allot_err *err)
{
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    const cJSON *vector = cJSON_GetObjectItemCaseSensitive(item, "embedding");
    int i = cJSON_IsNumber(index) ? index->valueint : -1;
    if (i < 0 || i >= r->n || seen[i]++)
        return allot_fail(err, ALLOT_ESERVER, "an embedding has a wrong or repeated index");
    allot_code rc = cJSON_IsString(vector) ? take_base64(r, i, vector->valuestring, err)
                                           : take_list(r, i, vector, err);
    for (long d = 0; !rc && d < r->dim; d++)
        if (!isfinite(r->out[i * r->dim + d]))
            rc = allot_fail(err, ALLOT_ESERVER, "number %ld of an embedding is not finite", d);
    return rc;
}

static allot_code take_answer(request *r, const allot_http_reply *reply, allot_err *err)
{
    cJSON *o = NULL;
    const cJSON *item;
    allot_code rc = allot_json_parse(reply->body, reply->n, "the server's answer", &o, err);
    if (rc) return rc;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data");
    int n = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    char *seen = allot_mem_array((size_t)r->n, 1, err);
    if (!seen) rc = ALLOT_ERUNTIME;
    else if (n != r->n)
        rc = allot_fail(err, ALLOT_ESERVER, "%d embeddings came for %ld texts", n, r->n);
    cJSON_ArrayForEach(item, data) if (!rc) rc = take_vector(r, item, seen, err);
    free(seen);
    cJSON_Delete(o);
    return rc;
}

static void drop(void *user)
{
    request *r = user;
    free(r->out);
    free(r);
}

static void answered(const allot_http_reply *reply, void *user)
{
    request *r = user;
    allot_err failure = {0};
    if (!allot_http_verdict(reply, &failure) && take_answer(r, reply, &failure)) {
        (void)allot_fail_in(&failure, "'%s'", reply->url);
        if (failure.code != ALLOT_ERUNTIME) failure.code = ALLOT_ESERVER;
    }
    r->done(failure.code ? NULL : r->out, r->dim, &failure, r->user);
    drop(r);
}

static char *print_body(const char *model, const char *const *texts, const size_t *lengths, long n)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", model);
    cJSON *input = cJSON_AddArrayToObject(o, "input");
    for (long i = 0; i < n; i++) {
        allot_buf text = {0};
        allot_buf_add(&text, texts[i], lengths[i]);
        cJSON_AddItemToArray(input, cJSON_CreateString(text.at ? text.at : ""));
        allot_buf_clear(&text);
    }
    char *body = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return body;
}

allot_code allot_embedder_ask(allot_embedder *e, const char *const *texts, const size_t *lengths,
                              long n, allot_embed_done done, void *user, allot_err *err)
{
    char *body = print_body(e->c.model, texts, lengths, n);
    request *r = allot_mem_array(1, sizeof *r, err);
    allot_code rc = body && r ? ALLOT_OK : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    if (!rc) {
        *r = (request){.n = n, .done = done, .user = user};
        allot_http_request post = {.hosts = e->c.hosts ? e->c.hosts : &e->own,
                                   .path = "/v1/embeddings",
                                   .body = body,
                                   .n = strlen(body),
                                   .api_key = e->server.api_key,
                                   .done = answered,
                                   .drop = drop,
                                   .user = r};
        rc = allot_http_send(e->http, &post, err);
    }
    if (rc) free(r);
    free(body);
    return rc;
}

allot_code allot_embedder_poll(allot_embedder *e, int timeout_ms, allot_err *err)
{
    return allot_http_poll(e->http, timeout_ms, err);
}

int allot_embedder_pending(const allot_embedder *e)
{
    return allot_http_pending(e->http);
}

static allot_code open_http(const allot_embedclient *c, allot_http **out, allot_err *err)
{
    allot_http_config h;
    allot_http_defaults(&h);
    h.max_in_flight = c->max_concurrency;
    h.max_retries = c->max_retries;
    h.max_outage_s = c->max_outage_s;
    h.timeout_s = h.first_byte_timeout_s = h.total_timeout_s = c->timeout_s;
    h.insecure = c->insecure;
    h.cacert = c->cacert;
    h.headers = c->headers.at;
    h.n_headers = c->headers.n;
    return allot_http_new(&h, out, err);
}

allot_code allot_embedder_new(const allot_embedclient *c, allot_embedder **out, allot_err *err)
{
    *out = NULL;
    if (!c->base_url || !c->model)
        return allot_fail(err, ALLOT_EUSAGE, "embeddings need a server and a model");
    allot_embedder *e = allot_mem_array(1, sizeof *e, err);
    if (!e) return ALLOT_ERUNTIME;
    e->c = *c;
    allot_code rc =
        allot_endpoint_open(c->base_url, c->api_key_env, c->api_key_file, &e->server, err);
    if (!rc && !c->hosts) rc = allot_hosts_open(c->base_url, &e->own, err);
    if (!rc && c->key_of && !allot_endpoint_within(c->base_url, c->key_of))
        allot_endpoint_forget_key(&e->server);
    if (!rc) rc = open_http(c, &e->http, err);
    if (rc) allot_embedder_free(e);
    else *out = e;
    return rc;
}

void allot_embedder_free(allot_embedder *e)
{
    if (!e) return;
    allot_http_free(e->http);
    allot_hosts_clear(&e->own);
    allot_endpoint_clear(&e->server);
    free(e);
}

/* ---- many texts in a row ---- */

struct series;
typedef struct {
    struct series *s;
    long from, count; /* texts of this request; count 0 = the slot is free */
} batch;

typedef struct series {
    allot_embedder *e;
    batch *slots; /* owned [max_concurrency] */
    const char *const *texts;
    const size_t *lengths;
    long n;
    long next; /* first text not yet sent */
    long done;
    float *out; /* owned [n][dim]; NULL until the first answer */
    long dim;
    allot_embed_arrived arrived;
    void *user;
    allot_err failure; /* of the first batch that failed */
} series;

static allot_code keep(series *s, long from, long count, const float *rows, long dim,
                       allot_err *err)
{
    if (s->out && dim != s->dim)
        return allot_fail(err, ALLOT_ESERVER, "one embedding has %ld numbers, another %ld", s->dim,
                          dim);
    if (!s->out) s->out = allot_mem_array((size_t)s->n, (size_t)dim * sizeof *s->out, err);
    if (!s->out) return ALLOT_ERUNTIME;
    s->dim = dim;
    memcpy(s->out + from * dim, rows, (size_t)(count * dim) * sizeof *rows);
    return s->arrived ? s->arrived(from, count, rows, dim, s->user, err) : ALLOT_OK;
}

static void batch_done(const float *rows, long dim, const allot_err *why, void *user)
{
    batch *b = user;
    series *s = b->s;
    allot_err failure = *why;
    if (rows) failure.code = keep(s, b->from, b->count, rows, dim, &failure);
    if (failure.code && !s->failure.code) s->failure = failure;
    s->done += b->count;
    b->count = 0;
}

/* How many of the next texts share a request. Servers that pad read each as long as the longest. */
static long next_count(const series *s)
{
    const allot_embedclient *c = &s->e->c;
    size_t longest = 0;
    long count = 0;
    for (; count < c->batch && s->next + count < s->n; count++) {
        size_t tokens = s->lengths[s->next + count] / 3 + 2;
        if (tokens > longest) longest = tokens;
        if (count > 0 && longest * (size_t)(count + 1) > (size_t)c->batch_tokens) break;
    }
    return count;
}

static allot_code send_next(series *s, allot_err *err)
{
    batch *b = s->slots;
    while (b->count > 0)
        b++;
    *b = (batch){s, s->next, next_count(s)};
    allot_code rc = allot_embedder_ask(s->e, s->texts + s->next, s->lengths + s->next, b->count,
                                       batch_done, b, err);
    s->next += b->count;
    return rc;
}

/* Keeps the window full until all is there or something failed; what is in flight then comes in. */
static allot_code run(series *s, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    int n_slots = s->e->c.max_concurrency, open = 1;
    while (!rc && open) {
        while (!rc && !s->failure.code && s->next < s->n && allot_embedder_pending(s->e) < n_slots)
            rc = send_next(s, err);
        if (!rc) rc = allot_embedder_poll(s->e, 1000, err);
        open = s->done < s->next || (!s->failure.code && s->next < s->n);
    }
    if (rc) return rc;
    return s->failure.code ? allot_fail(err, s->failure.code, "%s", s->failure.msg) : ALLOT_OK;
}

allot_code allot_embedder_run(allot_embedder *e, const char *const *texts, const size_t *lengths,
                              long n, float **out, long *dim, allot_embed_arrived arrived,
                              void *user, allot_err *err)
{
    series s = {
        .e = e, .texts = texts, .lengths = lengths, .n = n, .arrived = arrived, .user = user};
    if (e->c.batch < 1 || e->c.batch_tokens < 1 || n < 1)
        return allot_fail(err, ALLOT_EUSAGE, "there is nothing to embed");
    s.slots = allot_mem_array((size_t)e->c.max_concurrency, sizeof *s.slots, err);
    allot_code rc = s.slots ? run(&s, err) : ALLOT_ERUNTIME;
    free(s.slots);
    if (rc) {
        free(s.out);
        return rc;
    }
    *out = s.out;
    *dim = s.dim;
    return ALLOT_OK;
}
