/* SPDX-License-Identifier: Apache-2.0 */
/* Soft labels against brute force: every subset of small random pools (with ties, failed
 * extractions, several right classes), leave-one-out by leaving one out; and large pools against
 * Monte Carlo. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "lib/methods/softlabel.h"
#include "lib/core/rng.h"

enum { MAX_M = 64 };

typedef struct {
    int n, cls[MAX_M], n_classes;
    unsigned char right[MAX_M];
    double score[MAX_M];
} pool_data;

static pool_data random_pool(allot_rng *r, int n, int n_classes, int n_scores)
{
    pool_data p = {.n = n, .n_classes = n_classes};
    for (int i = 0; i < n; i++) {
        p.cls[i] = (int)allot_rng_below(r, (uint64_t)n_classes + 1) - 1;
        p.score[i] = (double)allot_rng_below(r, (uint64_t)n_scores) / 8;
    }
    for (int k = 0; k < n_classes; k++)
        p.right[k] = allot_rng_below(r, 2) == 0;
    return p;
}

static allot_pool view(const pool_data *p)
{
    return (allot_pool){p->n, p->cls, p->n_classes, p->right, p->score};
}

/* The probability that one subset answers rightly; ties share. Written apart from the code tested:
 * candidates vote with weight 1 or their score, or the best-scored are all in the lead. */
static double subset_right(const pool_data *p, const int *in, int n, allot_method method)
{
    double weight[MAX_M] = {0}, top = -1, right = 0;
    int voted[MAX_M] = {0}, lead = 0;
    if (method == ALLOT_BON || n == 1) {
        for (int i = 0; i < n; i++)
            top = fmax(top, p->score[in[i]]);
        for (int i = 0; i < n; i++)
            if (p->score[in[i]] == top) {
                lead++;
                right += p->cls[in[i]] >= 0 && p->right[p->cls[in[i]]];
            }
        return right / lead;
    }
    for (int i = 0; i < n; i++)
        if (p->cls[in[i]] >= 0) {
            voted[p->cls[in[i]]] = 1;
            weight[p->cls[in[i]]] += method == ALLOT_WEIGHTED ? p->score[in[i]] : 1;
        }
    for (int k = 0; k < p->n_classes; k++)
        if (voted[k]) top = fmax(top, weight[k]);
    for (int k = 0; k < p->n_classes; k++)
        if (voted[k] && weight[k] == top) {
            lead++;
            right += p->right[k];
        }
    return lead ? right / lead : 0;
}

static double brute(const pool_data *p, int n, allot_method method)
{
    double sum = 0;
    long subsets = 0;
    for (unsigned long bits = 0; bits < 1ul << p->n; bits++) {
        int in[MAX_M], k = 0;
        if (__builtin_popcountl(bits) != n) continue;
        for (int i = 0; i < p->n; i++)
            if (bits >> i & 1) in[k++] = i;
        sum += subset_right(p, in, n, method);
        subsets++;
    }
    return sum / (double)subsets;
}

static double brute_variance(const pool_data *p, int n, allot_method method)
{
    double v[MAX_M], mean = 0, sum = 0;
    for (int j = 0; j < p->n; j++) {
        pool_data q = *p;
        q.n--;
        for (int i = j; i < q.n; i++) {
            q.cls[i] = q.cls[i + 1];
            q.score[i] = q.score[i + 1];
        }
        v[j] = brute(&q, n, method);
        mean += v[j] / p->n;
    }
    for (int j = 0; j < p->n; j++)
        sum += (v[j] - mean) * (v[j] - mean);
    return sum * (p->n - 1) / p->n;
}

static allot_soft_label label(allot_soft *w, const pool_data *p, int n, allot_method method)
{
    allot_soft_label l;
    allot_soft_stream stream = {1, 2, 3};
    allot_strategy s = {.method = method, .n = n, .width = 1, .depth = 1};
    allot_pool pool = view(p);
    assert_int_equal(allot_soft_pool(w, &pool, &s, &stream, &l, NULL), ALLOT_OK);
    return l;
}

static void equals_brute_force(void **state)
{
    allot_rng r = allot_rng_start(11, 0, 0, 0);
    const allot_method methods[] = {ALLOT_MAJORITY, ALLOT_BON, ALLOT_WEIGHTED};
    for (int trial = 0; trial < 400; trial++) {
        int m = 1 + (int)allot_rng_below(&r, 9);
        pool_data p = random_pool(&r, m, 1 + (int)allot_rng_below(&r, 5), trial % 2 ? 4 : 1000);
        int n = 1 + (int)allot_rng_below(&r, (uint64_t)m);
        for (int k = 0; k < 3; k++) {
            allot_method method = n == 1 ? ALLOT_SINGLE : methods[k];
            /* one sample is one sample, whatever would choose among more */
            allot_soft_label l = label(*state, &p, n, methods[k]);
            double a = brute(&p, n, method);
            assert_float_equal(l.accuracy, a, 1e-12);
            if (m > n) assert_float_equal(l.variance, brute_variance(&p, n, method), 1e-12);
            double smooth = (m * a + 0.5) / (m + 1);
            double eff = l.variance > 0 ? smooth * (1 - smooth) / l.variance : m;
            assert_float_equal(l.n_eff, fmin(fmax(eff, 1), m), 1e-9);
        }
    }
}

/* Pools as large as real ones: the exact labels lie within 5 standard errors of a simulation, the
 * weighted one (random subsets itself) within 5 of both together. */
static void equals_simulation(void **state)
{
    allot_rng r = allot_rng_start(12, 0, 0, 0);
    const allot_method methods[] = {ALLOT_MAJORITY, ALLOT_BON, ALLOT_WEIGHTED};
    enum { DRAWS = 4000 };
    for (int trial = 0; trial < 30; trial++) {
        pool_data p = random_pool(&r, MAX_M, 1 + (int)allot_rng_below(&r, 12), 30);
        int n = 2 << allot_rng_below(&r, 5);
        for (int k = 0; k < 3; k++) {
            allot_soft_label l = label(*state, &p, n, methods[k]);
            double sum = 0, squares = 0;
            for (int d = 0; d < DRAWS; d++) {
                int scratch[MAX_M], in[MAX_M];
                allot_rng_subset(&r, MAX_M, n, scratch, in);
                double v = subset_right(&p, in, n, methods[k]);
                sum += v / DRAWS;
                squares += v * v / DRAWS;
            }
            double se = sqrt(fmax(0, squares - sum * sum) / DRAWS + l.mc_error * l.mc_error);
            assert_true(fabs(l.accuracy - sum) <= 5 * se + 1e-3);
        }
    }
}

/* The order of samples and the names of classes are no part of the label (weighted: with all
 * subsets counted). */
static void ignores_order(void **state)
{
    allot_rng r = allot_rng_start(13, 0, 0, 0);
    const allot_method methods[] = {ALLOT_MAJORITY, ALLOT_BON, ALLOT_WEIGHTED};
    for (int trial = 0; trial < 200; trial++) {
        pool_data p = random_pool(&r, 12, 4, 5), q = p;
        int order[MAX_M], scratch[MAX_M];
        allot_rng_subset(&r, 12, 12, scratch, order);
        for (int i = 0; i < 12; i++) {
            int c = p.cls[order[i]];
            q.cls[i] = c < 0 ? -1 : 3 - c;
            q.score[i] = p.score[order[i]];
        }
        for (int k = 0; k < 4; k++)
            q.right[3 - k] = p.right[k];
        for (int k = 0; k < 3; k++) {
            allot_soft_label a = label(*state, &p, 4, methods[k]);
            allot_soft_label b = label(*state, &q, 4, methods[k]);
            assert_float_equal(a.accuracy, b.accuracy, 1e-12);
            assert_float_equal(a.variance, b.variance, 1e-12);
        }
    }
}

/* The jackknife is known to lie above the variance of the label over fresh pools, and not by much:
 * the mean of V over pools against the variance of the labels themselves. */
static void variance_is_of_the_right_size(void **state)
{
    const allot_method methods[] = {ALLOT_SINGLE, ALLOT_MAJORITY, ALLOT_BON, ALLOT_WEIGHTED};
    enum { POOLS = 1500 };
    for (int k = 0; k < 4; k++) {
        allot_rng r = allot_rng_start(14, (uint64_t)k, 0, 0);
        double sum = 0, squares = 0, variance = 0;
        for (int trial = 0; trial < POOLS; trial++) {
            pool_data p = {.n = 32, .n_classes = 4, .right = {1}};
            for (int i = 0; i < p.n; i++) {
                double u = allot_rng_unit(&r);
                p.cls[i] = u < 0.4 ? 0 : u < 0.75 ? 1 : u < 0.9 ? 2 : -1;
                p.score[i] = allot_rng_unit(&r) + (p.cls[i] == 0 ? 0.1 : 0);
            }
            allot_soft_label l = label(*state, &p, k ? 8 : 1, methods[k]);
            sum += l.accuracy / POOLS;
            squares += l.accuracy * l.accuracy / POOLS;
            variance += l.variance / POOLS;
        }
        double ratio = variance / (squares - sum * sum);
        assert_true(ratio > 0.85 && ratio < 1.6);
    }
}

static void longest_equals_brute_force(void **state)
{
    (void)state;
    allot_rng r = allot_rng_start(15, 0, 0, 0);
    for (int trial = 0; trial < 100; trial++) {
        double x[10], sum = 0;
        int m = 1 + (int)allot_rng_below(&r, 10), n = 1 + (int)allot_rng_below(&r, (uint64_t)m);
        long subsets = 0;
        x[0] = 1;
        for (int i = 1; i < m; i++)
            x[i] = x[i - 1] + (double)allot_rng_below(&r, 5);
        for (unsigned bits = 1; bits < 1u << m; bits++) {
            if (__builtin_popcount(bits) != n) continue;
            sum += x[31 - __builtin_clz(bits)];
            subsets++;
        }
        assert_float_equal(allot_expected_longest(x, m, n), sum / (double)subsets, 1e-9);
    }
}

static int setup(void **state)
{
    return allot_soft_new((allot_soft **)state, NULL);
}

static int teardown(void **state)
{
    allot_soft_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_brute_force),
        cmocka_unit_test(equals_simulation),
        cmocka_unit_test(ignores_order),
        cmocka_unit_test(variance_is_of_the_right_size),
        cmocka_unit_test(longest_equals_brute_force),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
