/* SPDX-License-Identifier: Apache-2.0 */
/* overlap: which problems are alike, within a file, between its splits and against another file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/store/problems.h"
#include "lib/store/splits.h"
#include "datasets/datacommands.h"
#include "datasets/importing.h"
#include "datasets/textlist.h"
#include "liballot/mem.h"

static const char *splits_file, *against;
static double threshold = 0.8;

typedef struct {
    allot_problems problems;
    allot_textlist texts; /* of all problems; line: the row */
    cJSON *out, *pairs;   /* the report and its array */
} overlap;

/* One row of the report: `count` of n queries of `what` are like one of `like`. */
static cJSON *add_pair(overlap *o, const char *what, const char *like, long n)
{
    cJSON *pair = cJSON_CreateObject();
    cJSON_AddItemToArray(o->pairs, pair);
    cJSON_AddStringToObject(pair, "queries_of", what);
    cJSON_AddStringToObject(pair, "like", like);
    cJSON_AddNumberToObject(pair, "queries", (double)n);
    cJSON_AddNumberToObject(pair, "count", 0);
    cJSON_AddArrayToObject(pair, "examples");
    return pair;
}

static void add_problem(const overlap *o, cJSON *example, const char *name, long row)
{
    size_t n;
    const char *text = allot_strings_at(&o->problems.col[ALLOT_COL_PROBLEM], row, &n);
    char start[ALLOT_EXAMPLE_BYTES];
    allot_example_text(text, n, start);
    cJSON_AddStringToObject(example, name, start);
}

/* Counts; the first are shown. other: a row of the problems, or of another file (line > 0). */
static void add_match(const overlap *o, cJSON *pair, long row, double similarity, long other,
                      long line)
{
    cJSON *count = cJSON_GetObjectItemCaseSensitive(pair, "count");
    cJSON *examples = cJSON_GetObjectItemCaseSensitive(pair, "examples");
    char hex[65];
    cJSON_SetNumberValue(count, count->valuedouble + 1);
    if (count->valuedouble > ALLOT_IMPORT_EXAMPLES) return;
    cJSON *e = cJSON_CreateObject();
    cJSON_AddItemToArray(examples, e);
    allot_key_hex(&o->problems.keys[row], hex);
    cJSON_AddStringToObject(e, "key", hex);
    cJSON_AddNumberToObject(e, "similarity", round(1000 * similarity) / 1000);
    add_problem(o, e, "problem", row);
    if (other >= 0) add_problem(o, e, "as", other);
    else cJSON_AddNumberToObject(e, "as_line", (double)line);
}

static allot_code within(overlap *o, allot_err *err)
{
    const allot_textlist *t = &o->texts;
    long *near = allot_mem_array((size_t)t->n, sizeof *near, err);
    allot_code rc = near ? allot_minhash_near(t->text, t->n, threshold, near, err) : ALLOT_ERUNTIME;
    cJSON *pair = rc ? NULL : add_pair(o, "all", "an earlier one", t->n);
    for (long i = 0; !rc && i < t->n; i++)
        if (near[i] >= 0)
            add_match(o, pair, i, allot_minhash_similarity(&t->text[i], &t->text[near[i]]), near[i],
                      0);
    free(near);
    return rc;
}

/* The queries of t that are in other; rows: other is of the problems, too. */
static allot_code between(overlap *o, const allot_textlist *t, const allot_textlist *other,
                          cJSON *pair, int rows, allot_err *err)
{
    long *match = allot_mem_array((size_t)t->n, sizeof *match, err);
    double *similarity = allot_mem_array((size_t)t->n, sizeof *similarity, err);
    allot_code rc = match && similarity
                        ? allot_textlist_match(t, other, threshold, match, similarity, err)
                        : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < t->n; i++)
        if (match[i] >= 0)
            add_match(o, pair, t->line[i], similarity[i], rows ? other->line[match[i]] : -1,
                      other->line[match[i]]);
    free(match);
    free(similarity);
    return rc;
}

static allot_code pick(const overlap *o, const uint8_t *split_of, int split, allot_textlist *out,
                       allot_err *err)
{
    allot_code rc = ALLOT_OK;
    for (long i = 0; i < o->texts.n && !rc; i++) {
        size_t n;
        if (split_of[i] != split) continue;
        const char *text = allot_strings_at(&o->problems.col[ALLOT_COL_PROBLEM], i, &n);
        rc = allot_textlist_add(out, &o->texts.keys[i], text, n, i, 1, err);
    }
    return rc;
}

static allot_code between_splits(overlap *o, allot_err *err)
{
    allot_splits s = {0};
    allot_textlist of[ALLOT_N_SPLITS] = {{0}};
    uint8_t *split_of = allot_mem_array((size_t)o->texts.n, 1, err);
    allot_code rc = split_of ? allot_splits_load(splits_file, &s, err) : ALLOT_ERUNTIME;
    if (!rc)
        rc = allot_splits_join(&s, splits_file, o->texts.keys, o->texts.n, "the problems", split_of,
                               err);
    for (int k = 0; k < ALLOT_N_SPLITS && !rc; k++)
        rc = pick(o, split_of, k, &of[k], err);
    for (int b = 1; b < ALLOT_N_SPLITS; b++)
        for (int a = 0; a < b && !rc; a++)
            rc = between(o, &of[b], &of[a],
                         add_pair(o, allot_split_name((allot_split)b),
                                  allot_split_name((allot_split)a), of[b].n),
                         1, err);
    for (int k = 0; k < ALLOT_N_SPLITS; k++)
        allot_textlist_clear(&of[k]);
    free(split_of);
    allot_splits_clear(&s);
    return rc;
}

static allot_code against_file(overlap *o, allot_err *err)
{
    allot_textlist other = {0};
    allot_code rc = allot_textlist_load(against, ALLOT_PROBLEM_FIELDS, threshold < 1, &other, err);
    if (!rc) rc = between(o, &o->texts, &other, add_pair(o, "all", against, o->texts.n), 0, err);
    allot_textlist_clear(&other);
    return rc;
}

static void print_text(const cJSON *pairs)
{
    const cJSON *pair, *e;
    cJSON_ArrayForEach(pair, pairs)
    {
        printf("%.0f of %.0f queries of %s are like one of %s\n",
               cJSON_GetObjectItem(pair, "count")->valuedouble,
               cJSON_GetObjectItem(pair, "queries")->valuedouble,
               cJSON_GetObjectItem(pair, "queries_of")->valuestring,
               cJSON_GetObjectItem(pair, "like")->valuestring);
        cJSON_ArrayForEach(e, cJSON_GetObjectItem(pair, "examples"))
        {
            const cJSON *as = cJSON_GetObjectItem(e, "as");
            printf("  %.16s (%.2f) %s\n", cJSON_GetObjectItem(e, "key")->valuestring,
                   cJSON_GetObjectItem(e, "similarity")->valuedouble,
                   cJSON_GetObjectItem(e, "problem")->valuestring);
            if (as) printf("    as %s\n", as->valuestring);
            else printf("    as line %.0f\n", cJSON_GetObjectItem(e, "as_line")->valuedouble);
        }
    }
}

static allot_code run(const allot_common *common, allot_err *err)
{
    overlap o = {.out = cJSON_CreateObject()};
    allot_code rc = allot_problems_load(common->args[0], 0, &o.problems, err);
    if (!rc) rc = allot_textlist_load(common->args[0], NULL, 1, &o.texts, err);
    o.pairs = cJSON_AddArrayToObject(o.out, "overlaps");
    if (!rc) rc = within(&o, err);
    if (!rc && splits_file) rc = between_splits(&o, err);
    if (!rc && against) rc = against_file(&o, err);
    if (!rc && common->json) rc = allot_json_print(o.out, err);
    else if (!rc) print_text(o.pairs);
    cJSON_Delete(o.out);
    allot_textlist_clear(&o.texts);
    allot_problems_clear(&o.problems);
    return rc;
}

static const allot_option options[] = {
    {"splits", ALLOT_OPT_STRING, &splits_file, "FILE",
     "also between train, validation, calibration and test", 0, 0},
    {"against", ALLOT_OPT_STRING, &against, "FILE",
     "also against another file (test.jsonl, or a problems.h5)", 0, 0},
    {"near", ALLOT_OPT_DOUBLE, &threshold, "S",
     "what is alike: similarity of the sets of runs of 5 words, estimated", 0.5, 1},
    {0}};

const allot_command allot_cmd_overlap = {
    "overlap",
    "[OPTION...] PROBLEMS.h5",
    "count problems that are alike: within the file, between splits, against another file\n"
    "The same text cannot be twice in PROBLEMS.h5, only like ones. To leave them out, import with\n"
    "--near and --against.",
    options,
    1,
    1,
    run,
    "  allot-datasets overlap --splits splits.h5 problems.h5\n"
    "  allot-datasets overlap --against math500.jsonl --near 0.7 problems.h5"};
