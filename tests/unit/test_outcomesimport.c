/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes from tables: the numbers of a cell, and the CSV rows they come from. */
#include "tests/unit/formats.h"
#include "lib/readers/csvrows.h"
#include "datasets/outcomesimport.h"

static allot_outcomes import(const char *path, const char *text, const allot_outcomesimport *s,
                             long *missing)
{
    allot_outcomes o;
    WORKS(allot_file_write(path, &allot_kind_any, text, strlen(text), &err));
    WORKS(allot_outcomes_import(path, s, &o, missing, &err));
    return o;
}

static void a_cell_has_its_trials(void **state)
{
    (void)state;
    long missing;
    allot_outcomesimport s = {.name = "x"};
    allot_outcomes o = import("t.csv",
                              "tokens,query,strategy,trials,successes,accuracy\r\n"
                              "7,caf\xc3\xa9?,bon@4,8,2,\r\n"
                              "9,caf\xc3\xa9?,single,10,,0.5\r\n"
                              "9,caf\xc3\xa9?,majority@2,,,0.5",
                              &s, &missing);
    static const float p[] = {0.25f, 0.5f, 0.5f}, n[] = {8, 10, 1};
    assert_int_equal(o.n, 1);
    assert_int_equal(missing, 0);
    assert_int_equal(o.codepoints[0], 5);
    for (int i = 0; i < 3; i++) {
        assert_true(o.accuracy[i] == p[i] && o.n_eff[i] == n[i]);
        assert_int_equal(o.n_trials[i], (int)n[i]);
        assert_true(fabsf(o.variance[i] - p[i] * (1 - p[i]) / n[i]) < 1e-7f);
        assert_true(isnan(o.half[2 * i]) && isnan(o.half[2 * i + 1]));
        assert_int_equal(o.seconds_kind[i], ALLOT_SECONDS_ABSENT);
    }
    assert_true(o.tokens[0] == 7 && o.strategies.at[0].method == ALLOT_BON);
    allot_outcomes_clear(&o);
}

/* Trials 1, 0, 1 of one pair: the halves are of trials 1 and 3, and of trial 2. */
static void repeated_trials_have_halves(void **state)
{
    (void)state;
    long missing;
    allot_outcomesimport s = {.name = "x", .trials = 1};
    allot_outcomes o = import("t.csv",
                              "query,strategy,correct,tokens,seconds\n"
                              "1+1=?,single,1,10,2\n1+2=?,single,1,1,1\n"
                              "1+1=?,single,0,20,\n1+1=?,single,true,30,4\n",
                              &s, &missing);
    allot_key key = key_of("1+1=?");
    int q = allot_key_compare(&o.keys[0], &key) != 0;
    assert_int_equal(o.n, 2);
    assert_true(fabsf(o.accuracy[q] - 2 / 3.f) < 1e-6f);
    assert_true(o.half[2 * q] == 1 && o.half[2 * q + 1] == 0);
    assert_true(o.n_eff[q] == 3 && o.tokens[q] == 20 && o.seconds[q] == 3);
    assert_int_equal(o.seconds_kind[q], ALLOT_SECONDS_MEASURED);
    assert_true(isnan(o.half[2 * !q]));
    allot_outcomes_clear(&o);
}

static void quoted_fields_hold_anything(void **state)
{
    (void)state;
    char text[] = "\n a ,\"b,\"\"c\"\"\nd\",\r\n\"\",x\ry\n\n\"end\"";
    allot_csvrows c = {.rest = text, .file = "f", .next_line = 1};
    WORKS(allot_csvrows_next(&c, &err));
    assert_int_equal(c.n, 3);
    assert_int_equal(c.line, 2);
    assert_string_equal(c.field[0], " a ");
    assert_string_equal(c.field[1], "b,\"c\"\nd");
    assert_string_equal(c.field[2], "");
    WORKS(allot_csvrows_next(&c, &err));
    assert_int_equal(c.n, 2);
    assert_int_equal(c.line, 4);
    assert_string_equal(c.field[0], "");
    assert_string_equal(c.field[1], "x\ry");
    WORKS(allot_csvrows_next(&c, &err));
    assert_int_equal(c.n, 1);
    assert_int_equal(c.line, 6);
    assert_string_equal(c.field[0], "end");
    WORKS(allot_csvrows_next(&c, &err));
    assert_int_equal(c.n, 0);
    allot_csvrows_clear(&c);
}

static void what_looks_like_a_number_of_a_row_is_refused(void **state)
{
    (void)state;
    static const char *const ids[] = {"0", "17", "q17", "row 3", "id-5", "#9", "ab"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char text[100], want[400];
        allot_outcomesimport s = {.name = "x"};
        allot_outcomes o;
        long missing;
        snprintf(text, sizeof text, "query,strategy,correct,tokens\n%s,single,1,1\n", ids[i]);
        snprintf(want, sizeof want,
                 "'t.csv': 1 of 1 rows name their query by a row number, e.g. "
                 "'%s' in line 2: two tables joined by row number pair different questions (give "
                 "the query's text, or its key with --problems)",
                 ids[i]);
        WORKS(allot_file_write("t.csv", &allot_kind_any, text, strlen(text), &err));
        REFUSED(allot_outcomes_import("t.csv", &s, &o, &missing, &err), ALLOT_EINPUT, want);
        assert_null(o.keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_has_its_trials),
        cmocka_unit_test(repeated_trials_have_halves),
        cmocka_unit_test(quoted_fields_hold_anything),
        cmocka_unit_test(what_looks_like_a_number_of_a_row_is_refused),
    };
    return cmocka_run_group_tests_name("outcomesimport", tests, enter_folder, leave_folder);
}
