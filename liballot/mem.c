/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays, growth and copies that say when there is no memory; counts shortages. */
#include "mem.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long shortages;

long allot_mem_shortages(void)
{
    return atomic_load_explicit(&shortages, memory_order_relaxed);
}

void allot_mem_short(void)
{
    atomic_fetch_add_explicit(&shortages, 1, memory_order_relaxed);
}

static allot_code out_of_memory(allot_err *err, size_t count, size_t size)
{
    allot_mem_short();
    return allot_fail(err, ALLOT_ERUNTIME, "out of memory for %zu x %zu bytes", count, size);
}

void *allot_mem_array(size_t count, size_t size, allot_err *err)
{
    void *p = calloc(count ? count : 1, size ? size : 1); /* calloc checks the product */
    if (!p) (void)out_of_memory(err, count, size);
    return p;
}

allot_code allot_mem_grow(void **p, size_t *capacity, size_t need, size_t size, allot_err *err)
{
    if (need <= *capacity) return ALLOT_OK;
    size_t want = *capacity < 8 ? 8 : *capacity;
    while (want < need) {
        if (want > SIZE_MAX / 2) return out_of_memory(err, need, size);
        want *= 2;
    }
    void *grown = size && want > SIZE_MAX / size ? NULL : realloc(*p, want * size);
    if (!grown) return out_of_memory(err, want, size);
    *p = grown;
    *capacity = want;
    return ALLOT_OK;
}

char *allot_mem_text(const char *text, size_t n, allot_err *err)
{
    char *copy = n == SIZE_MAX ? NULL : malloc(n + 1);
    if (!copy) {
        (void)out_of_memory(err, n, 1);
        return NULL;
    }
    if (n) memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}
