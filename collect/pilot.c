/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts the queries by length, cuts them into as many strata as are wanted, draws one of each. */
#include "collect/pilot.h"
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"
#include "collect/queries.h"

enum { STREAM_PILOT = 0x70696c6f }; /* rng stream of the pilot's queries */

/* A query by its length and by its place in a random order. */
typedef struct {
    size_t bytes;
    long place;
} sized;

static int by_length(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Of each part the one that comes first in the random order. */
static void draw(allot_pilot *p, const long *rows, const sized *all)
{
    for (long i = 0; i < p->n_chosen; i++) {
        long from = i * p->n / p->n_chosen, end = (i + 1) * p->n / p->n_chosen;
        long first = all[from].place;
        for (long k = from; k < end; k++)
            if (all[k].place < first) first = all[k].place;
        p->order[i] = rows[first];
        p->chosen[rows[first]] = 1;
    }
    long at = p->n_chosen;
    for (long i = 0; i < p->n; i++)
        if (!p->chosen[rows[i]]) p->order[at++] = rows[i];
}

static allot_code choose(const allot_problems *problems, long seed, long *rows, allot_pilot *p,
                         allot_err *err)
{
    allot_code rc = allot_queries_shuffle(problems->keys, seed, STREAM_PILOT, rows, p->n, err);
    sized *all = rc ? NULL : allot_mem_array((size_t)p->n, sizeof *all, err);
    if (!all) return ALLOT_ERUNTIME;
    for (long i = 0; i < p->n; i++) {
        all[i].place = i;
        (void)allot_strings_at(&problems->col[ALLOT_COL_PROBLEM], rows[i], &all[i].bytes);
    }
    qsort(all, (size_t)p->n, sizeof *all, by_length);
    draw(p, rows, all);
    free(all);
    return ALLOT_OK;
}

allot_code allot_pilot_choose(const allot_problems *problems, const allot_rundir *r,
                              const unsigned char *asked, long wanted, allot_pilot *out,
                              allot_err *err)
{
    allot_pilot p = {0};
    long *rows = allot_mem_array((size_t)problems->n, sizeof *rows, err);
    p.order = allot_mem_array((size_t)problems->n, sizeof *p.order, err);
    p.chosen = allot_mem_array((size_t)problems->n, 1, err);
    allot_code rc = rows && p.order && p.chosen ? ALLOT_OK : ALLOT_ERUNTIME;
    for (long i = 0; !rc && i < problems->n; i++)
        if ((!asked || asked[i]) && allot_rundir_has(r, &problems->keys[i])) rows[p.n++] = i;
    p.n_chosen = wanted < p.n ? wanted : p.n;
    if (!rc) rc = choose(problems, r->seed, rows, &p, err);
    free(rows);
    if (rc) allot_pilot_clear(&p);
    else *out = p;
    return rc;
}

void allot_pilot_clear(allot_pilot *p)
{
    free(p->order);
    free(p->chosen);
    memset(p, 0, sizeof *p);
}
