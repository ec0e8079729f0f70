/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps (unit, attempts) pairs as records are read, sorts them once, and answers from the sorted
 * list. */
#include "collect/attempts.h"
#include <stdlib.h>
#include <string.h>
#include "lib/engine/generate.h"
#include "liballot/mem.h"

/* Older journals do not tell, but have the server's words. */
static int guess(const allot_record *rec)
{
    static const char *const words[] = {"answered with status 500", "answered with status 424"};
    int failed = 0;
    for (int i = 0; i < 2 && rec->message; i++)
        failed |= strstr(rec->message, words[i]) != NULL;
    return failed && rec->attempt >= ALLOT_MAX_DRAWS - 1 ? ALLOT_MAX_DRAWS : 0;
}

allot_code allot_attempts_add(allot_attempts *a, long q, int unit, const allot_record *rec,
                              allot_err *err)
{
    int next = rec->draws >= 0 ? rec->draws : guess(rec);
    if (next == 0) return ALLOT_OK;
    allot_code rc = allot_mem_grow((void **)&a->at, &a->capacity, a->n + 1, sizeof *a->at, err);
    if (!rc) a->at[a->n++] = (allot_attempt){q, unit, next};
    return rc;
}

static int by_unit(const void *a, const void *b)
{
    const allot_attempt *x = a, *y = b;
    if (x->q != y->q) return x->q < y->q ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static int by_unit_and_next(const void *a, const void *b)
{
    const allot_attempt *x = a, *y = b;
    int c = by_unit(a, b);
    return c ? c : (x->next > y->next) - (x->next < y->next);
}

/* Of each unit the highest is kept. */
void allot_attempts_sort(allot_attempts *a)
{
    size_t kept = 0;
    if (a->n > 0) qsort(a->at, a->n, sizeof *a->at, by_unit_and_next);
    for (size_t i = 0; i < a->n; i++)
        if (i + 1 == a->n || by_unit(&a->at[i], &a->at[i + 1]) != 0) a->at[kept++] = a->at[i];
    a->n = kept;
}

int allot_attempts_next(const allot_attempts *a, long q, int unit)
{
    const allot_attempt key = {q, unit, 0};
    const allot_attempt *found =
        a->n > 0 ? bsearch(&key, a->at, a->n, sizeof *a->at, by_unit) : NULL;
    return found ? found->next : 0;
}

void allot_attempts_clear(allot_attempts *a)
{
    free(a->at);
    memset(a, 0, sizeof *a);
}
