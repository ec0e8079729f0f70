/* SPDX-License-Identifier: Apache-2.0 */
/* single: one sample is the answer; it is right as often as the samples are. */
#include "lib/methods/methods.h"
#include "lib/methods/soft_parts.h"

static int pick(const allot_strategy *s, const allot_generation *gen, int n_gen,
                const allot_grade_options *o)
{
    (void)s, (void)gen, (void)o;
    return n_gen > 0 ? 0 : -1;
}

static allot_code expect(allot_soft *w, const allot_pool *pool, const allot_strategy *s,
                         const allot_soft_stream *stream, allot_soft_label *out, allot_err *err)
{
    (void)w, (void)s, (void)stream, (void)err;
    int right = 0;
    for (int i = 0; i < pool->n; i++)
        right += allot_soft_is_right(pool, i);
    double p = (double)right / pool->n;
    out->accuracy = p;
    out->variance = pool->n > 1 ? p * (1 - p) / (pool->n - 1) : 0;
    return ALLOT_OK;
}

const allot_method_rule allot_rule_single = {pick, expect, ALLOT_VOTE_COUNT};
