/* SPDX-License-Identifier: Apache-2.0 */
/* Soft labels worked out by hand, and the edges: one sample, no answers, pools of thousands. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "lib/methods/softlabel.h"

static const allot_soft_stream stream = {1, 2, 3};

static allot_soft_label label(allot_soft *w, const allot_pool *pool, allot_method method, int n)
{
    allot_soft_label l;
    allot_strategy s = {.method = method, .n = n, .width = 1, .depth = 1};
    assert_int_equal(allot_soft_pool(w, pool, &s, &stream, &l, NULL), ALLOT_OK);
    return l;
}

/* Four samples: right, right, wrong, failed. */
static void four_samples(void **state)
{
    const int cls[] = {0, 0, 1, -1};
    const unsigned char right[] = {1, 0};
    const double score[] = {0.9, 0.1, 0.5, 0.7};
    allot_pool p = {4, cls, 2, right, score};
    allot_soft_label l = label(*state, &p, ALLOT_SINGLE, 1);
    assert_float_equal(l.accuracy, 0.5, 1e-15);
    assert_float_equal(l.variance, 0.25 / 3, 1e-15);
    /* pairs: RR 1, RW (x2) 1/2, RF (x2) 1, WF 0 */
    assert_float_equal(label(*state, &p, ALLOT_MAJORITY, 2).accuracy, 4.0 / 6, 1e-15);
    /* the top score 0.9 is in 3 of 6 pairs and right; the failed one leads the next two; 0.5 wrong
     */
    assert_float_equal(label(*state, &p, ALLOT_BON, 2).accuracy, 0.5, 1e-15);
    /* pairs: RR 1; 0.9 against 0.5 right; 0.1 against 0.5 wrong; RF (x2) 1; WF 0 */
    assert_float_equal(label(*state, &p, ALLOT_WEIGHTED, 2).accuracy, 4.0 / 6, 1e-15);
    /* all four: one draw, 2 : 1 */
    l = label(*state, &p, ALLOT_MAJORITY, 4);
    assert_float_equal(l.accuracy, 1, 1e-15);
    assert_float_equal(l.variance, 0.9 * 0.1, 1e-12); /* p = 4.5 / 5 */
    assert_float_equal(l.n_eff, 1, 1e-12);
}

static void one_sample(void **state)
{
    const int cls[] = {0};
    const unsigned char right[] = {1};
    const double score[] = {0.5};
    allot_pool p = {1, cls, 1, right, score};
    for (int m = ALLOT_SINGLE; m <= ALLOT_WEIGHTED; m++) {
        allot_soft_label l = label(*state, &p, (allot_method)m, 1);
        assert_float_equal(l.accuracy, 1, 0);
        assert_float_equal(l.n_eff, 1, 0);
    }
}

/* Nobody answers, everybody is right: certain, and no less than all samples of evidence. */
static void certain_pools(void **state)
{
    int cls[64];
    double score[64];
    const unsigned char right[] = {1};
    allot_pool p = {64, cls, 1, right, score};
    for (int all = 0; all < 2; all++) {
        for (int i = 0; i < 64; i++) {
            cls[i] = all ? 0 : -1;
            score[i] = i / 64.0;
        }
        for (int m = ALLOT_SINGLE; m <= ALLOT_WEIGHTED; m++) {
            allot_soft_label l = label(*state, &p, (allot_method)m, m == ALLOT_SINGLE ? 1 : 16);
            assert_float_equal(l.accuracy, all, 1e-12);
            assert_float_equal(l.variance, 0, 1e-20);
            assert_float_equal(l.n_eff, 64, 0);
            assert_float_equal(l.mc_error, 0, 0);
        }
    }
}

/* A pool of 4096 neither overflows nor loses the answer: majority of 3 has a closed form. */
static void a_large_pool(void **state)
{
    enum { M = 4096, RIGHT = 1638 };
    int *cls = calloc(M, sizeof *cls);
    const unsigned char right[] = {1, 0};
    for (int i = RIGHT; i < M; i++)
        cls[i] = 1;
    allot_pool p = {M, cls, 2, right, NULL};
    double r = RIGHT, w = M - RIGHT, all = (double)M * (M - 1) * (M - 2);
    double three = (r * (r - 1) * (r - 2) + 3 * r * (r - 1) * w) / all;
    assert_float_equal(label(*state, &p, ALLOT_MAJORITY, 3).accuracy, three, 1e-12);
    assert_true(label(*state, &p, ALLOT_MAJORITY, 1024).accuracy < 1e-9);
    assert_float_equal(label(*state, &p, ALLOT_MAJORITY, M).accuracy, 0, 0);
    free(cls);
}

static void same_stream_same_label(void **state)
{
    int cls[40];
    double score[40];
    const unsigned char right[] = {1, 0, 0};
    allot_soft_label a, b, c;
    allot_strategy s = {.method = ALLOT_WEIGHTED, .n = 16, .width = 1, .depth = 1};
    for (int i = 0; i < 40; i++) {
        cls[i] = i % 3;
        score[i] = (i * 7 % 40) / 40.0;
    }
    allot_pool p = {40, cls, 3, right, score};
    const allot_soft_stream other = {1, 2, 4};
    assert_int_equal(allot_soft_pool(*state, &p, &s, &stream, &a, NULL), ALLOT_OK);
    assert_int_equal(allot_soft_pool(*state, &p, &s, &other, &c, NULL), ALLOT_OK);
    assert_int_equal(allot_soft_pool(*state, &p, &s, &stream, &b, NULL), ALLOT_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.accuracy != c.accuracy);
    assert_true(a.mc_error > 0 && a.mc_error < 0.02);
    assert_true(fabs(a.accuracy - c.accuracy) < 5 * hypot(a.mc_error, c.mc_error));
}

static void independent_runs(void **state)
{
    (void)state;
    allot_soft_label l = allot_soft_runs(2, 8);
    assert_float_equal(l.accuracy, 0.25, 0);
    assert_float_equal(l.variance, 0.25 * 0.75 / 8, 1e-15);
    assert_float_equal(l.n_eff, 8, 0); /* 2.5/9 * 6.5/9 / V = 8.6, at most 8 */
    assert_float_equal(allot_soft_n_eff(0.5, 0.125, 64), 2, 1e-12);
    assert_float_equal(allot_soft_n_eff(0.5, 1, 64), 1, 0);
}

/* The paper's bootstrap: about the with-replacement expectation, in thirtieths. */
static void the_papers_bootstrap(void **state)
{
    int cls[32];
    double score[32];
    const unsigned char right[] = {1, 0};
    double sum = 0;
    allot_pool p = {32, cls, 2, right, score};
    for (int i = 0; i < 32; i++) {
        cls[i] = i < 16 ? 0 : 1;
        score[i] = i == 0; /* one right sample scores highest */
    }
    for (int q = 0; q < 200; q++) {
        allot_soft_label l;
        allot_soft_stream each = {1, (uint64_t)q, 0};
        assert_int_equal(allot_soft_paper(*state, &p, ALLOT_VOTE_BEST, 8, &each, &l, NULL),
                         ALLOT_OK);
        assert_float_equal(l.accuracy * 30, round(l.accuracy * 30), 1e-9);
        sum += l.accuracy / 200;
    }
    /* P(the top one among 8 drawn) = 1 - (31/32)^8; else all tie at 0 and the first place, half of
     * the 15 + 16 others right, decides */
    double top = 1 - pow(31.0 / 32, 8), want = top + (1 - top) * 15 / 31;
    assert_float_equal(sum, want, 5 * sqrt(want * (1 - want) / 6000));
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
        cmocka_unit_test(four_samples),           cmocka_unit_test(one_sample),
        cmocka_unit_test(certain_pools),          cmocka_unit_test(a_large_pool),
        cmocka_unit_test(same_stream_same_label), cmocka_unit_test(independent_runs),
        cmocka_unit_test(the_papers_bootstrap),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
