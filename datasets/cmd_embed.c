/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets embed: vectors by n-grams, or by a server in batches that an interruption keeps.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/net/embedclient.h"
#include "lib/store/embeddings.h"
#include "lib/core/json.h"
#include "lib/store/problems.h"
#include "lib/core/progress.h"
#include "datasets/datacommands.h"
#include "datasets/embedpartial.h"
#include "liballot/mem.h"
#include "liballot/ngram.h"

static int ngram, dim = ALLOT_NGRAM_DIM, normalize;
static const char *prefix = "", *pooling = "last";
static allot_embedclient client;
static allot_embedpartial partial; /* removed when the output is there */

static allot_code embed_ngram(const allot_problems *p, allot_embeddings *e, allot_err *err)
{
    e->dim = dim;
    e->normalized = 1;
    e->at = allot_mem_array((size_t)e->n * (size_t)dim, sizeof *e->at, err);
    if (!e->at) return ALLOT_ERUNTIME;
    for (long i = 0; i < e->n; i++) {
        size_t n;
        const char *text = allot_strings_at(&p->col[ALLOT_COL_PROBLEM], i, &n);
        allot_ngram_embed(text, n, dim, e->at + i * dim);
    }
    return ALLOT_OK;
}

/* The texts still to be sent, prefix + problem each. Longest first: what the server cannot take
 * comes before hours of work. */
typedef struct {
    char *block;       /* owned; holds all texts */
    const char **text; /* owned [n], as the two below */
    size_t *length;
    long *row; /* in the problems */
    long n;
} sending;

typedef struct {
    const sending *s;
    allot_embeddings *e;
    allot_embedpartial partial;
    allot_progress progress;
    long done;
} receiving;

static void scale_to_length_1(allot_embeddings *e)
{
    for (long i = 0; i < e->n; i++)
        allot_embeddings_scale(e->at + i * e->dim, e->dim);
}

/* llama.cpp and others scale unasked; then the selector must do so whatever its server does. */
static int all_have_length_1(const allot_embeddings *e)
{
    for (long i = 0; i < e->n; i++)
        if (!(fabs(allot_embeddings_length(e->at + i * e->dim, e->dim) - 1) <= 1e-3)) return 0;
    return 1;
}

static int by_length(const void *a, const void *b, void *lengths)
{
    const size_t *length = lengths;
    long x = *(const long *)a, y = *(const long *)b;
    if (length[x] != length[y]) return length[x] > length[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The rows that are not there yet, by length. */
static allot_code choose_rows(const allot_strings *column, const unsigned char *have, long n,
                              sending *s, allot_err *err)
{
    size_t *lengths = allot_mem_array((size_t)n, sizeof *lengths, err);
    s->row = allot_mem_array((size_t)n, sizeof *s->row, err);
    if (!lengths || !s->row) {
        free(lengths);
        return ALLOT_ERUNTIME;
    }
    for (long i = 0; i < n; i++) {
        (void)allot_strings_at(column, i, &lengths[i]);
        if (!have[i]) s->row[s->n++] = i;
    }
    qsort_r(s->row, (size_t)s->n, sizeof *s->row, by_length, lengths);
    free(lengths);
    return ALLOT_OK;
}

static allot_code write_texts(const allot_strings *column, long n, sending *s, allot_err *err)
{
    size_t prefix_n = strlen(prefix), at = 0;
    s->block = allot_mem_array((size_t)column->offsets[n] + (size_t)s->n * prefix_n, 1, err);
    s->text = allot_mem_array((size_t)s->n, sizeof *s->text, err);
    s->length = allot_mem_array((size_t)s->n, sizeof *s->length, err);
    if (!s->block || !s->text || !s->length) return ALLOT_ERUNTIME;
    for (long i = 0; i < s->n; i++) {
        size_t length;
        const char *text = allot_strings_at(column, s->row[i], &length);
        s->text[i] = s->block + at;
        s->length[i] = prefix_n + length;
        memcpy(s->block + at, prefix, prefix_n);
        memcpy(s->block + at + prefix_n, text, length);
        at += prefix_n + length;
    }
    return ALLOT_OK;
}

static allot_code keep_rows(long from, long count, const float *rows, long d, void *user,
                            allot_err *err)
{
    receiving *r = user;
    allot_code rc = ALLOT_OK;
    for (long i = 0; i < count && !rc; i++)
        rc = allot_embedpartial_add(&r->partial, &r->e->keys[r->s->row[from + i]], rows + i * d, d,
                                    err);
    allot_progress_update(&r->progress, r->done += count, NULL);
    return rc;
}

static allot_code ask(receiving *r, allot_err *err)
{
    allot_embeddings *e = r->e;
    float *fresh = NULL;
    long d = 0;
    allot_progress_start(&r->progress, "embeddings", r->done, e->n);
    allot_code rc = allot_embedclient_run(&client, r->s->text, r->s->length, r->s->n, &fresh, &d,
                                          keep_rows, r, err);
    if (!rc) allot_progress_end(&r->progress, e->n, NULL);
    if (!rc && e->at && d != e->dim)
        rc = allot_fail(err, ALLOT_ESERVER,
                        "the server's embeddings have %ld numbers, those in '%s' %ld (remove it to "
                        "begin again)",
                        d, r->partial.path, e->dim);
    if (!rc && !e->at) {
        e->dim = d;
        e->at = allot_mem_array((size_t)e->n, (size_t)d * sizeof *e->at, err);
        if (!e->at) rc = ALLOT_ERUNTIME;
    }
    for (long i = 0; i < r->s->n && !rc; i++)
        memcpy(e->at + r->s->row[i] * d, fresh + i * d, (size_t)d * sizeof *fresh);
    free(fresh);
    return rc;
}

/* What arrived in an earlier, interrupted call is not asked for again. */
static allot_code embed_by_server(const allot_problems *p, const char *output, allot_embeddings *e,
                                  allot_err *err)
{
    sending s = {0};
    receiving r = {.s = &s, .e = e};
    const allot_strings *column = &p->col[ALLOT_COL_PROBLEM];
    unsigned char *have = allot_mem_array((size_t)e->n, 1, err);
    allot_code rc =
        have ? allot_embedpartial_open(&r.partial, output, e, have, err) : ALLOT_ERUNTIME;
    if (!rc) rc = choose_rows(column, have, e->n, &s, err);
    if (!rc) rc = write_texts(column, e->n, &s, err);
    r.done = e->n - s.n;
    if (!rc && s.n > 0) rc = ask(&r, err);
    if (!rc && normalize) scale_to_length_1(e);
    e->normalized = normalize || (!rc && all_have_length_1(e));
    partial = r.partial;
    free(have);
    free(s.block);
    free(s.text);
    free(s.length);
    free(s.row);
    return rc;
}

static allot_code check_settings(allot_err *err)
{
    if (!ngram == !client.base_url)
        return allot_fail(err, ALLOT_EUSAGE, "give either --ngram or --base-url with --model");
    if (client.base_url && !client.model)
        return allot_fail(err, ALLOT_EUSAGE, "--model is required with --base-url");
    if (ngram && *prefix)
        return allot_fail(err, ALLOT_EUSAGE, "--query-prefix makes no sense with --ngram");
    return ALLOT_OK;
}

static allot_code embed(const allot_problems *p, const char *output, allot_embeddings *e,
                        allot_err *err)
{
    const char *model = ngram ? ALLOT_NGRAM_MODEL : client.model, *how = ngram ? "ngram" : pooling;
    e->n = p->n;
    e->keys = allot_mem_array((size_t)p->n, sizeof *e->keys, err);
    e->model = allot_mem_text(model, strlen(model), err);
    e->pooling = allot_mem_text(how, strlen(how), err);
    e->prefix = allot_mem_text(prefix, strlen(prefix), err);
    if (!e->keys || !e->model || !e->pooling || !e->prefix) return ALLOT_ERUNTIME;
    memcpy(e->keys, p->keys, (size_t)p->n * sizeof *e->keys);
    return ngram ? embed_ngram(p, e, err) : embed_by_server(p, output, e, err);
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_problems problems = {0};
    allot_embeddings e = {0};
    const char *inputs[] = {common->args[0], NULL};
    allot_code rc = check_settings(err);
    if (!rc) rc = allot_problems_load(common->args[0], 0, &problems, err);
    if (!rc && problems.n == 0)
        rc = allot_fail(err, ALLOT_EINPUT, "'%s' has no queries", common->args[0]);
    if (!rc) rc = embed(&problems, common->args[1], &e, err);
    if (!rc)
        rc =
            allot_embeddings_save(common->args[1], &e, "allot-datasets", common->seed, inputs, err);
    allot_embedpartial_close(&partial, !rc);
    if (!rc && common->json) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "queries", (double)e.n);
        cJSON_AddNumberToObject(o, "dimension", (double)e.dim);
        cJSON_AddBoolToObject(o, "normalized", e.normalized);
        cJSON_AddStringToObject(o, "model", e.model);
        cJSON_AddStringToObject(o, "embedding_id", e.id);
        rc = allot_json_print(o, err);
        cJSON_Delete(o);
    } else if (!rc) {
        printf("%ld queries, %ld numbers each, by %s (id %s)\n", e.n, e.dim, e.model, e.id);
    }
    allot_problems_clear(&problems);
    allot_embeddings_clear(&e);
    return rc;
}

/* The client's defaults are set before the options are parsed. */
__attribute__((constructor)) static void set_defaults(void)
{
    allot_embedclient_defaults(&client);
    client.max_outage_s = 600;
}

static const allot_option options[] = {
    {"ngram", ALLOT_OPT_FLAG, &ngram, NULL, "the built-in hashed n-grams; needs no server", 0, 0},
    {"dim", ALLOT_OPT_INT, &dim, "D", "numbers of an n-gram vector", 1, ALLOT_NGRAM_MAX_DIM},
    {"base-url", ALLOT_OPT_STRING, &client.base_url, "URL", "server of /v1/embeddings", 0, 0},
    {"model", ALLOT_OPT_STRING, &client.model, "NAME", "embedding model on the server", 0, 0},
    {"query-prefix", ALLOT_OPT_STRING, &prefix, "TEXT",
     "put before each query; travels to the "
     "bundle",
     0, 0},
    {"pooling-name", ALLOT_OPT_STRING, &pooling, "NAME", "how the server pools, recorded", 0, 0},
    {"normalize", ALLOT_OPT_FLAG, &normalize, NULL,
     "scale each vector to length 1; recorded also if all come so", 0, 0},
    {"batch", ALLOT_OPT_INT, &client.batch, "N", "texts in one request, at most", 1, 2048},
    {"batch-tokens", ALLOT_OPT_INT, &client.batch_tokens, "N",
     "and tokens, each text counted as long as the longest, a token for 3 bytes; a longer "
     "text goes alone",
     1, 1 << 30},
    {"max-concurrency", ALLOT_OPT_INT, &client.max_concurrency, "N", "requests in flight", 1, 4096},
    {"max-retries", ALLOT_OPT_INT, &client.max_retries, "N", "tries after the first", 0, 100},
    {"max-outage", ALLOT_OPT_DOUBLE, &client.max_outage_s, "S",
     "seconds that a server which went away, or is loading, is waited for", 0, 1e6},
    {"timeout", ALLOT_OPT_DOUBLE, &client.timeout_s, "S",
     "seconds for one request, all its tries together", 0.001, 1e6},
    {"api-key-env", ALLOT_OPT_STRING, &client.api_key_env, "NAME", "variable that holds the key", 0,
     0},
    {"api-key-file", ALLOT_OPT_STRING, &client.api_key_file, "FILE", "file that holds the key", 0,
     0},
    {"insecure", ALLOT_OPT_FLAG, &client.insecure, NULL, "do not check TLS certificates", 0, 0},
    {"cacert", ALLOT_OPT_STRING, &client.cacert, "FILE", "certificate authorities", 0, 0},
    {"header", ALLOT_OPT_LIST, &client.headers, "'NAME: VALUE'",
     "sent with every request; may be given several times", 0, 0},
    ALLOT_FORCE_ROW,
    {0}};

const allot_command allot_cmd_embed = {
    "embed",
    "[OPTION...] PROBLEMS.h5 OUTPUT.emb.h5",
    "one vector per query, from a server or by built-in n-grams\n"
    "The model, its pooling, prefix and normalisation are stored and travel to the bundle: the\n"
    "selector must embed in the same way. Interrupted, it goes on where it was.",
    options,
    2,
    2,
    run,
    "  allot-datasets embed --ngram problems.h5 ngram.emb.h5\n"
    "  allot-datasets embed --base-url http://localhost:8000/v1 --model Qwen/Qwen2.5-1.5B \\\n"
    "    problems.h5 qwen.emb.h5"};
