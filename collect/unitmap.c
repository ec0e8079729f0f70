/* SPDX-License-Identifier: Apache-2.0 */
/* A row of bits for each query, in one block. */
#include "collect/unitmap.h"
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

allot_code allot_unitmap_init(allot_unitmap *m, long n_queries, int per_query, allot_err *err)
{
    *m = (allot_unitmap){.n_queries = n_queries, .per_query = per_query};
    if (per_query > 0 && n_queries > (INT64_MAX - 7) / per_query)
        return allot_fail(err, ALLOT_ERUNTIME, "out of memory for %ld queries", n_queries);
    m->bits = allot_mem_array(((size_t)n_queries * (size_t)per_query + 7) / 8, 1, err);
    return m->bits ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_unitmap_clear(allot_unitmap *m)
{
    free(m->bits);
    memset(m, 0, sizeof *m);
}

int allot_unitmap_done(const allot_unitmap *m, long query, int unit)
{
    long bit = query * m->per_query + unit;
    return m->bits[bit / 8] >> (bit % 8) & 1;
}

void allot_unitmap_mark(allot_unitmap *m, long query, int unit)
{
    if (allot_unitmap_done(m, query, unit)) return;
    long bit = query * m->per_query + unit;
    m->bits[bit / 8] |= (uint8_t)(1 << bit % 8);
    m->n_done++;
}

long allot_unitmap_total(const allot_unitmap *m)
{
    return m->n_queries * m->per_query;
}
