/* SPDX-License-Identifier: Apache-2.0 */
/* Beam search: after a round the best max(1, floor(N / M)) of the active stay and are repeated to
 * N. Source: arXiv:2509.09864, section 2.1; Snell et al. 2024. */
#include <string.h>
#include "lib/engine/search.h"

static int same_text(const allot_branch *a, const allot_branch *b)
{
    return a->text.n == b->text.n && memcmp(a->text.at, b->text.at, a->text.n) == 0;
}

/* Active beams move to the front, without exact duplicates; the rest is emptied. */
static int keep_active(int n, allot_branch *at)
{
    int n_active = 0;
    for (int i = 0; i < n; i++) {
        int drop = !at[i].live;
        for (int j = 0; j < n_active && !drop; j++)
            drop = same_text(&at[j], &at[i]);
        if (drop) allot_branch_clear(&at[i]);
        else allot_branch_move(&at[n_active++], &at[i]);
    }
    return n_active;
}

/* Those of the highest scores stay, in their order; among equals the first. */
static int keep_best(const allot_strategy *s, allot_branch *at, int n_active)
{
    int keep = s->n / s->width, kept = 0;
    double score[ALLOT_MAX_N];
    if (keep < 1) keep = 1;
    for (int i = 0; i < n_active; i++)
        score[i] = allot_branch_score(&at[i], s->agg);
    for (int i = 0; i < n_active; i++) {
        int better = 0;
        for (int j = 0; j < n_active; j++)
            better += score[j] > score[i] || (score[j] == score[i] && j < i);
        if (better < keep) allot_branch_move(&at[kept++], &at[i]);
    }
    for (int i = kept; i < n_active; i++)
        allot_branch_clear(&at[i]);
    return kept;
}

/* Survivors are repeated in order until there are N beams. */
static allot_code next(const allot_strategy *s, allot_branch *at, allot_err *err)
{
    int kept = keep_best(s, at, keep_active(s->n, at));
    allot_code rc = ALLOT_OK;
    for (int i = kept; i < s->n && kept && !rc; i++)
        rc = allot_branch_copy(&at[i], &at[i % kept], err);
    return rc;
}

const allot_search_rule allot_search_beam = {"beam search", next};
