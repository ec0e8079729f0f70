/* SPDX-License-Identifier: Apache-2.0 */
/* Written in blocks as rows come, read whole; keys, or of many a sample, are checked to be those
 * of the texts. */
#include "lib/store/problems.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/keyrows.h"
#include "liballot/mem.h"
#include "lib/store/provenance.h"

static const allot_versions versions = {1, 1};

#define BLOCK_BYTES (1L << 20) /* rows are written in blocks of about this size */
#define BLOCK_ROWS 8192
#define MAX_CHECKED_ROWS 10000

static const char *const columns[ALLOT_N_COLS] = {"problem", "answer", "solution",
                                                  "source",  "level",  "id"};

/* The keys must be those of the texts, or a join by key would pair strangers. Large files are
 * sampled: rows that were moved against their keys show everywhere. */
static allot_code check_keys(const allot_problems *p, const char *path, allot_err *err)
{
    allot_code rc = allot_keyrows_check(p->keys, p->n, path, err);
    long step = 1 + p->n / MAX_CHECKED_ROWS;
    for (long i = 0; !rc && i < p->n; i += step) {
        allot_key key;
        size_t n;
        const char *text = allot_strings_at(&p->col[ALLOT_COL_PROBLEM], i, &n);
        rc = allot_key_of_text(text, n, &key, err);
        if (rc) return allot_fail_in(err, "cannot read '%s': problem %ld", path, i);
        if (allot_key_compare(&key, &p->keys[i]))
            rc = allot_fail(err, ALLOT_EINPUT,
                            "cannot read '%s': the key of row %ld is not the key "
                            "of its problem (the file was edited; import it again)",
                            path, i);
    }
    return rc;
}

allot_code allot_problems_load(const char *path, int with_solutions, allot_problems *out,
                               allot_err *err)
{
    allot_h5 *h;
    *out = (allot_problems){0};
    allot_code rc = allot_h5_open(path, ALLOT_PROBLEMS_SCHEMA, versions, &h, err);
    if (rc) return rc;
    rc = allot_keyrows_read(h, &out->keys, &out->n, err);
    for (int c = 0; !rc && c < ALLOT_N_COLS; c++)
        if (c != ALLOT_COL_SOLUTION || with_solutions)
            rc = allot_h5_read_strings(h, columns[c], out->n, &out->col[c], err);
    allot_h5_close(&h);
    if (!rc) rc = check_keys(out, path, err);
    if (rc) allot_problems_clear(out);
    return rc;
}

void allot_problems_clear(allot_problems *p)
{
    free(p->keys);
    for (int c = 0; c < ALLOT_N_COLS; c++)
        allot_strings_clear(&p->col[c]);
    *p = (allot_problems){0};
}

struct allot_problems_writer {
    allot_h5 *h;
    allot_problems block; /* rows not yet written */
    size_t block_bytes;
    size_t keys_capacity;
    struct {
        size_t n, bytes;
    } capacity[ALLOT_N_COLS];
};

allot_code allot_problems_create(const char *path, allot_problems_writer **out, allot_err *err)
{
    *out = NULL;
    allot_problems_writer *w = allot_mem_array(1, sizeof *w, err);
    if (!w) return ALLOT_ERUNTIME;
    allot_code rc = allot_h5_create(path, ALLOT_PROBLEMS_SCHEMA, versions.newest, &w->h, err);
    if (rc) free(w);
    else *out = w;
    return rc;
}

static allot_code flush_block(allot_problems_writer *w, allot_err *err)
{
    allot_problems *b = &w->block;
    allot_code rc = allot_keyrows_append(w->h, b->keys, b->n, err);
    for (int c = 0; !rc && c < ALLOT_N_COLS; c++) {
        rc = allot_h5_append_strings(w->h, columns[c], &b->col[c], err);
        b->col[c].n = 0;
    }
    b->n = 0;
    w->block_bytes = 0;
    return rc;
}

allot_code allot_problems_add(allot_problems_writer *w, const allot_key *key,
                              const char *const *texts, const size_t *n, allot_err *err)
{
    allot_problems *b = &w->block;
    void *keys = b->keys;
    allot_code rc =
        allot_mem_grow(&keys, &w->keys_capacity, (size_t)b->n + 1, sizeof *b->keys, err);
    b->keys = keys;
    for (int c = 0; !rc && c < ALLOT_N_COLS; c++) {
        size_t bytes = texts[c] ? n[c] : 0;
        rc = allot_strings_add(&b->col[c], &w->capacity[c].n, &w->capacity[c].bytes, texts[c],
                               bytes, err);
        w->block_bytes += bytes;
    }
    if (rc) return rc;
    b->keys[b->n++] = *key;
    return b->n >= BLOCK_ROWS || w->block_bytes >= BLOCK_BYTES ? flush_block(w, err) : ALLOT_OK;
}

allot_code allot_problems_note(allot_problems_writer *w, const char *name, const cJSON *value,
                               allot_err *err)
{
    return allot_json_to_h5(w->h, name, value, err);
}

allot_code allot_problems_commit(allot_problems_writer **wp, const char *tool, long seed,
                                 const char *const *inputs, allot_err *err)
{
    allot_problems_writer *w = *wp;
    allot_code rc = flush_block(w, err);
    if (!rc) rc = allot_provenance_to_h5(w->h, tool, seed, inputs, err);
    if (!rc) rc = allot_h5_commit(&w->h, err);
    allot_problems_abort(wp);
    return rc;
}

void allot_problems_abort(allot_problems_writer **wp)
{
    allot_problems_writer *w = *wp;
    if (!w) return;
    allot_h5_close(&w->h);
    allot_problems_clear(&w->block);
    free(w);
    *wp = NULL;
}
