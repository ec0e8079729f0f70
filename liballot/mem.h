/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - allocation that checks for overflow and reports through allot_err. Not installed.
 * Every allocation that failed is counted as well: libraries below us (cJSON) and functions without
 * an allot_err may go on without what they asked for, so nobody who makes a file trusts it when the
 * count has grown. Threads: all calls are reentrant. */
#ifndef ALLOT_MEM_H
#define ALLOT_MEM_H
#include <stddef.h>
#include "err.h"

/* count * size zeroed bytes; never NULL on success, even for count 0. The caller frees. */
void *allot_mem_array(size_t count, size_t size, allot_err *err);

/* Makes room for at least `need` elements of `size` bytes in *p (NULL at first); doubles. */
ALLOT_MUST_CHECK allot_code allot_mem_grow(void **p, size_t *capacity, size_t need, size_t size,
                                           allot_err *err);

/* A copy of n bytes with a NUL behind them. The caller frees. */
char *allot_mem_text(const char *text, size_t n, allot_err *err);

/* How many allocations of this process failed so far. */
long allot_mem_shortages(void);
/* Counts one that failed elsewhere. */
void allot_mem_short(void);

#endif
