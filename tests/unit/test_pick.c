/* SPDX-License-Identifier: Apache-2.0 */
/* Which candidate each method answers with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/methods/pick.h"

/* Candidates from answers ("" = a text without one) and scores (one step each; NULL = unscored). */
static int pick(const char *strategy, const char *const *answers, const double *scores, int n)
{
    char text[16][64];
    double copies[16];
    allot_generation gen[16] = {{0}};
    allot_strategy s;
    allot_err err = {0};
    allot_grade_options o;
    allot_grade_defaults(&o);
    assert_int_equal(allot_strategy_parse(strategy, &s, &err), ALLOT_OK);
    for (int i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], *answers[i] ? "so \\boxed{%s}" : "no idea%s", answers[i]);
        gen[i] = (allot_generation){.text = text[i], .n = strlen(text[i])};
        if (!scores) continue;
        copies[i] = scores[i];
        gen[i].scores = &copies[i];
        gen[i].n_scores = 1;
    }
    return allot_pick(&s, gen, n, &o);
}
#define A(...) ((const char *const[]){__VA_ARGS__})
#define S(...) ((const double[]){__VA_ARGS__})

static void single_takes_the_only_one(void **state)
{
    (void)state;
    assert_int_equal(pick("single", A("5"), NULL, 1), 0);
    assert_int_equal(pick("single", A(""), NULL, 1), 0);
    assert_int_equal(pick("single", A("5"), NULL, 0), -1);
}

static void majority_takes_the_largest_class(void **state)
{
    (void)state;
    assert_int_equal(pick("majority@5", A("1", "2", "2", "3", "2"), NULL, 5), 1);
    assert_int_equal(pick("majority@4", A("7", "8", "8", "7"), NULL, 4), 0); /* tie: lowest index */
    assert_int_equal(pick("majority@4", A("", "", "", "8"), NULL, 4),
                     3); /* no vote without answer */
    assert_int_equal(pick("majority@2", A("", ""), NULL, 2), -1);
    assert_int_equal(pick("majority@3", A("1", "2", "2.0"), NULL, 3), 1); /* one class: 2 = 2.0 */
}

static void best_takes_the_highest_score(void **state)
{
    (void)state;
    assert_int_equal(pick("bon@3", A("1", "2", "3"), S(0.1, 0.9, 0.5), 3), 1);
    assert_int_equal(pick("bon@3", A("1", "2", "3"), S(0.9, 0.1, 0.9), 3), 0);
    assert_int_equal(pick("bon@3", A("1", "", "3"), S(0.1, 0.9, 0.5), 3),
                     1); /* picked, no answer */
}

static void weighted_takes_the_largest_sum(void **state)
{
    (void)state;
    assert_int_equal(pick("weighted@4", A("1", "2", "2", ""), S(0.7, 0.4, 0.4, 1), 4), 1);
    assert_int_equal(pick("weighted@3", A("1", "2", "2"), S(0.9, 0.4, 0.4), 3), 0);
    assert_int_equal(pick("weighted@2", A("1", "2"), S(0.5, 0.5), 2), 0);
    assert_int_equal(pick("weighted@2", A("", "2"), S(0.5, 0), 2), 1);
}

static void beams_are_picked_by_score_or_by_vote(void **state)
{
    (void)state;
    const char *const answers[] = {"1", "2", "2", "1", "1"};
    const double scores[] = {0.2, 0.3, 0.1, 0.4, 0.4};
    assert_int_equal(pick("beam@3x2x9", answers, scores, 5), 3);
    /* The first N finished vote: 1, 2, 2; the two later ones do not. */
    assert_int_equal(pick("beam@3x2x9;final=vote", answers, scores, 5), 1);
    assert_int_equal(pick("beam@8x2x9;final=vote", answers, scores, 5), 0);
    assert_int_equal(pick("beam@3x2x9", answers, scores, 0), -1);
}

static void steps_are_aggregated(void **state)
{
    (void)state;
    const double x[] = {0.5, 0.2, 0.8};
    assert_true(allot_aggregate(x, 3, ALLOT_AGG_LAST) == 0.8);
    assert_true(allot_aggregate(x, 3, ALLOT_AGG_MIN) == 0.2);
    assert_true(fabs(allot_aggregate(x, 3, ALLOT_AGG_PROD) - 0.08) < 1e-15);
    assert_true(fabs(allot_aggregate(x, 3, ALLOT_AGG_MEAN) - 0.5) < 1e-15);
    assert_true(allot_aggregate(x, 1, ALLOT_AGG_MEAN) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_takes_the_only_one),
        cmocka_unit_test(majority_takes_the_largest_class),
        cmocka_unit_test(best_takes_the_highest_score),
        cmocka_unit_test(weighted_takes_the_largest_sum),
        cmocka_unit_test(beams_are_picked_by_score_or_by_vote),
        cmocka_unit_test(steps_are_aggregated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
