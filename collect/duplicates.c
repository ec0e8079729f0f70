/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the queries whose long texts are all one; alarms only where chance does not explain
 * them. */
#include "collect/duplicates.h"
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

allot_code allot_duplicates_init(allot_duplicates *d, long n_queries, allot_err *err)
{
    *d = (allot_duplicates){0};
    d->at = allot_mem_array((size_t)n_queries, sizeof *d->at, err);
    return d->at ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_duplicates_clear(allot_duplicates *d)
{
    free(d->at);
    memset(d, 0, sizeof *d);
}

static int is_compared(const allot_duplicates_query *q)
{
    return q->n >= ALLOT_DUPLICATES_MIN_SAMPLES && !q->is_short;
}

void allot_duplicates_add(allot_duplicates *d, long q, const allot_record *rec)
{
    if (rec->type != ALLOT_REC_SAMPLE) return;
    allot_duplicates_query *at = &d->at[q];
    d->n_compared -= is_compared(at);
    d->n_identical -= is_compared(at) && !at->differs;
    if (at->n == 0) at->first = rec->texts_id;
    at->n++;
    at->is_short |= rec->n_tokens < ALLOT_DUPLICATES_MIN_TOKENS || rec->texts_id == 0;
    at->differs |= rec->texts_id != at->first;
    d->n_compared += is_compared(at);
    d->n_identical += is_compared(at) && !at->differs;
}

int allot_duplicates_alarm(const allot_duplicates *d)
{
    return d->n_identical >= ALLOT_DUPLICATES_MIN_QUERIES &&
           (double)d->n_identical >= ALLOT_DUPLICATES_MIN_SHARE * (double)d->n_compared;
}
