/* SPDX-License-Identifier: Apache-2.0 */
/* Loads problems.h5 or rows of a data set, and matches them by key, then by signature. */
#include "datasets/textlist.h"
#include <stdlib.h>
#include <string.h>
#include "lib/readers/rowreader.h"
#include "liballot/mem.h"

allot_code allot_textlist_add(allot_textlist *t, const allot_key *key, const char *text, size_t n,
                              long line, int with_text, allot_err *err)
{
    void *keys = t->keys, *texts = t->text, *lines = t->line;
    size_t need = (size_t)t->n + 1;
    allot_code rc = allot_mem_grow(&keys, &t->capacity[0], need, sizeof *t->keys, err);
    t->keys = keys;
    if (!rc) rc = allot_mem_grow(&lines, &t->capacity[1], need, sizeof *t->line, err);
    t->line = lines;
    if (!rc && with_text) rc = allot_mem_grow(&texts, &t->capacity[2], need, sizeof *t->text, err);
    t->text = texts;
    if (rc) return rc;
    t->keys[t->n] = *key;
    t->line[t->n] = line;
    if (with_text) allot_minhash_make(text, n, &t->text[t->n]);
    t->n++;
    return ALLOT_OK;
}

void allot_textlist_clear(allot_textlist *t)
{
    free(t->keys);
    free(t->text);
    free(t->line);
    *t = (allot_textlist){0};
}

static allot_code load_problems(const char *path, int with_text, allot_textlist *out,
                                allot_err *err)
{
    allot_problems p = {0};
    allot_code rc = allot_problems_load(path, 0, &p, err);
    for (long i = 0; !rc && i < p.n; i++) {
        size_t n;
        const char *text = allot_strings_at(&p.col[ALLOT_COL_PROBLEM], i, &n);
        rc = allot_textlist_add(out, &p.keys[i], text, n, i, with_text, err);
    }
    allot_problems_clear(&p);
    return rc;
}

static allot_code load_rows(const char *path, const char *fields, int with_text,
                            allot_textlist *out, allot_err *err)
{
    const allot_row_settings s = {.field = {fields}, .quiet = 1};
    allot_rowreader *r;
    const allot_row *row;
    allot_code rc = allot_rowreader_open(path, &s, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row) {
        rc = allot_textlist_add(out, &row->key, row->text[ALLOT_COL_PROBLEM],
                                row->n[ALLOT_COL_PROBLEM], row->line, with_text, err);
        if (rc) break;
    }
    if (!rc) rc = allot_rowreader_check(r, err);
    allot_rowreader_close(&r);
    return rc;
}

allot_code allot_textlist_load(const char *path, const char *fields, int with_text,
                               allot_textlist *out, allot_err *err)
{
    size_t n = strlen(path);
    *out = (allot_textlist){0};
    allot_code rc = n >= 3 && strcmp(path + n - 3, ".h5") == 0
                        ? load_problems(path, with_text, out, err)
                        : load_rows(path, fields, with_text, out, err);
    if (rc) allot_textlist_clear(out);
    return rc;
}

/* ---- matching ---- */

typedef struct {
    allot_key key;
    long row;
} keyed;

static int by_key(const void *a, const void *b)
{
    return allot_key_compare(&((const keyed *)a)->key, &((const keyed *)b)->key);
}

static allot_code match_keys(const allot_textlist *t, const allot_textlist *other, long *match,
                             double *similarity, allot_err *err)
{
    keyed *sorted = allot_mem_array((size_t)other->n, sizeof *sorted, err);
    if (!sorted) return ALLOT_ERUNTIME;
    for (long i = 0; i < other->n; i++)
        sorted[i] = (keyed){other->keys[i], i};
    qsort(sorted, (size_t)other->n, sizeof *sorted, by_key);
    for (long i = 0; i < t->n; i++) {
        const keyed wanted = {t->keys[i], 0},
                    *found = bsearch(&wanted, sorted, (size_t)other->n, sizeof *sorted, by_key);
        match[i] = found ? found->row : -1;
        similarity[i] = found ? 1 : 0;
    }
    free(sorted);
    return ALLOT_OK;
}

static allot_code match_texts(const allot_textlist *t, const allot_textlist *other,
                              double threshold, long *match, double *similarity, allot_err *err)
{
    long *like = allot_mem_array((size_t)t->n, sizeof *like, err);
    if (!like) return ALLOT_ERUNTIME;
    allot_code rc = allot_minhash_match(t->text, t->n, other->text, other->n, threshold, like, err);
    for (long i = 0; !rc && i < t->n; i++) {
        if (match[i] >= 0 || like[i] < 0) continue;
        match[i] = like[i];
        similarity[i] = allot_minhash_similarity(&t->text[i], &other->text[like[i]]);
    }
    free(like);
    return rc;
}

allot_code allot_textlist_match(const allot_textlist *t, const allot_textlist *other,
                                double threshold, long *match, double *similarity, allot_err *err)
{
    allot_code rc = match_keys(t, other, match, similarity, err);
    if (rc || threshold >= 1 || t->n == 0 || other->n == 0) return rc;
    return match_texts(t, other, threshold, match, similarity, err);
}
