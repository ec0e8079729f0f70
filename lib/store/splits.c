/* SPDX-License-Identifier: Apache-2.0 */
/* Names of splits, and their file. */
#include "lib/store/splits.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/keyrows.h"
#include "liballot/mem.h"
#include "lib/store/provenance.h"

static const allot_versions versions = {1, 1};

static const char *const names[ALLOT_N_SPLITS] = {"train", "validation", "calibration", "test"};

const char *allot_split_name(allot_split s)
{
    return names[s];
}

allot_code allot_split_parse(const char *text, allot_split *out, allot_err *err)
{
    for (int i = 0; i < ALLOT_N_SPLITS; i++)
        if (!strcmp(text, names[i])) {
            *out = (allot_split)i;
            return ALLOT_OK;
        }
    return allot_fail(err, ALLOT_EUSAGE,
                      "'%.64s' is not a split (train, validation, calibration, "
                      "test)",
                      text);
}

/* Unique keys, known splits: what makes "a query in two splits" impossible. */
static allot_code check_rows(const allot_key *keys, const uint8_t *split, long n, const char *path,
                             allot_keyindex *index, allot_err *err)
{
    for (long i = 0; i < n; i++)
        if (split[i] >= ALLOT_N_SPLITS)
            return allot_fail(err, ALLOT_EINPUT,
                              "'%s': row %ld is in split %d, which does not exist "
                              "(0 to %d)",
                              path, i, split[i], ALLOT_N_SPLITS - 1);
    return allot_keyindex_build(index, keys, (size_t)n, path, err);
}

static allot_code read_rows(allot_h5 *h, allot_splits *s, allot_err *err)
{
    void *p;
    allot_code rc = allot_keyrows_read(h, &s->keys, &s->n, err);
    if (rc) return rc;
    rc = allot_h5_read(h, "split", ALLOT_H5_U8, 1, &s->n, &p, err);
    s->split = p;
    return rc;
}

allot_code allot_splits_load(const char *path, allot_splits *out, allot_err *err)
{
    allot_h5 *h;
    *out = (allot_splits){0};
    allot_code rc = allot_h5_open(path, ALLOT_SPLITS_SCHEMA, versions, &h, err);
    if (rc) return rc;
    rc = read_rows(h, out, err);
    if (!rc) rc = allot_h5_get_short(h, "split_id", out->id, sizeof out->id, err);
    if (!rc) rc = allot_h5_get_short(h, "fractions", out->fractions, sizeof out->fractions, err);
    if (!rc) rc = allot_h5_get_long(h, "seed", LONG_MIN, LONG_MAX, &out->seed, err);
    if (!rc) rc = check_rows(out->keys, out->split, out->n, path, &out->index, err);
    allot_h5_close(&h);
    if (rc) allot_splits_clear(out);
    return rc;
}

allot_code allot_splits_save(const char *path, const allot_splits *s, const char *tool,
                             const char *const *inputs, allot_err *err)
{
    allot_h5 *h;
    allot_keyindex index = {0};
    allot_code rc = check_rows(s->keys, s->split, s->n, path, &index, err);
    allot_keyindex_clear(&index);
    if (rc) return rc;
    rc = allot_h5_create(path, ALLOT_SPLITS_SCHEMA, versions.newest, &h, err);
    if (rc) return rc;
    rc = allot_keyrows_write(h, s->keys, s->n, err);
    if (!rc) rc = allot_h5_write(h, "split", ALLOT_H5_U8, 1, &s->n, s->split, err);
    if (!rc) rc = allot_h5_set_text(h, "split_id", s->id, err);
    if (!rc) rc = allot_h5_set_text(h, "fractions", s->fractions, err);
    if (!rc) rc = allot_h5_set_long(h, "seed", s->seed, err);
    if (!rc) rc = allot_provenance_to_h5(h, tool, s->seed, inputs, err);
    if (!rc) rc = allot_h5_commit(&h, err);
    allot_h5_close(&h);
    return rc;
}

void allot_splits_clear(allot_splits *s)
{
    free(s->keys);
    free(s->split);
    allot_keyindex_clear(&s->index);
    *s = (allot_splits){0};
}

allot_code allot_splits_join(const allot_splits *s, const char *splits_file, const allot_key *keys,
                             long n, const char *keys_file, uint8_t *split_of, allot_err *err)
{
    long *rows = allot_mem_array((size_t)n, sizeof *rows, err);
    if (!rows) return ALLOT_ERUNTIME;
    allot_code rc = allot_key_join(keys, (size_t)n, keys_file, &s->index, splits_file,
                                   "split this data set with 'allot-datasets split'", rows, err);
    for (long i = 0; !rc && i < n; i++)
        split_of[i] = s->split[rows[i]];
    free(rows);
    return rc;
}
