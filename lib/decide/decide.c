/* SPDX-License-Identifier: Apache-2.0 */
/* The choice for one query, with the memory it needs. */
#include "lib/decide/decide.h"
#include <math.h>
#include <stdlib.h>
#include "liballot/mem.h"

allot_code allot_decider_init(allot_decider *d, const allot_bundle *b, const allot_rule *rule,
                              allot_err *err)
{
    *d = (allot_decider){.bundle = b, .rule = *rule};
    d->scratch = allot_mem_array(allot_scratch_floats(b), sizeof *d->scratch, err);
    d->accuracy = allot_mem_array((size_t)b->strategies.count, sizeof *d->accuracy, err);
    if (d->scratch && d->accuracy) return ALLOT_OK;
    allot_decider_clear(d);
    return ALLOT_ERUNTIME;
}

void allot_decider_clear(allot_decider *d)
{
    free(d->scratch);
    free(d->accuracy);
    *d = (allot_decider){0};
}

allot_code allot_decide(allot_decider *d, const allot_ask *q, int forced, allot_decision *out,
                        allot_err *err)
{
    const allot_bundle *b = d->bundle;
    int at = forced;
    allot_code rc = forced < 0 ? allot_bundle_select(b, &d->rule, q->embedding, q->codepoints,
                                                     d->scratch, d->accuracy, &at, err)
                               : allot_bundle_predict(b, q->embedding, q->codepoints, d->scratch,
                                                      d->accuracy, err);
    if (rc) return rc;
    const allot_cost *cost = &b->costs.at[at];
    *out = (allot_decision){at, d->accuracy[at], cost->tokens.mean,
                            b->costs.has_seconds ? cost->seconds.mean : NAN};
    return ALLOT_OK;
}
