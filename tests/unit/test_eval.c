/* SPDX-License-Identifier: Apache-2.0 */
/* hull, trajectory and band on worlds small enough to work out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "lib/core/rng.h"
#include "eval/band.h"
#include "eval/grid.h"
#include "eval/tables.h"

static void close_to(double a, double b)
{
    if (fabs(a - b) > 1e-9) fail_msg("%.12g is not %.12g", a, b);
}

static void hull_is_concave_and_flat_at_the_end(void **state)
{
    (void)state;
    double cost[] = {4, 1, 2, 8, 3}, accuracy[] = {0.7, 0.4, 0.45, 0.6, 0.6};
    double c[5], a[5];
    int p[5];
    allot_hull h = {.cost = c, .accuracy = a, .point = p};
    allot_hull_make(cost, accuracy, 5, &h);
    /* 1 -> 4 in one line: (2, .45) and (3, .6) lie on or under it; 8 is dearer and worse */
    assert_int_equal(h.point[0], 1);
    assert_int_equal(h.point[h.n - 1], 0);
    close_to(allot_hull_at(&h, 0.5), 0.4);
    close_to(allot_hull_at(&h, 2.5), 0.55);
    close_to(allot_hull_at(&h, 100), 0.7);
    for (int i = 0; i < 5; i++)
        assert_true(allot_hull_at(&h, cost[i]) >= accuracy[i] - 1e-12);
}

/* Two strategies (cost 1 and 10) and four queries: two are right only with the dear one, one
 * always, one never. A probe that knows this spends 10 on two queries only. */
static void world(allot_evaldata *d)
{
    static double label[] = {0, 1, 0, 1, 1, 1, 0, 0}, tokens[] = {1, 10, 1, 10, 1, 10, 1, 10};
    static double p[] = {0.1, 0.9, 0.1, 0.8, 0.9, 0.91, 0.05, 0.051}, table[] = {1, 10};
    static allot_strategy strategies[2];
    allot_err err = {0};
    assert_int_equal(allot_strategy_parse("single", &strategies[0], &err), ALLOT_OK);
    assert_int_equal(allot_strategy_parse("majority@10", &strategies[1], &err), ALLOT_OK);
    *d = (allot_evaldata){.n = 4,
                          .s = 2,
                          .label = label,
                          .tokens = tokens,
                          .p = p,
                          .table_tokens = table,
                          .half = {label, label}};
    d->bundle.strategies = (allot_strategies){.at = strategies, .count = 2};
}

static void trajectory_visits_every_choice(void **state)
{
    (void)state;
    allot_evaldata d;
    world(&d);
    allot_belief b = {.name = "adaptive", .accuracy = d.p, .cost = d.table_tokens};
    allot_trajectory t;
    allot_err err = {0};
    assert_int_equal(allot_trajectory_make(&d, &b, d.label, d.tokens, 100, &t, &err), ALLOT_OK);
    assert_int_equal(t.k, 5); /* four queries switch at four lambdas */
    double cost[5], accuracy[5];
    allot_trajectory_curve(&t, NULL, cost, accuracy);
    double want_cost[] = {1, 3.25, 5.5, 7.75, 10}, want[] = {0.25, 0.5, 0.75, 0.75, 0.75};
    for (int i = 0; i < 5; i++) {
        close_to(cost[i], want_cost[i]);
        close_to(accuracy[i], want[i]);
    }
    allot_trajectory_clear(&t);
}

/* With fewer lambdas than corners the ends are still there. */
static void thinned_trajectory_keeps_its_ends(void **state)
{
    (void)state;
    enum { N = 200 };
    static double label[2 * N], tokens[2 * N], p[2 * N];
    double table[] = {1, 10};
    allot_evaldata d;
    world(&d);
    allot_rng r = allot_rng_start(1, 0, 0, 0);
    for (int q = 0; q < N; q++) {
        p[2 * q] = allot_rng_unit(&r);
        p[2 * q + 1] = p[2 * q] + 0.3 * allot_rng_unit(&r);
        label[2 * q] = label[2 * q + 1] = 0.5;
        tokens[2 * q] = 1;
        tokens[2 * q + 1] = 10;
    }
    d.n = N;
    d.label = label;
    d.tokens = tokens;
    d.p = p;
    allot_belief b = {.name = "adaptive", .accuracy = p, .cost = table};
    allot_trajectory t;
    allot_err err = {0};
    assert_int_equal(allot_trajectory_make(&d, &b, label, tokens, 20, &t, &err), ALLOT_OK);
    assert_in_range(t.k, 18, 20);
    double cost[20], accuracy[20];
    allot_trajectory_curve(&t, NULL, cost, accuracy);
    close_to(cost[0], 1);
    close_to(cost[t.k - 1], 10);
    allot_trajectory_clear(&t);
}

static void band_finds_a_real_advantage_and_no_false_one(void **state)
{
    (void)state;
    enum { N = 600 };
    static double label[2 * N], tokens[2 * N], good[2 * N], blind[2 * N];
    double table[] = {1, 10};
    allot_evaldata d;
    world(&d);
    allot_rng r = allot_rng_start(2, 0, 0, 0);
    for (int q = 0; q < N; q++) {
        double u = allot_rng_unit(&r);
        label[2 * q] = u < 0.3;
        label[2 * q + 1] = u < 0.6;
        good[2 * q] = 0.1 + 0.8 * label[2 * q];
        good[2 * q + 1] = 0.1 + 0.8 * label[2 * q + 1];
        blind[2 * q] = 0.3; /* the same gain for all, in random order */
        blind[2 * q + 1] = 0.3 + 0.3 * allot_rng_unit(&r);
        tokens[2 * q] = 1;
        tokens[2 * q + 1] = 10;
    }
    d.n = N;
    d.label = label;
    d.tokens = tokens;
    d.half[0] = d.half[1] = label;
    allot_err err = {0};
    for (int which = 0; which < 2; which++) {
        allot_belief b = {.name = "x", .accuracy = which ? blind : good, .cost = table};
        allot_trajectory t, oracle;
        allot_band band, again;
        assert_int_equal(allot_trajectory_make(&d, &b, label, tokens, 100, &t, &err), ALLOT_OK);
        assert_int_equal(allot_trajectory_crossfit(&d, table, tokens, 100, &oracle, &err),
                         ALLOT_OK);
        assert_int_equal(allot_band_make(&d, tokens, &t, &oracle, 300, 1, &band, &err), ALLOT_OK);
        assert_int_equal(allot_band_make(&d, tokens, &t, &oracle, 300, 1, &again, &err), ALLOT_OK);
        close_to(band.low[25], again.low[25]);
        if (which == 0) {
            assert_true(band.n_above > 20 && band.n_below == 0);
            assert_true(band.gap > 0.9 && band.gap < 1.1);
        } else {
            assert_int_equal(band.n_above, 0);
            assert_int_equal(band.n_below, 0);
            assert_true(fabs(band.gap) < 0.2);
        }
        allot_band_clear(&band);
        allot_band_clear(&again);
        allot_trajectory_clear(&t);
        allot_trajectory_clear(&oracle);
    }
}

static void grid_and_limits(void **state)
{
    (void)state;
    close_to(allot_grid_lambda(0, 0), 1e-7);
    close_to(allot_grid_lambda(0, 24), 0.1);
    close_to(allot_grid_lambda(1, 12), 1e-3);
    allot_evaldata d;
    world(&d);
    close_to(allot_tables_limit(&d, 0, 0), 1);
    close_to(allot_tables_limit(&d, 0, 1), 1);
    allot_rule rule;
    allot_rule_defaults(&rule);
    rule.lambda_per_token = 0.05; /* 0.45 for nine tokens: worth it for the first two queries */
    allot_realised x;
    int chosen[4];
    allot_grid_point(&d, ALLOT_RULE_ADAPTIVE, &rule, chosen, &x);
    assert_int_equal(chosen[0] + chosen[1], 2);
    assert_int_equal(chosen[2] + chosen[3], 0);
    close_to(x.accuracy, 0.75);
    close_to(x.utility, 0.75 - 0.05 * 5.5);
    allot_grid_random(&d, &rule, &x);
    close_to(x.accuracy, 0.5);
    close_to(x.tokens, 5.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hull_is_concave_and_flat_at_the_end),
        cmocka_unit_test(trajectory_visits_every_choice),
        cmocka_unit_test(thinned_trajectory_keeps_its_ends),
        cmocka_unit_test(band_finds_a_real_advantage_and_no_false_one),
        cmocka_unit_test(grid_and_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
