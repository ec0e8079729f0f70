/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets import-outcomes: options, and what was taken and left out. */
#include <stdio.h>
#include <string.h>
#include "lib/core/json.h"
#include "datasets/datacommands.h"
#include "datasets/outcomesimport.h"

static allot_outcomesimport settings;

static allot_code print_counts(const allot_common *common, const allot_outcomes *o, long missing,
                               allot_err *err)
{
    if (!common->json) {
        printf("%ld queries, %d strategies, %ld of %ld cells missing\n", o->n, o->strategies.count,
               missing, o->n * o->strategies.count);
        return ALLOT_OK;
    }
    cJSON *counts = cJSON_CreateObject();
    cJSON_AddNumberToObject(counts, "queries", (double)o->n);
    cJSON_AddNumberToObject(counts, "strategies", o->strategies.count);
    cJSON_AddNumberToObject(counts, "missing", (double)missing);
    allot_code rc = allot_json_print(counts, err);
    cJSON_Delete(counts);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    const char *path = common->args[0], *slash = strrchr(path, '/');
    const char *inputs[] = {path, settings.problems, NULL};
    allot_outcomes o = {0};
    long missing = 0;
    if (!settings.name) settings.name = slash ? slash + 1 : path;
    allot_code rc = allot_outcomes_import(path, &settings, &o, &missing, err);
    if (!rc)
        rc = allot_outcomes_save(common->args[1], &o, "allot-datasets", common->seed, inputs, err);
    if (!rc) rc = print_counts(common, &o, missing, err);
    allot_outcomes_clear(&o);
    return rc;
}

static const allot_option options[] = {
    {"problems", ALLOT_OPT_STRING, &settings.problems, "PROBLEMS.h5",
     "refuse queries that are not in it; needed where queries are given by key", 0, 0},
    {"name", ALLOT_OPT_STRING, &settings.name, "TEXT",
     "what was measured, for the fingerprint (else the table's file name)", 0, 0},
    {"trials", ALLOT_OPT_FLAG, &settings.trials, NULL,
     "several rows of one query and strategy are trials (else an error)", 0, 0},
    {"named", ALLOT_OPT_FLAG, &settings.named, NULL, "take any text as the name of a strategy", 0,
     0},
    ALLOT_FORCE_ROW,
    {0}};

const allot_command allot_cmd_import_outcomes = {
    "import-outcomes",
    "[OPTION...] TABLE.jsonl|TABLE.csv|TABLE.tsv OUTCOMES.h5",
    "read outcomes that were measured elsewhere\n"
    "One row per query and strategy: query (its text or key), strategy, tokens, optionally "
    "seconds,\n"
    "and correct (0 or 1), or trials and successes, or accuracy (counted as one trial unless "
    "trials\n"
    "are given). Pairs without a row are missing cells. TABLE may be packed with gzip or zstd.",
    options,
    2,
    2,
    run,
    "  allot-datasets import-outcomes --name \"server logs of May\" table.csv outcomes.h5"};
