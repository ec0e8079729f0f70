/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "core/json.h"
#include "engine/engineflags.h"
#include "sample.h"

static allot_sample_config config;
static allot_engine_config given = ALLOT_ENGINE_FLAGS_NONE;
static const char *dataset, *split, *splits, *strategies, *output;
static long limit;
static const char *shard;
static int pool, runs = 8;

static const allot_option options[] = {
    {"dataset", ALLOT_OPT_NEEDED, &dataset, "FILE",
     "the problems (problems.h5 of allot-datasets); required", 0, 0},
    {"strategies", ALLOT_OPT_NEEDED, &strategies, "FILE",
     "the strategies to be measured (JSON); required", 0, 0},
    {"output", ALLOT_OPT_NEEDED, &output, "DIR", "run directory, created or gone on with; required",
     0, 0},
    {"split", ALLOT_OPT_STRING, &split, "NAME",
     "only train, validation, calibration or test (default: all)", 0, 0},
    {"splits", ALLOT_OPT_STRING, &splits, "FILE", "splits.h5, for --split", 0, 0},
    {"limit", ALLOT_OPT_LONG, &limit, "Q", "only the first Q queries (default: all)", 1, 1e12},
    {"pool", ALLOT_OPT_INT, &pool, "M",
     "samples per query for all parallel strategies (default: 2 x the largest N)", 1, 100000},
    {"runs", ALLOT_OPT_INT, &runs, "R", "independent runs of each beam search (default: 8)", 1,
     10000},
    {"shard", ALLOT_OPT_STRING, &shard, "I/N",
     "only the I-th of N parts of the queries, for 'allot-collect merge' (default: all)", 0, 0},
    ALLOT_ENGINE_SERVER_ROWS(given),
    ALLOT_ENGINE_GENERATION_ROWS(given),
    {0}};

static cJSON *done_of(const allot_sample_counts *n, allot_unit_kind kind)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "done", (double)n->done[kind]);
    cJSON_AddNumberToObject(o, "total", (double)n->total[kind]);
    return o;
}

static allot_code print_json(const allot_sample_result *r, allot_err *err)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", output);
    cJSON_AddNumberToObject(o, "queries", (double)r->n_queries);
    cJSON_AddItemToObject(o, "samples", done_of(&r->units, ALLOT_UNIT_SAMPLE));
    cJSON_AddItemToObject(o, "scores", done_of(&r->units, ALLOT_UNIT_SCORE));
    cJSON_AddItemToObject(o, "beams", done_of(&r->units, ALLOT_UNIT_BEAM));
    cJSON_AddNumberToObject(o, "errors", (double)r->n_errors);
    cJSON_AddNumberToObject(o, "failed_queries", (double)r->n_failed_queries);
    cJSON_AddNumberToObject(o, "tokens", (double)r->n_tokens);
    allot_json_add_number(o, "seconds", r->seconds);
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static void print_text(const allot_sample_result *r)
{
    const allot_sample_counts *n = &r->units;
    printf("%s: %ld queries, %ld of %ld samples, %ld of %ld scores, %ld of %ld beam searches\n",
           output, r->n_queries, n->done[ALLOT_UNIT_SAMPLE], n->total[ALLOT_UNIT_SAMPLE],
           n->done[ALLOT_UNIT_SCORE], n->total[ALLOT_UNIT_SCORE], n->done[ALLOT_UNIT_BEAM],
           n->total[ALLOT_UNIT_BEAM]);
    printf("this session: %ld tokens in %.1f s, %ld errors\n", r->n_tokens, r->seconds,
           r->n_errors);
}

/* "2/8" */
static allot_code read_shard(const char *text, allot_sample_config *c, allot_err *err)
{
    char first[16];
    long i, n;
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof first)
        return allot_fail(err, ALLOT_EUSAGE, "--shard '%s' is not of the form 2/8", text);
    snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    allot_code rc = allot_parse_long(slash + 1, "--shard", 1, ALLOT_MAX_SHARDS, &n, err);
    if (!rc) rc = allot_parse_long(first, "--shard", 1, n, &i, err);
    if (rc) return rc;
    c->shard = (int)i;
    c->n_shards = (int)n;
    return ALLOT_OK;
}

static allot_code configure(const allot_common *common, allot_err *err)
{
    allot_sample_defaults(&config);
    config.queries = (allot_query_choice){
        .dataset = dataset, .split = split, .splits = splits, .limit = limit, .seed = common->seed};
    config.strategies = strategies;
    config.output = output;
    config.pool = pool;
    config.runs = runs;
    config.engine.seed = common->seed;
    allot_code rc = shard ? read_shard(shard, &config, err) : ALLOT_OK;
    if (rc) return rc;
    return allot_engine_flags_apply(&given, &config.engine, err);
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_sample_result result;
    allot_code rc = configure(common, err);
    if (!rc) rc = allot_sample_check(&config, err);
    if (!rc) rc = allot_sample_run(&config, &result, err);
    if (rc && rc != ALLOT_EPARTIAL) return rc;
    if (!common->json) print_text(&result);
    else if (print_json(&result, rc ? NULL : err) && !rc) return ALLOT_ERUNTIME;
    return rc;
}

const allot_command allot_cmd_sample = {
    .name = "sample",
    .usage = "--dataset FILE --strategies FILE --output DIR --base-url URL [OPTION...]",
    .about =
        "Runs strategies over a data set and keeps the raw texts.\n"
        "Every query gets one pool of M samples, shared by single, majority, bon and weighted, "
        "and R independent runs of each beam search. Everything is written at once to "
        "DIR/journal.jsonl: a stopped or killed run goes on with the same command, and a larger "
        "--pool, more --runs, more strategies or more queries extend it. 'allot-collect label "
        "DIR' makes soft labels of it.\n"
        "Failed requests are tried again by the same command; the exit code is then 3.",
    .options = options,
    .run = run,
    .examples =
        "  # vLLM with a generator on port 8000 and a process reward model on port 8001\n"
        "  allot-collect sample --dataset problems.h5 --strategies default.json --output run \\\n"
        "    --base-url http://localhost:8000 --model Qwen/Qwen2.5-1.5B-Instruct \\\n"
        "    --prm-base-url http://localhost:8001 --prm-model Qwen/Qwen2.5-Math-PRM-7B\n"
        "  # a first look at 20 queries, without a reward model\n"
        "  echo '{\"schema\": \"allot-strategies\", \"version\": 1,\n"
        "    \"strategies\": [\"single\", \"majority@4\"]}' > small.json\n"
        "  allot-collect sample --dataset problems.h5 --strategies small.json --output look \\\n"
        "    --base-url http://localhost:8000 --limit 20",
};
