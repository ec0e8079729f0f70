/* SPDX-License-Identifier: Apache-2.0 */
/* allot-collect sample: options, the forecast of --dry-run, and what was sampled as text or JSON.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "collect/commands.h"
#include "lib/core/json.h"
#include "lib/engine/engineflags.h"
#include "collect/sample.h"

static allot_sample_config config;
static allot_engine_config given = ALLOT_ENGINE_FLAGS_NONE;
static const char *dataset, *split, *splits, *strategies, *output;
static long limit;
static const char *shard, *costs;
static int dry_run, allow_cuts;
static long pilot;
static double price, price_prompt, price_hour;
static int pool;

/* The defaults are there before options are parsed. */
__attribute__((constructor)) static void set_defaults(void)
{
    allot_sample_defaults(&config);
}

static const allot_option options[] = {
    {"dataset", ALLOT_OPT_NEEDED, &dataset, "FILE",
     "the problems (problems.h5 of allot-datasets); required", 0, 0},
    {"strategies", ALLOT_OPT_NEEDED, &strategies, "FILE",
     "the strategies to be measured (JSON); required", 0, 0},
    {"output", ALLOT_OPT_NEEDED, &output, "DIR", "run directory, created or gone on with; required",
     0, 0},
    {"split", ALLOT_OPT_STRING, &split, "NAME",
     "only train, validation, calibration or test (else all)", 0, 0},
    {"splits", ALLOT_OPT_STRING, &splits, "FILE", "splits.h5, for --split", 0, 0},
    {"limit", ALLOT_OPT_LONG, &limit, "Q",
     "only the first Q queries, also where the run has more, which it keeps (else all)", 1, 1e12},
    {"pool", ALLOT_OPT_INT, &pool, "M",
     "samples per query for all parallel strategies (else 2 x the largest N)", 1, 100000},
    {"runs", ALLOT_OPT_INT, &config.runs, "R", "independent runs of each search", 1, 10000},
    {"shard", ALLOT_OPT_STRING, &shard, "I/N",
     "only the I-th of N parts of the queries, for 'allot-collect merge' (else all)", 0, 0},
    {"allow-context-cuts", ALLOT_OPT_FLAG, &allow_cuts, NULL,
     "go on although the server's context cuts more than 1 % of the texts", 0, 0},
    {"dry-run", ALLOT_OPT_FLAG, &dry_run, NULL,
     "only foretell requests, tokens, seconds and money, from what the run has or --costs", 0, 0},
    {"pilot", ALLOT_OPT_LONG, &pilot, "Q",
     "with --dry-run: sample Q random queries first, among others that keep the server as busy as "
     "the run will (all are kept)",
     1, 1e12},
    {"costs", ALLOT_OPT_STRING, &costs, "FILE", "with --dry-run: an old cost table", 0, 0},
    {"price", ALLOT_OPT_DOUBLE, &price, "P", "with --dry-run: of a million generated tokens", 0,
     1e9},
    {"price-prompt", ALLOT_OPT_DOUBLE, &price_prompt, "P",
     "with --dry-run: of a million tokens that are read", 0, 1e9},
    {"price-hour", ALLOT_OPT_DOUBLE, &price_hour, "P", "with --dry-run: of an hour of the servers",
     0, 1e9},
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
    cJSON_AddItemToObject(o, "beams", done_of(&r->units, ALLOT_UNIT_SEARCH));
    cJSON_AddNumberToObject(o, "errors", (double)r->n_errors);
    cJSON_AddNumberToObject(o, "failed_queries", (double)r->n_failed_queries);
    cJSON_AddNumberToObject(o, "compared_queries", (double)r->n_compared);
    cJSON_AddNumberToObject(o, "identical_queries", (double)r->n_identical);
    cJSON_AddNumberToObject(o, "texts", (double)r->cuts.n_texts);
    cJSON_AddNumberToObject(o, "context_cuts", (double)r->cuts.n_cut);
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
           n->done[ALLOT_UNIT_SCORE], n->total[ALLOT_UNIT_SCORE], n->done[ALLOT_UNIT_SEARCH],
           n->total[ALLOT_UNIT_SEARCH]);
    printf("this session: %ld tokens in %.1f s, %ld errors\n", r->n_tokens, r->seconds,
           r->n_errors);
    if (r->cuts.n_cut)
        printf("cut by the server's context: %ld of %ld texts\n", r->cuts.n_cut, r->cuts.n_texts);
    if (r->n_identical)
        printf("always the same text: %ld of %ld queries with long texts\n", r->n_identical,
               r->n_compared);
}

static int has_price(void)
{
    return price > 0 || price_prompt > 0 || price_hour > 0;
}

static void add_estimate(cJSON *o, const char *name, const allot_estimate *e)
{
    char field[64];
    allot_json_add_number(o, name, e->mid);
    snprintf(field, sizeof field, "%s_low", name);
    allot_json_add_number(o, field, e->low);
    snprintf(field, sizeof field, "%s_high", name);
    allot_json_add_number(o, field, e->high);
}

static void add_pilot(cJSON *o, const allot_sample_result *r)
{
    if (!r->n_pilot) {
        cJSON_AddNullToObject(o, "pilot");
        return;
    }
    cJSON *p = cJSON_AddObjectToObject(o, "pilot");
    cJSON_AddNumberToObject(p, "queries", (double)r->n_pilot);
    cJSON_AddNumberToObject(p, "requests", (double)r->n_requests);
    cJSON_AddNumberToObject(p, "tokens", (double)r->n_tokens);
    cJSON_AddNumberToObject(p, "errors", (double)r->n_errors);
    cJSON_AddNumberToObject(p, "seconds", r->seconds);
}

static allot_code forecast_json(const allot_sample_result *r, allot_err *err)
{
    const allot_forecast *f = &r->forecast;
    const allot_estimate unknown = {NAN, NAN, NAN};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run", output);
    cJSON_AddTrueToObject(o, "dry_run");
    cJSON_AddNumberToObject(o, "queries", (double)r->n_queries);
    cJSON_AddItemToObject(o, "samples", done_of(&f->units, ALLOT_UNIT_SAMPLE));
    cJSON_AddItemToObject(o, "scores", done_of(&f->units, ALLOT_UNIT_SCORE));
    cJSON_AddItemToObject(o, "beams", done_of(&f->units, ALLOT_UNIT_SEARCH));
    allot_json_add_number(o, "requests", f->requests);
    add_estimate(o, "tokens", &f->tokens);
    add_estimate(o, "prompt_tokens", &f->prompt_tokens);
    add_estimate(o, "seconds", &f->seconds);
    add_estimate(o, "price", has_price() ? &f->price : &unknown);
    if (f->source) cJSON_AddStringToObject(o, "source", f->source);
    else cJSON_AddNullToObject(o, "source");
    add_pilot(o, r);
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static void print_about(const char *what, const allot_estimate *e, int digits)
{
    if (!isfinite(e->mid)) printf("  %-24s unknown\n", what);
    else if (!isfinite(e->low)) printf("  %-24s about %.*f\n", what, digits, e->mid);
    else
        printf("  %-24s about %.*f (%.*f to %.*f)\n", what, digits, e->mid, digits, e->low, digits,
               e->high);
}

static void print_forecast(const allot_sample_result *r)
{
    const allot_forecast *f = &r->forecast;
    const allot_sample_counts *n = &f->units;
    printf("%s: %ld queries; to come: %ld samples, %ld scores, %ld beam searches\n", output,
           r->n_queries, n->total[ALLOT_UNIT_SAMPLE] - n->done[ALLOT_UNIT_SAMPLE],
           n->total[ALLOT_UNIT_SCORE] - n->done[ALLOT_UNIT_SCORE],
           n->total[ALLOT_UNIT_SEARCH] - n->done[ALLOT_UNIT_SEARCH]);
    printf("  %-24s at most %.0f\n", "requests", f->requests);
    print_about("generated tokens", &f->tokens, 0);
    print_about("tokens read", &f->prompt_tokens, 0);
    print_about("seconds", &f->seconds, 1);
    if (has_price()) print_about("price", &f->price, 2);
    if (isfinite(f->tokens.low))
        printf("9 of 10 times it is within the brackets, by %ld queries of this run, if the "
               "servers stay as fast as they were\n",
               f->n_queries);
    if (r->n_pilot)
        printf("the pilot took %ld requests, %ld tokens and %.1f s, and is kept\n", r->n_requests,
               r->n_tokens, r->seconds);
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
    config.queries = (allot_query_choice){
        .dataset = dataset, .split = split, .splits = splits, .limit = limit, .seed = common->seed};
    config.strategies = strategies;
    config.output = output;
    config.pool = pool;
    config.engine.seed = common->seed;
    config.allow_cuts = allow_cuts;
    config.dry_run = dry_run;
    config.pilot = pilot;
    config.costs = costs;
    config.prices = (allot_prices){price / 1e6, price_prompt / 1e6, price_hour / 3600};
    if (!dry_run && (pilot || costs || has_price()))
        return allot_fail(err, ALLOT_EUSAGE, "--pilot, --costs and prices are for --dry-run");
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
    if (dry_run && common->json) return forecast_json(&result, err);
    if (dry_run) print_forecast(&result);
    else if (!common->json) print_text(&result);
    else if (print_json(&result, rc ? NULL : err) && !rc) return ALLOT_ERUNTIME;
    return rc;
}

const allot_command allot_cmd_sample = {
    .name = "sample",
    .usage = "--dataset FILE --strategies FILE --output DIR --base-url URL [OPTION...]",
    .about =
        "Runs strategies over a data set and keeps the raw texts.\n"
        "Every query gets one pool of M samples, shared by single, majority, bon and weighted, "
        "and R independent runs of each search. Everything is written at once to "
        "DIR/journal.jsonl: a stopped or killed run goes on with the same command, and a larger "
        "--pool, more --runs, more strategies or more queries extend it. 'allot-collect label "
        "DIR' makes soft labels of it.\n"
        "Failed requests are tried again by the same command, with new seeds where the server "
        "failed "
        "on all that it drew; the exit code is then 3. Servers that go away are waited for.",
    .options = options,
    .run = run,
    .examples =
        "  # vLLM with a generator on port 8000 and a process reward model on port 8001\n"
        "  allot-collect sample --dataset problems.h5 --strategies default.json --output run \\\n"
        "    --base-url http://localhost:8000 --model Qwen/Qwen2.5-1.5B-Instruct \\\n"
        "    --prm-base-url http://localhost:8001 --prm-model Qwen/Qwen2.5-Math-PRM-7B\n"
        "  # what will it take? samples 8 queries as the run will, and multiplies\n"
        "  allot-collect sample --dry-run --pilot 8 --price-hour 2.50 --dataset problems.h5 \\\n"
        "    --strategies default.json --output run --base-url http://localhost:8000 \\\n"
        "    --prm-base-url http://localhost:8001 --prm-model Qwen/Qwen2.5-Math-PRM-7B\n"
        "  # a first look at 20 queries, without a reward model\n"
        "  echo '{\"schema\": \"allot-strategies\", \"version\": 1,\n"
        "    \"strategies\": [\"single\", \"majority@4\"]}' > small.json\n"
        "  allot-collect sample --dataset problems.h5 --strategies small.json --output look \\\n"
        "    --base-url http://localhost:8000 --limit 20",
};
