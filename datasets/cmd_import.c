/* SPDX-License-Identifier: Apache-2.0 */
/* allot-datasets import: options, and what was written and left out as text or JSON. */
#include <stdio.h>
#include "lib/core/json.h"
#include "datasets/datacommands.h"
#include "datasets/importing.h"

static const char *preset = "jsonl", *format, *fields[ALLOT_N_COLS];
static int shuffle, skip_bad, keep_unanswered, no_proofs, no_choice;
static long limit, min_length, max_length;
static double near, against_near = 0.8;
static const char *against;

static void print_counts(const allot_import_counts *c)
{
    printf("%ld problems written; %ld lines read, %ld bad\n", c->n[ALLOT_FATE_WRITTEN], c->lines,
           c->bad);
    for (int f = ALLOT_FATE_WRITTEN + 1; f < ALLOT_N_FATES; f++) {
        if (c->n[f]) printf("%-16s %ld\n", allot_fate_name((allot_fate)f), c->n[f]);
        for (int k = 0; k < ALLOT_IMPORT_EXAMPLES && f != ALLOT_FATE_LIMIT; k++) {
            const allot_import_example *e = &c->example[f][k];
            if (e->line && e->similarity > 0)
                printf("  line %ld, as line %ld (%.2f): %s\n", e->line, e->other, e->similarity,
                       e->problem);
            else if (e->line) printf("  line %ld: %s\n", e->line, e->problem);
        }
    }
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_import_settings s = {.skip_bad = skip_bad,
                               .keep_unanswered = keep_unanswered,
                               .no_proofs = no_proofs,
                               .no_choice = no_choice,
                               .min_length = min_length,
                               .max_length = max_length,
                               .near = near,
                               .against = against,
                               .against_near = against_near,
                               .limit = limit,
                               .shuffle = shuffle,
                               .seed = common->seed};
    allot_import_counts counts;
    if (shuffle && !limit) return allot_fail(err, ALLOT_EUSAGE, "--shuffle needs --limit");
    allot_code rc = allot_row_preset(preset, &s.rows, err);
    if (!rc && format) rc = allot_row_format(format, &s.rows.format, err);
    if (rc) return rc;
    for (int c = 0; c < ALLOT_N_COLS; c++)
        if (fields[c]) s.rows.field[c] = fields[c];
    if (fields[ALLOT_COL_ANSWER]) s.rows.gsm8k = 0;
    rc = allot_import(common->args[0], common->args[1], &s, &counts, err);
    if (rc) return rc;
    if (!common->json) {
        print_counts(&counts);
        return ALLOT_OK;
    }
    cJSON *o = allot_import_report(&counts);
    rc = allot_json_print(o, err);
    cJSON_Delete(o);
    return rc;
}

static const allot_option options[] = {
    {"preset", ALLOT_OPT_STRING, &preset, "NAME",
     "field names: jsonl, gsm8k, math, math500, aime, olympiad, numina", 0, 0},
    {"format", ALLOT_OPT_STRING, &format, "NAME",
     "jsonl, csv or tsv (by the file's name: x.csv, x.tsv.gz; else jsonl)", 0, 0},
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
    {"skip-bad", ALLOT_OPT_FLAG, &skip_bad, NULL, "leave bad lines out instead of stopping", 0, 0},
    {"keep-unanswered", ALLOT_OPT_FLAG, &keep_unanswered, NULL,
     "keep problems without a usable reference answer", 0, 0},
    {"no-proofs", ALLOT_OPT_FLAG, &no_proofs, NULL, "leave out what asks for a proof", 0, 0},
    {"no-choice", ALLOT_OPT_FLAG, &no_choice, NULL, "leave multiple choice out", 0, 0},
    {"min-length", ALLOT_OPT_LONG, &min_length, "N", "leave out problems of fewer characters", 1,
     1e9},
    {"max-length", ALLOT_OPT_LONG, &max_length, "N", "leave out problems of more characters", 1,
     1e9},
    {"near", ALLOT_OPT_DOUBLE, &near, "S",
     "leave out what is so similar to an earlier problem (0.8, say: runs of 5 words)", 0.5, 1},
    {"against", ALLOT_OPT_STRING, &against, "FILE",
     "leave out what is in this file too (test.jsonl, or a problems.h5)", 0, 0},
    {"against-near", ALLOT_OPT_DOUBLE, &against_near, "S",
     "or so similar to a problem of it; 1: the same text only", 0.5, 1},
    {"limit", ALLOT_OPT_LONG, &limit, "N", "write at most so many (else all)", 1, 1e12},
    {"shuffle", ALLOT_OPT_FLAG, &shuffle, NULL,
     "with --limit: drawn at random, by a hash of key and --seed, instead of the first", 0, 0},
    ALLOT_FORCE_ROW,
    {0}};

const allot_command allot_cmd_import = {
    "import",
    "[OPTION...] INPUT PROBLEMS.h5",
    "read problems with their reference answers from JSON lines, CSV or TSV\n"
    "INPUT may be packed with gzip or zstd. Bad lines are counted, and the first 5 shown.\n"
    "A field option may give several names, 'a|b': the first that is there.\n"
    "The key of a query is a hash of its text. The same text twice is kept once; with different\n"
    "answers it is left out; both are counted.",
    options,
    2,
    2,
    run,
    "  allot-datasets import --preset gsm8k test.jsonl problems.h5\n"
    "  allot-datasets import --problem-field q --answer-field a mine.jsonl problems.h5"};
