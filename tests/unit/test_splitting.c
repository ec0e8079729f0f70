/* SPDX-License-Identifier: Apache-2.0 */
/* Splits by the hash of a key: stable, of the asked shares, also within strata. */
#include "tests/unit/formats.h"
#include "datasets/splitting.h"

/* Problems first..n-1, every third of source "b", the others of "a". */
static allot_problems problems_of(long first, long n)
{
    allot_problems p = {.n = n - first};
    size_t rows = 0, bytes = 0;
    p.keys = calloc((size_t)p.n, sizeof *p.keys);
    for (long i = first; i < n; i++) {
        char text[32];
        snprintf(text, sizeof text, "query %ld", i);
        p.keys[i - first] = key_of(text);
        WORKS(
            allot_strings_add(&p.col[ALLOT_COL_SOURCE], &rows, &bytes, i % 3 ? "a" : "b", 1, &err));
    }
    return p;
}

static allot_splits split_of(const allot_problems *p, const allot_split_settings *s)
{
    allot_splits out;
    WORKS(allot_split_make(p, s, &out, &err));
    return out;
}

static void queries_stay_where_they_are(void **state)
{
    (void)state;
    allot_split_settings s;
    allot_split_defaults(&s);
    allot_problems all = problems_of(0, 3000), some = problems_of(1000, 2000);
    allot_splits x = split_of(&all, &s), y = split_of(&some, &s);
    assert_memory_equal(x.split + 1000, y.split, 1000);
    assert_string_equal(x.id, y.id);
    s.seed = 2;
    allot_splits z = split_of(&some, &s);
    assert_memory_not_equal(y.split, z.split, 1000);
    assert_string_not_equal(y.id, z.id);
    allot_splits_clear(&x);
    allot_splits_clear(&y);
    allot_splits_clear(&z);
    allot_problems_clear(&all);
    allot_problems_clear(&some);
}

/* Each share within 4 standard errors of its fraction. */
static void shares_are_those_asked_for(void **state)
{
    (void)state;
    enum { N = 10000 };
    allot_split_settings s;
    allot_split_defaults(&s);
    WORKS(allot_split_fractions("0.4,0.3,0.1,0.2", &s, &err));
    allot_problems p = problems_of(0, N);
    allot_splits x = split_of(&p, &s);
    int n[ALLOT_N_SPLITS] = {0};
    for (long i = 0; i < N; i++)
        n[x.split[i]]++;
    for (int k = 0; k < ALLOT_N_SPLITS; k++) {
        double f = s.fraction[k];
        assert_true(fabs((double)n[k] / N - f) < 4 * sqrt(f * (1 - f) / N));
    }
    allot_splits_clear(&x);
    allot_problems_clear(&p);
}

/* 200 of source "a" and 100 of "b": the shares hold in both up to one query at each end. */
static void strata_have_the_same_shares(void **state)
{
    (void)state;
    allot_split_settings s;
    allot_split_defaults(&s);
    s.by = ALLOT_COL_SOURCE;
    allot_problems p = problems_of(0, 300);
    allot_splits x = split_of(&p, &s);
    int n[2][ALLOT_N_SPLITS] = {{0}};
    for (long i = 0; i < 300; i++)
        n[i % 3 == 0][x.split[i]]++;
    for (int k = 0; k < ALLOT_N_SPLITS; k++) {
        assert_true(fabs(n[0][k] - 200 * s.fraction[k]) <= 1);
        assert_true(fabs(n[1][k] - 100 * s.fraction[k]) <= 1);
    }
    allot_splits_clear(&x);
    allot_problems_clear(&p);
}

static void wrong_fractions_are_refused(void **state)
{
    (void)state;
    allot_split_settings s;
    REFUSED(allot_split_fractions("0.5,0.2,0.1,0.1", &s, &err), ALLOT_EUSAGE,
            "--fractions: '0.5,0.2,0.1,0.1' add up to 0.9, not 1");
    REFUSED(allot_split_fractions("1,0,0,0", &s, &err), ALLOT_EUSAGE,
            "--fractions: '1,0,0,0' is "
            "not four numbers above 0 (train,validation,calibration,test)");
    REFUSED(allot_split_fractions("0.5,nan,0.2,0.3", &s, &err), ALLOT_EUSAGE,
            "--fractions: "
            "'0.5,nan,0.2,0.3' is not four numbers above 0 (train,validation,calibration,test)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_stay_where_they_are),
        cmocka_unit_test(shares_are_those_asked_for),
        cmocka_unit_test(strata_have_the_same_shares),
        cmocka_unit_test(wrong_fractions_are_refused),
    };
    return cmocka_run_group_tests_name("splitting", tests, NULL, NULL);
}
