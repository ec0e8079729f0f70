/* SPDX-License-Identifier: Apache-2.0 */
/* Every timing has one record, and the order differs by query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "collect/timing_plan.h"

enum { S = 3, R = 4, PER_LOAD = S * R };

static allot_rundir manifest;

static int set_up(void **state)
{
    (void)state;
    static const char *const texts[S] = {"single", "majority@8", "beam@4x2x3;final=vote"};
    manifest = (allot_rundir){.runs = R, .seed = 7, .loads = {1, 8}, .n_loads = 2};
    for (int i = 0; i < S; i++) {
        allot_strategy s;
        if (allot_strategy_parse(texts[i], &s, NULL) ||
            allot_strategies_add(&manifest.strategies, &s, NULL))
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    allot_strategies_clear(&manifest.strategies);
    return 0;
}

static void every_unit_has_one_record(void **state)
{
    (void)state;
    allot_timing_plan p;
    assert_int_equal(allot_timing_plan_init(&p, &manifest, 2, NULL), ALLOT_OK);
    assert_int_equal(p.map.per_query, 2 * PER_LOAD);
    for (int unit = 0; unit < p.map.per_query; unit++) {
        allot_record rec = {.type = ALLOT_REC_TIMED,
                            .run = allot_timing_plan_run(&p, unit),
                            .load = manifest.loads[allot_timing_plan_load(&p, unit)]};
        allot_strategy_print(&manifest.strategies.at[allot_timing_plan_strategy(&p, unit)],
                             rec.source);
        assert_int_equal(allot_timing_plan_unit(&p, &rec), unit);
        rec.load = 2;
        assert_int_equal(allot_timing_plan_unit(&p, &rec), -1);
    }
    allot_record other = {.type = ALLOT_REC_TIMED, .load = 1, .source = "majority@16"};
    assert_int_equal(allot_timing_plan_unit(&p, &other), -1);
    allot_record error = {.type = ALLOT_REC_ERROR, .load = 1, .source = "single"};
    assert_int_equal(allot_timing_plan_unit(&p, &error), 0);
    error.type = ALLOT_REC_SAMPLE;
    assert_int_equal(allot_timing_plan_unit(&p, &error), -1);
    allot_timing_plan_clear(&p);
}

/* A permutation of the load's units, the same for the same query, another for another one. */
static void the_order_is_random_per_query(void **state)
{
    (void)state;
    allot_timing_plan p;
    assert_int_equal(allot_timing_plan_init(&p, &manifest, 2, NULL), ALLOT_OK);
    int scratch[PER_LOAD], order[PER_LOAD], again[PER_LOAD];
    int first_at[PER_LOAD] = {0}, differ = 0;
    allot_key key = {{0}};
    for (int q = 0; q < 200; q++) {
        key.b[0] = (uint8_t)q;
        allot_timing_plan_order(&p, &key, 1, scratch, order);
        allot_timing_plan_order(&p, &key, 1, scratch, again);
        assert_memory_equal(order, again, sizeof order);
        int seen[2 * PER_LOAD] = {0};
        for (int i = 0; i < PER_LOAD; i++) {
            assert_true(order[i] >= PER_LOAD && order[i] < 2 * PER_LOAD);
            assert_int_equal(seen[order[i]]++, 0);
        }
        first_at[order[0] - PER_LOAD]++;
        allot_timing_plan_order(&p, &key, 0, scratch, again);
        for (int i = 0; i < PER_LOAD; i++)
            differ += order[i] - PER_LOAD != again[i];
    }
    for (int i = 0; i < PER_LOAD; i++)
        assert_true(first_at[i] > 0); /* each comes first at times */
    assert_true(differ > 1000);       /* of 2400: loads differ */
    allot_timing_plan_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_has_one_record),
        cmocka_unit_test(the_order_is_random_per_query),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
