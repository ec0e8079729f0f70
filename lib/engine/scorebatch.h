/* SPDX-License-Identifier: Apache-2.0 */
/* scorebatch.h - calls of the reward model that wait at the same time share requests, up to
 * config.prm_batch texts in one. A call waits only until the next allot_engine_poll, and longer
 * only while so many requests are on their way that, full, they would hold max_concurrency texts
 * (one for each host at least): what comes in meanwhile goes together once one is back. So nothing
 * waits for company, nor for a query. If a shared request fails, for whatever reason, its calls are
 * sent again, each on its own: a bad text is its own call's failure alone. Tokens: the request's
 * own count is shared out by what the answer tells of each text, or else in proportion to the bytes
 * sent for it; the sum is exact. */
#ifndef ALLOT_SCOREBATCH_H
#define ALLOT_SCOREBATCH_H
#include "lib/engine/prm.h"

typedef struct {
    allot_prm_call *first, **last; /* owned list of those that wait; last: valid unless empty */
    int n_waiting;
    int n_out; /* calls and shared calls under way that came from here */
} allot_scorebatch;

/* Takes the call. */
void allot_scorebatch_add(allot_engine *e, allot_prm_call *call);
/* Sends what may go. Calls that cannot be sent get their replies. */
void allot_scorebatch_send(allot_engine *e);

#endif
