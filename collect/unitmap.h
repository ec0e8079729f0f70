/* SPDX-License-Identifier: Apache-2.0 */
/* unitmap.h - which units of work of each query are done: one bit each, so that a plan of 20,000
 * queries with 200 units takes half a megabyte. */
#ifndef ALLOT_UNITMAP_H
#define ALLOT_UNITMAP_H
#include <stdint.h>
#include "liballot/err.h"

typedef struct {
    long n_queries;
    int per_query; /* units of one query */
    long n_done;   /* bits set */
    uint8_t *bits; /* owned, [n_queries * per_query] bits */
} allot_unitmap;

/* All undone. */
ALLOT_MUST_CHECK allot_code allot_unitmap_init(allot_unitmap *m, long n_queries, int per_query,
                                               allot_err *err);
void allot_unitmap_clear(allot_unitmap *m);
int allot_unitmap_done(const allot_unitmap *m, long query, int unit);
void allot_unitmap_mark(allot_unitmap *m, long query, int unit); /* twice is once */
long allot_unitmap_total(const allot_unitmap *m);

#endif
