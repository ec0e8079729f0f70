/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_label.c - 'allot-collect label': settings from the command line, the file, the summary. */
#include "collect/commands.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/extract/gradeoptions.h"
#include "lib/labels/label.h"
#include "lib/labels/labelchange.h"
#include "lib/labels/labelflat.h"
#include "liballot/mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static allot_label_settings settings = ALLOT_LABEL_DEFAULTS;
static allot_grade_words grading = ALLOT_GRADE_WORDS;
static const char *missing = "refuse", *sample_seconds = "none";

static const allot_option options[] = {
    {"timing", ALLOT_OPT_STRING, &settings.timing_dir, "DIR",
     "timed strategies, for seconds (else they are absent)", 0, 0},
    {"load", ALLOT_OPT_INT, &settings.load, "N", "queries in flight of the timed rows to use", 1,
     1000000},
    {"sample-seconds", ALLOT_OPT_STRING, &sample_seconds, "HOW",
     "imported samples have the seconds of N drawn one-by-one (N times the mean: measured) or "
     "at-once (the expected longest: modelled for N > 1), or none",
     0, 0},
    {"problems", ALLOT_OPT_STRING, &settings.problems, "FILE",
     "problems.h5 with the reference answers (else the run's own)", 0, 0},
    {"strategies", ALLOT_OPT_STRING, &settings.strategies, "FILE",
     "label these only; any parallel strategy that fits the pool (else those of the run)", 0, 0},
    {"paper", ALLOT_OPT_FLAG, &settings.paper, NULL,
     "the paper's labels: 30 bootstraps of 32 samples, or of one run's beams", 0, 0},
    ALLOT_GRADE_ROWS(grading),
    {"answers", ALLOT_OPT_STRING, &settings.answers, "FILE",
     "write what was read in each text, by which way, and whether it is right: a line of JSON each",
     0, 0},
    {"missing", ALLOT_OPT_STRING, &missing, "HOW",
     "cells without data: refuse, drop-query, drop-strategy or mask", 0, 0},
    ALLOT_FORCE_ROW,
    {NULL, 0, NULL, NULL, NULL, 0, 0}};

/* Means over the cells of one strategy that are there. */
typedef struct {
    double accuracy, tokens, seconds; /* seconds NaN if none is known */
    long n_cells, n_seconds, n_measured;
} strategy_means;

static strategy_means means_of(const allot_outcomes *o, int strategy)
{
    strategy_means m = {0};
    for (long q = 0; q < o->n; q++) {
        long cell = q * o->strategies.count + strategy;
        if (o->n_trials[cell] == 0) continue;
        m.n_cells++;
        m.accuracy += o->accuracy[cell];
        m.tokens += o->tokens[cell];
        if (o->seconds_kind[cell] == ALLOT_SECONDS_ABSENT) continue;
        m.n_seconds++;
        m.n_measured += o->seconds_kind[cell] == ALLOT_SECONDS_MEASURED;
        m.seconds += o->seconds[cell];
    }
    m.accuracy /= (double)m.n_cells;
    m.tokens /= (double)m.n_cells;
    m.seconds = m.n_seconds ? m.seconds / (double)m.n_seconds : NAN;
    return m;
}

static double share(long part, long whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

static void warn_of(const allot_label_summary *s)
{
    const allot_graded_counts *c = &s->graded;
    const struct {
        long n;
        const char *text;
    } warnings[] = {
        {c->torn, "torn last line in the journal left out"},
        {c->n_no_reference, "queries without a usable reference answer left out"},
        {c->n_duplicates, "duplicate records left out (the first counts)"},
        {c->n_outside, "records of other queries, slots or strategies left out"},
        {s->n_short_pools, "queries with fewer samples than asked for ('allot-collect sample' "
                           "goes on where it was)"},
        {s->n_short_runs, "cells of beam searches with fewer runs than asked for"},
        {s->n_missing[ALLOT_LACKS_SAMPLES], "cells missing: fewer samples than the strategy draws"},
        {s->n_missing[ALLOT_LACKS_SCORES], "cells missing: too few reward-model scores"},
        {s->n_missing[ALLOT_LACKS_RUNS], "cells missing: no run of the beam search"},
        {s->dropped_queries, "queries dropped for missing cells"},
        {s->dropped_strategies, "strategies dropped for missing cells"},
    };
    for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++)
        if (warnings[i].n) allot_log_warn("%ld %s", warnings[i].n, warnings[i].text);
    if (c->cuts.n_cut) {
        char text[800];
        allot_cuts_tell(&c->cuts, settings.run_dir, text, sizeof text);
        allot_log_warn("%s", text);
    }
    if (s->told_seconds)
        allot_log_warn("%ld of %ld samples tell their seconds, which are not used "
                       "(--sample-seconds says how samples are drawn)",
                       c->n_timed, c->n_samples);
    if (s->largest_n > 0 && s->pool < 2 * s->largest_n)
        allot_log_warn("a pool of %d samples is small for N = %d (2 N or more make a good label)",
                       s->pool, s->largest_n);
}

static void print_number(double x, int width, int digits)
{
    if (isfinite(x)) printf(" %*.*f", width, digits, x);
    else printf(" %*s", width, "-");
}

static void print_text(const allot_outcomes *o, const allot_label_summary *s)
{
    printf("%-32s %9s %10s %9s\n", "strategy", "accuracy", "tokens", "seconds");
    for (int k = 0; k < o->strategies.count; k++) {
        char text[ALLOT_STRATEGY_TEXT];
        strategy_means m = means_of(o, k);
        allot_strategy_print(&o->strategies.at[k], text);
        printf("%-32s", text);
        print_number(m.accuracy, 9, 4);
        print_number(m.tokens, 10, 1);
        print_number(m.seconds, 9, 3);
        printf("\n");
    }
    printf("%ld queries; of their pools %.1f %% always right, %.1f %% never\n", o->n,
           100 * share(s->n_always, s->n_pools), 100 * share(s->n_never, s->n_pools));
    if (s->prm_checked >= 0)
        printf("reward model checked alone against a batch: %s\n",
               s->prm_checked ? "ok" : "not checked");
    if (!s->n_timed && s->n_measured + s->n_modelled > 0)
        printf("seconds of the samples: %ld cells measured, %ld modelled\n", s->n_measured,
               s->n_modelled);
    if (s->n_timed)
        printf("seconds: %ld cells measured, %ld modelled; the model is off by %.1f %% on %ld rows "
               "held out (bias %+.1f %%)\n",
               s->n_measured, s->n_modelled, 100 * s->held_out.error, s->held_out.n,
               100 * s->held_out.bias);
}

static cJSON *strategies_json(const allot_outcomes *o)
{
    cJSON *rows = cJSON_CreateArray();
    for (int k = 0; k < o->strategies.count; k++) {
        char text[ALLOT_STRATEGY_TEXT];
        strategy_means m = means_of(o, k);
        cJSON *row = cJSON_CreateObject();
        allot_strategy_print(&o->strategies.at[k], text);
        cJSON_AddStringToObject(row, "strategy", text);
        allot_json_add_number(row, "accuracy", m.accuracy);
        allot_json_add_number(row, "tokens", m.tokens);
        allot_json_add_number(row, "seconds", m.seconds);
        cJSON_AddNumberToObject(row, "cells", (double)m.n_cells);
        cJSON_AddNumberToObject(row, "measured", (double)m.n_measured);
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

static allot_code print_json(const allot_outcomes *o, const allot_label_summary *s,
                             const cJSON *change, allot_err *err)
{
    const allot_graded_counts *c = &s->graded;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"queries", (double)o->n},
        {"no_reference", (double)c->n_no_reference},
        {"dropped_queries", (double)s->dropped_queries},
        {"dropped_strategies", s->dropped_strategies},
        {"missing_samples", (double)s->n_missing[ALLOT_LACKS_SAMPLES]},
        {"missing_scores", (double)s->n_missing[ALLOT_LACKS_SCORES]},
        {"missing_runs", (double)s->n_missing[ALLOT_LACKS_RUNS]},
        {"short_pools", (double)s->n_short_pools},
        {"short_runs", (double)s->n_short_runs},
        {"always_right", share(s->n_always, s->n_pools)},
        {"never_right", share(s->n_never, s->n_pools)},
        {"pool", s->pool},
        {"samples", (double)c->n_samples},
        {"answers_boxed", (double)c->how[ALLOT_EXTRACT_BOXED]},
        {"answers_phrase", (double)c->how[ALLOT_EXTRACT_PHRASE]},
        {"answers_last_number", (double)c->how[ALLOT_EXTRACT_LAST_NUMBER]},
        {"answers_choice", (double)c->how[ALLOT_EXTRACT_CHOICE]},
        {"answers_none", (double)c->how[ALLOT_EXTRACT_NONE]},
        {"cut_by_length", (double)c->n_cut},
        {"cut_by_context", (double)c->cuts.n_cut},
        {"cut_by_reward_model", (double)c->n_prm_cut},
        {"records", (double)c->n_lines},
        {"duplicates", (double)c->n_duplicates},
        {"errors", (double)c->n_errors},
        {"outside", (double)c->n_outside},
        {"torn", c->torn},
        {"timed_rows", (double)s->n_timed},
        {"cells_measured", (double)s->n_measured},
        {"cells_modelled", (double)s->n_modelled},
        {"held_out_rows", (double)s->held_out.n},
        {"held_out_error", s->held_out.error},
        {"held_out_bias", s->held_out.bias},
    };
    cJSON *root = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        allot_json_add_number(root, numbers[i].name, numbers[i].value);
    int flat = allot_label_flat(o, -1, NULL);
    allot_json_add_number(root, "all_labels", flat < 0 ? NAN : flat);
    if (s->prm_checked < 0) cJSON_AddNullToObject(root, "prm_checked");
    else cJSON_AddBoolToObject(root, "prm_checked", s->prm_checked);
    cJSON_AddStringToObject(root, "label_rule", o->label_rule);
    cJSON_AddItemToObject(root, "strategies", strategies_json(o));
    if (change) cJSON_AddItemToObject(root, "changed", cJSON_Duplicate(change, 1));
    allot_code code = allot_json_print(root, err);
    cJSON_Delete(root);
    return code;
}

/* Writes the outcomes with the files that decided them. */
static allot_code save(const char *path, const allot_outcomes *o, const allot_common *common,
                       allot_err *err)
{
    char *files[5] = {NULL};
    int n = 0, wanted = 3;
    allot_code code = ALLOT_OK;
    files[n++] = allot_rundir_path(settings.run_dir, "manifest.json", err);
    files[n++] = allot_rundir_path(settings.run_dir, "journal.jsonl", err);
    files[n++] = settings.problems
                     ? allot_mem_text(settings.problems, strlen(settings.problems), err)
                     : allot_rundir_path(settings.run_dir, "problems.h5", err);
    if (settings.timing_dir && ++wanted)
        files[n++] = allot_rundir_path(settings.timing_dir, "journal.jsonl", err);
    for (int i = 0; i < wanted; i++)
        if (!files[i]) code = ALLOT_ERUNTIME;
    if (!code)
        code = allot_outcomes_save(path, o, "allot-collect", common->seed,
                                   (const char *const *)files, err);
    for (int i = 0; i < n; i++)
        free(files[i]);
    return code;
}

/* What is different from the file that is about to be replaced; NULL if there is none that can be
 * compared. */
static cJSON *compare_with_old(const char *path, const allot_outcomes *o)
{
    allot_outcomes old = {0};
    allot_err err = {0};
    cJSON *change = NULL;
    if (access(path, F_OK) != 0) return NULL;
    if (allot_outcomes_load(path, &old, &err) || !(change = allot_label_change(&old, o, &err)))
        allot_log_warn("what changed cannot be told: %s", err.msg);
    allot_outcomes_clear(&old);
    allot_input_forget(path); /* what it said is told; now it may be replaced */
    return change;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_outcomes outcomes = {0};
    allot_label_summary summary;
    settings.run_dir = common->args[0];
    settings.seed = common->seed;
    allot_code code = allot_missing_parse(missing, &settings.missing, err);
    if (!code) code = allot_sample_seconds_parse(sample_seconds, &settings.sample_seconds, err);
    if (!code) code = allot_grade_parse(&grading, &settings.grade, err);
    if (!code) code = allot_label_check(&settings, err);
    if (!code) {
        code = allot_label_run(&settings, &outcomes, &summary, err);
        warn_of(&summary); /* of a refusal too: why cells are missing */
    }
    cJSON *change = code ? NULL : compare_with_old(common->args[1], &outcomes);
    if (!code) code = save(common->args[1], &outcomes, common, err);
    if (!code && common->json) {
        code = print_json(&outcomes, &summary, change, err);
    } else if (!code) {
        print_text(&outcomes, &summary);
        if (change) allot_label_change_print(change);
    }
    cJSON_Delete(change);
    allot_outcomes_clear(&outcomes);
    return code;
}

const allot_command allot_cmd_label = {
    .name = "label",
    .usage = "[OPTION...] RUN_DIR OUTCOMES.h5",
    .about =
        "Grades the texts of a run and writes what every strategy did on every query: the "
        "probability of a right answer, its variance, tokens and seconds.\n"
        "Parallel strategies get the exact expectation over all subsets of the pool of samples "
        "(weighted: 2000 random ones where there are more than 20000), searches the mean "
        "of their runs. Nothing is generated: grading again, or labelling other strategies "
        "that draw from the same pool, costs seconds. Where OUTCOMES.h5 is there already, what "
        "changed against it is shown.",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run,
    .examples = "allot-collect label run/ outcomes.h5 --timing timing/\n"
                "allot-collect label run/ paper.h5 --paper --missing drop-query",
};
