/* SPDX-License-Identifier: Apache-2.0 */
/* Diverse verifier tree search: N / M subtrees that never look at each other, so that texts stay
 * different where a beam search would keep the offspring of one. After a round the best of the M
 * continuations of a subtree stays and is repeated to M. A subtree of which all are complete is
 * over. Source: Beeching, Tunstall, Rush, Scaling test-time compute with open models, 2024. */
#include "lib/engine/search.h"

/* The best of a subtree's live branches, among equals the first; NULL if there is none. */
static allot_branch *best_of(allot_branch *tree, int width, allot_agg agg)
{
    allot_branch *best = NULL;
    for (int i = 0; i < width; i++)
        if (tree[i].live &&
            (!best || allot_branch_score(&tree[i], agg) > allot_branch_score(best, agg)))
            best = &tree[i];
    return best;
}

static allot_code next(const allot_strategy *s, allot_branch *at, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    for (allot_branch *tree = at; tree < at + s->n && !rc; tree += s->width) {
        allot_branch *best = best_of(tree, s->width, s->agg);
        if (!best) continue;
        allot_branch_move(&tree[0], best);
        for (int i = 1; i < s->width && !rc; i++)
            rc = allot_branch_copy(&tree[i], &tree[0], err);
    }
    return rc;
}

const allot_search_rule allot_search_dvts = {"diverse verifier tree search", next};
