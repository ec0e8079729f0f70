/* SPDX-License-Identifier: Apache-2.0 */
/* Cost statistics by hand, and a timing directory becomes a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "calibrate/fitcosts.h"
#include "lib/store/timedrows.h"
#include "tests/runfixture.h"

static char dir[64];

static void statistics_by_hand(void **state)
{
    (void)state;
    double x[4];
    /* two runs of one query, one of another two: the error is over three queries */
    const allot_cost_row rows[] = {{{{1}}, 2}, {{{1}}, 4}, {{{2}}, 5}, {{{3}}, 1}};
    allot_cost_stat s = allot_cost_stat_of(rows, 4, x);
    assert_int_equal(s.n, 4);
    assert_float_equal(s.mean, 3, 1e-15);
    assert_float_equal(s.se, 2 / sqrt(3), 1e-15); /* query means 3, 5, 1 */
    assert_float_equal(s.p50, 3, 1e-15);
    assert_float_equal(s.p90, 4.7, 1e-12);
    assert_float_equal(s.p99, 4.97, 1e-12);
    s = allot_cost_stat_of(rows, 2, x);
    assert_true(isnan(s.se)); /* one query */
    assert_float_equal(s.mean, 3, 1e-15);
}

static void timing_to_table(void **state)
{
    (void)state;
    allot_costsfile c;
    allot_fitcosts_counts counts;
    allot_err err = {0};
    fixture_timing(dir, &(fixture_harm){.reversed = 1, .torn = 1});
    if (allot_fitcosts_timing(dir, &c, &counts, &err)) fail_msg("%s", err.msg);
    assert_int_equal(counts.n_rows, 20);
    assert_int_equal(counts.n_retried, 1);
    assert_int_equal(counts.torn, 1);
    assert_int_equal(c.n_loads, 1);
    assert_int_equal(c.loads[0].load, 1);
    assert_true(c.loads[0].has_seconds);
    const allot_cost *bon = &c.loads[0].at[2];
    assert_float_equal(bon->tokens.mean, 44, 1e-12); /* (10 + q) 4, q = 0..2 */
    assert_float_equal(bon->tokens.p50, 44, 1e-12);
    assert_float_equal(bon->seconds.mean, 0.15 + 0.044 + 0.05, 1e-12);
    assert_int_equal(bon->seconds.n, 3);
    assert_int_equal(c.loads[0].at[1].seconds.n, 2); /* one row was retried */
    assert_float_equal(c.loads[0].at[1].seconds.mean, 0.01 * 13.5 + 0.05, 1e-12);
    assert_true(c.loads[0].at[1].ttft.mean == 0 && c.loads[0].at[1].ttft.n == 0); /* unknown */
    char path[128];
    const char *const no_inputs[] = {NULL};
    snprintf(path, sizeof path, "%s/costs.json", dir);
    assert_int_equal(allot_costsfile_save(path, &c, "test", 1, no_inputs, &err), ALLOT_OK);
    allot_costsfile_clear(&c);
    assert_int_equal(allot_costsfile_load(path, &c, &err), ALLOT_OK);
    const allot_cost_stat *ttft = &c.loads[0].at[0].ttft;
    assert_float_equal(ttft->mean, 0.07 / 3, 1e-12);
    assert_float_equal(ttft->p50, 0.02, 1e-12);
    assert_int_equal(ttft->n, 3);
    assert_true(c.loads[0].at[1].ttft.mean == 0 && c.loads[0].at[1].ttft.n == 0);
    allot_costsfile_clear(&c);
}

static void a_strategy_without_rows_is_refused(void **state)
{
    (void)state;
    allot_costsfile c;
    allot_fitcosts_counts counts;
    allot_err err = {0};
    char want[512];
    fixture_timing(dir, &(fixture_harm){.foreign = 1});
    assert_int_equal(allot_fitcosts_timing(dir, &c, &counts, &err), ALLOT_EINPUT);
    snprintf(want, sizeof want,
             "'%s' has no usable row of 'bon@4' at load 1 (1 were retried, 3 "
             "under foreign load; run 'allot-collect time' again, it goes on where it was)",
             dir);
    assert_string_equal(err.msg, want);
}

/* Of rows of one unit the first in the journal counts; the order of the rest is theirs by key. */
static void repeated_rows(void **state)
{
    (void)state;
    allot_timedrows plain, twice;
    allot_err err = {0};
    char path[4096], *text;
    size_t n;
    fixture_timing(dir, &(fixture_harm){0});
    fixture_must(allot_timedrows_load(dir, &plain, &err), &err);
    fixture_path(path, dir, "journal.jsonl");
    fixture_must(allot_file_read(path, 1 << 20, &text, &n, &err), &err);
    fixture_timing(dir, &(fixture_harm){.slower = 1});
    char *slower;
    size_t n_slower;
    fixture_must(allot_file_read(path, 1 << 20, &slower, &n_slower, &err), &err);
    char *both = malloc(n + n_slower);
    memcpy(both, text, n);
    memcpy(both + n, slower, n_slower);
    fixture_must(allot_file_write(path, &allot_kind_any, both, n + n_slower, &err), &err);
    fixture_must(allot_timedrows_load(dir, &twice, &err), &err);
    assert_int_equal(twice.n, plain.n);
    assert_int_equal(twice.n_duplicates, 20);
    for (size_t i = 0; i < plain.n; i++)
        assert_float_equal(twice.at[i].seconds, plain.at[i].seconds, 0);
    for (size_t i = 1; i < plain.n; i++)
        assert_true(allot_key_compare(&plain.at[i - 1].key, &plain.at[i].key) <= 0);
    allot_timedrows_clear(&plain);
    allot_timedrows_clear(&twice);
    free(text);
    free(slower);
    free(both);
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/allot-costs-XXXXXX");
    return !mkdtemp(dir);
}

static int teardown(void **state)
{
    (void)state;
    static const char *const made[] = {"journal.jsonl", "manifest.json", "costs.json"};
    char path[4096];
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        fixture_path(path, dir, made[i]);
        unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_by_hand),
        cmocka_unit_test(timing_to_table),
        cmocka_unit_test(a_strategy_without_rows_is_refused),
        cmocka_unit_test(repeated_rows),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
