/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of many texts: how they are divided into requests, and how many of these are out. */
#include "lib/net/embedclient.h"
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

typedef struct {
    allot_embedlink *link;
    const char *const *texts;
    const size_t *lengths;
    long n;
    long next; /* first text not yet sent */
    long done;
    int out_now; /* requests under way */
    float *out;  /* owned [n][dim]; NULL until the first answer */
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

static allot_code check(const allot_embedclient *c, allot_err *err)
{
    if (!c->base_url || !c->model)
        return allot_fail(err, ALLOT_EUSAGE, "embeddings need a server and a model");
    if (c->batch < 1 || c->batch_tokens < 1)
        return allot_fail(err, ALLOT_EUSAGE, "a request would have no text to embed");
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

allot_code allot_embedlink_open(const allot_embedclient *c, allot_http *shared,
                                allot_embedlink *out, allot_err *err)
{
    *out = (allot_embedlink){.client = *c, .http = shared, .owns_http = !shared};
    allot_code rc = check(c, err);
    if (!rc)
        rc = allot_endpoint_open(c->base_url, c->api_key_env, c->api_key_file, &out->server, err);
    if (!rc) rc = allot_hosts_open(c->base_url, &out->hosts, err);
    if (!rc && c->key_of && !allot_endpoint_within(c->base_url, c->key_of))
        allot_endpoint_forget_key(&out->server);
    if (!rc && !shared) rc = open_http(c, &out->http, err);
    if (rc) allot_embedlink_close(out);
    return rc;
}

void allot_embedlink_close(allot_embedlink *l)
{
    if (l->owns_http) allot_http_free(l->http);
    allot_hosts_clear(&l->hosts);
    allot_endpoint_clear(&l->server);
    memset(l, 0, sizeof *l);
}

allot_code allot_embedlink_send(allot_embedlink *l, allot_embed_request r, allot_err *err)
{
    r.hosts = &l->hosts;
    r.model = l->client.model;
    r.api_key = l->server.api_key;
    return allot_embed_send(l->http, &r, err);
}

/* The first answer says how long all vectors are. */
static allot_code keep(const batch *b, const float *rows, long dim, allot_err *err)
{
    client *k = b->client;
    if (k->out && dim != k->dim)
        return allot_fail(err, ALLOT_ESERVER, "'%s': one embedding has %ld numbers, another %ld",
                          k->link->server.root, k->dim, dim);
    if (!k->out) {
        k->dim = dim;
        k->out = allot_mem_array((size_t)k->n, (size_t)dim * sizeof *k->out, err);
        if (!k->out) return ALLOT_ERUNTIME;
    }
    float *to = k->out + b->from * dim;
    memcpy(to, rows, (size_t)(b->count * dim) * sizeof *rows);
    return k->arrived ? k->arrived(b->from, b->count, to, dim, k->user, err) : ALLOT_OK;
}

static void answered(const float *rows, long dim, const allot_err *failure, void *user)
{
    batch *b = user;
    client *k = b->client;
    allot_err err = {0};
    if (failure) err = *failure;
    else err.code = keep(b, rows, dim, &err);
    if (err.code && !k->failure.code) k->failure = err;
    k->done += b->count;
    k->out_now--;
    free(b);
}

/* How many of the next texts share a request. Servers that pad read each as long as the longest. */
static long next_count(const client *k)
{
    const allot_embedclient *c = &k->link->client;
    size_t longest = 0;
    long count = 0;
    for (; count < c->batch && k->next + count < k->n; count++) {
        size_t tokens = k->lengths[k->next + count] / 3 + 2;
        if (tokens > longest) longest = tokens;
        if (count > 0 && longest * (size_t)(count + 1) > (size_t)c->batch_tokens) break;
    }
    return count;
}

static allot_code send_next(client *k, allot_err *err)
{
    batch *b = allot_mem_array(1, sizeof *b, err);
    if (!b) return ALLOT_ERUNTIME;
    *b = (batch){k, k->next, next_count(k)};
    allot_embed_request r = {.texts = k->texts + b->from,
                             .lengths = k->lengths + b->from,
                             .n = b->count,
                             .done = answered,
                             .drop = free,
                             .user = b};
    allot_code rc = allot_embedlink_send(k->link, r, err);
    if (rc) {
        free(b);
        return rc;
    }
    k->next += b->count;
    k->out_now++;
    return ALLOT_OK;
}

/* Keeps the window full until all is there or something failed. */
static allot_code run(client *k, allot_err *err)
{
    while (k->done < k->n && !k->failure.code) {
        allot_code rc = ALLOT_OK;
        while (!rc && k->next < k->n && k->out_now < k->link->client.max_concurrency)
            rc = send_next(k, err);
        if (!rc) rc = allot_http_poll(k->link->http, 1000, err);
        if (rc) return rc;
    }
    return k->failure.code ? allot_fail(err, k->failure.code, "%s", k->failure.msg) : ALLOT_OK;
}

allot_code allot_embedlink_all(allot_embedlink *l, const char *const *texts, const size_t *lengths,
                               long n, float **out, long *dim, allot_embed_arrived arrived,
                               void *user, allot_err *err)
{
    client k = {
        .link = l, .texts = texts, .lengths = lengths, .n = n, .arrived = arrived, .user = user};
    allot_code rc =
        n < 1 ? allot_fail(err, ALLOT_EUSAGE, "there is nothing to embed") : run(&k, err);
    if (rc) {
        free(k.out);
        return rc;
    }
    *out = k.out;
    *dim = k.dim;
    return ALLOT_OK;
}

allot_code allot_embedclient_run(const allot_embedclient *c, const char *const *texts,
                                 const size_t *lengths, long n, float **out, long *dim,
                                 allot_embed_arrived arrived, void *user, allot_err *err)
{
    allot_embedlink l;
    allot_code rc = allot_embedlink_open(c, NULL, &l, err);
    if (!rc) rc = allot_embedlink_all(&l, texts, lengths, n, out, dim, arrived, user, err);
    allot_embedlink_close(&l);
    return rc;
}
