/* SPDX-License-Identifier: Apache-2.0 */
/* attempts.h - with which attempt the texts of a unit begin: behind those on which the server
 * failed for good in earlier calls (a status 500 or 424 on everything that was drawn), which would
 * fail again. Sparse; filled from the errors of a journal, then sorted, then asked. */
#ifndef ALLOT_ATTEMPTS_H
#define ALLOT_ATTEMPTS_H
#include "lib/store/record.h"

typedef struct {
    long q;
    int unit, next;
} allot_attempt;

typedef struct {
    allot_attempt *at; /* owned [n] */
    size_t n, capacity;
} allot_attempts; /* zero: empty */

/* An error record, of this unit of query q. */
ALLOT_MUST_CHECK allot_code allot_attempts_add(allot_attempts *a, long q, int unit,
                                               const allot_record *rec, allot_err *err);
void allot_attempts_sort(allot_attempts *a);
/* Number of the first attempt, 0 unless some failed. */
int allot_attempts_next(const allot_attempts *a, long q, int unit);
void allot_attempts_clear(allot_attempts *a);
#endif
