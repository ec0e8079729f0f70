/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/embedclient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/base64.h"
#include "lib/core/buf.h"
#include "lib/net/endpoint.h"
#include "lib/net/http.h"
#include "lib/core/json.h"
#include "liballot/mem.h"

#define MAX_DIM 65536

typedef struct {
    const allot_embedclient *c;
    allot_endpoint server; /* has the key */
    allot_hosts own;       /* unless the caller has them */
    allot_http *http;
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
} client;

typedef struct {
    client *client;
    long from, count; /* texts of this request */
} batch;

void allot_embedclient_defaults(allot_embedclient *c)
{
    *c = (allot_embedclient){.max_concurrency = 8,
                             .batch = 32,
                             .batch_tokens = 16384,
                             .max_retries = 4,
                             .timeout_s = 600};
}

static allot_code set_dim(client *k, long dim, allot_err *err)
{
    if (dim < 1 || dim > MAX_DIM)
        return allot_fail(err, ALLOT_ESERVER, "an embedding has %ld numbers, not 1 to %d", dim,
                          MAX_DIM);
    if (k->out && dim != k->dim)
        return allot_fail(err, ALLOT_ESERVER, "one embedding has %ld numbers, another %ld", k->dim,
                          dim);
    if (k->out) return ALLOT_OK;
    k->dim = dim;
    k->out = allot_mem_array((size_t)k->n, (size_t)dim * sizeof *k->out, err);
    return k->out ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code take_base64(client *k, long row, const char *text, allot_err *err)
{
    float *values;
    size_t n;
    allot_code rc = allot_base64_floats(text, strlen(text), &values, &n, err);
    if (rc) return rc;
    rc = set_dim(k, (long)n, err);
    if (!rc) memcpy(k->out + row * k->dim, values, n * sizeof *values);
    free(values);
    return rc;
}

static allot_code take_list(client *k, long row, const cJSON *list, allot_err *err)
{
    allot_code rc = set_dim(k, cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, err);
    if (rc) return rc;
    float *to = k->out + row * k->dim;
    const cJSON *v;
    cJSON_ArrayForEach(v, list) *to++ = cJSON_IsNumber(v) ? (float)v->valuedouble : NAN;
    return ALLOT_OK;
}

static allot_code take_vector(const batch *b, const cJSON *item, char *seen, allot_err *err)
{
    client *k = b->client;
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(item, "index");
    const cJSON *vector = cJSON_GetObjectItemCaseSensitive(item, "embedding");
    int i = cJSON_IsNumber(index) ? index->valueint : -1;
    if (i < 0 || i >= b->count || seen[i]++)
        return allot_fail(err, ALLOT_ESERVER, "an embedding has a wrong or repeated index");
    long row = b->from + i;
    allot_code rc = cJSON_IsString(vector) ? take_base64(k, row, vector->valuestring, err)
                                           : take_list(k, row, vector, err);
    for (long d = 0; !rc && d < k->dim; d++)
        if (!isfinite(k->out[row * k->dim + d]))
            rc =
                allot_fail(err, ALLOT_ESERVER, "number %ld of embedding %ld is not finite", d, row);
    return rc;
}

static allot_code take_answer(const batch *b, const allot_http_reply *reply, allot_err *err)
{
    cJSON *o = NULL;
    const cJSON *item;
    allot_code rc = allot_json_parse(reply->body, reply->n, "the server's answer", &o, err);
    if (rc) return rc;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(o, "data");
    int n = cJSON_IsArray(data) ? cJSON_GetArraySize(data) : 0;
    char *seen = allot_mem_array((size_t)b->count, 1, err);
    if (!seen) rc = ALLOT_ERUNTIME;
    else if (n != b->count)
        rc = allot_fail(err, ALLOT_ESERVER, "%d embeddings came for %ld texts", n, b->count);
    cJSON_ArrayForEach(item, data) if (!rc) rc = take_vector(b, item, seen, err);
    free(seen);
    cJSON_Delete(o);
    return rc;
}

static void answered(const allot_http_reply *reply, void *user)
{
    batch *b = user;
    client *k = b->client;
    allot_err failure = {0};
    if (!allot_http_verdict(reply, &failure) && take_answer(b, reply, &failure)) {
        (void)allot_fail_in(&failure, "'%s'", reply->url);
        if (failure.code != ALLOT_ERUNTIME) failure.code = ALLOT_ESERVER;
    }
    if (!failure.code && k->arrived)
        failure.code =
            k->arrived(b->from, b->count, k->out + b->from * k->dim, k->dim, k->user, &failure);
    if (failure.code && !k->failure.code) k->failure = failure;
    k->done += b->count;
    free(b);
}

/* The body for texts [from, from + count), or NULL. */
static char *print_body(const client *k, long from, long count)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "model", k->c->model);
    cJSON *input = cJSON_AddArrayToObject(o, "input");
    for (long i = from; i < from + count; i++) {
        allot_buf text = {0};
        allot_buf_add(&text, k->texts[i], k->lengths[i]);
        cJSON_AddItemToArray(input, cJSON_CreateString(text.at ? text.at : ""));
        allot_buf_clear(&text);
    }
    char *body = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return body;
}

/* How many of the next texts share a request. Servers that pad read each as long as the longest. */
static long next_count(const client *k)
{
    size_t longest = 0;
    long count = 0;
    for (; count < k->c->batch && k->next + count < k->n; count++) {
        size_t tokens = k->lengths[k->next + count] / 3 + 2;
        if (tokens > longest) longest = tokens;
        if (count > 0 && longest * (size_t)(count + 1) > (size_t)k->c->batch_tokens) break;
    }
    return count;
}

static allot_code send_next(client *k, allot_err *err)
{
    long count = next_count(k);
    char *body = print_body(k, k->next, count);
    batch *b = allot_mem_array(1, sizeof *b, err);
    allot_code rc = body && b ? ALLOT_OK : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    if (!rc) {
        *b = (batch){k, k->next, count};
        allot_http_request r = {.hosts = k->c->hosts ? k->c->hosts : &k->own,
                                .path = "/v1/embeddings",
                                .body = body,
                                .n = strlen(body),
                                .api_key = k->server.api_key,
                                .done = answered,
                                .drop = free,
                                .user = b};
        rc = allot_http_send(k->http, &r, err);
    }
    if (rc) free(b);
    else k->next += count;
    free(body);
    return rc;
}

/* Keeps the window full until all is there or something failed. */
static allot_code run(client *k, allot_err *err)
{
    while (k->done < k->n && !k->failure.code) {
        allot_code rc = ALLOT_OK;
        while (!rc && k->next < k->n && allot_http_pending(k->http) < k->c->max_concurrency)
            rc = send_next(k, err);
        if (!rc) rc = allot_http_poll(k->http, 1000, err);
        if (rc) return rc;
    }
    return k->failure.code ? allot_fail(err, k->failure.code, "%s", k->failure.msg) : ALLOT_OK;
}

static allot_code check(const allot_embedclient *c, long n, allot_err *err)
{
    if (!c->base_url || !c->model)
        return allot_fail(err, ALLOT_EUSAGE, "embeddings need a server and a model");
    if (c->batch < 1 || c->batch_tokens < 1 || n < 1)
        return allot_fail(err, ALLOT_EUSAGE, "there is nothing to embed");
    return ALLOT_OK;
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

allot_code allot_embedclient_run(const allot_embedclient *c, const char *const *texts,
                                 const size_t *lengths, long n, float **out, long *dim,
                                 allot_embed_arrived arrived, void *user, allot_err *err)
{
    client k = {
        .c = c, .texts = texts, .lengths = lengths, .n = n, .arrived = arrived, .user = user};
    allot_code rc = check(c, n, err);
    if (!rc) rc = allot_endpoint_open(c->base_url, c->api_key_env, c->api_key_file, &k.server, err);
    if (!rc && !c->hosts) rc = allot_hosts_open(c->base_url, &k.own, err);
    if (!rc && c->key_of && !allot_endpoint_within(c->base_url, c->key_of))
        allot_endpoint_forget_key(&k.server);
    if (!rc) rc = open_http(c, &k.http, err);
    if (!rc) rc = run(&k, err);
    allot_http_free(k.http);
    allot_hosts_clear(&k.own);
    allot_endpoint_clear(&k.server);
    if (rc) {
        free(k.out);
        return rc;
    }
    *out = k.out;
    *dim = k.dim;
    return ALLOT_OK;
}
