/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets split: fractions and strata to settings, and the sizes of the splits. */
#include <stdio.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "datasets/datacommands.h"
#include "datasets/splitting.h"

static const char *fractions, *by;
static double near;

/* The defaults are there before options are parsed. */
__attribute__((constructor)) static void set_defaults(void)
{
    static char text[64];
    allot_split_settings s;
    allot_split_defaults(&s);
    snprintf(text, sizeof text, "%g,%g,%g,%g", s.fraction[0], s.fraction[1], s.fraction[2],
             s.fraction[3]);
    fractions = text;
}

static allot_code settings_of(const allot_common *common, allot_split_settings *s, allot_err *err)
{
    allot_split_defaults(s);
    s->seed = common->seed;
    s->near = near;
    if (by && strcmp(by, "source") == 0) s->by = ALLOT_COL_SOURCE;
    else if (by && strcmp(by, "level") == 0) s->by = ALLOT_COL_LEVEL;
    else if (by) return allot_fail(err, ALLOT_EUSAGE, "--by: '%s' is neither source nor level", by);
    return allot_split_fractions(fractions, s, err);
}

static allot_code print_result(const allot_common *common, const allot_splits *s, allot_err *err)
{
    long n[ALLOT_N_SPLITS] = {0};
    for (long i = 0; i < s->n; i++)
        n[s->split[i]]++;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "split_id", s->id);
    for (int i = 0; i < ALLOT_N_SPLITS; i++) {
        const char *name = allot_split_name((allot_split)i);
        cJSON_AddNumberToObject(o, name, (double)n[i]);
        if (n[i] == 0) allot_log_warn("the %s split is empty", name);
        if (!common->json) printf("%-12s %ld\n", name, n[i]);
    }
    allot_code rc = common->json ? allot_json_print(o, err) : ALLOT_OK;
    cJSON_Delete(o);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_split_settings settings;
    allot_problems problems = {0};
    allot_splits splits = {0};
    const char *inputs[] = {common->args[0], NULL};
    allot_code rc = settings_of(common, &settings, err);
    if (!rc) rc = allot_problems_load(common->args[0], 0, &problems, err);
    if (!rc) rc = allot_split_make(&problems, &settings, &splits, err);
    if (!rc) rc = allot_splits_save(common->args[1], &splits, "allot-datasets", inputs, err);
    if (!rc) rc = print_result(common, &splits, err);
    allot_problems_clear(&problems);
    allot_splits_clear(&splits);
    return rc;
}

static const allot_option options[] = {
    {"fractions", ALLOT_OPT_STRING, &fractions, "F,F,F,F", "train,validation,calibration,test", 0,
     0},
    {"by", ALLOT_OPT_STRING, &by, "COLUMN", "hold the shares within each source or level", 0, 0},
    {"near", ALLOT_OPT_DOUBLE, &near, "S",
     "keep queries that are so similar in one split (0.8, say: see overlap)", 0.5, 1},
    ALLOT_FORCE_ROW,
    {0}};

const allot_command allot_cmd_split = {
    "split",
    "[OPTION...] PROBLEMS.h5 SPLITS.h5",
    "assign every query to train, validation, calibration or test\n"
    "By a hash of the query's key and --seed: a query stays in its split when others are added\n"
    "(not with --by or --near).",
    options,
    2,
    2,
    run,
    "  allot-datasets split --fractions 0.6,0.1,0.1,0.2 problems.h5 splits.h5"};
