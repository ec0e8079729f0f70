/* SPDX-License-Identifier: Apache-2.0 */
/* What methods share when they choose among candidates. */
#include "lib/methods/pick.h"
#include <math.h>

#define NO_CLASS 0 /* FNV-1a of a canonical form is 0 for no input that matters here */

double allot_aggregate(const double *scores, int n, allot_agg agg)
{
    double min = scores[0], prod = 1, sum = 0;
    for (int i = 0; i < n; i++) {
        min = fmin(min, scores[i]);
        prod *= scores[i];
        sum += scores[i];
    }
    switch (agg) {
    case ALLOT_AGG_MIN:
        return min;
    case ALLOT_AGG_PROD:
        return prod;
    case ALLOT_AGG_MEAN:
        return sum / n;
    case ALLOT_AGG_LAST:
        break;
    }
    return scores[n - 1];
}

/* A candidate that was not scored never wins. */
static double score_of(const allot_generation *g, allot_agg agg)
{
    return g->n_scores > 0 ? allot_aggregate(g->scores, g->n_scores, agg) : -INFINITY;
}

int allot_pick_best(const allot_strategy *s, const allot_generation *gen, int n)
{
    int best = n > 0 ? 0 : -1;
    for (int i = 1; i < n; i++)
        if (score_of(&gen[i], s->agg) > score_of(&gen[best], s->agg)) best = i;
    return best;
}

/* The name of the answer's class, or NO_CLASS. */
static uint64_t class_of(const allot_generation *g, const allot_grade_options *o)
{
    char canonical[ALLOT_ANSWER_MAX];
    const char *answer;
    size_t n;
    if (allot_extract(g->text, g->n, o, &answer, &n) == ALLOT_EXTRACT_NONE) return NO_CLASS;
    n = allot_canonical(answer, n, canonical, sizeof canonical);
    return n > 0 ? allot_fnv1a(ALLOT_FNV_START, canonical, n) : NO_CLASS;
}

int allot_pick_vote(const allot_strategy *s, const allot_generation *gen, int n, int weighted,
                    const allot_grade_options *o)
{
    uint64_t cls[ALLOT_MAX_N];
    int best = -1;
    double best_sum = -INFINITY;
    if (n > ALLOT_MAX_N) n = ALLOT_MAX_N;
    for (int i = 0; i < n; i++)
        cls[i] = class_of(&gen[i], o);
    for (int i = 0; i < n; i++) {
        double sum = 0;
        if (cls[i] == NO_CLASS) continue;
        for (int j = 0; j < n; j++)
            if (cls[j] == cls[i]) sum += weighted ? score_of(&gen[j], s->agg) : 1;
        if (sum > best_sum) {
            best_sum = sum;
            best = i;
        }
    }
    return best;
}

int allot_pick_search(const allot_strategy *s, const allot_generation *gen, int n_gen,
                      const allot_grade_options *o)
{
    if (s->final == ALLOT_FINAL_VOTE)
        return allot_pick_vote(s, gen, n_gen < s->n ? n_gen : s->n, 0, o);
    return allot_pick_best(s, gen, n_gen);
}
