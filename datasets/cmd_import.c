/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "core/json.h"
#include "datasets/datacommands.h"
#include "datasets/jsonlimport.h"

static const char *preset = "jsonl", *fields[ALLOT_N_COLS];
static int skip_bad, keep_unanswered;
static long limit;

static allot_code print_counts(const allot_common *common, const allot_import_counts *c,
                               allot_err *err)
{
    if (!common->json) {
        printf("%ld problems written; %ld lines read, %ld bad, %ld repeated, %ld contradicting, "
               "%ld without a usable answer\n",
               c->written, c->lines, c->bad, c->duplicates, c->contradictions, c->unanswered);
        return ALLOT_OK;
    }
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "written", (double)c->written);
    cJSON_AddNumberToObject(o, "lines", (double)c->lines);
    cJSON_AddNumberToObject(o, "bad", (double)c->bad);
    cJSON_AddNumberToObject(o, "duplicates", (double)c->duplicates);
    cJSON_AddNumberToObject(o, "contradictions", (double)c->contradictions);
    cJSON_AddNumberToObject(o, "unanswered", (double)c->unanswered);
    allot_code rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_import_settings s;
    allot_import_counts counts;
    allot_code rc = allot_import_preset(preset, &s, err);
    if (rc) return rc;
    for (int c = 0; c < ALLOT_N_COLS; c++)
        if (fields[c]) s.field[c] = fields[c];
    s.skip_bad = skip_bad;
    s.keep_unanswered = keep_unanswered;
    s.limit = limit;
    rc = allot_import_jsonl(common->args[0], common->args[1], &s, &counts, err);
    return rc ? rc : print_counts(common, &counts, err);
}

static const allot_option options[] = {
    {"preset", ALLOT_OPT_STRING, &preset, "NAME",
     "field names: jsonl (default), gsm8k, math, math500, aime, numina", 0, 0},
    {"problem-field", ALLOT_OPT_STRING, &fields[ALLOT_COL_PROBLEM], "NAME", "field of the problem",
     0, 0},
    {"answer-field", ALLOT_OPT_STRING, &fields[ALLOT_COL_ANSWER], "NAME",
     "field of the reference answer", 0, 0},
    {"solution-field", ALLOT_OPT_STRING, &fields[ALLOT_COL_SOLUTION], "NAME",
     "field of the solution, whose last \\boxed{} is the answer if there is no other", 0, 0},
    {"id-field", ALLOT_OPT_STRING, &fields[ALLOT_COL_ID], "NAME", "field of an id", 0, 0},
    {"source-field", ALLOT_OPT_STRING, &fields[ALLOT_COL_SOURCE], "NAME", "field of a source", 0,
     0},
    {"level-field", ALLOT_OPT_STRING, &fields[ALLOT_COL_LEVEL], "NAME", "field of a level", 0, 0},
    {"skip-bad", ALLOT_OPT_FLAG, &skip_bad, NULL, "leave bad lines out (counted, 5 shown)", 0, 0},
    {"keep-unanswered", ALLOT_OPT_FLAG, &keep_unanswered, NULL,
     "keep problems without a usable reference answer", 0, 0},
    {"limit", ALLOT_OPT_LONG, &limit, "N", "write at most so many (all)", 1, 1e12},
    {0}};

const allot_command allot_cmd_import = {
    "import",
    "[OPTION...] INPUT.jsonl PROBLEMS.h5",
    "read problems with their reference answers from JSON lines\n"
    "The key of a query is a hash of its text. The same text twice is kept once; with different\n"
    "answers it is left out; both are counted.",
    options,
    2,
    2,
    run,
    "  allot-datasets import --preset gsm8k test.jsonl problems.h5\n"
    "  allot-datasets import --problem-field q --answer-field a mine.jsonl problems.h5"};
