/* SPDX-License-Identifier: Apache-2.0 */
/* Features, n-grams, calibration: small pure functions, checked by hand-computed values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "liballot/calib.h"
#include "liballot/features.h"
#include "liballot/ngram.h"

static void add(allot_strategies *set, const char *text)
{
    allot_strategy s;
    assert_int_equal(allot_strategy_parse(text, &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_add(set, &s, NULL), ALLOT_OK);
}

static void assert_row(const float *got, const float *want, int n)
{
    for (int i = 0; i < n; i++)
        if (fabsf(got[i] - want[i]) > 1e-6f)
            fail_msg("entry %d is %g, not %g", i, (double)got[i], (double)want[i]);
}

static void default_layout_has_a_place_for_everything(void **state)
{
    (void)state;
    allot_strategies set = {0};
    add(&set, "single");
    add(&set, "bon@8;agg=min");
    add(&set, "beam@8x4x20;final=vote");
    add(&set, "named:\"a\"");
    add(&set, "named:\"b\"");
    /* 3 numbers, 5 methods, 2 names, and agg=min and final=vote, which occur */
    assert_int_equal(allot_features_strategy_dim(ALLOT_FEATURES_DEFAULT, &set), 12);
    float rows[5][12];
    assert_int_equal(allot_features_strategy(ALLOT_FEATURES_DEFAULT, &set, rows[0], NULL), 0);
    const float want[5][12] = {
        {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},         {3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0},
        {3, 2, 4.321928f, 0, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0},
    };
    for (int s = 0; s < 5; s++)
        assert_row(rows[s], want[s], 12);
    allot_strategies_clear(&set);
}

/* It came later: a column of its own behind the five, but only where the set uses it. */
static void dvts_has_a_place_where_it_is_used(void **state)
{
    (void)state;
    allot_strategies set = {0};
    allot_err err = {0};
    add(&set, "beam@8x4x1");
    add(&set, "named:\"a\"");
    assert_int_equal(allot_features_strategy_dim(ALLOT_FEATURES_DEFAULT, &set), 9);
    add(&set, "dvts@8x4x1;final=vote");
    assert_int_equal(allot_features_strategy_dim(ALLOT_FEATURES_DEFAULT, &set), 11);
    float rows[3][11];
    assert_int_equal(allot_features_strategy(ALLOT_FEATURES_DEFAULT, &set, rows[0], NULL), 0);
    const float want[3][11] = {{3, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0},
                               {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0},
                               {3, 2, 0, 0, 0, 0, 0, 0, 1, 0, 1}};
    for (int s = 0; s < 3; s++)
        assert_row(rows[s], want[s], 11);
    allot_strategies_clear(&set);
    add(&set, "dvts@8x4x1");
    assert_int_equal(allot_features_strategy(ALLOT_FEATURES_PAPER, &set, rows[0], &err),
                     ALLOT_EINPUT);
    assert_string_equal(err.msg,
                        "strategy 'dvts@8x4x1' has no place in the paper's features (leave "
                        "it out, or train without --paper)");
    allot_strategies_clear(&set);
}

static void paper_layout_is_the_published_one(void **state)
{
    (void)state;
    allot_strategies set = {0};
    allot_err err = {0};
    float rows[2][7];
    add(&set, "majority@32");
    add(&set, "beam@8x4x20");
    assert_int_equal(allot_features_strategy_dim(ALLOT_FEATURES_PAPER, &set), 7);
    assert_int_equal(allot_features_strategy(ALLOT_FEATURES_PAPER, &set, rows[0], NULL), 0);
    const float want[2][7] = {{32, 1, 1, 0, 1, 0, 0}, {8, 4, 20, 1, 0, 0, 0}};
    for (int s = 0; s < 2; s++)
        assert_row(rows[s], want[s], 7);
    add(&set, "single");
    float more[3][7];
    assert_int_equal(allot_features_strategy(ALLOT_FEATURES_PAPER, &set, more[0], &err),
                     ALLOT_EINPUT);
    assert_string_equal(err.msg, "strategy 'single' has no place in the paper's features (leave it "
                                 "out, or train without --paper)");
    allot_strategies_clear(&set);
}

static void code_points_are_counted(void **state)
{
    (void)state;
    assert_int_equal(allot_features_codepoints("", 0), 0);
    assert_int_equal(allot_features_codepoints("12+7=?", 6), 6);
    assert_int_equal(allot_features_codepoints("\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82", 9), 3);
    assert_int_equal(allot_features_codepoints("\xff\xfe"
                                               "a\xe2\x82",
                                               5),
                     5);
    assert_true(fabsf(allot_features_length(ALLOT_FEATURES_DEFAULT, 6) - 1.9459101f) < 1e-6f);
    assert_true(allot_features_length(ALLOT_FEATURES_PAPER, 6) == 6);
}

static double similarity(const char *a, const char *b)
{
    float x[256], y[256];
    double sum = 0;
    allot_ngram_embed(a, strlen(a), 256, x);
    allot_ngram_embed(b, strlen(b), 256, y);
    for (int i = 0; i < 256; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

static void ngrams_see_content_not_spacing(void **state)
{
    (void)state;
    assert_true(fabs(similarity("What is 12+7?", "  what IS\n\t12+7? ") - 1) < 1e-6);
    assert_true(similarity("What is 12+7?", "What is 12-7?") < 0.95);
    assert_true(similarity("What is 12+7?", "What is 12+7*3?") >
                similarity("What is 12+7?", "Find all primes below q"));
    float x[16], zero[16] = {0};
    memset(x, 1, sizeof x);
    allot_ngram_embed(" \n", 2, 16, x);
    assert_memory_equal(x, zero, sizeof x);
    allot_ngram_embed("a", 1, 1, x);
    assert_true(fabsf(x[0]) == 1);
}

/* The vector is part of trained probes: it may never change under its name. */
static void ngrams_are_frozen(void **state)
{
    (void)state;
    float x[8];
    allot_ngram_embed("12+7=?", 6, 8, x);
    double sum = 0;
    for (int i = 0; i < 8; i++)
        sum += (double)(i + 1) * (double)x[i];
    if (fabs(sum - 0.53391129) > 1e-5) fail_msg("the n-gram embedding changed: %.8f", sum);
}

static void calibration_is_stable_at_both_ends(void **state)
{
    (void)state;
    allot_calib c;
    allot_calib_identity(&c);
    assert_true(allot_calib_apply(&c, ALLOT_BON, 0) == 0.5);
    assert_true(allot_calib_apply(&c, ALLOT_BON, 1e30) == 1);
    assert_true(allot_calib_apply(&c, ALLOT_BON, -1e30) == 0);
    assert_true(allot_calib_apply(&c, ALLOT_BON, -700) > 0);
    c.a[ALLOT_BEAM] = 0.5;
    c.b[ALLOT_BEAM] = -1;
    assert_true(fabs(allot_calib_apply(&c, ALLOT_BEAM, 4) - 0.7310585786300049) < 1e-15);
    assert_true(fabs(allot_calib_apply(&c, ALLOT_BON, 1) - 0.7310585786300049) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_layout_has_a_place_for_everything),
        cmocka_unit_test(dvts_has_a_place_where_it_is_used),
        cmocka_unit_test(paper_layout_is_the_published_one),
        cmocka_unit_test(code_points_are_counted),
        cmocka_unit_test(ngrams_see_content_not_spacing),
        cmocka_unit_test(ngrams_are_frozen),
        cmocka_unit_test(calibration_is_stable_at_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
