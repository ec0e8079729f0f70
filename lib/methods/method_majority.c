/* SPDX-License-Identifier: Apache-2.0 */
/* majority: the exact expectation of a majority vote over all N-subsets of a pool.
 *
 * A uniform N-subset gives multivariate hypergeometric class counts: the same as independent
 * binomials (c_k, p), for any p, given that they sum to N. With p = N / M every number below is a
 * probability, so pools of thousands neither overflow nor underflow.
 *
 * A class wins with count m if no other class has more, sharing with t others that have m too.
 * Classes with fewer than m samples cannot reach m: together with the failed ones they are one
 * binomial. The dynamic programme runs over the classes of at least m samples only, with state
 * (t, rest): t classes at m, and `rest` samples in the classes below m. */
#include "liballot/mem.h"
#include "lib/methods/methods.h"
#include "lib/methods/soft_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOTHING 1e-30 /* a probability that does not count */

/* A pool as a vote sees it. */
typedef struct {
    const allot_soft_class *at; /* [k] by descending size */
    int k;
    int m, n;            /* samples in the pool, in a subset */
    double log_p, log_q; /* of p = n / m and 1 - p */
} vote_pool;

static vote_pool sized(const allot_soft_class *at, int k, int m, int n)
{
    return (vote_pool){at, k, m, n, log((double)n / m), log((double)(m - n) / m)};
}

/* P(Binomial(c, n / m) = i). */
static double pmf_at(const allot_soft *w, const vote_pool *v, int c, int i)
{
    const double *f = w->log_fact;
    if (v->n == v->m) return i == c;
    return exp(f[c] - f[i] - f[c - i] + i * v->log_p + (c - i) * v->log_q);
}

/* Adds one class to the state in place: t and rest descend, so each entry reads old values only.
 * What is too improbable to show in the result is not summed: large classes are narrow. */
static void add_class(double *dp, int n_t, int stride, int m, const double *pmf)
{
    int low = 0, high = m - 1;
    while (low < m && pmf[low] < NOTHING)
        low++;
    while (high > low && pmf[high] < NOTHING)
        high--;
    for (int t = n_t - 1; t >= 0; t--) {
        double *row = dp + (size_t)t * stride;
        for (int rest = stride - 1; rest >= 0; rest--) {
            double sum = t > 0 ? row[rest - stride] * pmf[m] : 0;
            int most = rest < high ? rest : high;
            for (int i = low; i <= most; i++)
                sum += row[rest - i] * pmf[i];
            row[rest] = sum;
        }
    }
}

/* Probability that class k has m in the subset, none has more, shared among those that have m. */
static allot_code lead_with(allot_soft *w, const vote_pool *v, int k, int m, double *out,
                            allot_err *err)
{
    int left = v->n - m, big = 0, others = v->m;
    while (big < v->k && v->at[big].n >= m)
        others -= v->at[big++].n;
    /* rest stays 0 for m = 1: no class can have fewer and yet some */
    int n_t = left / m + 1, stride = m == 1 ? 1 : left + 1;
    if (n_t > big) n_t = big;
    size_t need = (size_t)n_t * (size_t)stride;
    allot_code code = allot_mem_grow((void **)&w->dp, &w->dp_capacity, need, sizeof *w->dp, err);
    if (code) return code;
    memset(w->dp, 0, need * sizeof *w->dp);
    w->dp[0] = 1;
    const double *pmf = w->pmf;
    for (int j = 0; j < big; pmf += v->at[j++].n + 1)
        if (j != k) add_class(w->dp, n_t, stride, m, pmf);
    for (int i = 0; i <= left; i++)
        w->sum[i] = i <= others ? pmf_at(w, v, others, i) : 0;
    double sum = 0;
    for (int t = 0; t < n_t; t++)
        for (int rest = 0; rest < stride && rest <= left - t * m; rest++)
            sum += w->dp[(size_t)t * stride + rest] / (1 + t) * w->sum[left - t * m - rest];
    *out = sum;
    return ALLOT_OK;
}

/* Largest first, right before wrong. */
static int compare_classes(const void *a, const void *b)
{
    const allot_soft_class *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : y->right - x->right;
}

static int end_of_equals(const vote_pool *v, int k)
{
    int end = k + 1;
    while (end < v->k && compare_classes(&v->at[k], &v->at[end]) == 0)
        end++;
    return end;
}

/* Probability that the vote is right. Classes of equal size and rightness win equally often; with
 * more than half of the subset a class wins whatever the others have. */
static allot_code vote_right(allot_soft *w, const vote_pool *v, double *out, allot_err *err)
{
    double sum = 0, *pmf = w->pmf;
    for (int j = 0; j < v->k; j++)
        for (int i = 0; i <= v->at[j].n; i++)
            *pmf++ = i <= v->n ? pmf_at(w, v, v->at[j].n, i) : 0;
    for (int k = 0, next; k < v->k; k = next) {
        next = end_of_equals(v, k);
        int size = v->at[k].n;
        for (int m = 1; v->at[k].right && m <= v->n && m <= size; m++) {
            double share = 0, has_m = pmf_at(w, v, size, m);
            allot_code code = ALLOT_OK;
            if (has_m < NOTHING) continue;
            if (m <= v->n - m) code = lead_with(w, v, k, m, &share, err);
            else if (v->n - m <= v->m - size) share = pmf_at(w, v, v->m - size, v->n - m);
            if (code) return code;
            sum += share * has_m * (next - k);
        }
    }
    *out = sum / pmf_at(w, v, v->m, v->n);
    return ALLOT_OK;
}

/* Counts the classes into w->classes, largest first; returns how many are not empty. */
static int count_classes(allot_soft *w, const allot_pool *pool, int *failed)
{
    int k = 0;
    for (int c = 0; c < pool->n_classes; c++)
        w->classes[c] = (allot_soft_class){0, pool->right[c]};
    *failed = 0;
    for (int i = 0; i < pool->n; i++) {
        if (pool->cls[i] < 0) ++*failed;
        else w->classes[pool->cls[i]].n++;
    }
    qsort(w->classes, (size_t)pool->n_classes, sizeof *w->classes, compare_classes);
    while (k < pool->n_classes && w->classes[k].n > 0)
        k++;
    return k;
}

/* The leave-one-out labels depend only on the size and rightness of the class that loses a sample
 * (or on its being a failed one), so one evaluation serves all equals. */
static allot_code leave_one_out(allot_soft *w, const vote_pool *v, int failed, int *n_values,
                                allot_err *err)
{
    allot_code code = ALLOT_OK;
    vote_pool less = sized(w->fewer, v->k, v->m - 1, v->n);
    *n_values = 0;
    memcpy(w->fewer, v->at, (size_t)v->k * sizeof *w->fewer);
    if (failed > 0) {
        w->times[*n_values] = failed;
        code = vote_right(w, &less, &w->value[(*n_values)++], err);
    }
    for (int k = 0, next; !code && k < v->k; k = next) {
        next = end_of_equals(v, k);
        memcpy(w->fewer, v->at, (size_t)v->k * sizeof *w->fewer);
        w->fewer[k].n--;
        qsort(w->fewer, (size_t)v->k, sizeof *w->fewer, compare_classes);
        less.k = w->fewer[v->k - 1].n > 0 ? v->k : v->k - 1;
        w->times[*n_values] = v->at[k].n * (next - k);
        code = vote_right(w, &less, &w->value[(*n_values)++], err);
    }
    return code;
}

allot_code allot_soft_majority(allot_soft *w, const allot_pool *pool, int n, allot_soft_label *out,
                               allot_err *err)
{
    int failed, n_values, k = count_classes(w, pool, &failed);
    vote_pool v = sized(w->classes, k, pool->n, n);
    allot_code code = vote_right(w, &v, &out->accuracy, err);
    if (code || pool->n == n) return code;
    if ((code = leave_one_out(w, &v, failed, &n_values, err))) return code;
    out->variance = allot_soft_jackknife(w, n_values, pool->n);
    return ALLOT_OK;
}

static allot_code expect(allot_soft *w, const allot_pool *pool, const allot_strategy *s,
                         const allot_soft_stream *stream, allot_soft_label *out, allot_err *err)
{
    (void)stream;
    return allot_soft_majority(w, pool, s->n, out, err);
}

static int pick(const allot_strategy *s, const allot_generation *gen, int n_gen,
                const allot_grade_options *o)
{
    return allot_pick_vote(s, gen, n_gen, 0, o);
}

const allot_method_rule allot_rule_majority = {pick, expect, ALLOT_VOTE_COUNT};
