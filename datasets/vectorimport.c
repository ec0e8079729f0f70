/* SPDX-License-Identifier: Apache-2.0 */
/* Takes keys from a list, a problems.h5 or lines of text, checks lengths, and drops repeated
 * queries. */
#include "datasets/vectorimport.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/atomicfile.h"
#include "lib/store/problems.h"
#include "datasets/importing.h"
#include "lib/readers/npyfile.h"
#include "liballot/mem.h"
#include "liballot/probe.h"

#define MAX_KEYS_BYTES ((size_t)4 << 30)

allot_code allot_vectorimport_check(const allot_vectorimport *s, allot_err *err)
{
    if (!s->keys == !s->order)
        return allot_fail(err, ALLOT_EUSAGE, "give either --keys or --order, to name the rows");
    if (s->keys && s->problem_field)
        return allot_fail(err, ALLOT_EUSAGE, "--problem-field makes no sense with --keys");
    return ALLOT_OK;
}

static allot_code keys_of_list(const char *path, allot_key **out, long *n, allot_err *err)
{
    char *text = NULL;
    size_t bytes;
    allot_code rc = allot_file_read(path, MAX_KEYS_BYTES, &text, &bytes, err);
    if (rc) return rc;
    *n = 0;
    *out = allot_mem_array(bytes / 64 + 1, sizeof **out, err);
    if (!*out) rc = ALLOT_ERUNTIME;
    for (char *at = text; !rc && *at; ++*n) {
        size_t length = strcspn(at, "\r\n");
        char *next = at + length + strspn(at + length, "\r\n");
        at[length] = '\0';
        rc = allot_key_parse(at, *out + *n, err);
        if (rc) allot_fail_in(err, "key %ld of '%.250s'", *n + 1, path);
        at = next;
    }
    free(text);
    return rc;
}

static allot_code keys_of_problems(const char *path, allot_key **out, long *n, allot_err *err)
{
    allot_problems p = {0};
    allot_code rc = allot_problems_load(path, 0, &p, err);
    if (rc) return rc;
    *out = p.keys;
    *n = p.n;
    p.keys = NULL;
    allot_problems_clear(&p);
    return ALLOT_OK;
}

static allot_code keys_of_lines(const allot_vectorimport *s, allot_key **out, long *n,
                                allot_err *err)
{
    allot_row_settings lines = {
        .field = {s->problem_field ? s->problem_field : "problem|question"}};
    return allot_import_keys(s->order, &lines, out, n, err);
}

static int is_h5(const char *path)
{
    size_t n = strlen(path);
    return n >= 3 && strcmp(path + n - 3, ".h5") == 0;
}

typedef struct {
    allot_key key;
    long row;
} named_row;

static int by_key_and_row(const void *a, const void *b)
{
    const named_row *x = a, *y = b;
    int c = allot_key_compare(&x->key, &y->key);
    return c ? c : (x->row > y->row) - (x->row < y->row);
}

/* Keeps the first row of each key, in the order of the rows. */
static allot_code drop_repeated(allot_embeddings *e, long *repeated, allot_err *err)
{
    named_row *r = allot_mem_array((size_t)e->n, sizeof *r, err);
    char *again = allot_mem_array((size_t)e->n, 1, err);
    allot_code rc = r && again ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < e->n; i++)
        r[i] = (named_row){e->keys[i], i};
    if (!rc) qsort(r, (size_t)e->n, sizeof *r, by_key_and_row);
    for (long i = 1; !rc && i < e->n; i++)
        again[r[i].row] = allot_key_compare(&r[i - 1].key, &r[i].key) == 0;
    long kept = 0;
    for (long i = 0; !rc && i < e->n; i++) {
        if (again[i]) continue;
        e->keys[kept] = e->keys[i];
        memmove(e->at + kept * e->dim, e->at + i * e->dim, (size_t)e->dim * sizeof *e->at);
        kept++;
    }
    *repeated = e->n - kept;
    e->n = kept;
    free(r);
    free(again);
    return rc;
}

/* A bundle made from these scales what it embeds to length 1: that must be true of these, too. */
static allot_code check_lengths(const allot_vectorimport *s, const allot_embeddings *e,
                                allot_err *err)
{
    for (long i = 0; s->normalized && i < e->n; i++) {
        double length = allot_embeddings_length(e->at + i * e->dim, e->dim);
        if (!(fabs(length - 1) <= 1e-3))
            return allot_fail(err, ALLOT_EINPUT,
                              "'%.250s': row %ld has length %g, not 1 (leave --normalized out)",
                              s->npy, i, length);
    }
    return ALLOT_OK;
}

static allot_code copy_names(const allot_vectorimport *s, allot_embeddings *e, allot_err *err)
{
    e->normalized = s->normalized;
    e->model = allot_mem_text(s->model, strlen(s->model), err);
    e->pooling = allot_mem_text(s->pooling, strlen(s->pooling), err);
    e->prefix = allot_mem_text(s->prefix, strlen(s->prefix), err);
    return e->model && e->pooling && e->prefix ? ALLOT_OK : ALLOT_ERUNTIME;
}

allot_code allot_vectors_import(const allot_vectorimport *s, allot_embeddings *out, long *repeated,
                                allot_err *err)
{
    *out = (allot_embeddings){0};
    long n = 0;
    const char *names = s->keys ? s->keys : s->order;
    allot_code rc = s->keys           ? keys_of_list(names, &out->keys, &n, err)
                    : is_h5(s->order) ? keys_of_problems(names, &out->keys, &n, err)
                                      : keys_of_lines(s, &out->keys, &n, err);
    if (!rc) rc = allot_npy_load(s->npy, ALLOT_PROBE_MAX_DIM, &out->at, &out->n, &out->dim, err);
    if (!rc && n != out->n)
        rc = allot_fail(err, ALLOT_EMISMATCH,
                        "'%.250s' names %ld rows, '%.250s' has %ld (they must be made from the "
                        "same file, in the same order)",
                        names, n, s->npy, out->n);
    if (!rc) rc = check_lengths(s, out, err);
    if (!rc) rc = drop_repeated(out, repeated, err);
    if (!rc) rc = copy_names(s, out, err);
    if (rc) allot_embeddings_clear(out);
    return rc;
}
