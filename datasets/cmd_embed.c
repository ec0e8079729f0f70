/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/embedclient.h"
#include "core/embeddings.h"
#include "core/json.h"
#include "core/problems.h"
#include "core/progress.h"
#include "datasets/datacommands.h"
#include "liballot/mem.h"
#include "liballot/ngram.h"

static int ngram, dim = ALLOT_NGRAM_DIM, normalize;
static const char *prefix = "", *pooling = "last";
static allot_embedclient client;

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

static void show_progress(long done, void *user)
{
    allot_progress_update(user, done, NULL);
}

static void scale_to_length_1(allot_embeddings *e)
{
    for (long i = 0; i < e->n; i++) {
        float *x = e->at + i * e->dim;
        double square = 0;
        for (long k = 0; k < e->dim; k++)
            square += (double)x[k] * (double)x[k];
        if (square > 0)
            for (long k = 0; k < e->dim; k++)
                x[k] = (float)((double)x[k] / sqrt(square));
    }
}

/* The text sent is prefix + problem; all of them live in one block. */
static allot_code embed_by_server(const allot_problems *p, allot_embeddings *e, allot_err *err)
{
    const allot_strings *column = &p->col[ALLOT_COL_PROBLEM];
    size_t prefix_n = strlen(prefix), at = 0, n_rows = (size_t)e->n;
    size_t room = (size_t)column->offsets[e->n] + n_rows * prefix_n;
    char *block = allot_mem_array(room, 1, err);
    const char **texts = allot_mem_array(n_rows, sizeof *texts, err);
    size_t *lengths = allot_mem_array(n_rows, sizeof *lengths, err);
    allot_code rc = block && texts && lengths ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; i < e->n && !rc; i++) {
        size_t n;
        const char *text = allot_strings_at(column, i, &n);
        texts[i] = block + at;
        lengths[i] = prefix_n + n;
        memcpy(block + at, prefix, prefix_n);
        memcpy(block + at + prefix_n, text, n);
        at += prefix_n + n;
    }
    if (!rc) {
        allot_progress progress;
        allot_progress_start(&progress, "embeddings", 0, e->n);
        rc = allot_embedclient_run(&client, texts, lengths, e->n, &e->at, &e->dim, show_progress,
                                   &progress, err);
        if (!rc) allot_progress_end(&progress, e->n, NULL);
    }
    if (!rc && normalize) scale_to_length_1(e);
    e->normalized = normalize;
    free(block);
    free(texts);
    free(lengths);
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

static allot_code embed(const allot_problems *p, allot_embeddings *e, allot_err *err)
{
    const char *model = ngram ? ALLOT_NGRAM_MODEL : client.model, *how = ngram ? "ngram" : pooling;
    e->n = p->n;
    e->keys = allot_mem_array((size_t)p->n, sizeof *e->keys, err);
    e->model = allot_mem_text(model, strlen(model), err);
    e->pooling = allot_mem_text(how, strlen(how), err);
    e->prefix = allot_mem_text(prefix, strlen(prefix), err);
    if (!e->keys || !e->model || !e->pooling || !e->prefix) return ALLOT_ERUNTIME;
    memcpy(e->keys, p->keys, (size_t)p->n * sizeof *e->keys);
    return ngram ? embed_ngram(p, e, err) : embed_by_server(p, e, err);
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
    if (!rc) rc = embed(&problems, &e, err);
    if (!rc)
        rc =
            allot_embeddings_save(common->args[1], &e, "allot-datasets", common->seed, inputs, err);
    if (!rc && common->json) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "queries", (double)e.n);
        cJSON_AddNumberToObject(o, "dimension", (double)e.dim);
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
}

static const allot_option options[] = {
    {"ngram", ALLOT_OPT_FLAG, &ngram, NULL, "the built-in hashed n-grams; needs no server", 0, 0},
    {"dim", ALLOT_OPT_INT, &dim, "D", "numbers of an n-gram vector (256)", 1, ALLOT_NGRAM_MAX_DIM},
    {"base-url", ALLOT_OPT_STRING, &client.base_url, "URL", "server of /v1/embeddings", 0, 0},
    {"model", ALLOT_OPT_STRING, &client.model, "NAME", "embedding model on the server", 0, 0},
    {"query-prefix", ALLOT_OPT_STRING, &prefix, "TEXT",
     "put before each query; travels to the "
     "bundle",
     0, 0},
    {"pooling-name", ALLOT_OPT_STRING, &pooling, "NAME", "how the server pools, recorded (last)", 0,
     0},
    {"normalize", ALLOT_OPT_FLAG, &normalize, NULL, "scale each vector to length 1", 0, 0},
    {"batch", ALLOT_OPT_INT, &client.batch, "N", "texts in one request (32)", 1, 2048},
    {"max-concurrency", ALLOT_OPT_INT, &client.max_concurrency, "N", "requests in flight (8)", 1,
     4096},
    {"max-retries", ALLOT_OPT_INT, &client.max_retries, "N", "tries after the first (2)", 0, 100},
    {"timeout", ALLOT_OPT_DOUBLE, &client.timeout_s, "S", "seconds for one request (600)", 0.001,
     1e6},
    {"api-key-env", ALLOT_OPT_STRING, &client.api_key_env, "NAME", "variable that holds the key", 0,
     0},
    {"api-key-file", ALLOT_OPT_STRING, &client.api_key_file, "FILE", "file that holds the key", 0,
     0},
    {"insecure", ALLOT_OPT_FLAG, &client.insecure, NULL, "do not check TLS certificates", 0, 0},
    {"cacert", ALLOT_OPT_STRING, &client.cacert, "FILE", "certificate authorities", 0, 0},
    {0}};

const allot_command allot_cmd_embed = {
    "embed",
    "[OPTION...] PROBLEMS.h5 OUTPUT.emb.h5",
    "one vector per query, from a server or by built-in n-grams\n"
    "The model, its pooling, prefix and normalisation are stored and travel to the bundle: the\n"
    "selector must embed in the same way.",
    options,
    2,
    2,
    run,
    "  allot-datasets embed --ngram problems.h5 ngram.emb.h5\n"
    "  allot-datasets embed --base-url http://localhost:8000/v1 --model Qwen/Qwen2.5-1.5B \\\n"
    "    problems.h5 qwen.emb.h5"};
