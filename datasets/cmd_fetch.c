/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets fetch: options, and what came from the hub. */
#include <stdio.h>
#include "lib/core/json.h"
#include "datasets/datacommands.h"
#include "datasets/hubfetch.h"

static allot_hub_settings settings;

/* The defaults are there before options are parsed. */
__attribute__((constructor)) static void set_defaults(void)
{
    allot_hub_defaults(&settings);
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_hub_counts n;
    allot_code rc = allot_hub_fetch(&settings, common->args[0], &n, err);
    if (rc) return rc;
    if (!common->json) {
        printf("%ld of %ld rows in '%s' (%ld were there, %ld requests tried again)\n", n.rows,
               n.total, common->args[0], n.resumed, n.retries);
        return ALLOT_OK;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "dataset", settings.dataset);
    cJSON_AddNumberToObject(o, "rows", (double)n.rows);
    cJSON_AddNumberToObject(o, "total", (double)n.total);
    cJSON_AddNumberToObject(o, "resumed", (double)n.resumed);
    cJSON_AddNumberToObject(o, "retries", (double)n.retries);
    rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static const allot_option options[] = {
    {"hub", ALLOT_OPT_NEEDED, &settings.dataset, "NAME", "data set on the Hugging Face hub", 0, 0},
    {"config", ALLOT_OPT_STRING, &settings.config, "NAME", "its configuration", 0, 0},
    {"split", ALLOT_OPT_STRING, &settings.split, "NAME", "its split", 0, 0},
    {"offset", ALLOT_OPT_LONG, &settings.offset, "N", "first row", 0, 1e12},
    {"limit", ALLOT_OPT_LONG, &settings.limit, "N", "at most so many rows (else all)", 1, 1e12},
    {"max-retries", ALLOT_OPT_INT, &settings.max_retries, "N", "of each request", 0, 100},
    {"hub-url", ALLOT_OPT_STRING, &settings.url, "URL", "server of the dataset viewer", 0, 0},
    ALLOT_FORCE_ROW,
    {0}};

const allot_command allot_cmd_fetch = {
    "fetch",
    "--hub NAME [OPTION...] OUTPUT.jsonl",
    "bring the rows of a data set from the Hugging Face hub, one JSON object a line\n"
    "Rows come in pages of 100 to OUTPUT.jsonl.part; the same command goes on where it was\n"
    "stopped. A key in the environment variable HF_TOKEN is sent. A cell that the server cut is\n"
    "an error.",
    options,
    1,
    1,
    run,
    "  allot-datasets fetch --hub AI-MO/NuminaMath-CoT --limit 5000 numina.jsonl\n"
    "  allot-datasets fetch --hub openai/gsm8k --config main --split test gsm8k.jsonl"};
