/* SPDX-License-Identifier: Apache-2.0 */
/* A journal becomes outcomes: every number of the invented run (tests/runfixture.h) worked out by
 * hand; the same whatever the journal's order; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib/labels/label.h"
#include "lib/store/secondsmodel.h"
#include "lib/core/stats.h"
#include "tests/runfixture.h"

enum { SINGLE, MAJORITY_2, BON_4, BON_4_MIN, WEIGHTED_2, BEAM, BEAM_VOTE };

static char run_dir[64], timing_dir[64];

static allot_code label(const fixture_harm *harm, allot_label_settings *s, allot_outcomes *o,
                        allot_label_summary *sum, allot_err *err)
{
    memset(o, 0, sizeof *o);
    fixture_run(run_dir, harm);
    s->run_dir = run_dir;
    return allot_label_run(s, o, sum, err);
}

static void must_label(const fixture_harm *harm, allot_label_settings *s, allot_outcomes *o,
                       allot_label_summary *sum)
{
    allot_err err = {0};
    if (label(harm, s, o, sum, &err)) fail_msg("%s", err.msg);
}

static double choose(int n, int k)
{
    return exp(allot_log_choose(n, k));
}

static void check_query(const allot_outcomes *o, int q)
{
    const float *a = o->accuracy + q * FIXTURE_STRATEGIES;
    const float *tokens = o->tokens + q * FIXTURE_STRATEGIES;
    int failed = !fixture_is_right(q, 7), wrong = 8 - q - failed;
    assert_float_equal(a[SINGLE], q / 8.0, 1e-7);
    /* both right, or right and failed: 1; right and wrong: a tie */
    assert_float_equal(a[MAJORITY_2], (choose(q, 2) + q * failed + q * wrong / 2.0) / 28, 1e-6);
    /* the last score is larger for each right sample, the least one smaller */
    assert_float_equal(a[BON_4], 1 - choose(8 - q, 4) / 70, 1e-6);
    assert_float_equal(a[BON_4_MIN], choose(q, 4) / 70, 1e-6);
    assert_float_equal(a[WEIGHTED_2], 1 - choose(8 - q, 2) / 28, 1e-6);
    assert_float_equal(a[BEAM], fmin(q, 4) / 4, 1e-7);
    assert_float_equal(a[BEAM_VOTE], q == 5, 0);
    for (int s = 0; s < FIXTURE_STRATEGIES; s++) {
        int n = o->strategies.at[s].n, beam = s >= BEAM;
        assert_float_equal(tokens[s], beam ? 101.5 + 10 * q : n * (13.5 + q), 1e-4);
        assert_int_equal(o->n_trials[q * FIXTURE_STRATEGIES + s], beam ? 4 : 8);
        assert_int_equal(o->seconds_kind[q * FIXTURE_STRATEGIES + s], ALLOT_SECONDS_ABSENT);
    }
    assert_int_equal(o->codepoints[q], q ? 16 : 14); /* "What is 100 + 1?" */
}

static void labels_by_hand(void **state)
{
    (void)state;
    allot_outcomes o;
    allot_label_summary sum;
    allot_label_settings s = ALLOT_LABEL_DEFAULTS;
    must_label(&(fixture_harm){0}, &s, &o, &sum);
    assert_int_equal(o.n, FIXTURE_QUERIES);
    assert_int_equal(o.strategies.count, FIXTURE_STRATEGIES);
    for (int q = 0; q < FIXTURE_QUERIES; q++) {
        allot_key key = fixture_key(q);
        assert_memory_equal(&o.keys[q], &key, sizeof key);
        check_query(&o, q);
    }
    assert_string_equal(o.label_rule, "subsets");
    assert_string_equal(o.metric, "accuracy");
    /* the run is of when a grader stood among its settings; these labels are this program's */
    assert_null(cJSON_GetObjectItem(o.fingerprint, "grader"));
    assert_string_equal(cJSON_GetObjectItem(o.grading, "grader")->valuestring, ALLOT_GRADE_VERSION);
    assert_null(cJSON_GetObjectItem(o.grading, "options")); /* as usual */
    assert_int_equal(sum.graded.n_no_reference, 1);
    assert_int_equal(sum.graded.n_samples, 48);
    assert_int_equal(sum.n_pools, 6);
    assert_int_equal(sum.n_never, 1);
    assert_int_equal(sum.n_always, 0);
    /* query 4: right samples at even slots, at odd slots */
    const float *half = &o.half[2 * 4 * FIXTURE_STRATEGIES];
    int right[2] = {0, 0};
    for (int slot = 0; slot < 8; slot++)
        right[slot % 2] += fixture_is_right(4, slot);
    assert_float_equal(half[0], right[0] / 4.0, 0);
    assert_float_equal(half[1], right[1] / 4.0, 0);
    allot_outcomes_clear(&o);
}

static void assert_same(const allot_outcomes *a, const allot_outcomes *b)
{
    size_t cells = (size_t)a->n * FIXTURE_STRATEGIES;
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->keys, b->keys, (size_t)a->n * sizeof *a->keys);
    assert_memory_equal(a->accuracy, b->accuracy, cells * sizeof *a->accuracy);
    assert_memory_equal(a->variance, b->variance, cells * sizeof *a->variance);
    assert_memory_equal(a->n_eff, b->n_eff, cells * sizeof *a->n_eff);
    assert_memory_equal(a->half, b->half, 2 * cells * sizeof *a->half);
    assert_memory_equal(a->tokens, b->tokens, cells * sizeof *a->tokens);
}

/* A resumed run has its records in another order, some twice, and half a line: nothing changes. */
static void order_and_repeats_do_not_matter(void **state)
{
    (void)state;
    allot_outcomes plain, harmed;
    allot_label_summary sum;
    for (int paper = 0; paper < 2; paper++) {
        allot_label_settings s = ALLOT_LABEL_DEFAULTS;
        s.paper = paper;
        must_label(&(fixture_harm){0}, &s, &plain, &sum);
        assert_int_equal(sum.graded.n_duplicates, 0);
        must_label(&(fixture_harm){.reversed = 1, .duplicates = 1, .torn = 1}, &s, &harmed, &sum);
        assert_int_equal(sum.graded.n_duplicates, 6 * (16 + 4));
        assert_int_equal(sum.graded.torn, 1);
        assert_same(&plain, &harmed);
        allot_outcomes_clear(&plain);
        allot_outcomes_clear(&harmed);
    }
}

static void the_papers_labels(void **state)
{
    (void)state;
    allot_outcomes o;
    allot_label_summary sum;
    allot_label_settings s = ALLOT_LABEL_DEFAULTS;
    s.paper = 1;
    must_label(&(fixture_harm){0}, &s, &o, &sum);
    assert_string_equal(o.label_rule, "paper-bootstrap");
    for (long cell = 0; cell < o.n * FIXTURE_STRATEGIES; cell++) {
        double thirtieths = o.accuracy[cell] * 30.0;
        assert_float_equal(thirtieths, round(thirtieths), 1e-4);
        assert_true(isnan(o.half[2 * cell]));
    }
    /* of the two beams of run 0 either may be missed by a bootstrap: (1/2)^2 of draws */
    double beam = o.accuracy[4 * FIXTURE_STRATEGIES + BEAM];
    assert_true(beam > 0.4 && beam < 1);
    assert_float_equal(o.accuracy[0 * FIXTURE_STRATEGIES + BEAM], 0, 0);
    allot_outcomes_clear(&o);
}

static void missing_cells(void **state)
{
    (void)state;
    allot_outcomes o;
    allot_label_summary sum;
    allot_err err = {0};
    allot_label_settings s = ALLOT_LABEL_DEFAULTS;
    assert_int_equal(label(&(fixture_harm){.lost_samples = 1}, &s, &o, &sum, &err), ALLOT_EINPUT);
    assert_non_null(strstr(err.msg, "4 of 42 cells are missing"));
    assert_int_equal(sum.n_missing[ALLOT_LACKS_SAMPLES], 4);
    assert_int_equal(sum.n_short_pools, 1);
    allot_outcomes_clear(&o);
    s.missing = ALLOT_MISSING_MASK;
    must_label(&(fixture_harm){.lost_scores = 1}, &s, &o, &sum);
    assert_int_equal(sum.n_missing[ALLOT_LACKS_SCORES], 3);
    assert_int_equal(o.n_trials[3 * FIXTURE_STRATEGIES + BON_4], 0);
    assert_int_equal(o.n_trials[3 * FIXTURE_STRATEGIES + MAJORITY_2], 8);
    allot_outcomes_clear(&o);
    s.missing = ALLOT_MISSING_DROP_QUERY;
    must_label(&(fixture_harm){.lost_scores = 1}, &s, &o, &sum);
    assert_int_equal(o.n, 5);
    assert_int_equal(sum.dropped_queries, 1);
    allot_outcomes_clear(&o);
}

static void other_settings_are_refused(void **state)
{
    (void)state;
    allot_outcomes o;
    allot_label_summary sum;
    allot_err err = {0};
    allot_label_settings s = ALLOT_LABEL_DEFAULTS;
    assert_int_equal(label(&(fixture_harm){.other_cfg = 1}, &s, &o, &sum, &err), ALLOT_EMISMATCH);
    assert_non_null(strstr(err.msg, "made with other settings than the manifest's"));
    assert_non_null(strstr(err.msg, "line 120 of"));
    allot_outcomes_clear(&o);
}

/* Timed cells are measured, the others follow the model, which is exact in this world. */
static void seconds(void **state)
{
    (void)state;
    allot_outcomes o;
    allot_label_summary sum;
    allot_label_settings s = ALLOT_LABEL_DEFAULTS;
    fixture_timing(timing_dir, &(fixture_harm){0});
    s.timing_dir = timing_dir;
    must_label(&(fixture_harm){0}, &s, &o, &sum);
    assert_int_equal(sum.n_timed, 20); /* 21 but for a retried one */
    assert_int_equal(sum.n_measured, 20);
    assert_int_equal(sum.n_modelled, 22);
    assert_int_equal(o.seconds_kind[2 * FIXTURE_STRATEGIES + BON_4], ALLOT_SECONDS_MEASURED);
    assert_float_equal(o.seconds[2 * FIXTURE_STRATEGIES + BON_4], 0.16 + 0.048 + 0.05, 1e-6);
    assert_int_equal(o.seconds_kind[MAJORITY_2], ALLOT_SECONDS_MODELLED);
    /* query 4 has lengths 14..21: the longest of two is 19, of four 20.2, on average */
    const float *q4 = o.seconds + 4 * FIXTURE_STRATEGIES;
    assert_float_equal(q4[SINGLE], 0.01 * 17.5 + 0.05, 1e-6);
    assert_float_equal(q4[MAJORITY_2], 0.01 * 19 + 0.05, 1e-6);
    assert_float_equal(q4[WEIGHTED_2], 0.01 * 19 + 0.001 * 2 * 17.5 + 0.05, 1e-6);
    assert_float_equal(q4[BON_4], 0.01 * 20.2 + 0.001 * 4 * 17.5 + 0.05, 1e-6);
    /* a beam search: the timed seconds per token, times the 141.5 tokens of this query's runs */
    double per_token = 0, tokens = 0;
    for (int q = 0; q < 3; q++) {
        per_token += 0.01 * (12 + q) + 0.001 * 2 * (10 + q) + 0.05;
        tokens += 2 * (10 + q);
    }
    assert_float_equal(q4[BEAM], per_token / tokens * 141.5, 1e-5);
    assert_true(sum.held_out.n > 0 && isfinite(sum.held_out.error));
    allot_outcomes_clear(&o);
}

/* Between timed N the coefficients are linear in log N, beyond them constant. */
static void seconds_between(void **state)
{
    (void)state;
    allot_timed at[3];
    allot_timedrows rows = {.at = at, .n = 3};
    allot_err err = {0};
    allot_secondsmodel m;
    const char *names[] = {"majority@2", "majority@8", "bon@8"};
    for (int i = 0; i < 3; i++) {
        allot_strategy s;
        fixture_must(allot_strategy_parse(names[i], &s, &err), &err);
        fixture_must(allot_strategies_add(&rows.manifest.strategies, &s, &err), &err);
        at[i] = (allot_timed){.strategy = i,
                              .load = 1,
                              .tokens = 100,
                              .longest = 10,
                              .gen_s = i ? 3 : 1,
                              .prm_s = i == 2,
                              .seconds = (i ? 3 : 1) + (i == 2)};
    }
    fixture_must(allot_secondsmodel_fit(&rows, 1, -1, &m, &err), &err);
    const struct {
        const char *text;
        double seconds;
    } want[] = {{"single", 0.1 * 10},
                {"majority@2", 0.1 * 10},
                {"majority@4", 0.2 * 10},
                {"majority@8", 0.3 * 10},
                {"majority@32", 0.3 * 10},
                {"bon@4", 0.2 * 10 + 0.01 * 100},
                {"weighted@16", 0.3 * 10 + 0.01 * 100}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        allot_strategy s;
        fixture_must(allot_strategy_parse(want[i].text, &s, &err), &err);
        assert_float_equal(allot_secondsmodel_predict(&m, &s, -1, 10, 100), want[i].seconds, 1e-12);
    }
    allot_strategy beam;
    fixture_must(allot_strategy_parse("beam@4x2x9", &beam, &err), &err);
    assert_true(isnan(allot_secondsmodel_predict(&m, &beam, -1, 10, 100)));
    allot_secondsmodel_clear(&m);
    allot_strategies_clear(&rows.manifest.strategies);
}

static void remove_dir(const char *dir)
{
    const char *const files[] = {"journal.jsonl", "manifest.json", "problems.h5"};
    char path[4096];
    for (int i = 0; i < 3; i++) {
        fixture_path(path, dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int setup(void **state)
{
    (void)state;
    strcpy(run_dir, "/tmp/allot-label-XXXXXX");
    strcpy(timing_dir, "/tmp/allot-label-XXXXXX");
    return !mkdtemp(run_dir) || !mkdtemp(timing_dir);
}

static int teardown(void **state)
{
    (void)state;
    remove_dir(run_dir);
    remove_dir(timing_dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_by_hand),
        cmocka_unit_test(order_and_repeats_do_not_matter),
        cmocka_unit_test(the_papers_labels),
        cmocka_unit_test(missing_cells),
        cmocka_unit_test(other_settings_are_refused),
        cmocka_unit_test(seconds),
        cmocka_unit_test(seconds_between),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
