/* SPDX-License-Identifier: Apache-2.0 */
/* A directory may grow, and what would shrink or mix it is refused with nothing touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "collect/outdir.h"
#include "lib/store/fingerprint.h"
#include "lib/core/log.h"

static char dir[64], run_dir[96], dataset[96];

/* A problems file with rows first .. first + n - 1: problem "p<i>", answer "<answer><i>". */
static void write_problems(const char *path, int first, int n, const char *answer)
{
    allot_problems_writer *w;
    assert_int_equal(allot_problems_create(path, &w, NULL), ALLOT_OK);
    for (int i = first; i < first + n; i++) {
        char problem[32], text[64];
        const char *texts[ALLOT_N_COLS] = {0};
        size_t lengths[ALLOT_N_COLS] = {0};
        texts[ALLOT_COL_PROBLEM] = problem;
        texts[ALLOT_COL_ANSWER] = text;
        lengths[ALLOT_COL_PROBLEM] = (size_t)snprintf(problem, sizeof problem, "p%d", i);
        lengths[ALLOT_COL_ANSWER] = (size_t)snprintf(text, sizeof text, "%s%d", answer, i);
        allot_key key;
        assert_int_equal(allot_key_of_text(problem, strlen(problem), &key, NULL), ALLOT_OK);
        assert_int_equal(allot_problems_add(w, &key, texts, lengths, NULL), ALLOT_OK);
    }
    const char *inputs[] = {NULL};
    assert_int_equal(allot_problems_commit(&w, "test", 1, inputs, NULL), ALLOT_OK);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/allot-outdir-XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(run_dir, sizeof run_dir, "%s/run", dir);
    snprintf(dataset, sizeof dataset, "%s/problems.h5", dir);
    write_problems(dataset, 0, 20, "a");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static allot_rundir want(double temperature, int pool, const char *strategy)
{
    allot_rundir r = {.schema = ALLOT_RUN_SCHEMA, .pool = pool, .runs = 2, .seed = 1};
    r.fingerprint = cJSON_CreateObject();
    cJSON_AddNumberToObject(r.fingerprint, "temperature", temperature);
    allot_strategy s;
    assert_int_equal(allot_strategy_parse("single", &s, NULL), ALLOT_OK);
    assert_int_equal(allot_strategies_add(&r.strategies, &s, NULL), ALLOT_OK);
    if (strategy) {
        assert_int_equal(allot_strategy_parse(strategy, &s, NULL), ALLOT_OK);
        assert_int_equal(allot_strategies_add(&r.strategies, &s, NULL), ALLOT_OK);
    }
    return r;
}

/* Opens with these wishes; returns the queries of the run, or minus the code. */
static long open_with(allot_rundir wanted, allot_query_choice c, allot_err *err)
{
    allot_outdir o;
    c.dataset = c.dataset ? c.dataset : dataset;
    cJSON *fingerprint = wanted.fingerprint;
    wanted.fingerprint = NULL;
    allot_code rc = allot_outdir_open(&o, run_dir, &wanted, &c, err);
    allot_rundir_clear(&wanted);
    if (rc) cJSON_Delete(fingerprint);
    else rc = allot_outdir_settle(&o, fingerprint, cJSON_CreateObject(), err);
    long n = o.problems.n;
    assert_int_equal(allot_outdir_close(&o, NULL), ALLOT_OK);
    return rc ? -(long)rc : n;
}

static void a_run_grows(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice some = {.limit = 5}, all = {0};
    assert_int_equal(open_with(want(0.8, 8, "majority@4"), some, &err), 5);
    assert_int_equal(open_with(want(0.8, 8, "majority@4"), some, &err), 5);
    assert_int_equal(open_with(want(0.8, 16, "majority@4"), all, &err), 20);
    assert_int_equal(open_with(want(0.8, 16, "majority@4"), some, &err), 20); /* keeps them */
}

static void what_would_shrink_or_mix_is_refused(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice all = {0};
    char expected[512];
    assert_int_equal(open_with(want(0.8, 8, "majority@4"), all, &err), 20);
    assert_int_equal(open_with(want(1, 8, "majority@4"), all, &err), -ALLOT_EMISMATCH);
    assert_non_null(strstr(err.msg, "temperature is 0.8"));
    assert_non_null(strstr(err.msg, "(use the settings of the run, or give another --output)"));

    assert_int_equal(open_with(want(0.8, 4, "majority@4"), all, &err), -ALLOT_EMISMATCH);
    snprintf(
        expected, sizeof expected,
        "cannot go on in '%s': it has pool 8, wanted are 4 (a run only grows: ask for at least "
        "8, or give another --output)",
        run_dir);
    assert_string_equal(err.msg, expected);

    assert_int_equal(open_with(want(0.8, 8, NULL), all, &err), -ALLOT_EMISMATCH);
    snprintf(expected, sizeof expected,
             "cannot go on in '%s': its strategy 'majority@4' is not among the wanted ones (a run "
             "only grows: add it, or give another --output)",
             run_dir);
    assert_string_equal(err.msg, expected);

    allot_rundir other_seed = want(0.8, 8, "majority@4");
    other_seed.seed = 2;
    assert_int_equal(open_with(other_seed, all, &err), -ALLOT_EMISMATCH);
    snprintf(
        expected, sizeof expected,
        "cannot go on in '%s': it was made with --seed 1, not 2 (give the same seed, or another "
        "--output)",
        run_dir);
    assert_string_equal(err.msg, expected);

    allot_rundir timing = want(0.8, 8, "majority@4");
    timing.schema = ALLOT_TIMING_SCHEMA;
    assert_int_equal(open_with(timing, all, &err), -ALLOT_EINPUT);
    assert_int_equal(open_with(want(0.8, 8, "majority@4"), all, &err),
                     20); /* nothing was changed */
}

static void loads_only_grow(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_rundir have = want(1, 0, NULL), wanted = want(1, 0, NULL);
    have.loads[have.n_loads++] = 1;
    wanted.loads[wanted.n_loads++] = 1;
    wanted.loads[wanted.n_loads++] = 8;
    assert_int_equal(allot_outdir_agree(&have, &wanted, "d", &err), ALLOT_OK);
    assert_int_equal(allot_outdir_agree(&wanted, &have, "d", &err), ALLOT_EMISMATCH);
    assert_string_equal(err.msg,
                        "cannot go on in 'd': its load 8 is not among the wanted ones (a run "
                        "only grows: add it, or give another --output)");
    allot_rundir_clear(&have);
    allot_rundir_clear(&wanted);
}

static void nothing_is_left_behind_when_nothing_was_begun(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice c = {.dataset = "/nowhere/problems.h5"};
    assert_true(open_with(want(0.8, 8, NULL), c, &err) < 0);
    assert_non_null(strstr(err.msg, "/nowhere/problems.h5"));
    assert_int_equal(access(run_dir, F_OK), -1);
}

static void a_journal_of_unknown_origin_is_not_added_to(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice all = {0};
    char path[128], expected[256];
    assert_int_equal(mkdir(run_dir, 0777), 0);
    snprintf(path, sizeof path, "%s/journal.jsonl", run_dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("{}\n", f);
    fclose(f);
    assert_int_equal(open_with(want(0.8, 8, NULL), all, &err), -ALLOT_EINPUT);
    snprintf(expected, sizeof expected,
             "cannot go on in '%s': it has a journal, but no manifest.json "
             "(give another --output)",
             run_dir);
    assert_string_equal(err.msg, expected);
    assert_int_equal(access(path, F_OK), 0);
}

/* What was opened and not settled (no server, other settings) leaves the run as it was. */
static void a_run_is_untouched_until_it_is_settled(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice some = {.limit = 5}, all = {.dataset = dataset};
    allot_rundir wanted = want(0.8, 8, NULL);
    allot_outdir o;
    cJSON_Delete(wanted.fingerprint);
    wanted.fingerprint = NULL;
    assert_int_equal(allot_outdir_open(&o, run_dir, &wanted, &all, &err), ALLOT_OK);
    assert_int_equal(o.problems.n, 20);
    assert_int_equal(allot_outdir_close(&o, &err), ALLOT_OK);
    assert_int_equal(access(run_dir, F_OK), -1);
    assert_int_equal(open_with(want(0.8, 8, NULL), some, &err), 5);
    assert_int_equal(open_with(want(1, 8, NULL), all, &err), -ALLOT_EMISMATCH);
    assert_int_equal(open_with(want(0.8, 8, NULL), some, &err), 5);
}

static void a_second_process_is_kept_out(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice all = {.dataset = dataset};
    allot_rundir wanted = want(0.8, 8, NULL);
    allot_outdir o;
    cJSON_Delete(wanted.fingerprint);
    wanted.fingerprint = NULL;
    assert_int_equal(allot_outdir_open(&o, run_dir, &wanted, &all, &err), ALLOT_OK);
    assert_int_equal(open_with(want(0.8, 8, NULL), all, &err), -ALLOT_ERUNTIME);
    assert_non_null(strstr(err.msg, "is writing to it"));
    assert_int_equal(allot_outdir_close(&o, &err), ALLOT_OK);
}

/* The run's own order stays; what the data set knows better is taken from it. */
static void queries_of_two_data_sets_are_joined(void **state)
{
    (void)state;
    char run_file[128];
    snprintf(run_file, sizeof run_file, "%s/joined.h5", dir);
    allot_query_choice first = {.dataset = dataset, .limit = 3};
    allot_problems p;
    assert_int_equal(allot_queries_merge(&first, run_file, run_file, &p, NULL, NULL), ALLOT_OK);
    assert_int_equal(p.n, 3);
    allot_problems_clear(&p);

    char other[128];
    snprintf(other, sizeof other, "%s/other.h5", dir);
    write_problems(other, 2, 2, "better");
    allot_query_choice second = {.dataset = other};
    unsigned char *asked;
    assert_int_equal(allot_queries_merge(&second, run_file, run_file, &p, &asked, NULL), ALLOT_OK);
    assert_memory_equal(asked, ((unsigned char[]){0, 0, 1, 1}), 4);
    free(asked);
    static const char *const answers[] = {"a0", "a1", "better2", "better3"};
    assert_int_equal(p.n, 4);
    for (int i = 0; i < 4; i++) {
        size_t n;
        const char *text = allot_strings_at(&p.col[ALLOT_COL_ANSWER], i, &n);
        assert_int_equal(n, strlen(answers[i]));
        assert_memory_equal(text, answers[i], n);
    }
    allot_problems_clear(&p);
}

static void a_larger_random_choice_contains_a_smaller_one(void **state)
{
    (void)state;
    allot_problems p;
    assert_int_equal(allot_problems_load(dataset, 0, &p, NULL), ALLOT_OK);
    long *small, *large, *other, n_small, n_large, n_other;
    allot_query_choice c = {.dataset = dataset, .limit = 6, .at_random = 1, .seed = 3};
    assert_int_equal(allot_queries_choose(&c, &p, &small, &n_small, NULL), ALLOT_OK);
    c.limit = 12;
    assert_int_equal(allot_queries_choose(&c, &p, &large, &n_large, NULL), ALLOT_OK);
    c.seed = 4;
    assert_int_equal(allot_queries_choose(&c, &p, &other, &n_other, NULL), ALLOT_OK);
    assert_int_equal(n_small, 6);
    assert_int_equal(n_large, 12);
    for (long i = 0; i < n_small; i++) {
        int found = 0;
        for (long k = 0; k < n_large; k++)
            found |= small[i] == large[k];
        assert_true(found);
        assert_true(i == 0 || small[i] > small[i - 1]); /* in file order */
    }
    assert_memory_not_equal(large, other, 12 * sizeof *large);
    free(small);
    free(large);
    free(other);
    allot_problems_clear(&p);
}

static void split_and_splits_go_together(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_query_choice c = {.dataset = "p.h5", .split = "test"};
    assert_int_equal(allot_queries_check(&c, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, "--split and --splits go together: --split test --splits FILE");
}

int main(void)
{
    allot_log_level(-1);
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_run_grows),
        CASE(what_would_shrink_or_mix_is_refused),
        CASE(loads_only_grow),
        CASE(nothing_is_left_behind_when_nothing_was_begun),
        CASE(a_journal_of_unknown_origin_is_not_added_to),
        CASE(a_run_is_untouched_until_it_is_settled),
        CASE(a_second_process_is_kept_out),
        CASE(queries_of_two_data_sets_are_joined),
        CASE(a_larger_random_choice_contains_a_smaller_one),
        CASE(split_and_splits_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
