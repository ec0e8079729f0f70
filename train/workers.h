/* SPDX-License-Identifier: Apache-2.0 */
/* workers.h - a few threads that work through numbered tiles. What a tile is never depends on the
 * number of threads, so neither does a result. One job at a time, started by one thread. */
#ifndef ALLOT_WORKERS_H
#define ALLOT_WORKERS_H
#include "liballot/err.h"

typedef struct allot_workers allot_workers;
typedef void (*allot_tile)(void *user, int tile);

/* n_threads >= 1 includes the caller of allot_workers_run. */
ALLOT_MUST_CHECK allot_code allot_workers_new(int n_threads, allot_workers **out, allot_err *err);
void allot_workers_free(allot_workers *w); /* safe on NULL */
/* Runs f(user, tile) for tile = 0 .. n_tiles - 1 in any order; returns when all are done. */
void allot_workers_run(allot_workers *w, int n_tiles, allot_tile f, void *user);

#endif
