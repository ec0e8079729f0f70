/* SPDX-License-Identifier: Apache-2.0 */
/* workers.h - threads that share the items of one job at a time. Which thread takes which item has
 * no influence on results. Idle threads spin for some microseconds, as the next job of a training
 * or decoding step is near, then sleep in the kernel, so that others get the cores. */
#ifndef ALLOT_WORKERS_H
#define ALLOT_WORKERS_H
#include "liballot/err.h"

typedef struct allot_workers allot_workers;

/* worker: 0 .. n - 1; 0 is the caller of allot_workers_run. */
typedef void (*allot_workers_fn)(void *user, int item, int worker);

/* n >= 1 threads in all, the caller's included. */
ALLOT_MUST_CHECK allot_code allot_workers_new(int n, allot_workers **out, allot_err *err);
void allot_workers_free(allot_workers *w); /* safe on NULL */

/* Runs f for items 0 .. n_items - 1 (at most 65535) and returns when all are done. One caller. */
void allot_workers_run(allot_workers *w, allot_workers_fn f, void *user, int n_items);
#endif
