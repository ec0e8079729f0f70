/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - allocation that checks for overflow and reports through allot_err. Not installed. */
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

#endif
