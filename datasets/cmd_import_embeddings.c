/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets import-embeddings: options, and what was taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "datasets/datacommands.h"
#include "datasets/vectorimport.h"

static allot_vectorimport settings = {.pooling = "last", .prefix = ""};

static allot_code print_result(const allot_common *common, const allot_embeddings *e, long repeated,
                               allot_err *err)
{
    if (!common->json) {
        printf("%ld queries, %ld numbers each, by %s (id %s); %ld repeated rows left out\n", e->n,
               e->dim, e->model, e->id, repeated);
        return ALLOT_OK;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "queries", (double)e->n);
    cJSON_AddNumberToObject(o, "dimension", (double)e->dim);
    cJSON_AddNumberToObject(o, "repeated", (double)repeated);
    cJSON_AddStringToObject(o, "model", e->model);
    cJSON_AddStringToObject(o, "embedding_id", e->id);
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_embeddings e = {0};
    long repeated = 0;
    const char *rows = settings.keys ? settings.keys : settings.order;
    const char *inputs[] = {settings.npy, rows, NULL};
    allot_code rc = allot_vectorimport_check(&settings, err);
    if (!rc) rc = allot_vectors_import(&settings, &e, &repeated, err);
    if (!rc)
        rc =
            allot_embeddings_save(common->args[0], &e, "allot-datasets", common->seed, inputs, err);
    if (!rc) rc = print_result(common, &e, repeated, err);
    allot_embeddings_clear(&e);
    return rc;
}

static const allot_option options[] = {
    {"npy", ALLOT_OPT_NEEDED, &settings.npy, "FILE", "matrix [queries, numbers], float16, 32 or 64",
     0, 0},
    {"keys", ALLOT_OPT_STRING, &settings.keys, "FILE", "key of each row, one a line", 0, 0},
    {"order", ALLOT_OPT_STRING, &settings.order, "FILE",
     "or the problems in the order of the rows: JSON lines, or PROBLEMS.h5", 0, 0},
    {"problem-field", ALLOT_OPT_STRING, &settings.problem_field, "NAME",
     "field of the problem in JSON lines (else problem, or question)", 0, 0},
    {"model", ALLOT_OPT_NEEDED, &settings.model, "NAME", "embedding model; a server's name for it",
     0, 0},
    {"pooling", ALLOT_OPT_STRING, &settings.pooling, "NAME", "how it pools, recorded", 0, 0},
    {"query-prefix", ALLOT_OPT_STRING, &settings.prefix, "TEXT", "what was put before each query",
     0, 0},
    {"normalized", ALLOT_OPT_FLAG, &settings.normalized, NULL, "the vectors have length 1", 0, 0},
    ALLOT_FORCE_ROW,
    {0}};

const allot_command allot_cmd_import_embeddings = {
    "import-embeddings",
    "[OPTION...] --npy X.npy {--keys FILE | --order FILE} --model NAME OUTPUT.emb.h5",
    "take vectors that were made elsewhere, with the query of each row\n"
    "Rows are named by key, or by the texts in the same order. A text that occurs again keeps its\n"
    "first vector.",
    options,
    1,
    1,
    run,
    "  allot-datasets import-embeddings --npy hidden.npy --order problems.jsonl \\\n"
    "    --model Qwen/Qwen2.5-1.5B --pooling last qwen.emb.h5"};
