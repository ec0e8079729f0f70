/* SPDX-License-Identifier: Apache-2.0 */
/* weighted: the score-weighted vote over N-subsets of a pool: all of them when they are
 * few, else a fixed number of random ones, keyed by (seed, query, strategy).
 *
 * The leave-one-out label of sample j is the mean over the subsets without j. For all subsets that
 * is exact; for random ones it is the same Monte-Carlo estimate on common subsets, whose noise
 * the jackknife would take for variance, so its expectation is subtracted. */
#include "lib/core/rng.h"
#include "lib/core/stats.h"
#include "lib/methods/methods.h"
#include "lib/methods/soft_parts.h"
#include <math.h>
#include <string.h>

enum { MAX_EXACT = 20000, N_RANDOM = 2000 };
#define TIE 1e-12 /* sums of the same scores in another order differ by rounding */

/* Probability that the vote of w->subset[0..n) is right: ties for the lead share it equally. */
static double vote(allot_soft *w, const allot_pool *pool, int n)
{
    int n_touched = 0;
    for (int i = 0; i < n; i++) {
        int c = pool->cls[w->subset[i]];
        if (c < 0) continue;
        if (!w->mark[c]) {
            w->mark[c] = 1;
            w->touched[n_touched++] = c;
            w->sum[c] = 0;
        }
        w->sum[c] += pool->score[w->subset[i]];
    }
    double best = -INFINITY;
    for (int i = 0; i < n_touched; i++)
        best = fmax(best, w->sum[w->touched[i]]);
    int leads = 0, right = 0;
    for (int i = 0; i < n_touched; i++) {
        int c = w->touched[i];
        w->mark[c] = 0;
        if (w->sum[c] >= best - TIE * fmax(1, fabs(best))) {
            leads++;
            right += pool->right[c];
        }
    }
    return leads ? (double)right / leads : 0;
}

/* The next combination in lexicographic order; 0 after the last. */
static int next_subset(int *subset, int m, int n)
{
    int i = n - 1;
    while (i >= 0 && subset[i] == m - n + i)
        i--;
    if (i < 0) return 0;
    for (subset[i++]++; i < n; i++)
        subset[i] = subset[i - 1] + 1;
    return 1;
}

/* [0, n) without bias (Lemire 2019): one multiplication where allot_rng_below divides twice; a
 * label draws a hundred thousand of these. */
static int draw_below(allot_rng *r, uint32_t n)
{
    uint64_t x = (uint64_t)allot_rng_u32(r) * n;
    if ((uint32_t)x < n)
        for (uint32_t least = -n % n; (uint32_t)x < least;)
            x = (uint64_t)allot_rng_u32(r) * n;
    return (int)(x >> 32);
}

/* A random subset at the front of a permutation, which any earlier shuffle leaves uniform. */
static void random_subset(allot_rng *r, int *permutation, int m, int n)
{
    for (int i = 0; i < n; i++) {
        int j = i + draw_below(r, (uint32_t)(m - i)), taken = permutation[j];
        permutation[j] = permutation[i];
        permutation[i] = taken;
    }
}

/* Sums over subsets: of the votes, their squares, and per sample those that contain it. */
typedef struct {
    double sum, squares;
    int n;
} totals;

static void count_vote(allot_soft *w, const allot_pool *pool, int n, totals *t)
{
    double v = vote(w, pool, n);
    t->sum += v;
    t->squares += v * v;
    t->n++;
    for (int i = 0; i < n; i++) {
        w->with[w->subset[i]] += v;
        w->count[w->subset[i]]++;
    }
}

/* Leave-one-out labels into w->value; returns the Monte-Carlo noise in their jackknife for votes of
 * variance `spread` (0 for all subsets). A label without j differs from the whole by
 * n1 / n (mean of the n0 without j - mean of the n1 with j), of variance spread n1 / (n n0). */
static double leave_one_out(const allot_soft *w, int m, const totals *t, double spread)
{
    double noise = 0;
    for (int j = 0; j < m; j++) {
        int without = t->n - w->count[j];
        w->value[j] = without ? (t->sum - w->with[j]) / without : t->sum / t->n;
        w->times[j] = 1;
        noise += without ? spread * w->count[j] / ((double)t->n * without) : 0;
    }
    return noise * (m - 1) / m;
}

/* No wrong answer among the classes (or no right one): scores cannot matter. */
static int scores_matter(const allot_pool *pool)
{
    int right = 0, wrong = 0;
    for (int i = 0; i < pool->n; i++) {
        if (pool->cls[i] >= 0) *(pool->right[pool->cls[i]] ? &right : &wrong) = 1;
    }
    return right && wrong;
}

static allot_code expect(allot_soft *w, const allot_pool *pool, const allot_strategy *s,
                         const allot_soft_stream *stream, allot_soft_label *out, allot_err *err)
{
    int m = pool->n, n = s->n;
    totals t = {0, 0, 0};
    if (!scores_matter(pool)) return allot_soft_majority(w, pool, n, out, err);
    memset(w->with, 0, (size_t)m * sizeof *w->with);
    memset(w->count, 0, (size_t)m * sizeof *w->count);
    memset(w->mark, 0, (size_t)m * sizeof *w->mark);
    double spread = 0;
    for (int i = 0; i < m; i++)
        w->subset[i] = i;
    if (allot_log_choose(m, n) <= log(MAX_EXACT)) {
        do
            count_vote(w, pool, n, &t);
        while (next_subset(w->subset, m, n));
    } else {
        allot_rng r = allot_rng_start(stream->seed, stream->query, stream->strategy, 0);
        while (t.n < N_RANDOM) {
            random_subset(&r, w->subset, m, n);
            count_vote(w, pool, n, &t);
        }
        spread = fmax(0, t.squares / t.n - (t.sum / t.n) * (t.sum / t.n)) * t.n / (t.n - 1);
    }
    out->accuracy = t.sum / t.n;
    out->mc_error = sqrt(spread / t.n);
    if (m > n) {
        double noise = leave_one_out(w, m, &t, spread);
        out->variance = fmax(0, allot_soft_jackknife(w, m, m) - noise);
    }
    return ALLOT_OK;
}

static int pick(const allot_strategy *s, const allot_generation *gen, int n_gen,
                const allot_grade_options *o)
{
    return allot_pick_vote(s, gen, n_gen, 1, o);
}

const allot_method_rule allot_rule_weighted = {pick, expect, ALLOT_VOTE_WEIGHTED};
