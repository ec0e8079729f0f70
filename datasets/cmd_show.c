/* SPDX-License-Identifier: Apache-2.0 */
/* show: all that a file says of one query. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/embeddings.h"
#include "lib/core/json.h"
#include "lib/store/outcomes.h"
#include "lib/store/problems.h"
#include "lib/store/splits.h"
#include "datasets/datacommands.h"
#include "datasets/filefields.h"
#include "lib/grade/answerkind.h"
#include "liballot/features.h"
#include "liballot/mem.h"

enum { LEAST_DIGITS = 8 };

/* ---- which row ---- */

/* Digits of a key as messages print them, in hex; else the argument is the query's text. */
static int is_prefix(const char *text)
{
    size_t n = strlen(text);
    return n >= LEAST_DIGITS && n <= 64 && strspn(text, "0123456789abcdef") == n;
}

static allot_code find_row(const char *path, const char *wanted, const allot_key *keys, long n,
                           long *row, allot_err *err)
{
    char prefix[65], hex[65];
    allot_key key;
    long found = 0;
    if (!is_prefix(wanted)) {
        allot_code rc = allot_key_of_text(wanted, strlen(wanted), &key, err);
        if (rc) return rc;
        allot_key_hex(&key, prefix);
    } else {
        snprintf(prefix, sizeof prefix, "%s", wanted);
    }
    for (long i = 0; i < n; i++) {
        allot_key_hex(&keys[i], hex);
        if (strncmp(hex, prefix, strlen(prefix)) != 0) continue;
        *row = i;
        found++;
    }
    if (found == 1) return ALLOT_OK;
    if (found > 1)
        return allot_fail(err, ALLOT_EINPUT,
                          "%ld queries of '%.250s' have keys that begin with %s "
                          "(give more digits)",
                          found, path, prefix);
    return allot_fail(err, ALLOT_EINPUT,
                      "'%.250s' has no query with key %.16s among its %ld (give "
                      "at least %d digits of a key, the query's text, or the id that problems.h5, "
                      "the first file, has)",
                      path, prefix, n, LEAST_DIGITS);
}

/* The id that the data set gave it, if just one query has it, stands for the key. */
static void key_of_id(const allot_problems *p, const char *wanted, char hex[65])
{
    long found = 0;
    for (long i = 0; i < p->n; i++) {
        size_t n;
        const char *id = allot_strings_at(&p->col[ALLOT_COL_ID], i, &n);
        if (n != strlen(wanted) || memcmp(id, wanted, n) != 0) continue;
        allot_key_hex(&p->keys[i], hex);
        found++;
    }
    if (found != 1) hex[0] = '\0';
}

/* Finds the row and says which it is. */
static allot_code begin(const char *path, const char *wanted, const allot_key *keys, long n,
                        long *row, cJSON *out, allot_err *err)
{
    char hex[65];
    allot_code rc = find_row(path, wanted, keys, n, row, err);
    if (rc) return rc;
    allot_key_hex(&keys[*row], hex);
    cJSON_AddStringToObject(out, "key", hex);
    cJSON_AddNumberToObject(out, "row", (double)*row);
    return ALLOT_OK;
}

/* ---- what the files say of it ---- */

static allot_code add_text(cJSON *out, const char *name, const allot_strings *column, long row,
                           allot_err *err)
{
    size_t n;
    const char *at = allot_strings_at(column, row, &n);
    char *text = allot_mem_text(at, n, err);
    if (!text) return ALLOT_ERUNTIME;
    if (n > 0) cJSON_AddStringToObject(out, name, text);
    free(text);
    return ALLOT_OK;
}

static allot_code show_problem(const char *path, const char *wanted, cJSON *out, allot_err *err)
{
    static const char *const names[ALLOT_N_COLS] = {"problem", "answer", "solution",
                                                    "source",  "level",  "id"};
    allot_problems p = {0};
    long row = 0;
    size_t n;
    char hex[65];
    allot_code rc = allot_problems_load(path, 1, &p, err);
    if (!rc) key_of_id(&p, wanted, hex);
    if (!rc && *hex) wanted = hex;
    if (!rc) rc = begin(path, wanted, p.keys, p.n, &row, out, err);
    for (int c = 0; !rc && c < ALLOT_N_COLS; c++)
        rc = add_text(out, names[c], &p.col[c], row, err);
    if (!rc) {
        const char *text = allot_strings_at(&p.col[ALLOT_COL_PROBLEM], row, &n);
        cJSON_AddNumberToObject(out, "characters", (double)allot_features_codepoints(text, n));
        text = allot_strings_at(&p.col[ALLOT_COL_ANSWER], row, &n);
        cJSON_AddStringToObject(out, "answer_kind",
                                allot_answer_kind_name(allot_answer_kind_of(text, n)));
    }
    allot_problems_clear(&p);
    return rc;
}

static allot_code show_split(const char *path, const char *wanted, cJSON *out, allot_err *err)
{
    allot_splits s = {0};
    long row = 0;
    allot_code rc = allot_splits_load(path, &s, err);
    if (!rc) rc = begin(path, wanted, s.keys, s.n, &row, out, err);
    if (!rc) cJSON_AddStringToObject(out, "split", allot_split_name((allot_split)s.split[row]));
    allot_splits_clear(&s);
    return rc;
}

static allot_code show_embedding(const char *path, const char *wanted, cJSON *out, allot_err *err)
{
    allot_embeddings e = {0};
    long row = 0;
    allot_code rc = allot_embeddings_load(path, &e, err);
    if (!rc) rc = begin(path, wanted, e.keys, e.n, &row, out, err);
    if (!rc) {
        double square = 0;
        cJSON *vector = cJSON_CreateArray();
        for (long k = 0; k < e.dim; k++) {
            double x = (double)e.at[row * e.dim + k];
            square += x * x;
            cJSON_AddItemToArray(vector, cJSON_CreateNumber(x));
        }
        cJSON_AddStringToObject(out, "model", e.model);
        cJSON_AddNumberToObject(out, "length", sqrt(square));
        cJSON_AddItemToObject(out, "embedding", vector);
    }
    allot_embeddings_clear(&e);
    return rc;
}

static allot_code show_outcomes(const char *path, const char *wanted, cJSON *out, allot_err *err)
{
    allot_outcomes o = {0};
    long row = 0;
    allot_code rc = allot_outcomes_load(path, &o, err);
    if (!rc) rc = begin(path, wanted, o.keys, o.n, &row, out, err);
    cJSON *rows = rc ? NULL : cJSON_AddArrayToObject(out, "strategies");
    for (int s = 0; rows && s < o.strategies.count; s++) {
        size_t cell = (size_t)row * (size_t)o.strategies.count + (size_t)s;
        int there = o.n_trials[cell] > 0, timed = o.seconds_kind[cell] != ALLOT_SECONDS_ABSENT;
        char text[ALLOT_STRATEGY_TEXT];
        cJSON *r = cJSON_CreateObject();
        allot_strategy_print(&o.strategies.at[s], text);
        cJSON_AddStringToObject(r, "strategy", text);
        allot_json_add_number(r, "accuracy", there ? (double)o.accuracy[cell] : NAN);
        allot_json_add_number(r, "variance", there ? (double)o.variance[cell] : NAN);
        allot_json_add_number(r, "tokens", there ? (double)o.tokens[cell] : NAN);
        allot_json_add_number(r, "seconds", there && timed ? (double)o.seconds[cell] : NAN);
        cJSON_AddNumberToObject(r, "trials", o.n_trials[cell]);
        cJSON_AddItemToArray(rows, r);
    }
    allot_outcomes_clear(&o);
    return rc;
}

static allot_code show(const char *path, const char *wanted, cJSON *out, allot_err *err)
{
    static const struct {
        const char *schema;
        allot_code (*show)(const char *path, const char *wanted, cJSON *out, allot_err *err);
    } kinds[] = {{ALLOT_PROBLEMS_SCHEMA, show_problem},
                 {ALLOT_SPLITS_SCHEMA, show_split},
                 {ALLOT_EMBEDDINGS_SCHEMA, show_embedding},
                 {ALLOT_OUTCOMES_SCHEMA, show_outcomes}};
    char *schema = NULL;
    allot_code rc = allot_fields_schema(path, &schema, err);
    if (rc) return rc;
    size_t i = 0, n = sizeof kinds / sizeof *kinds;
    while (i < n && strcmp(kinds[i].schema, schema) != 0)
        i++;
    if (i < n) rc = kinds[i].show(path, wanted, out, err);
    else rc = allot_fail(err, ALLOT_EINPUT, "'%.250s' holds no queries ('%.64s')", path, schema);
    free(schema);
    return rc;
}

/* One file gives one object, several a list of them. */
static allot_code run(const allot_common *common, allot_err *err)
{
    int n = common->n_args - 1;
    const char *wanted = common->args[n];
    allot_code rc = ALLOT_OK;
    cJSON *all = cJSON_CreateArray();
    for (int i = 0; i < n && !rc; i++) {
        cJSON *out = cJSON_CreateObject();
        cJSON_AddItemToArray(all, out);
        cJSON_AddStringToObject(out, "file", common->args[i]);
        rc = show(common->args[i], wanted, out, err);
        if (!rc) wanted = cJSON_GetObjectItem(out, "key")->valuestring; /* other files know no id */
    }
    const cJSON *out;
    if (!rc && common->json && n > 1) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToObject(o, "files", all);
        rc = allot_json_print(o, err);
        cJSON_Delete(o);
        return rc;
    }
    cJSON_ArrayForEach(out, all)
    {
        if (!rc && common->json) rc = allot_json_print(out, err);
        else if (!rc) allot_fields_print(out);
    }
    cJSON_Delete(all);
    return rc;
}

const allot_command allot_cmd_show = {
    "show",
    "[OPTION...] FILE... KEY",
    "say all that files hold of one query: problems, splits, embeddings, outcomes\n"
    "KEY is at least 8 hex digits of the query's key, as messages print them, its text, or, where\n"
    "the first file is problems.h5, its id there.",
    NULL,
    2,
    -1,
    run,
    "  allot-datasets show problems.h5 3f2a9c01\n"
    "  allot-datasets show problems.h5 splits.h5 outcomes.h5 3f2a9c01\n"
    "  allot-datasets show --json outcomes.h5 '12+7*3-5=?'"};
