/* SPDX-License-Identifier: Apache-2.0 */
/* allot-collect time: options, and what was timed at each load as text or JSON. */
#include <math.h>
#include <stdio.h>
#include "collect/commands.h"
#include "lib/core/json.h"
#include "lib/engine/engineflags.h"
#include "collect/timing.h"

static allot_timing_config config;
static allot_engine_config given = ALLOT_ENGINE_FLAGS_NONE;
static const char *dataset, *split, *splits, *strategies, *output, *loads, *hardware;
static long queries;
static int stream;
static double precision; /* in percent */

/* The defaults are there before options are parsed. */
__attribute__((constructor)) static void set_defaults(void)
{
    static char load[16];
    allot_timing_defaults(&config);
    precision = 100 * config.precision;
    snprintf(load, sizeof load, "%d", config.loads[0]);
    loads = load;
}

static const allot_option options[] = {
    {"dataset", ALLOT_OPT_NEEDED, &dataset, "FILE",
     "the problems (problems.h5 of allot-datasets); required", 0, 0},
    {"strategies", ALLOT_OPT_NEEDED, &strategies, "FILE",
     "the strategies to be timed (JSON); required", 0, 0},
    {"output", ALLOT_OPT_NEEDED, &output, "DIR",
     "timing directory, created or gone on with; required", 0, 0},
    {"load", ALLOT_OPT_STRING, &loads, "LIST", "strategies in flight, ascending, e.g. 1,8", 0, 0},
    {"queries", ALLOT_OPT_ELSE(LONG, &queries, &config.queries.limit), "N",
     "at most so many queries, taken at random; of a --split, all unless told", 1, 1e12},
    {"precision", ALLOT_OPT_DOUBLE, &precision, "PERCENT",
     "stop when the standard error of every strategy's mean seconds is below this part of it; 0: "
     "time all queries",
     0, 100},
    {"split", ALLOT_OPT_STRING, &split, "NAME",
     "only train, validation, calibration or test (else all)", 0, 0},
    {"splits", ALLOT_OPT_STRING, &splits, "FILE", "splits.h5, for --split", 0, 0},
    {"runs", ALLOT_OPT_INT, &config.runs, "R", "timings of each query, strategy and load", 1,
     10000},
    {"num-warmups", ALLOT_OPT_INT, &config.num_warmups, "W",
     "unrecorded strategies before each load", 0, 10000},
    {"stream", ALLOT_OPT_FLAG, &stream, NULL,
     "let texts come piece by piece, and note the time to the first piece (ttft_s)", 0, 0},
    {"hardware", ALLOT_OPT_STRING, &hardware, "TEXT",
     "what the server runs on, e.g. '1 x A100-80GB' (else this machine's processor)", 0, 0},
    ALLOT_ENGINE_SERVER_ROWS(given),
    ALLOT_ENGINE_GENERATION_ROWS(given),
    {0}};

static cJSON *load_json(const allot_timing_load *l, int load)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "load", load);
    allot_json_add_number(o, "relative_error", l->error);
    cJSON_AddStringToObject(o, "least_precise", l->least_precise);
    allot_json_add_number(o, "client_share", l->client_share);
    cJSON_AddNumberToObject(o, "left", (double)l->left);
    return o;
}

static allot_code print_json(const allot_timing_result *r, allot_err *err)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "timing", output);
    cJSON_AddNumberToObject(o, "queries", (double)r->n_queries);
    cJSON_AddNumberToObject(o, "done", (double)r->done);
    cJSON_AddNumberToObject(o, "total", (double)r->total);
    cJSON_AddNumberToObject(o, "errors", (double)r->n_errors);
    cJSON_AddNumberToObject(o, "done_again", (double)r->n_again);
    allot_json_add_number(o, "foreign", r->foreign_known ? (double)r->n_foreign : NAN);
    cJSON_AddNumberToObject(o, "tokens", (double)r->n_tokens);
    allot_json_add_number(o, "seconds", r->seconds);
    allot_json_add_number(o, "ttft_seconds", r->n_ttft ? r->ttft_s / (double)r->n_ttft : NAN);
    allot_json_add_number(o, "client_cpu_share", r->client_share);
    cJSON_AddNumberToObject(o, "failed", (double)r->n_failed);
    cJSON *list = cJSON_AddArrayToObject(o, "loads");
    for (int i = 0; i < config.n_loads; i++)
        cJSON_AddItemToArray(list, load_json(&r->loads[i], config.loads[i]));
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static void print_load(const allot_timing_load *l, int load)
{
    printf("load %d: ", load);
    if (isfinite(l->error))
        printf("mean seconds known to %.1f %% or better ('%s' is the least precise)",
               100 * l->error, l->least_precise);
    else printf("too few queries to say how precise the means are");
    if (isfinite(l->client_share))
        printf("; of the seconds %.2f %% are this program's own", 100 * l->client_share);
    printf("\n");
}

static void print_text(const allot_timing_result *r)
{
    printf("%s: %ld of at most %ld timings on %ld queries\n", output, r->done, r->total,
           r->n_queries);
    for (int i = 0; i < config.n_loads; i++)
        print_load(&r->loads[i], config.loads[i]);
    printf("this session: %ld tokens in %.1f s, %ld errors, %ld timings done again after retries",
           r->n_tokens, r->seconds, r->n_errors, r->n_again);
    if (r->foreign_known) printf(", %ld under other load", r->n_foreign);
    if (r->n_ttft)
        printf("\nfirst piece of a text after %.4f s in the mean", r->ttft_s / (double)r->n_ttft);
    printf("\nthis program itself used %.1f %% of a processor\n", 100 * r->client_share);
}

static allot_code configure(const allot_common *common, allot_err *err)
{
    allot_query_choice *q = &config.queries;
    q->dataset = dataset;
    q->split = split;
    q->splits = splits;
    if (split) q->limit = 0;
    if (queries) q->limit = queries;
    config.strategies = strategies;
    config.output = output;
    config.precision = precision / 100;
    config.hardware = hardware;
    config.engine.seed = q->seed = common->seed;
    config.engine.stream = stream;
    allot_code rc = allot_engine_flags_apply(&given, &config.engine, err);
    if (rc) return rc;
    long list[sizeof config.loads / sizeof *config.loads];
    rc = allot_parse_longs(loads, "--load", 1, 4096, list, sizeof list / sizeof *list,
                           &config.n_loads, err);
    for (int i = 0; !rc && i < config.n_loads; i++)
        config.loads[i] = (int)list[i];
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_timing_result result;
    allot_code rc = configure(common, err);
    if (!rc) rc = allot_timing_check(&config, err);
    if (!rc) rc = allot_timing_run(&config, &result, err);
    if (rc && rc != ALLOT_EPARTIAL) return rc;
    if (!common->json) print_text(&result);
    else if (print_json(&result, rc ? NULL : err) && !rc) return ALLOT_ERUNTIME;
    return rc;
}

const allot_command allot_cmd_time = {
    .name = "time",
    .usage = "--dataset FILE --strategies FILE --output DIR --base-url URL [OPTION...]",
    .about =
        "Times whole strategies on a server, for the cost table.\n"
        "Each strategy is run as a user would run it, from the first byte sent to the final "
        "answer, with a declared number of strategies in flight (--load), in random order, after "
        "warm-up, with a cold prefix cache, until the means are known to --precision. Retried "
        "requests spoil a timing: it is done again. "
        "The server should have nothing else to do: timings under other load are flagged. A "
        "stopped run goes on with the same command.\n"
        "New hardware needs only this, 'allot-calibrate costs' and 'allot-export'.",
    .options = options,
    .run = run,
    .examples =
        "  # one strategy in flight, until every mean is known to 5 %\n"
        "  allot-collect time --dataset problems.h5 --strategies default.json --output timing \\\n"
        "    --base-url http://localhost:8000 --prm-base-url http://localhost:8001 \\\n"
        "    --prm-model Qwen/Qwen2.5-Math-PRM-7B --hardware '1 x A100-80GB'\n"
        "  # all test queries, alone and with eight in flight\n"
        "  allot-collect time --dataset problems.h5 --split test --splits splits.h5 --load 1,8 "
        "\\\n"
        "    --strategies default.json --output timing --base-url http://localhost:8000 \\\n"
        "    --precision 0",
};
