/* SPDX-License-Identifier: Apache-2.0 */
#include "prm.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "job.h"
#include "liballot/mem.h"

static const allot_prm_backend *const BACKENDS[] = {&allot_prm_pooling};
enum { N_BACKENDS = sizeof BACKENDS / sizeof *BACKENDS };

const allot_prm_backend *allot_prm_find(const char *kind)
{
    for (int i = 0; i < N_BACKENDS; i++)
        if (strcmp(BACKENDS[i]->kind, kind) == 0) return BACKENDS[i];
    return NULL;
}

void allot_prm_kinds(char *out, size_t n)
{
    size_t at = 0;
    for (int i = 0; i < N_BACKENDS && at < n; i++)
        at += (size_t)snprintf(out + at, n - at, "%s%s", i ? ", " : "", BACKENDS[i]->kind);
}

static void call_free(allot_prm_call *call)
{
    for (int i = 0; i < call->reply.n; i++)
        free(call->reply.texts[i].scores);
    free(call->reply.texts);
    free(call);
}

void allot_prm_dropped(allot_prm_call *call)
{
    if (--call->outstanding == 0) call_free(call);
}

void allot_prm_returned(allot_prm_call *call, const allot_err *failure, long prm_tokens,
                        int retries, double sent_s, double done_s)
{
    allot_prm_reply *r = &call->reply;
    if (failure && failure->code && !r->failure.code) r->failure = *failure;
    r->prm_tokens += prm_tokens;
    r->retries += retries;
    r->sent_s = fmin(r->sent_s, sent_s);
    r->done_s = fmax(r->done_s, done_s);
    if (--call->outstanding > 0) return;
    call->done(r, call->user);
    call_free(call);
}

allot_code allot_prm_score(allot_engine *e, const allot_query *q, const allot_prm_text *texts,
                           int n, allot_prm_fn f, void *user, allot_err *err)
{
    if (!e->prm)
        return allot_fail(err, ALLOT_EUSAGE, "a reward model is needed (give --prm-model)");
    allot_prm_call *call = allot_mem_array(1, sizeof *call, err);
    if (!call) return ALLOT_ERUNTIME;
    *call = (allot_prm_call){.engine = e, .query = q, .done = f, .user = user};
    call->reply.sent_s = INFINITY;
    call->reply.n = n;
    call->reply.texts = allot_mem_array((size_t)n, sizeof *texts, err);
    allot_code rc = call->reply.texts ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) {
        memcpy(call->reply.texts, texts, (size_t)n * sizeof *texts);
        rc = e->prm->start(call, err);
    } else {
        call->reply.n = 0;
    }
    if (rc) call_free(call);
    return rc;
}
