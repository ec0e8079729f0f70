/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the file's arrays, by which they are read, checked and written, and rules for
 * missing cells. */
#include "lib/store/outcomes.h"
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/store/keyrows.h"
#include "liballot/mem.h"
#include "lib/store/provenance.h"
#include "lib/store/strategyfile.h"

static const allot_versions versions = {1, 1};

/* The cell arrays: where they are in the struct, and what a number may be. */
typedef struct {
    const char *name;
    size_t field; /* offset of the pointer */
    allot_h5_type type;
    int width; /* numbers in a cell */
    double min, max;
    int nan_allowed;
} cell_array;

static const cell_array arrays[] = {
    {"accuracy", offsetof(allot_outcomes, accuracy), ALLOT_H5_F32, 1, 0, 1, 0},
    {"variance", offsetof(allot_outcomes, variance), ALLOT_H5_F32, 1, 0, INFINITY, 0},
    {"n_eff", offsetof(allot_outcomes, n_eff), ALLOT_H5_F32, 1, 0, INFINITY, 0},
    {"half", offsetof(allot_outcomes, half), ALLOT_H5_F32, 2, 0, 1, 1},
    {"tokens", offsetof(allot_outcomes, tokens), ALLOT_H5_F32, 1, 0, INFINITY, 0},
    {"seconds", offsetof(allot_outcomes, seconds), ALLOT_H5_F32, 1, 0, INFINITY, 0},
    {"seconds_kind", offsetof(allot_outcomes, seconds_kind), ALLOT_H5_U8, 1, 0,
     ALLOT_SECONDS_MODELLED, 0},
    {"n_trials", offsetof(allot_outcomes, n_trials), ALLOT_H5_I32, 1, 0, INT32_MAX, 0},
};
enum { N_ARRAYS = sizeof arrays / sizeof *arrays };

static const size_t sizes[] = {[ALLOT_H5_U8] = 1, [ALLOT_H5_I32] = 4, [ALLOT_H5_F32] = 4};

/* The pointers have different types but one representation on every system we build for. */
static void *data_of(const allot_outcomes *o, const cell_array *a)
{
    void *p;
    memcpy(&p, (const char *)o + a->field, sizeof p);
    return p;
}

static void set_data(allot_outcomes *o, const cell_array *a, void *p)
{
    memcpy((char *)o + a->field, &p, sizeof p);
}

static double value_at(const void *data, allot_h5_type type, size_t i)
{
    switch (type) {
    case ALLOT_H5_U8:
        return ((const uint8_t *)data)[i];
    case ALLOT_H5_I32:
        return ((const int32_t *)data)[i];
    case ALLOT_H5_F32:
        return ((const float *)data)[i];
    case ALLOT_H5_I64:
    case ALLOT_H5_F64:
        break;
    }
    assert(!"no array of outcomes has this type");
    return NAN;
}

allot_code allot_outcomes_init(allot_outcomes *o, long n, const allot_strategies *set,
                               allot_err *err)
{
    allot_code rc = ALLOT_OK;
    *o = (allot_outcomes){.n = n};
    for (int i = 0; !rc && i < set->count; i++)
        rc = allot_strategies_add(&o->strategies, &set->at[i], err);
    o->keys = rc ? NULL : allot_mem_array((size_t)n, sizeof *o->keys, err);
    o->codepoints = o->keys ? allot_mem_array((size_t)n, sizeof *o->codepoints, err) : NULL;
    if (!o->codepoints) rc = ALLOT_ERUNTIME;
    for (int i = 0; !rc && i < N_ARRAYS; i++) {
        size_t cell = (size_t)arrays[i].width * sizes[arrays[i].type];
        void *p = allot_mem_array((size_t)n * (size_t)set->count, cell, err);
        set_data(o, &arrays[i], p);
        if (!p) rc = ALLOT_ERUNTIME;
    }
    strcpy(o->metric, "accuracy");
    if (rc) allot_outcomes_clear(o);
    return rc;
}

void allot_outcomes_clear(allot_outcomes *o)
{
    allot_strategies_clear(&o->strategies);
    free(o->keys);
    free(o->codepoints);
    for (int i = 0; i < N_ARRAYS; i++)
        free(data_of(o, &arrays[i]));
    cJSON_Delete(o->fingerprint);
    cJSON_Delete(o->grading);
    free(o->label_rule);
    *o = (allot_outcomes){0};
}

/* Names the first number that is out of its range, and the cell it is in. */
static allot_code check_numbers(const allot_outcomes *o, const cell_array *a, const char *path,
                                allot_err *err)
{
    char hex[65], text[ALLOT_STRATEGY_TEXT];
    const void *data = data_of(o, a);
    size_t row = (size_t)o->strategies.count * (size_t)a->width, n = (size_t)o->n * row;
    for (size_t i = 0; i < n; i++) {
        double v = value_at(data, a->type, i);
        if ((v >= a->min && v <= a->max && isfinite(v)) || (a->nan_allowed && isnan(v))) continue;
        allot_key_hex(&o->keys[i / row], hex);
        allot_strategy_print(&o->strategies.at[i % row / (size_t)a->width], text);
        if (isinf(a->max))
            return allot_fail(err, ALLOT_EINPUT,
                              "'%s': %s of query %.16s, %s is %g, not a finite "
                              "number >= 0 (label again)",
                              path, a->name, hex, text, v);
        return allot_fail(err, ALLOT_EINPUT,
                          "'%s': %s of query %.16s, %s is %g, not within %g to %g "
                          "(label again)",
                          path, a->name, hex, text, v, a->min, a->max);
    }
    return ALLOT_OK;
}

static allot_code check(const allot_outcomes *o, const char *path, allot_err *err)
{
    allot_code rc = allot_keyrows_check(o->keys, o->n, path, err);
    for (long i = 0; !rc && i < o->n; i++)
        if (o->codepoints[i] < 1)
            rc = allot_fail(err, ALLOT_EINPUT,
                            "'%s': codepoints of row %ld is %d, a query has one "
                            "or more (label again)",
                            path, i, o->codepoints[i]);
    for (int i = 0; !rc && i < N_ARRAYS; i++)
        rc = check_numbers(o, &arrays[i], path, err);
    return rc;
}

/* All shapes before any data: the first array that does not fit the keys and strategies is named
 * with its size. */
static allot_code check_shapes(allot_h5 *h, const allot_outcomes *o, allot_err *err)
{
    for (int i = 0; i < N_ARRAYS; i++) {
        const cell_array *a = &arrays[i];
        long dims[3] = {0};
        allot_code rc = allot_h5_shape(h, a->name, a->type, a->width > 1 ? 3 : 2, dims, err);
        if (rc) return rc;
        if (dims[0] != o->n)
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot read '%s': '/%s' has %ld rows, '/key' has "
                              "%ld (labelling was interrupted; run 'allot-collect label' again)",
                              allot_h5_path(h), a->name, dims[0], o->n);
        if (dims[1] != o->strategies.count || (a->width > 1 && dims[2] != a->width))
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot read '%s': '/%s' has %ld columns, "
                              "'/strategies' has %d (run 'allot-collect label' again)",
                              allot_h5_path(h), a->name, dims[1], o->strategies.count);
    }
    return ALLOT_OK;
}

static allot_code read_arrays(allot_h5 *h, allot_outcomes *o, allot_err *err)
{
    void *p;
    allot_code rc = allot_keyrows_read(h, &o->keys, &o->n, err);
    if (rc) return rc;
    long dims[3] = {o->n};
    rc = allot_h5_read(h, "codepoints", ALLOT_H5_I32, 1, dims, &p, err);
    o->codepoints = p;
    if (!rc) rc = check_shapes(h, o, err);
    for (int i = 0; !rc && i < N_ARRAYS; i++) {
        dims[1] = o->strategies.count;
        dims[2] = arrays[i].width;
        rc = allot_h5_read(h, arrays[i].name, arrays[i].type, arrays[i].width > 1 ? 3 : 2, dims, &p,
                           err);
        set_data(o, &arrays[i], p);
    }
    return rc;
}

allot_code allot_outcomes_load(const char *path, allot_outcomes *out, allot_err *err)
{
    allot_h5 *h;
    *out = (allot_outcomes){0};
    allot_code rc = allot_h5_open(path, ALLOT_OUTCOMES_SCHEMA, versions, &h, err);
    if (rc) return rc;
    rc = allot_strategyfile_from_h5(h, &out->strategies, err);
    if (!rc) rc = read_arrays(h, out, err);
    if (!rc) rc = allot_h5_get_short(h, "metric", out->metric, sizeof out->metric, err);
    if (!rc) rc = allot_h5_get_text(h, "label_rule", &out->label_rule, err);
    if (!rc) rc = allot_fingerprint_from_h5(h, &out->fingerprint, &out->grading, err);
    allot_h5_close(&h);
    if (!rc) rc = check(out, path, err);
    if (rc) allot_outcomes_clear(out);
    return rc;
}

static allot_code write_arrays(allot_h5 *h, const allot_outcomes *o, allot_err *err)
{
    allot_code rc = allot_keyrows_write(h, o->keys, o->n, err);
    if (!rc) rc = allot_h5_write(h, "codepoints", ALLOT_H5_I32, 1, &o->n, o->codepoints, err);
    for (int i = 0; !rc && i < N_ARRAYS; i++)
        rc = allot_h5_write(h, arrays[i].name, arrays[i].type, arrays[i].width > 1 ? 3 : 2,
                            (long[]){o->n, o->strategies.count, arrays[i].width},
                            data_of(o, &arrays[i]), err);
    return rc;
}

allot_code allot_outcomes_save(const char *path, const allot_outcomes *o, const char *tool,
                               long seed, const char *const *inputs, allot_err *err)
{
    allot_h5 *h;
    allot_code rc = check(o, path, err);
    if (!rc) rc = allot_h5_create(path, ALLOT_OUTCOMES_SCHEMA, versions.newest, &h, err);
    if (rc) return rc;
    rc = allot_strategyfile_to_h5(h, &o->strategies, err);
    if (!rc) rc = write_arrays(h, o, err);
    if (!rc) rc = allot_h5_set_text(h, "metric", o->metric, err);
    if (!rc) rc = allot_h5_set_text(h, "label_rule", o->label_rule ? o->label_rule : "", err);
    if (!rc) rc = allot_fingerprint_to_h5(h, o->fingerprint, o->grading, err);
    if (!rc) rc = allot_provenance_to_h5(h, tool, seed, inputs, err);
    if (!rc) rc = allot_h5_commit(&h, err);
    allot_h5_close(&h);
    return rc;
}

/* ---- missing cells ---- */

allot_code allot_missing_parse(const char *text, allot_missing *out, allot_err *err)
{
    static const char *const names[] = {"refuse", "drop-query", "drop-strategy", "mask"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(text, names[i])) {
            *out = (allot_missing)i;
            return ALLOT_OK;
        }
    return allot_fail(err, ALLOT_EUSAGE,
                      "'%.64s' is not a way with missing cells (refuse, "
                      "drop-query, drop-strategy, mask)",
                      text);
}

static int is_missing(const allot_outcomes *o, long q, int s)
{
    return o->n_trials[q * o->strategies.count + s] == 0;
}

/* Keeps the rows and columns with a 1, moving every number to its new place. */
static void keep(allot_outcomes *o, const uint8_t *rows, const uint8_t *cols)
{
    size_t count = (size_t)o->strategies.count;
    for (int i = 0; i < N_ARRAYS; i++) {
        char *data = data_of(o, &arrays[i]);
        size_t cell = (size_t)arrays[i].width * sizes[arrays[i].type], to = 0;
        for (size_t at = 0; at < (size_t)o->n * count; at++)
            if (rows[at / count] && cols[at % count])
                memmove(data + cell * to++, data + cell * at, cell);
    }
    long n = 0;
    for (long q = 0; q < o->n; q++)
        if (rows[q]) {
            o->keys[n] = o->keys[q];
            o->codepoints[n++] = o->codepoints[q];
        }
    int left = 0;
    for (int s = 0; s < o->strategies.count; s++)
        if (cols[s]) o->strategies.at[left++] = o->strategies.at[s];
    o->n = n;
    o->strategies.count = left;
}

static allot_code refuse_missing(const allot_outcomes *o, const char *file, long cells, long q,
                                 int s, allot_err *err)
{
    char hex[65], text[ALLOT_STRATEGY_TEXT];
    allot_key_hex(&o->keys[q], hex);
    allot_strategy_print(&o->strategies.at[s], text);
    return allot_fail(err, ALLOT_EINPUT,
                      "'%s': %ld of %ld cells are missing, e.g. query %.16s, %s "
                      "(run 'allot-collect sample' again, or say --missing drop-query, "
                      "drop-strategy or mask)",
                      file, cells, o->n * o->strategies.count, hex, text);
}

allot_code allot_outcomes_missing(allot_outcomes *o, allot_missing how, const char *file,
                                  long *dropped_queries, int *dropped_strategies, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    long cells = 0, first_q = 0, all_q = o->n;
    int first_s = 0, all_s = o->strategies.count;
    uint8_t *marks = allot_mem_array((size_t)all_q + (size_t)all_s, 1, err);
    if (!marks) return ALLOT_ERUNTIME;
    uint8_t *rows = marks, *cols = marks + all_q;
    memset(marks, 1, (size_t)all_q + (size_t)all_s);
    for (long q = 0; q < all_q; q++)
        for (int s = 0; s < all_s; s++) {
            if (!is_missing(o, q, s)) continue;
            if (cells++ == 0) {
                first_q = q;
                first_s = s;
            }
            rows[q] = how != ALLOT_MISSING_DROP_QUERY;
            cols[s] = how != ALLOT_MISSING_DROP_STRATEGY;
        }
    if (cells && how == ALLOT_MISSING_REFUSE)
        rc = refuse_missing(o, file, cells, first_q, first_s, err);
    else if (cells && how != ALLOT_MISSING_MASK) keep(o, rows, cols);
    free(marks);
    *dropped_queries = all_q - o->n;
    *dropped_strategies = all_s - o->strategies.count;
    if (!rc && (o->n == 0 || o->strategies.count == 0))
        rc = allot_fail(err, ALLOT_EINPUT,
                        "'%s': nothing is left without the missing cells (%ld of "
                        "%ld; try --missing mask)",
                        file, cells, all_q * all_s);
    return rc;
}
