/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by text, quantiles of lengths and examples, each a field of the object that inspect
 * prints. */
#include "datasets/problemstats.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/store/provenance.h"
#include "lib/store/splits.h"
#include "datasets/importing.h"
#include "datasets/minhash.h"
#include "lib/grade/answerkind.h"
#include "liballot/features.h"
#include "liballot/mem.h"
#include "liballot/utf8.h"

enum { MOST_TEXTS = 20, TEXT_BYTES = 60, EXAMPLES = 3 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef struct {
    const char *text;
    long n;
} occurrences;

static int by_count(const void *a, const void *b)
{
    const occurrences *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->text, y->text);
}

/* How often each text of a sorted list occurs, the most frequent first, at most MOST_TEXTS. */
static allot_code count_texts(cJSON *out, const char *name, char **texts, long n, allot_err *err)
{
    char distinct[64];
    occurrences *found = allot_mem_array((size_t)n, sizeof *found, err);
    size_t n_found = 0;
    if (!found) return ALLOT_ERUNTIME;
    for (long first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && strcmp(texts[first], texts[end]) == 0;)
            end++;
        if (texts[first][0]) found[n_found++] = (occurrences){texts[first], end - first};
    }
    qsort(found, n_found, sizeof *found, by_count);
    snprintf(distinct, sizeof distinct, "distinct_%s", name);
    cJSON_AddNumberToObject(out, distinct, (double)n_found);
    cJSON *o = cJSON_AddObjectToObject(out, name);
    for (size_t i = 0; i < n_found && i < MOST_TEXTS; i++)
        cJSON_AddNumberToObject(o, found[i].text, (double)found[i].n);
    free(found);
    return ALLOT_OK;
}

static allot_code add_counts(cJSON *out, const char *name, const allot_strings *s, allot_err *err)
{
    char **texts = allot_mem_array((size_t)s->n, sizeof *texts, err);
    if (!texts) return ALLOT_ERUNTIME;
    allot_code rc = ALLOT_OK;
    for (long i = 0; i < s->n && !rc; i++) {
        size_t n;
        const char *text = allot_strings_at(s, i, &n);
        n = allot_utf8_valid(text, n < TEXT_BYTES ? n : TEXT_BYTES);
        if (!(texts[i] = allot_mem_text(text, n, err))) rc = ALLOT_ERUNTIME;
    }
    if (!rc) {
        qsort(texts, (size_t)s->n, sizeof *texts, by_text);
        rc = count_texts(out, name, texts, s->n, err);
    }
    for (long i = 0; i < s->n; i++)
        free(texts[i]);
    free(texts);
    return rc;
}

static void add_kinds(cJSON *out, const allot_strings *answers)
{
    cJSON *kinds = cJSON_AddObjectToObject(out, "answer_kinds");
    for (long i = 0; i < answers->n; i++) {
        size_t n;
        const char *answer = allot_strings_at(answers, i, &n);
        const char *kind = allot_answer_kind_name(allot_answer_kind_of(answer, n));
        cJSON *count = cJSON_GetObjectItemCaseSensitive(kinds, kind);
        if (count) cJSON_SetNumberValue(count, count->valuedouble + 1);
        else cJSON_AddNumberToObject(kinds, kind, 1);
    }
}

/* ---- lengths ---- */

static int by_length(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return x < y ? -1 : x > y;
}

/* NAME_characters: mean, median, shortest and longest. */
static allot_code add_lengths(cJSON *out, const allot_strings *column, allot_err *err)
{
    long *length = allot_mem_array((size_t)column->n, sizeof *length, err);
    if (!length) return ALLOT_ERUNTIME;
    double total = 0;
    for (long i = 0; i < column->n; i++) {
        size_t n;
        const char *text = allot_strings_at(column, i, &n);
        length[i] = (long)allot_features_codepoints(text, n);
        total += (double)length[i];
    }
    qsort(length, (size_t)column->n, sizeof *length, by_length);
    long last = column->n - 1, middle = last / 2, other = (last + 1) / 2;
    int any = last >= 0;
    allot_json_add_number(out, "mean_characters", any ? total / (double)column->n : NAN);
    allot_json_add_number(out, "median_characters",
                          any ? (double)(length[middle] + length[other]) / 2 : NAN);
    allot_json_add_number(out, "shortest_characters", any ? (double)length[0] : NAN);
    allot_json_add_number(out, "longest_characters", any ? (double)length[last] : NAN);
    free(length);
    return ALLOT_OK;
}

/* ---- splits, duplicates, what was left out ---- */

static allot_code add_splits(cJSON *out, const allot_problems *p, const char *path,
                             const char *splits, allot_err *err)
{
    allot_splits s = {0};
    uint8_t *split_of = allot_mem_array((size_t)p->n, 1, err);
    allot_code rc = split_of ? allot_splits_load(splits, &s, err) : ALLOT_ERUNTIME;
    if (!rc) rc = allot_splits_join(&s, splits, p->keys, p->n, path, split_of, err);
    long n[ALLOT_N_SPLITS] = {0};
    for (long i = 0; !rc && i < p->n; i++)
        n[split_of[i]]++;
    cJSON *o = rc ? NULL : cJSON_AddObjectToObject(out, "splits");
    for (int k = 0; o && k < ALLOT_N_SPLITS; k++)
        cJSON_AddNumberToObject(o, allot_split_name((allot_split)k), (double)n[k]);
    free(split_of);
    allot_splits_clear(&s);
    return rc;
}

static allot_code add_near(cJSON *out, const allot_strings *problems, double threshold,
                           allot_err *err)
{
    allot_minhash *text = allot_mem_array((size_t)problems->n, sizeof *text, err);
    long *near = allot_mem_array((size_t)problems->n, sizeof *near, err), found = 0;
    allot_code rc = text && near ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < problems->n; i++) {
        size_t n;
        const char *at = allot_strings_at(problems, i, &n);
        allot_minhash_make(at, n, &text[i]);
    }
    if (!rc) rc = allot_minhash_near(text, problems->n, threshold, near, err);
    for (long i = 0; !rc && i < problems->n; i++)
        found += near[i] >= 0;
    if (!rc) cJSON_AddNumberToObject(out, "near_duplicates", (double)found);
    free(text);
    free(near);
    return rc;
}

/* The first queries, so that 'show' can be given a key. */
static void add_examples(cJSON *out, const allot_problems *p)
{
    static const struct {
        const char *name;
        int column;
    } texts[] = {{"answer", ALLOT_COL_ANSWER}, {"problem", ALLOT_COL_PROBLEM}};
    cJSON *list = cJSON_AddArrayToObject(out, "examples");
    for (long i = 0; i < p->n && i < EXAMPLES; i++) {
        char hex[65], text[ALLOT_EXAMPLE_BYTES];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        allot_key_hex(&p->keys[i], hex);
        hex[16] = '\0';
        cJSON_AddStringToObject(o, "key", hex);
        for (int k = 0; k < 2; k++) {
            size_t n;
            const char *at = allot_strings_at(&p->col[texts[k].column], i, &n);
            allot_example_text(at, n, text);
            cJSON_AddStringToObject(o, texts[k].name, text);
        }
    }
}

/* Files that were not imported have no counts. */
static allot_code add_import(cJSON *out, const char *path, allot_err *err)
{
    allot_h5 *h;
    cJSON *counts;
    allot_code rc = allot_h5_open(path, NULL, (allot_versions){0}, &h, err);
    if (rc) return rc;
    if (!allot_json_from_h5(h, "import", &counts, NULL))
        cJSON_AddItemToObject(out, "import", counts);
    allot_h5_close(&h);
    return ALLOT_OK;
}

allot_code allot_problemstats_add(const char *path, const char *splits, double near, cJSON *out,
                                  allot_err *err)
{
    allot_problems p = {0};
    allot_code rc = allot_problems_load(path, 0, &p, err);
    if (rc) return rc;
    long answered = 0;
    for (long i = 0; i < p.n; i++) {
        size_t n;
        allot_strings_at(&p.col[ALLOT_COL_ANSWER], i, &n);
        answered += n > 0;
    }
    cJSON_AddNumberToObject(out, "queries", (double)p.n);
    cJSON_AddNumberToObject(out, "with_answer", (double)answered);
    rc = add_lengths(out, &p.col[ALLOT_COL_PROBLEM], err);
    add_kinds(out, &p.col[ALLOT_COL_ANSWER]);
    if (!rc) rc = add_counts(out, "sources", &p.col[ALLOT_COL_SOURCE], err);
    if (!rc) rc = add_counts(out, "levels", &p.col[ALLOT_COL_LEVEL], err);
    if (!rc) add_examples(out, &p);
    if (!rc) rc = add_import(out, path, err);
    if (!rc && splits) rc = add_splits(out, &p, path, splits, err);
    if (!rc && near > 0) rc = add_near(out, &p.col[ALLOT_COL_PROBLEM], near, err);
    allot_problems_clear(&p);
    return rc;
}
