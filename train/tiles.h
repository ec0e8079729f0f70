/* SPDX-License-Identifier: Apache-2.0 */
/* tiles.h - a few threads that work through numbered tiles. What a tile is never depends on the
 * number of threads, so neither does a result. One job at a time, started by one thread. */
#ifndef ALLOT_TILES_H
#define ALLOT_TILES_H
#include "liballot/err.h"

typedef struct allot_tiles allot_tiles;
typedef void (*allot_tile_fn)(void *user, int tile);

/* n_threads >= 1 includes the caller of allot_tiles_run. */
ALLOT_MUST_CHECK allot_code allot_tiles_new(int n_threads, allot_tiles **out, allot_err *err);
void allot_tiles_free(allot_tiles *w); /* safe on NULL */
/* Runs f(user, tile) for tile = 0 .. n_tiles - 1 in any order; returns when all are done. */
void allot_tiles_run(allot_tiles *w, int n_tiles, allot_tile_fn f, void *user);

#endif
