/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: utility, argmax, ties, caps, limits of the lambdas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/rng.h"
#include "liballot/choose.h"

enum { S = 5 };
static const char *const texts[S] = {"single", "majority@8", "bon@8", "weighted@8", "beam@8x4x20"};

/* A small world: five strategies with costs. */
typedef struct {
    allot_strategies set;
    allot_cost cost[S];
    allot_costs costs;
    allot_rule rule;
} world;

static void make_world(world *w)
{
    static const double tokens[S] = {300, 2400, 2400, 2400, 7000};
    static const double seconds[S] = {2.5, 4.4, 4.9, 5.0, 14};
    *w = (world){0};
    for (int s = 0; s < S; s++) {
        allot_strategy parsed;
        assert_int_equal(allot_strategy_parse(texts[s], &parsed, NULL), ALLOT_OK);
        assert_int_equal(allot_strategies_add(&w->set, &parsed, NULL), ALLOT_OK);
        w->cost[s].tokens = (allot_cost_stat){tokens[s], 1, tokens[s], 2 * tokens[s], NAN, NAN, 9};
        w->cost[s].seconds =
            (allot_cost_stat){seconds[s], 1, seconds[s], 2 * seconds[s], NAN, NAN, 9};
    }
    w->costs = (allot_costs){.n_strategies = S, .has_seconds = 1, .load = 1, .at = w->cost};
    allot_rule_defaults(&w->rule);
}

static int choose(const world *w, const double *accuracy)
{
    int chosen = -1;
    allot_err err = {0};
    assert_int_equal(allot_rule_check(&w->rule, &w->costs, &err), ALLOT_OK);
    if (allot_choose(&w->rule, &w->set, accuracy, &w->costs, &chosen, &err))
        fail_msg("%s", err.msg);
    return chosen;
}

static void utility_by_hand(void **state)
{
    (void)state;
    allot_rule r;
    allot_rule_defaults(&r);
    assert_true(allot_utility(&r, 0.5, 1000, 10) == 0.5);
    r.lambda_per_token = 1e-5;
    r.lambda_per_second = 1e-2;
    assert_true(fabs(allot_utility(&r, 0.0, 1461, 4.97) - -0.06431) < 1e-15);
    assert_true(fabs(allot_utility(&r, 1.0, 2341, 3.83) - 0.93829) < 1e-15);
    assert_true(fabs(allot_utility(&r, 0.4, 49159, 92.1) - -1.01259) < 1e-12);
}

/* The published rows: utility = soft_label - 1e-5 tokens - 1e-2 seconds. */
static void utility_reproduces_the_published_rows(void **state)
{
    (void)state;
    char path[4096], line[1024];
    const char *folder = getenv("ALLOT_SHARED_DATA");
    snprintf(path, sizeof path, "%s/paper_utility_rows.csv", folder ? folder : "../shared/data");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: there is no '%s' (set ALLOT_SHARED_DATA)\n", path);
        skip();
    }
    allot_rule r;
    allot_rule_defaults(&r);
    r.lambda_per_token = 1e-5;
    r.lambda_per_second = 1e-2;
    int rows = 0;
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        double label, tokens, seconds, utility;
        assert_int_equal(sscanf(line, "%*[^,],%*[^,],%*[^,],%*[^,],%lf,%lf,%lf,%lf", &label,
                                &tokens, &seconds, &utility),
                         4);
        assert_true(fabs(allot_utility(&r, label, tokens, seconds) - utility) < 1e-9);
        rows++;
    }
    fclose(f);
    assert_true(rows > 1000);
}

static void lambdas_lead_from_best_to_fastest(void **state)
{
    (void)state;
    world w;
    make_world(&w);
    allot_rng rng = allot_rng_start(3, 0, 0, 0);
    for (int i = 0; i < 2000; i++) {
        double accuracy[S];
        int best = 0;
        for (int s = 0; s < S; s++) {
            accuracy[s] = allot_rng_unit(&rng);
            if (accuracy[s] > accuracy[best]) best = s;
        }
        w.rule.lambda_per_second = 0;
        assert_int_equal(choose(&w, accuracy), best);
        double last = INFINITY;
        for (double lambda = 1e-5; lambda < 1; lambda *= 2) {
            w.rule.lambda_per_second = lambda;
            double seconds = w.cost[choose(&w, accuracy)].seconds.mean;
            assert_true(seconds <= last);
            last = seconds;
        }
        w.rule.lambda_per_second = 1; /* the accuracies differ by less than the seconds */
        assert_int_equal(choose(&w, accuracy), 0);
    }
    allot_strategies_clear(&w.set);
}

static void ties_go_to_the_cheaper(void **state)
{
    (void)state;
    world w;
    make_world(&w);
    const double equal[S] = {0.5, 0.5, 0.5, 0.5, 0.5};
    assert_int_equal(choose(&w, equal), 0); /* fewest seconds */
    const double three[S] = {0.1, 0.5, 0.5, 0.5, 0.1};
    w.cost[1].seconds.mean = w.cost[2].seconds.mean = w.cost[3].seconds.mean = 5;
    w.cost[2].tokens.mean = 2000;
    assert_int_equal(choose(&w, three), 2); /* then fewest tokens */
    w.cost[2].tokens.mean = 2400;
    assert_int_equal(choose(&w, three), 2); /* then the text: bon < majority < weighted */
    allot_strategies_clear(&w.set);
}

/* The same strategies in another order, with many exact ties: the same strategy is chosen. */
static void order_does_not_decide(void **state)
{
    (void)state;
    world w, p;
    make_world(&w);
    allot_rng rng = allot_rng_start(4, 0, 0, 0);
    for (int i = 0; i < 2000; i++) {
        double accuracy[S], permuted[S];
        int order[S], scratch[S];
        allot_rng_subset(&rng, S, S, scratch, order);
        for (int s = 0; s < S; s++) {
            accuracy[s] = (double)allot_rng_below(&rng, 3) / 2;
            w.cost[s].tokens.mean = 100 * (double)allot_rng_below(&rng, 2);
            w.cost[s].seconds.mean = (double)allot_rng_below(&rng, 2);
        }
        make_world(&p);
        w.rule.lambda_per_token = p.rule.lambda_per_token = i % 2 ? 1e-3 : 0;
        for (int s = 0; s < S; s++) {
            p.set.at[s] = w.set.at[order[s]];
            p.cost[s] = w.cost[order[s]];
            permuted[s] = accuracy[order[s]];
        }
        assert_int_equal(order[choose(&p, permuted)], choose(&w, accuracy));
        allot_strategies_clear(&p.set);
    }
    allot_strategies_clear(&w.set);
}

static void caps_choose_the_best_that_fits(void **state)
{
    (void)state;
    world w;
    make_world(&w);
    const double accuracy[S] = {0.3, 0.5, 0.6, 0.61, 0.9};
    int chosen;
    allot_err err = {0};
    w.rule.max_tokens = 2400;
    assert_int_equal(choose(&w, accuracy), 3);
    w.rule.max_seconds = 4.9;
    assert_int_equal(choose(&w, accuracy), 2);
    w.rule.cap_on = ALLOT_CAP_P90;
    w.rule.max_seconds = 5;
    assert_int_equal(choose(&w, accuracy), 0);
    w.rule.max_tokens = 500;
    w.rule.max_seconds = 2;
    assert_int_equal(allot_choose(&w.rule, &w.set, accuracy, &w.costs, &chosen, &err),
                     ALLOT_EINPUT);
    assert_string_equal(err.msg, "no strategy fits into 500 tokens and 2 seconds; the nearest, "
                                 "'single', needs 600 tokens and 5 seconds (p90) (raise the caps)");
    allot_strategies_clear(&w.set);
}

static void expect_refusal(const world *w, const char *message)
{
    allot_err err = {0};
    assert_int_equal(allot_rule_check(&w->rule, &w->costs, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, message);
}

static void wrong_rules_are_refused(void **state)
{
    (void)state;
    world w;
    make_world(&w);
    w.rule.lambda_per_token = -1;
    expect_refusal(&w, "lambda per token is -1: it must be a finite number, 0 or more");
    w.rule.lambda_per_token = NAN;
    expect_refusal(&w, "lambda per token is nan: it must be a finite number, 0 or more");
    allot_rule_defaults(&w.rule);
    w.rule.max_tokens = 0;
    expect_refusal(&w, "the cap on tokens is 0: it must be above 0");
    allot_rule_defaults(&w.rule);
    w.rule.max_seconds = 10;
    w.rule.cap_on = ALLOT_CAP_P95;
    expect_refusal(&w, "the cost table has no p95 of seconds for strategy 1 (cap the mean, or time "
                       "more queries)");
    w.costs.has_seconds = 0;
    static const char no_seconds[] =
        "the cost table has no seconds, so they cannot be weighed or capped (time the strategies "
        "with 'allot-collect time', then 'allot-calibrate costs' and 'allot-export'; or use tokens "
        "alone)";
    expect_refusal(&w, no_seconds);
    allot_rule_defaults(&w.rule);
    w.rule.lambda_per_second = 1e-9;
    expect_refusal(&w, no_seconds);
    allot_strategies_clear(&w.set);
}

/* Evaluation decides with the costs of one query, by the same rule. */
static void arrays_are_chosen_like_tables(void **state)
{
    (void)state;
    world w;
    make_world(&w);
    allot_rng rng = allot_rng_start(6, 0, 0, 0);
    for (int i = 0; i < 500; i++) {
        double accuracy[S], tokens[S], seconds[S];
        for (int s = 0; s < S; s++) {
            accuracy[s] = allot_rng_unit(&rng);
            tokens[s] = w.cost[s].tokens.mean;
            seconds[s] = w.cost[s].seconds.mean;
        }
        w.rule.lambda_per_token = 1e-4 * allot_rng_unit(&rng);
        w.rule.lambda_per_second = 1e-2 * allot_rng_unit(&rng);
        assert_int_equal(allot_choose_argmax(&w.rule, &w.set, accuracy, tokens, seconds),
                         choose(&w, accuracy));
        w.rule.lambda_per_second = 0;
        assert_int_equal(allot_choose_argmax(&w.rule, &w.set, accuracy, tokens, NULL),
                         choose(&w, accuracy));
    }
    allot_strategies_clear(&w.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utility_by_hand),
        cmocka_unit_test(utility_reproduces_the_published_rows),
        cmocka_unit_test(lambdas_lead_from_best_to_fastest),
        cmocka_unit_test(ties_go_to_the_cheaper),
        cmocka_unit_test(order_does_not_decide),
        cmocka_unit_test(caps_choose_the_best_that_fits),
        cmocka_unit_test(wrong_rules_are_refused),
        cmocka_unit_test(arrays_are_chosen_like_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
