/* SPDX-License-Identifier: Apache-2.0 */
/* Seconds, tokens and error bars foretold from records of a known run; the choice of a pilot. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "collect/forecast.h"
#include "collect/pilot.h"
#include "lib/core/log.h"

enum { Q = 40 };
static const allot_prices FREE = {0, 0, 0};

/* Pool of 2, and a search with 4 beams, once. */
static allot_sample_plan plan_of(int with_beams)
{
    allot_key keys[Q] = {{{0}}};
    allot_strategy s;
    allot_rundir r = {.pool = 2, .runs = 1};
    allot_sample_plan p;
    assert_int_equal(allot_strategy_parse(with_beams ? "beam@4x2x3" : "single", &s, NULL),
                     ALLOT_OK);
    assert_int_equal(allot_strategies_add(&r.strategies, &s, NULL), ALLOT_OK);
    assert_int_equal(allot_sample_plan_init(&p, &r, keys, Q, NULL), ALLOT_OK);
    allot_strategies_clear(&r.strategies);
    return p;
}

static void add(allot_tally *t, allot_sample_plan *p, long q, int unit, double from_s, double s,
                long tokens)
{
    allot_record rec = {.t_start = from_s,
                        .seconds = s,
                        .gen_s = s,
                        .n_tokens = tokens,
                        .prompt_tokens = 10,
                        .n_rounds = unit < p->pool ? 0 : 2};
    allot_unitmap_mark(&p->map, q, unit);
    assert_int_equal(allot_tally_add(t, q, unit, &rec, NULL), ALLOT_OK);
}

static allot_forecast forecast_of(allot_tally *t, int max_requests, const allot_prices *prices)
{
    allot_forecast f;
    assert_int_equal(allot_tally_share(t, max_requests, NULL), ALLOT_OK);
    assert_int_equal(allot_forecast_make(t, NULL, prices, &f, NULL), ALLOT_OK);
    return f;
}

/* Samples begin together and run side by side: what counts is the time of all of them, not that
 * between their beginnings; idle hours between two sessions do not count. */
static void seconds_are_those_of_samples_side_by_side(void **state)
{
    (void)state;
    allot_sample_plan p = plan_of(0);
    allot_tally t;
    assert_int_equal(allot_tally_init(&t, &p, NULL), ALLOT_OK);
    for (int q = 0; q < 4; q++)
        for (int slot = 0; slot < 2; slot++)
            add(&t, &p, q, slot, q < 2 ? 1000 : 9000, 3, 50);
    /* 2 sessions of 3 s for 8 samples, 4 at once; 72 more take 54 s */
    allot_forecast f = forecast_of(&t, 4, &FREE);
    assert_float_equal(f.seconds.mid, 54, 1e-6);
    assert_float_equal(f.seconds.low, 54, 1e-6); /* all queries alike, the servers always full */
    assert_float_equal(f.seconds.high, 54, 1e-6);
    assert_float_equal(f.tokens.mid, 3600, 1e-9);
    assert_float_equal(f.prompt_tokens.high, 720, 1e-9);
    assert_float_equal(f.requests, 72, 0);
    allot_tally_clear(&t);
    allot_sample_plan_clear(&p);
}

/* The same with 16 at once allowed: perhaps four times as fast, perhaps not. */
static void seconds_of_a_half_empty_server_have_a_wide_bar(void **state)
{
    (void)state;
    allot_sample_plan p = plan_of(0);
    allot_tally t;
    allot_prices prices = {.per_second = 2};
    assert_int_equal(allot_tally_init(&t, &p, NULL), ALLOT_OK);
    for (int q = 0; q < 4; q++)
        for (int slot = 0; slot < 2; slot++)
            add(&t, &p, q, slot, 1000 + 3 * (q / 2), 3, 50);
    allot_forecast f = forecast_of(&t, 16, &prices);
    assert_float_equal(t.busy_s, 6, 1e-6);
    assert_float_equal(t.excess_s, 4.5, 1e-6);
    assert_float_equal(f.seconds.low, 54 / 4.0, 1e-6);
    assert_float_equal(f.seconds.mid, 54 + 4.5 / 2, 1e-6);
    assert_float_equal(f.seconds.high, 54 + 4.5, 1e-6);
    assert_float_equal(f.price.low, 2 * f.seconds.low, 1e-6);
    assert_float_equal(f.price.high, 2 * f.seconds.high, 1e-6);
    allot_tally_clear(&t);
    allot_sample_plan_clear(&p);
}

/* A search in which four requests run takes four parts of five beside one sample. */
static void a_search_counts_with_its_beams(void **state)
{
    (void)state;
    allot_sample_plan p = plan_of(1);
    allot_tally t;
    assert_int_equal(allot_tally_init(&t, &p, NULL), ALLOT_OK);
    add(&t, &p, 0, 0, 10, 5, 100);
    add(&t, &p, 0, 2, 10, 5, 400);
    assert_int_equal(allot_tally_share(&t, 5, NULL), ALLOT_OK);
    assert_float_equal(t.seen[ALLOT_UNIT_SAMPLE].server_s, 1, 1e-9);
    assert_float_equal(t.seen[ALLOT_UNIT_SEARCH].server_s, 4, 1e-9);
    allot_forecast f;
    assert_int_equal(allot_forecast_make(&t, NULL, &FREE, &f, NULL), ALLOT_OK);
    assert_float_equal(f.seconds.mid, 79 * 1 + 39 * 4, 1e-6);
    assert_float_equal(f.tokens.mid, 79 * 100 + 39 * 400, 1e-6);
    assert_float_equal(f.requests, 79 + 39 * 2 * 5, 1e-6);
    assert_true(isnan(f.tokens.low)); /* one query has no variance */
    allot_tally_clear(&t);
    allot_sample_plan_clear(&p);
}

/* Student's 2.35 at 3 degrees of freedom for a mean of 4, by hand. Of a choice along the length
 * what neighbours differ by counts: a slope is no noise. */
static void the_error_bar_is_that_of_a_finite_sample(void **state)
{
    (void)state;
    for (int chosen = 0; chosen < 2; chosen++) {
        allot_sample_plan p = plan_of(0);
        allot_tally t;
        assert_int_equal(allot_tally_init(&t, &p, NULL), ALLOT_OK);
        for (long q = 0; chosen && q < 4; q++)
            assert_int_equal(allot_tally_choose(&t, q, NULL), ALLOT_OK);
        for (long q = 0; q < 4; q++)
            for (int slot = 0; slot < 2; slot++)
                add(&t, &p, q, slot, 1000, 1, 100 * (q + 1));
        if (chosen) add(&t, &p, 30, 0, 1000, 1, 99999); /* ran beside them, chosen by nobody */
        allot_forecast f = forecast_of(&t, 8, &FREE);
        double left = chosen ? 71 : 72, queries = 36,
               sd = left * 100 * (chosen ? 1 : sqrt(5 / 3.0));
        double half =
            (chosen ? 2.92 : 2.35) * sd / (chosen ? sqrt(2) : 1) * sqrt(1 / 4.0 + 1 / queries);
        assert_float_equal(f.tokens.mid, left * 250, 1e-6);
        assert_float_equal(f.tokens.high - f.tokens.mid, half, 0.01);
        assert_float_equal(f.tokens.mid - f.tokens.low, fmin(half, f.tokens.mid), 0.01);
        assert_int_equal(f.n_queries, 4);
        allot_tally_clear(&t);
        allot_sample_plan_clear(&p);
    }
}

static void times_that_cannot_be_are_left_out(void **state)
{
    (void)state;
    allot_sample_plan p = plan_of(0);
    allot_tally t;
    assert_int_equal(allot_tally_init(&t, &p, NULL), ALLOT_OK);
    add(&t, &p, 0, 0, NAN, 3, 50);
    add(&t, &p, 1, 0, 1000, INFINITY, 50);
    add(&t, &p, 2, 0, 1e300, 1, 50);
    add(&t, &p, 3, 0, 1000, -1, 50);
    allot_forecast f = forecast_of(&t, 4, &FREE);
    assert_true(isnan(f.seconds.mid));
    assert_float_equal(f.tokens.mid, 76 * 50, 1e-9);
    allot_tally_clear(&t);
    allot_sample_plan_clear(&p);
}

/* Problems of 1 to Q bytes. */
static void load_problems(allot_problems *out)
{
    char path[] = "/tmp/test_forecast_XXXXXX", text[Q + 1];
    assert_true(mkstemp(path) >= 0);
    allot_problems_writer *w;
    assert_int_equal(allot_problems_create(path, &w, NULL), ALLOT_OK);
    memset(text, '1', sizeof text);
    for (int i = 0; i < Q; i++) {
        const char *texts[ALLOT_N_COLS];
        size_t lengths[ALLOT_N_COLS];
        for (int c = 0; c < ALLOT_N_COLS; c++) {
            texts[c] = text;
            lengths[c] = c == ALLOT_COL_PROBLEM ? (size_t)(i * 7 % Q + 1) : 1;
        }
        allot_key key;
        assert_int_equal(allot_key_of_text(text, lengths[ALLOT_COL_PROBLEM], &key, NULL), ALLOT_OK);
        assert_int_equal(allot_problems_add(w, &key, texts, lengths, NULL), ALLOT_OK);
    }
    assert_int_equal(allot_problems_commit(&w, "test", 1, NULL, NULL), ALLOT_OK);
    assert_int_equal(allot_problems_load(path, 0, out, NULL), ALLOT_OK);
    remove(path);
}

static size_t bytes_of(const allot_problems *p, long row)
{
    size_t n;
    (void)allot_strings_at(&p->col[ALLOT_COL_PROBLEM], row, &n);
    return n;
}

static void a_pilot_is_spread_along_the_length(void **state)
{
    (void)state;
    allot_problems problems;
    load_problems(&problems);
    for (long seed = 1; seed <= 20; seed++) {
        allot_rundir r = {.seed = seed};
        allot_pilot four, eight, all;
        assert_int_equal(allot_pilot_choose(&problems, &r, NULL, 4, &four, NULL), ALLOT_OK);
        assert_int_equal(allot_pilot_choose(&problems, &r, NULL, 8, &eight, NULL), ALLOT_OK);
        assert_int_equal(allot_pilot_choose(&problems, &r, NULL, 1000, &all, NULL), ALLOT_OK);
        assert_int_equal(all.n_chosen, Q);
        for (long i = 0; i < 4; i++) { /* one of each quarter, and among the eight */
            assert_int_equal((bytes_of(&problems, four.order[i]) - 1) / (Q / 4), i);
            assert_true(eight.chosen[four.order[i]]);
        }
        long sum = 0;
        for (long i = 0; i < eight.n; i++)
            sum += eight.order[i];
        assert_int_equal(sum, Q * (Q - 1) / 2); /* everyone once */
        allot_pilot_clear(&four);
        allot_pilot_clear(&eight);
        allot_pilot_clear(&all);
    }
    allot_problems_clear(&problems);
}

static void a_pilot_keeps_to_its_shard(void **state)
{
    (void)state;
    allot_problems problems;
    load_problems(&problems);
    allot_rundir r = {.seed = 1, .shard = 2, .n_shards = 3};
    allot_pilot p;
    assert_int_equal(allot_pilot_choose(&problems, &r, NULL, 4, &p, NULL), ALLOT_OK);
    assert_true(p.n > 4 && p.n < Q);
    for (long i = 0; i < p.n; i++)
        assert_true(allot_rundir_has(&r, &problems.keys[p.order[i]]));
    allot_pilot_clear(&p);
    allot_problems_clear(&problems);
}

int main(void)
{
    allot_log_level(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_those_of_samples_side_by_side),
        cmocka_unit_test(seconds_of_a_half_empty_server_have_a_wide_bar),
        cmocka_unit_test(a_search_counts_with_its_beams),
        cmocka_unit_test(the_error_bar_is_that_of_a_finite_sample),
        cmocka_unit_test(times_that_cannot_be_are_left_out),
        cmocka_unit_test(a_pilot_is_spread_along_the_length),
        cmocka_unit_test(a_pilot_keeps_to_its_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
