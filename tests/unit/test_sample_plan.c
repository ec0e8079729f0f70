/* SPDX-License-Identifier: Apache-2.0 */
/* Which units a set of strategies needs, and which records fulfil them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "collect/sample_plan.h"
#include "lib/core/log.h"

static allot_strategies set_of(const char *const *texts)
{
    allot_strategies set = {0};
    for (; *texts; texts++) {
        allot_strategy s;
        assert_int_equal(allot_strategy_parse(*texts, &s, NULL), ALLOT_OK);
        assert_int_equal(allot_strategies_add(&set, &s, NULL), ALLOT_OK);
    }
    return set;
}
#define SET(...) set_of((const char *const[]){__VA_ARGS__, NULL})

static int pool_of(allot_strategies set, int asked, allot_err *err)
{
    int pool = -1;
    allot_code rc = allot_sample_plan_pool(&set, asked, &pool, err);
    allot_strategies_clear(&set);
    return rc ? -(int)rc : pool;
}

static void the_pool_is_twice_the_largest_n(void **state)
{
    (void)state;
    allot_err err = {0};
    assert_int_equal(pool_of(SET("single", "majority@8", "bon@4"), 0, &err), 16);
    assert_int_equal(pool_of(SET("single"), 0, &err), 2);
    assert_int_equal(pool_of(SET("majority@8"), 40, &err), 40);
    assert_int_equal(pool_of(SET("majority@8"), 8, &err), 8); /* warned about */
    assert_int_equal(pool_of(SET("beam@32x4x2"), 0, &err), 0);
    assert_int_equal(pool_of(SET("single", "bon@8"), 7, &err), -ALLOT_EUSAGE);
    assert_string_equal(err.msg,
                        "a pool of 7 samples is too small for 'bon@8' (give --pool 16 or more)");
}

static allot_code check(allot_strategies set, int has_prm, allot_err *err)
{
    allot_code rc = allot_sample_plan_check(&set, has_prm, err);
    allot_strategies_clear(&set);
    return rc;
}

static void strategies_that_cannot_run_are_refused(void **state)
{
    (void)state;
    allot_err err = {0};
    assert_int_equal(check(SET("single", "majority@4"), 0, &err), ALLOT_OK);
    assert_int_equal(check(SET("bon@4", "beam@4x2x3"), 1, &err), ALLOT_OK);
    assert_int_equal(check(SET("single", "bon@4"), 0, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, "strategy 'bon@4' needs a reward model (give --prm-model)");
    assert_int_equal(check(SET("beam@4x2x3"), 0, &err), ALLOT_EUSAGE);
    assert_int_equal(check(SET("named:\"gpt\""), 1, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg,
                        "strategy 'named:\"gpt\"' was measured elsewhere and cannot be run "
                        "(import its outcomes instead)");
}

static void scores_are_for_strategies_that_look_at_them(void **state)
{
    (void)state;
    allot_strategies a = SET("single", "majority@4", "beam@4x2x3"), b = SET("weighted@4");
    assert_int_equal(allot_sample_plan_scored(&a), 0);
    assert_int_equal(allot_sample_plan_scored(&b), 1);
    allot_strategies_clear(&a);
    allot_strategies_clear(&b);
}

/* Pool 4, scored, two beam sources (final=vote shares one), 3 runs: 4 + 4 + 6 units. */
static allot_sample_plan plan_of(allot_rundir *r, long n_queries)
{
    allot_sample_plan p;
    *r = (allot_rundir){.pool = 4, .runs = 3, .scored = 1};
    r->strategies = SET("bon@2", "beam@4x2x3", "beam@4x2x3;final=vote", "beam@4x2x3;agg=min");
    allot_key keys[64] = {{{0}}};
    assert_in_range(n_queries, 0, 64);
    assert_int_equal(allot_sample_plan_init(&p, r, keys, n_queries, NULL), ALLOT_OK);
    return p;
}

static allot_record record_of(allot_record_type type, const char *source, int run, int slot)
{
    allot_record rec = {.type = type, .run = run, .slot = slot};
    snprintf(rec.source, sizeof rec.source, "%s", source);
    return rec;
}

static void records_fulfil_their_units(void **state)
{
    (void)state;
    allot_rundir r;
    allot_sample_plan p = plan_of(&r, 5);
    assert_int_equal(p.n_searches, 2);
    assert_int_equal(p.map.per_query, 14);
    static const struct {
        allot_record_type type;
        const char *source;
        int run, slot, unit;
    } cases[] = {
        {ALLOT_REC_SAMPLE, "pool", 0, 0, 0},
        {ALLOT_REC_SAMPLE, "pool", 0, 3, 3},
        {ALLOT_REC_SAMPLE, "pool", 0, 4, -1},
        {ALLOT_REC_SCORE, "pool", 0, 1, 5},
        {ALLOT_REC_BEAM, "beam@4x2x3", 0, 0, 8},
        {ALLOT_REC_BEAM, "beam@4x2x3", 2, 0, 10},
        {ALLOT_REC_BEAM, "beam@4x2x3", 3, 0, -1},
        {ALLOT_REC_BEAM, "beam@4x2x3;agg=min", 1, 0, 12},
        {ALLOT_REC_BEAM, "beam@8x2x3", 0, 0, -1},
        {ALLOT_REC_ERROR, "pool", 0, 0, -1},
        {ALLOT_REC_BEAM, "beam@4x2x3;final=vote", 0, 0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        allot_record rec = record_of(cases[i].type, cases[i].source, cases[i].run, cases[i].slot);
        assert_int_equal(allot_sample_plan_unit(&p, &rec), cases[i].unit);
    }
    assert_int_equal(allot_sample_plan_kind(&p, 3), ALLOT_UNIT_SAMPLE);
    assert_int_equal(allot_sample_plan_kind(&p, 4), ALLOT_UNIT_SCORE);
    assert_int_equal(allot_sample_plan_kind(&p, 8), ALLOT_UNIT_SEARCH);
    allot_sample_plan_clear(&p);
    allot_strategies_clear(&r.strategies);
}

static void counts_are_per_kind(void **state)
{
    (void)state;
    allot_rundir r;
    allot_sample_plan p = plan_of(&r, 5);
    for (long q = 0; q < 5; q++)
        allot_unitmap_mark(&p.map, q, 2);
    allot_unitmap_mark(&p.map, 4, 2); /* twice is once */
    allot_unitmap_mark(&p.map, 0, 7);
    allot_unitmap_mark(&p.map, 4, 13);
    assert_int_equal(p.map.n_done, 7);
    assert_int_equal(allot_unitmap_total(&p.map), 70);
    allot_sample_counts n = allot_sample_plan_count(&p);
    assert_int_equal(n.done[ALLOT_UNIT_SAMPLE], 5);
    assert_int_equal(n.done[ALLOT_UNIT_SCORE], 1);
    assert_int_equal(n.done[ALLOT_UNIT_SEARCH], 1);
    assert_int_equal(n.total[ALLOT_UNIT_SAMPLE], 20);
    assert_int_equal(n.total[ALLOT_UNIT_SCORE], 20);
    assert_int_equal(n.total[ALLOT_UNIT_SEARCH], 30);
    allot_sample_plan_clear(&p);
    allot_sample_plan_clear(&p); /* safe twice */
    allot_strategies_clear(&r.strategies);
}

/* Every bit stands alone, and a large plan is small. */
static void a_map_keeps_units_apart(void **state)
{
    (void)state;
    allot_unitmap m;
    assert_int_equal(allot_unitmap_init(&m, 20, 13, NULL), ALLOT_OK);
    for (long q = 0; q < 20; q++)
        for (int u = 0; u < 13; u++)
            if ((q * 13 + u) % 3 == 0) allot_unitmap_mark(&m, q, u);
    for (long q = 0; q < 20; q++)
        for (int u = 0; u < 13; u++)
            assert_int_equal(allot_unitmap_done(&m, q, u), (q * 13 + u) % 3 == 0);
    assert_int_equal(m.n_done, 87);
    allot_unitmap_clear(&m);
    allot_err err = {0};
    assert_int_equal(allot_unitmap_init(&m, INT64_MAX / 2, 1000, &err), ALLOT_ERUNTIME);
}

int main(void)
{
    allot_log_level(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_is_twice_the_largest_n),
        cmocka_unit_test(strategies_that_cannot_run_are_refused),
        cmocka_unit_test(scores_are_for_strategies_that_look_at_them),
        cmocka_unit_test(records_fulfil_their_units),
        cmocka_unit_test(counts_are_per_kind),
        cmocka_unit_test(a_map_keeps_units_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
