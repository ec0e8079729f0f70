/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses by split, limit and random order, and unites the choice with what a run already has. */
#include "collect/queries.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/core/rng.h"
#include "lib/store/splits.h"
#include "liballot/mem.h"

enum { STREAM_CHOICE = 0x63686f69 }; /* rng stream of the random choice */

allot_code allot_queries_check(const allot_query_choice *c, allot_err *err)
{
    if (!c->split != !c->splits)
        return allot_fail(err, ALLOT_EUSAGE,
                          "--split and --splits go together: --split %s --splits %s",
                          c->split ? c->split : "NAME", c->splits ? c->splits : "FILE");
    return ALLOT_OK;
}

/* Rows of the wanted split, or all. */
static allot_code rows_of_split(const allot_query_choice *c, const allot_problems *p, long *rows,
                                long *n, allot_err *err)
{
    allot_split want = ALLOT_N_SPLITS;
    allot_splits splits = {0};
    uint8_t *split_of = allot_mem_array((size_t)p->n, 1, err);
    allot_code rc = split_of ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc && c->split) rc = allot_split_parse(c->split, &want, err);
    if (!rc && c->split) rc = allot_splits_load(c->splits, &splits, err);
    if (!rc && c->split)
        rc = allot_splits_join(&splits, c->splits, p->keys, p->n, c->dataset, split_of, err);
    *n = 0;
    for (long i = 0; !rc && i < p->n; i++)
        if (!c->split || split_of[i] == want) rows[(*n)++] = i;
    if (!rc && *n == 0)
        rc = allot_fail(err, ALLOT_EINPUT, "'%s' has no queries%s%s", c->dataset,
                        c->split ? " in split " : "", c->split ? c->split : "");
    free(split_of);
    allot_splits_clear(&splits);
    return rc;
}

typedef struct {
    uint64_t rank;
    long row;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_row(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return x < y ? -1 : x > y;
}

allot_code allot_queries_shuffle(const allot_key *keys, long seed, uint64_t stream, long *rows,
                                 long n, allot_err *err)
{
    ranked *all = allot_mem_array((size_t)n, sizeof *all, err);
    if (!all) return ALLOT_ERUNTIME;
    for (long i = 0; i < n; i++) {
        uint64_t words[] = {(uint64_t)seed, stream, allot_key_u64(&keys[rows[i]])};
        all[i] = (ranked){allot_rng_mix(words, 3), rows[i]};
    }
    qsort(all, (size_t)n, sizeof *all, by_rank);
    for (long i = 0; i < n; i++)
        rows[i] = all[i].row;
    free(all);
    return ALLOT_OK;
}

/* The same queries whatever else is in the file, in file order. */
static allot_code take_random(const allot_query_choice *c, const allot_problems *p, long *rows,
                              long n, allot_err *err)
{
    allot_code rc = allot_queries_shuffle(p->keys, c->seed, STREAM_CHOICE, rows, n, err);
    if (!rc) qsort(rows, (size_t)c->limit, sizeof *rows, by_row);
    return rc;
}

allot_code allot_queries_choose(const allot_query_choice *c, const allot_problems *problems,
                                long **rows, long *n, allot_err *err)
{
    *rows = allot_mem_array((size_t)problems->n, sizeof **rows, err);
    if (!*rows) return ALLOT_ERUNTIME;
    allot_code rc = rows_of_split(c, problems, *rows, n, err);
    if (!rc && c->limit > 0 && c->limit < *n) {
        if (c->at_random) rc = take_random(c, problems, *rows, *n, err);
        *n = c->limit;
    }
    if (rc) {
        free(*rows);
        *rows = NULL;
    }
    return rc;
}

static allot_code add_row(allot_problems_writer *w, const allot_problems *p, long row,
                          allot_err *err)
{
    const char *texts[ALLOT_N_COLS];
    size_t lengths[ALLOT_N_COLS];
    for (int c = 0; c < ALLOT_N_COLS; c++)
        texts[c] = allot_strings_at(&p->col[c], row, &lengths[c]);
    return allot_problems_add(w, &p->keys[row], texts, lengths, err);
}

/* Old queries in their order, then those of rows[n] that are new. asked [old->n + n] starts zeroed.
 */
static allot_code write_union(allot_problems_writer *w, const allot_problems *old,
                              const allot_problems *set, const long *rows, long n,
                              unsigned char *asked, allot_err *err)
{
    allot_keyindex in_old = {0}, in_set = {0};
    allot_code rc = allot_keyindex_build(&in_old, old->keys, (size_t)old->n, "the run", err);
    if (!rc) rc = allot_keyindex_build(&in_set, set->keys, (size_t)set->n, "the data set", err);
    for (long i = 0; !rc && i < old->n; i++) {
        long at = allot_keyindex_find(&in_set, &old->keys[i]);
        rc = at >= 0 ? add_row(w, set, at, err) : add_row(w, old, i, err);
    }
    for (long i = 0, next = old->n; !rc && i < n; i++) {
        long at = allot_keyindex_find(&in_old, &set->keys[rows[i]]);
        if (at < 0) rc = add_row(w, set, rows[i], err);
        asked[at < 0 ? next++ : at] = 1;
    }
    allot_keyindex_clear(&in_old);
    allot_keyindex_clear(&in_set);
    return rc;
}

static allot_code save_union(const allot_query_choice *c, const char *run_file,
                             const char *out_file, unsigned char **asked, allot_err *err)
{
    allot_problems set = {0}, old = {0};
    allot_problems_writer *w = NULL;
    long *rows = NULL, n = 0;
    allot_code rc = allot_problems_load(c->dataset, 1, &set, err);
    if (!rc && access(run_file, F_OK) == 0) rc = allot_problems_load(run_file, 1, &old, err);
    if (!rc) rc = allot_queries_choose(c, &set, &rows, &n, err);
    if (!rc && !(*asked = allot_mem_array((size_t)(old.n + n), 1, err))) rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_problems_create(out_file, &w, err);
    if (!rc) rc = write_union(w, &old, &set, rows, n, *asked, err);
    const char *inputs[] = {c->dataset, c->splits, NULL};
    if (!rc) rc = allot_problems_commit(&w, "allot-collect", c->seed, inputs, err);
    else allot_problems_abort(&w);
    free(rows);
    allot_problems_clear(&set);
    allot_problems_clear(&old);
    return rc;
}

allot_code allot_queries_merge(const allot_query_choice *c, const char *run_file,
                               const char *out_file, allot_problems *out, unsigned char **asked,
                               allot_err *err)
{
    unsigned char *chosen = NULL;
    allot_code rc = save_union(c, run_file, out_file, &chosen, err);
    if (!rc) rc = allot_problems_load(out_file, 0, out, err);
    if (!rc && asked) *asked = chosen;
    else free(chosen);
    return rc;
}
