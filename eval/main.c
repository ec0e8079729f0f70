/* SPDX-License-Identifier: Apache-2.0 */
/* allot-eval: the bundle on its test queries, against every static strategy, their hull and the
 * oracle; and several bundles against each other. */
#include <stdio.h>
#include <stdlib.h>
#include "lib/core/json.h"
#include "lib/core/options.h"
#include "eval/compare.h"

static allot_evalinputs inputs;
static allot_report_settings settings;
static const char *output, *missing = "refuse";
static allot_list candidates;
static int no_pictures;

#define SHARED_OPTIONS                                                                              \
    {                                                                                               \
        "outcomes", ALLOT_OPT_NEEDED, &inputs.files.outcomes, "FILE", "outcomes.h5 (required)", 0,  \
        0},                                                                                         \
        {"splits", ALLOT_OPT_NEEDED, &inputs.files.splits, "FILE", "splits.h5 (required)", 0, 0},   \
        {"output", ALLOT_OPT_NEEDED, &output, "DIR", "folder of the report (required)", 0, 0},      \
        {"resamples", ALLOT_OPT_INT, &settings.resamples, "N", "bootstrap resamples", 100, 100000}, \
        {"lambdas", ALLOT_OPT_INT, &settings.max_lambdas, "N", "most points of a curve", 10, 5000}, \
        {"missing",                                                                                 \
         ALLOT_OPT_STRING,                                                                          \
         &missing,                                                                                  \
         "HOW",                                                                                     \
         "missing cells: refuse, drop-query, drop-strategy",                                        \
         0,                                                                                         \
         0},                                                                                        \
        {"no-pictures", ALLOT_OPT_FLAG, &no_pictures, NULL, "write no pictures", 0, 0},             \
        ALLOT_FORCE_ROW

static const allot_option report_options[] = {
    {"bundle", ALLOT_OPT_NEEDED, &inputs.bundle, "FILE", "model.safetensors (required)", 0, 0},
    {"embeddings", ALLOT_OPT_NEEDED, &inputs.files.embeddings, "FILE", "X.emb.h5 (required)", 0, 0},
    SHARED_OPTIONS,
    {"overhead-seconds", ALLOT_OPT_DOUBLE, &settings.overhead_seconds, "S",
     "embedding and selection, per query", 0, 1e6},
    {0}};

static const allot_option compare_options[] = {{"candidate", ALLOT_OPT_LIST, &candidates,
                                                "NAME=BUNDLE:EMBEDDINGS",
                                                "a bundle and its embeddings; two or more", 0, 0},
                                               SHARED_OPTIONS,
                                               {0}};

static allot_code check_shared(const allot_common *common, allot_err *err)
{
    settings.seed = common->seed;
    settings.pictures = !no_pictures;
    allot_code rc = allot_missing_parse(missing, &inputs.files.missing, err);
    if (!rc) rc = allot_report_check(&settings, err);
    return rc;
}

/* The result on stdout: the summary, or eval.json in one line. */
static allot_code print_result(const allot_common *common, char *summary, cJSON *json,
                               allot_err *err)
{
    allot_code rc = ALLOT_OK;
    if (common->json) rc = allot_json_print(json, err);
    else fputs(summary, stdout);
    free(summary);
    cJSON_Delete(json);
    return rc;
}

static allot_code run_report(const allot_common *common, allot_err *err)
{
    allot_code rc = check_shared(common, err);
    if (rc) return rc;
    allot_evaldata d;
    rc = allot_evaldata_load(&inputs, &d, err);
    if (rc) return rc;
    const allot_joined_files *f = &inputs.files;
    const char *files[] = {inputs.bundle, f->outcomes, f->embeddings, f->splits, NULL};
    char *summary = NULL;
    cJSON *json = NULL;
    rc = allot_report_write(&d, &settings, output, files, &summary, &json, err);
    allot_evaldata_clear(&d);
    return rc ? rc : print_result(common, summary, json, err);
}

static allot_code run_compare(const allot_common *common, allot_err *err)
{
    allot_code rc = check_shared(common, err);
    if (!rc && (candidates.n < 2 || candidates.n > ALLOT_MAX_CANDIDATES))
        rc = allot_fail(err, ALLOT_EUSAGE, "--candidate: give 2 to %d of them",
                        ALLOT_MAX_CANDIDATES);
    allot_candidate c[ALLOT_MAX_CANDIDATES] = {{{0}, NULL, NULL}};
    char *summary = NULL;
    cJSON *json = NULL;
    for (int i = 0; i < candidates.n && !rc; i++)
        rc = allot_candidate_parse(candidates.at[i], &c[i], err);
    if (!rc)
        rc = allot_compare_write(c, candidates.n, &inputs.files, &settings, output, &summary, &json,
                                 err);
    for (int i = 0; i < candidates.n && i < ALLOT_MAX_CANDIDATES; i++)
        allot_candidate_clear(&c[i]);
    free(candidates.at);
    return rc ? rc : print_result(common, summary, json, err);
}

static const allot_command commands[] = {
    {"report", "[OPTION...] --bundle M --outcomes O --embeddings X --splits S --output DIR",
     "evaluate one bundle on its test queries\n"
     "Writes eval.json, summary.txt, CSV tables and pictures: every static strategy, the hull of\n"
     "the statics with a simultaneous 95 % band of the difference, random, oracle (cross-fitted),\n"
     "oracle costs, the paper's lambda grids, shares of the strategies, calibration.",
     report_options, 0, 0, run_report,
     "  allot-eval report --bundle model.safetensors --outcomes outcomes.h5 \\\n"
     "    --embeddings qwen.emb.h5 --splits splits.h5 --output report"},
    {"compare",
     "[OPTION...] --candidate A=.. --candidate B=.. --outcomes O --splits S --output DIR",
     "compare bundles on the same outcomes and test queries\n"
     "Embeddings, or settings of the probe: paired differences over the same resamples.",
     compare_options, 0, 0, run_compare,
     "  allot-eval compare --outcomes outcomes.h5 --splits splits.h5 --output compare \\\n"
     "    --candidate qwen=qwen.safetensors:qwen.emb.h5 \\\n"
     "    --candidate bert=bert.safetensors:bert.emb.h5"},
};

int main(int argc, char **argv)
{
    allot_report_defaults(&settings);
    return allot_main("allot-eval",
                      "Evaluates the choice of decoding strategies on queries that were never "
                      "trained on.",
                      commands, 2, argc, argv);
}
