/* SPDX-License-Identifier: Apache-2.0 */
/* bon: the candidate of the highest score is the answer, also when none can be read in it. */
#include "lib/methods/methods.h"
#include "lib/methods/soft_parts.h"
#include <stdlib.h>

static int pick(const allot_strategy *s, const allot_generation *gen, int n_gen,
                const allot_grade_options *o)
{
    (void)o;
    return allot_pick_best(s, gen, n_gen);
}

/* tail[r] = C(m - r, n) / C(m, n): probability that all n drawn lie behind rank r. A product of
 * ratios in [0, 1], so nothing overflows for any m. */
static void rank_tail(double *tail, int m, int n)
{
    tail[0] = 1;
    for (int r = 1; r <= m; r++)
        tail[r] = m - r + 1 > n ? tail[r - 1] * (m - r + 1 - n) / (m - r + 1) : 0;
}

typedef struct {
    const double *score;
} by_score;

static int compare_scores(const void *a, const void *b, void *context)
{
    const double *score = ((by_score *)context)->score;
    double x = score[*(const int *)a], y = score[*(const int *)b];
    return (x < y) - (x > y);
}

/* A run of tied ranks [first, end), `right` of them correct. */
typedef struct {
    int first, end, right;
} rank_group;

static rank_group group_at(const allot_soft *w, const allot_pool *pool, int first)
{
    rank_group g = {first, first, 0};
    double score = pool->score[w->order[first]];
    while (g.end < pool->n && pool->score[w->order[g.end]] == score)
        g.right += allot_soft_is_right(pool, w->order[g.end++]);
    return g;
}

/* The best of N has rank in the group with probability tail[first] - tail[end]; each tied sample
 * takes an equal share of it. */
static double group_mass(const double *tail, int first, int end, int right)
{
    return end > first ? (tail[first] - tail[end]) * right / (end - first) : 0;
}

/* Exact best-of-N. Leaving out a sample shifts the ranks behind it by one; `before` and `after` are
 * running sums over the groups, so that the whole jackknife is one pass. */
static void best_of(allot_soft *w, const allot_pool *pool, int n, allot_soft_label *out)
{
    int m = pool->n, n_values = 0;
    for (int i = 0; i < m; i++)
        w->order[i] = i;
    by_score context = {pool->score};
    qsort_r(w->order, (size_t)m, sizeof *w->order, compare_scores, &context);
    rank_tail(w->tail[0], m, n);
    double accuracy = 0, before = 0, after = 0;
    if (m > n) rank_tail(w->tail[1], m - 1, n);
    const double *less = w->tail[1];
    rank_group g;
    for (int i = 0; i < m; i = g.end) {
        g = group_at(w, pool, i);
        accuracy += group_mass(w->tail[0], g.first, g.end, g.right);
        if (m > n && i > 0) after += group_mass(less, g.first - 1, g.end - 1, g.right);
    }
    for (int i = 0; m > n && i < m; i = g.end) {
        g = group_at(w, pool, i);
        if (i > 0) after -= group_mass(less, g.first - 1, g.end - 1, g.right);
        for (int right = 0; right < 2; right++) {
            int times = right ? g.right : g.end - g.first - g.right;
            if (times == 0) continue;
            w->value[n_values] =
                before + after + group_mass(less, g.first, g.end - 1, g.right - right);
            w->times[n_values++] = times;
        }
        before += group_mass(less, g.first, g.end, g.right);
    }
    out->accuracy = accuracy;
    out->variance = m > n ? allot_soft_jackknife(w, n_values, m) : 0;
}

static allot_code expect(allot_soft *w, const allot_pool *pool, const allot_strategy *s,
                         const allot_soft_stream *stream, allot_soft_label *out, allot_err *err)
{
    (void)stream, (void)err;
    best_of(w, pool, s->n, out);
    return ALLOT_OK;
}

const allot_method_rule allot_rule_bon = {pick, expect, ALLOT_VOTE_BEST};
