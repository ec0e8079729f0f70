/* SPDX-License-Identifier: Apache-2.0 */
/* When a load counts as timed precisely enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>
#include "collect/timing_rule.h"

static allot_timing_rule new_rule(void)
{
    allot_rundir m = {.n_loads = 2};
    allot_strategy s;
    allot_timing_rule r;
    assert_int_equal(allot_strategy_parse("single", &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_add(&m.strategies, &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategy_parse("majority@4", &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_add(&m.strategies, &s, NULL), ALLOT_OK);
    assert_int_equal(allot_timing_rule_init(&r, 12, &m, NULL), ALLOT_OK);
    allot_strategies_clear(&m.strategies);
    return r;
}

static void the_least_precise_strategy_decides(void **state)
{
    (void)state;
    allot_timing_rule r = new_rule();
    int strategy = -1;
    for (long q = 0; q < 10; q++) {
        assert_true(isinf(allot_timing_rule_worst(&r, 1, &strategy)));
        allot_timing_rule_add(&r, q, 1, 0, 2, NAN);
        allot_timing_rule_add(&r, q, 1, 1, q % 2 ? 3 : 1, NAN);
    }
    /* values 1 and 3, five of each: variance 10/9, standard error sqrt(1/9) = 1/3, mean 2 */
    assert_float_equal(allot_timing_rule_worst(&r, 1, &strategy), 1.0 / 6, 1e-12);
    assert_int_equal(strategy, 1);
    assert_true(isinf(allot_timing_rule_worst(&r, 0, &strategy)));
    allot_timing_rule_clear(&r);
}

/* What fails again and again is not waited for; what fails now and then is. */
static void a_strategy_that_only_fails_does_not_decide(void **state)
{
    (void)state;
    allot_timing_rule r = new_rule();
    int strategy = -1;
    for (int i = 0; i < 10; i++) {
        allot_timing_rule_add(&r, i, 0, 0, i % 2 ? 3 : 1, NAN);
        assert_true(isinf(allot_timing_rule_worst(&r, 0, &strategy)));
        allot_timing_rule_fail(&r, 0, 1);
    }
    assert_float_equal(allot_timing_rule_worst(&r, 0, &strategy), 1.0 / 6, 1e-12);
    assert_int_equal(strategy, 0);
    allot_timing_rule_add(&r, 0, 0, 1, 2, NAN);
    assert_true(isinf(allot_timing_rule_worst(&r, 0, &strategy)));
    assert_int_equal(strategy, 1);
    for (int i = 0; i < 20; i++)
        allot_timing_rule_fail(&r, 1, i % 2);
    assert_true(isnan(allot_timing_rule_worst(&r, 1, &strategy)));
    allot_timing_rule_clear(&r);
}

/* Two runs of a query are no two queries. */
static void runs_of_a_query_are_one_value(void **state)
{
    (void)state;
    allot_timing_rule r = new_rule();
    int strategy;
    for (long q = 0; q < 10; q++)
        for (int run = 0; run < 2; run++)
            for (int s = 0; s < 2; s++)
                allot_timing_rule_add(&r, q, 0, s, (q % 2 ? 3 : 1) + (run ? 0.5 : -0.5), NAN);
    assert_float_equal(allot_timing_rule_worst(&r, 0, &strategy), 1.0 / 6, 1e-12);
    allot_timing_rule_clear(&r);
}

static void the_clients_share_is_of_rows_that_tell_it(void **state)
{
    (void)state;
    allot_timing_rule r = new_rule();
    assert_true(isnan(allot_timing_rule_client(&r, 0)));
    allot_timing_rule_add(&r, 0, 0, 0, 10, NAN);
    allot_timing_rule_add(&r, 1, 0, 0, 1, 0.01);
    allot_timing_rule_add(&r, 2, 0, 1, 3, 0.03);
    allot_timing_rule_add(&r, 3, 0, 1, INFINITY, 1);
    assert_float_equal(allot_timing_rule_client(&r, 0), 0.01, 1e-12);
    allot_timing_rule_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_precise_strategy_decides),
        cmocka_unit_test(a_strategy_that_only_fails_does_not_decide),
        cmocka_unit_test(runs_of_a_query_are_one_value),
        cmocka_unit_test(the_clients_share_is_of_rows_that_tell_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
