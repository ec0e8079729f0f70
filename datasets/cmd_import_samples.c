/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets import-samples: options, and what was taken and left out. */
#include <stdio.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/store/rundir.h"
#include "lib/store/strategyfile.h"
#include "datasets/datacommands.h"
#include "datasets/samplesimport.h"
#include "lib/extract/gradeoptions.h"

static const char *strategies_path, *name, *settings_of;
static allot_grade_words words = ALLOT_GRADE_WORDS;

static allot_code print_counts(const allot_common *common, const allot_samples_counts *c,
                               allot_err *err)
{
    if (c->without_tokens > 0)
        allot_log_warn("%ld of %ld samples do not tell their tokens: counted as 0",
                       c->without_tokens, c->samples);
    if (c->disagreed > 0)
        allot_log_warn("allot's grader would judge %ld of %ld samples otherwise than \"correct\" "
                       "does, which counts; e.g. %s",
                       c->disagreed, c->judged, c->example);
    if (!common->json) {
        printf("%ld queries, %ld samples (%d to %d of a query)%s\n", c->queries, c->samples,
               c->least, c->pool, c->scored ? ", scored" : "");
        return ALLOT_OK;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "queries", (double)c->queries);
    cJSON_AddNumberToObject(o, "samples", (double)c->samples);
    cJSON_AddNumberToObject(o, "fewest", c->least);
    cJSON_AddNumberToObject(o, "most", c->pool);
    cJSON_AddBoolToObject(o, "scored", c->scored);
    cJSON_AddNumberToObject(o, "without_tokens", (double)c->without_tokens);
    cJSON_AddNumberToObject(o, "judged", (double)c->judged);
    cJSON_AddNumberToObject(o, "judged_otherwise", (double)c->disagreed);
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    const char *path = common->args[0], *slash = strrchr(path, '/');
    allot_strategies set = {0};
    allot_rundir like = {0};
    allot_samplesimport s = {.name = name ? name : slash ? slash + 1 : path};
    allot_samples_counts counts;
    allot_code rc = allot_grade_parse(&words, &s.grade, err);
    if (!rc && strategies_path) rc = allot_strategyfile_load(strategies_path, &set, err);
    if (strategies_path) s.want = &set;
    if (!rc && settings_of) rc = allot_rundir_load(settings_of, NULL, &like, err);
    s.fingerprint = like.fingerprint;
    if (!rc) rc = allot_samples_import(path, common->args[1], &s, &counts, err);
    if (!rc) rc = print_counts(common, &counts, err);
    allot_strategies_clear(&set);
    allot_rundir_clear(&like);
    return rc;
}

static const allot_option options[] = {
    {"strategies", ALLOT_OPT_STRING, &strategies_path, "FILE",
     "strategies to label (else single, and majority, with scores also bon and weighted, at "
     "the powers of two that every query has samples for)",
     0, 0},
    {"name", ALLOT_OPT_STRING, &name, "TEXT",
     "where the samples come from, for the fingerprint (else the file's name)", 0, 0},
    {"settings-of", ALLOT_OPT_STRING, &settings_of, "DIR",
     "the samples were drawn with the model and settings of this directory of 'allot-collect time' "
     "(or sample), so that its seconds and costs belong to them",
     0, 0},
    ALLOT_GRADE_ROWS(words),
    {0}};

const allot_command allot_cmd_import_samples = {
    "import-samples",
    "[OPTION...] SAMPLES.jsonl[.gz|.zst] RUN_DIR",
    "read samples that were drawn elsewhere\n"
    "One query a line, as search-and-learn writes them (problem, answer, completions, scores,\n"
    "completion_tokens) or {\"query\", \"answer\", \"samples\": [{\"text\" or \"extracted\", "
    "\"correct\",\n"
    "\"score\", \"tokens\", \"seconds\"}]}. Makes a run for 'allot-collect label'. What is told "
    "to\n"
    "be correct counts as told; else the label's grader decides.",
    options,
    2,
    2,
    run,
    "  allot-datasets import-samples bon_completions.jsonl run\n"
    "  allot-collect label run outcomes.h5"};
