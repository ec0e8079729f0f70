/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/core/rng.h"
#include "liballot/mem.h"
#include "lib/methods/methods.h"
#include "lib/methods/soft_parts.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

allot_code allot_soft_new(allot_soft **out, allot_err *err)
{
    *out = allot_mem_array(1, sizeof **out, err);
    return *out ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_soft_free(allot_soft *w)
{
    if (!w) return;
    free(w->block);
    free(w->dp);
    free(w);
}

/* One block for all arrays, so that a pool costs no allocation once the largest was seen. */
allot_code allot_soft_reserve(allot_soft *w, int n, allot_err *err)
{
    if (n <= w->max_n) return ALLOT_OK;
    size_t k = (size_t)n + 1;
    size_t bytes = k * (8 * sizeof(double) + 6 * sizeof(int) + 2 * sizeof(allot_soft_class));
    void *block = allot_mem_array(bytes, 1, err);
    if (!block) return ALLOT_ERUNTIME;
    free(w->block);
    w->block = block;
    double *d = block;
    w->log_fact = d, w->pmf = d + k, w->value = d + 3 * k, w->sum = d + 4 * k;
    w->with = d + 5 * k, w->tail[0] = d + 6 * k, w->tail[1] = d + 7 * k;
    int *i = (int *)(d + 8 * k);
    w->times = i, w->order = i + k, w->mark = i + 2 * k, w->touched = i + 3 * k;
    w->subset = i + 4 * k, w->count = i + 5 * k;
    w->classes = (allot_soft_class *)(i + 6 * k);
    w->fewer = w->classes + k;
    for (int j = 2; j <= n; j++)
        w->log_fact[j] = w->log_fact[j - 1] + log(j);
    w->max_n = n;
    return ALLOT_OK;
}

double allot_soft_jackknife(const allot_soft *w, int n, int m)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < n; i++)
        mean += w->times[i] * w->value[i] / m;
    for (int i = 0; i < n; i++)
        sum += w->times[i] * (w->value[i] - mean) * (w->value[i] - mean);
    return sum * (m - 1) / m;
}

double allot_soft_n_eff(double accuracy, double variance, int m)
{
    double p = (m * accuracy + 0.5) / (m + 1);
    double n = variance > 0 ? p * (1 - p) / variance : m;
    return fmin(fmax(n, 1), m);
}

allot_soft_label allot_soft_runs(int n_right, int n_runs)
{
    double p = (double)n_right / n_runs;
    allot_soft_label l = {p, p * (1 - p) / n_runs, 0, 0};
    l.n_eff = allot_soft_n_eff(p, l.variance, n_runs);
    return l;
}

allot_code allot_soft_pool(allot_soft *w, const allot_pool *pool, const allot_strategy *s,
                           const allot_soft_stream *stream, allot_soft_label *out, allot_err *err)
{
    assert(s->n >= 1 && s->n <= pool->n);
    memset(out, 0, sizeof *out);
    allot_code code = allot_soft_reserve(w, pool->n, err);
    if (code) return code;
    /* one sample is one sample, whatever would choose among more */
    const allot_method_rule *rule =
        s->n == 1 ? &allot_rule_single : allot_method_rule_of(s->method);
    assert(rule->expect);
    code = rule->expect(w, pool, s, stream, out, err);
    if (code) return code;
    out->accuracy = fmin(fmax(out->accuracy, 0), 1);
    if (pool->n == s->n) { /* one draw: nothing to leave out */
        double p = (pool->n * out->accuracy + 0.5) / (pool->n + 1);
        out->variance = p * (1 - p);
    }
    out->n_eff = allot_soft_n_eff(out->accuracy, out->variance, pool->n);
    return ALLOT_OK;
}

/* The answer of one draw w->subset[0..draw): 1 right, 0 wrong or none. Ties: the earliest place. */
static int paper_draw(allot_soft *w, const allot_pool *pool, allot_vote vote, int draw)
{
    for (int k = 0; k < pool->n_classes; k++)
        w->sum[k] = 0;
    int best = 0;
    for (int i = 0; i < draw; i++) {
        int c = pool->cls[w->subset[i]];
        if (vote == ALLOT_VOTE_BEST && pool->score[w->subset[i]] > pool->score[w->subset[best]])
            best = i;
        if (c >= 0) w->sum[c] += vote == ALLOT_VOTE_WEIGHTED ? pool->score[w->subset[i]] : 1;
    }
    if (vote == ALLOT_VOTE_BEST) return allot_soft_is_right(pool, w->subset[best]);
    int lead = -1;
    for (int i = 0; i < draw; i++) {
        int c = pool->cls[w->subset[i]];
        if (c >= 0 && (lead < 0 || w->sum[c] > w->sum[lead])) lead = c;
    }
    return lead >= 0 && pool->right[lead];
}

allot_code allot_soft_paper(allot_soft *w, const allot_pool *pool, allot_vote vote, int draw,
                            const allot_soft_stream *stream, allot_soft_label *out, allot_err *err)
{
    memset(out, 0, sizeof *out);
    allot_code code = allot_soft_reserve(w, draw > pool->n ? draw : pool->n, err);
    if (code) return code;
    int right = 0;
    for (int b = 0; b < ALLOT_PAPER_BOOTSTRAPS; b++) {
        /* The same bootstrap for every strategy of a query, as published: a draw of N is the
         * beginning of a draw of 32. */
        allot_rng r = allot_rng_start(stream->seed, stream->query, stream->strategy, (uint64_t)b);
        for (int i = 0; i < draw; i++)
            w->subset[i] = (int)allot_rng_below(&r, (uint64_t)pool->n);
        right += paper_draw(w, pool, vote, draw);
    }
    *out = allot_soft_runs(right, ALLOT_PAPER_BOOTSTRAPS);
    return ALLOT_OK;
}

double allot_expected_longest(const double *lengths, int m, int n)
{
    double tail = 1, expected = 0; /* tail: probability that all n lie among the i shortest */
    for (int i = m; i >= n; i--) {
        double shorter = i > n ? tail * (i - n) / i : 0;
        expected += (tail - shorter) * lengths[i - 1];
        tail = shorter;
    }
    return expected;
}
