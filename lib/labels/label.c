/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/labels/label.h"
#include "lib/core/atomicfile.h"
#include "lib/core/log.h"
#include "lib/core/options.h"
#include "lib/core/progress.h"
#include "lib/core/rng.h"
#include "lib/core/stats.h"
#include "lib/store/strategyfile.h"
#include "lib/extract/gradeoptions.h"
#include "lib/labels/labelflat.h"
#include "lib/labels/labelseconds.h"
#include "lib/methods/methods.h"
#include "liballot/features.h"
#include "liballot/mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_FROM = 2000 }; /* queries: fewer are labelled before anybody wonders */

allot_code allot_label_check(const allot_label_settings *s, allot_err *err)
{
    if (!s->run_dir) return allot_fail(err, ALLOT_EUSAGE, "no run directory given");
    if (s->sample_seconds && s->timing_dir)
        return allot_fail(err, ALLOT_EUSAGE, "--sample-seconds and --timing exclude each other");
    if (s->load < 1) return allot_fail(err, ALLOT_EUSAGE, "load %d is below 1", s->load);
    return ALLOT_OK;
}

allot_code allot_sample_seconds_parse(const char *text, allot_sample_seconds *out, allot_err *err)
{
    static const char *const names[] = {"none", "one-by-one", "at-once"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (allot_sample_seconds)i;
            return ALLOT_OK;
        }
    return allot_fail(err, ALLOT_EUSAGE,
                      "'%.64s' is no way to draw samples (one-by-one, at-once or none)", text);
}

/* One query's samples in compact form; the views below select from it. */
typedef struct {
    const allot_graded *g;
    const allot_label_settings *settings;
    const allot_problems *problems;
    allot_outcomes *out;
    allot_label_summary *sum;
    allot_soft *soft;
    float *longest;       /* [Q,S] */
    int *cls;             /* [M] class of each slot, -1 = no answer or no sample */
    unsigned char *right; /* [M] by class */
    int n_classes;
    int *view_cls;        /* [M] the pool handed to the estimators */
    double *view_score;   /* [M] */
    double *lengths;      /* [M] tokens, ascending */
    double *seconds;      /* [M] seconds of each sample, ascending, if all tell them */
    int n_present, timed; /* timed: they do */
    double mean_tokens;
} labelling;

/* Numbers the answer classes by their first slot, whose grade is the class's. */
static void load_query(labelling *l, long q)
{
    const allot_graded_sample *pool = allot_graded_pool(l->g, q);
    int n_right = 0;
    l->n_classes = l->n_present = 0;
    l->mean_tokens = 0;
    l->timed = 1;
    for (int i = 0; i < l->g->pool; i++) {
        l->cls[i] = -1;
        if (!pool[i].present) continue;
        l->seconds[l->n_present] = pool[i].seconds;
        l->timed &= !isnan(pool[i].seconds);
        l->lengths[l->n_present++] = pool[i].n_tokens;
        if (!pool[i].cls) continue;
        int first = 0;
        while (pool[first].cls != pool[i].cls)
            first++;
        if (first == i) l->right[l->n_classes] = pool[i].right;
        l->cls[i] = first == i ? l->n_classes++ : l->cls[first];
        n_right += l->right[l->cls[i]];
    }
    allot_sort(l->lengths, (size_t)l->n_present);
    if (l->timed) allot_sort(l->seconds, (size_t)l->n_present);
    if (l->n_present) l->mean_tokens = allot_mean(l->lengths, (size_t)l->n_present);
    l->sum->n_pools += l->n_present > 0;
    l->sum->n_always += l->n_present > 0 && n_right == l->n_present;
    l->sum->n_never += l->n_present > 0 && n_right == 0;
    l->sum->n_short_pools += l->n_present < l->g->pool;
}

/* The samples a strategy can draw from: half -1 all, else the slots of that parity; limit: slots
 * below it; scored ones only when the strategy needs scores. */
static allot_pool view(labelling *l, long q, const allot_strategy *s, int half, int limit)
{
    const allot_graded_sample *pool = allot_graded_pool(l->g, q);
    int uses_prm = allot_strategy_uses_prm(s), n = 0;
    for (int i = 0; i < l->g->pool && i < limit; i++) {
        if (!pool[i].present || (uses_prm && !pool[i].scored) || (half >= 0 && i % 2 != half))
            continue;
        l->view_cls[n] = l->cls[i];
        l->view_score[n++] = uses_prm ? pool[i].score[s->agg] : 0;
    }
    return (allot_pool){n, l->view_cls, l->n_classes, l->right, l->view_score};
}

static allot_soft_stream stream_of(const labelling *l, long q, const char *source, uint64_t part)
{
    uint64_t words[] = {allot_fnv1a(ALLOT_FNV_START, source, strlen(source)), part};
    return (allot_soft_stream){(uint64_t)l->settings->seed, allot_key_u64(&l->out->keys[q]),
                               allot_rng_mix(words, 2)};
}

static void set_label(labelling *l, long cell, const allot_soft_label *label, int n_trials,
                      double tokens)
{
    allot_outcomes *o = l->out;
    o->accuracy[cell] = (float)label->accuracy;
    o->variance[cell] = (float)label->variance;
    o->n_eff[cell] = (float)label->n_eff;
    o->n_trials[cell] = n_trials;
    o->tokens[cell] = (float)tokens;
}

static void set_sample_seconds(labelling *l, long cell, const allot_strategy *s)
{
    int one_by_one = l->settings->sample_seconds == ALLOT_SAMPLES_ONE_BY_ONE;
    if (!l->settings->sample_seconds || !l->timed || allot_strategy_uses_prm(s)) return;
    double seconds = one_by_one ? s->n * allot_mean(l->seconds, (size_t)l->n_present)
                                : allot_expected_longest(l->seconds, l->n_present, s->n);
    int measured = one_by_one || s->n == 1;
    l->out->seconds[cell] = (float)seconds;
    l->out->seconds_kind[cell] = measured ? ALLOT_SECONDS_MEASURED : ALLOT_SECONDS_MODELLED;
    measured ? l->sum->n_measured++ : l->sum->n_modelled++;
}

/* A cell of a strategy that draws from the pool. */
static allot_code label_pooled(labelling *l, long q, int strategy, allot_err *err)
{
    const allot_strategy *s = &l->out->strategies.at[strategy];
    int paper = l->settings->paper;
    long cell = q * l->out->strategies.count + strategy;
    char source[ALLOT_STRATEGY_TEXT];
    allot_soft_label label;
    allot_strategy_print(s, source);
    allot_pool pool = view(l, q, s, -1, paper ? ALLOT_PAPER_POOL : l->g->pool);
    int n_pool = pool.n;
    if (n_pool < s->n || n_pool == 0) {
        l->sum->n_missing[l->n_present < s->n ? ALLOT_LACKS_SAMPLES : ALLOT_LACKS_SCORES]++;
        return ALLOT_OK;
    }
    allot_soft_stream stream = stream_of(l, q, paper ? "pool" : source, 0);
    allot_code code =
        paper ? allot_soft_paper(l->soft, &pool, allot_method_vote(s), s->n, &stream, &label, err)
              : allot_soft_pool(l->soft, &pool, s, &stream, &label, err);
    if (code) return code;
    set_label(l, cell, &label, n_pool, s->n * l->mean_tokens);
    set_sample_seconds(l, cell, s);
    l->longest[cell] = (float)allot_expected_longest(l->lengths, l->n_present, s->n);
    for (int half = 0; half < 2; half++) {
        pool = view(l, q, s, half, l->g->pool);
        l->out->half[2 * cell + half] = NAN;
        if (paper || pool.n < s->n) continue;
        stream = stream_of(l, q, source, (uint64_t)half + 1);
        if ((code = allot_soft_pool(l->soft, &pool, s, &stream, &label, err))) return code;
        l->out->half[2 * cell + half] = (float)label.accuracy;
    }
    return ALLOT_OK;
}

/* A cell of a search: its runs are the trials. */
static void label_search(labelling *l, long q, int strategy)
{
    const allot_graded *g = l->g;
    const allot_graded_run *runs = allot_graded_runs(g, q, g->search_of[strategy]);
    const unsigned char *right = allot_graded_right(g, q, strategy);
    long cell = q * l->out->strategies.count + strategy;
    int n[2] = {0, 0}, n_right[2] = {0, 0};
    double tokens = 0;
    for (int r = 0; r < g->runs; r++) {
        n[r % 2] += runs[r].present;
        n_right[r % 2] += runs[r].present && right[r];
        tokens += runs[r].present ? runs[r].n_tokens : 0;
    }
    int n_runs = n[0] + n[1];
    l->sum->n_short_runs += n_runs > 0 && n_runs < g->runs;
    float paper = l->settings->paper ? g->search_paper[cell] : 0;
    if (n_runs == 0 || isnan(paper)) {
        l->sum->n_missing[ALLOT_LACKS_RUNS]++;
        return;
    }
    allot_soft_label label =
        l->settings->paper
            ? allot_soft_runs((int)lrintf(paper * ALLOT_PAPER_BOOTSTRAPS), ALLOT_PAPER_BOOTSTRAPS)
            : allot_soft_runs(n_right[0] + n_right[1], n_runs);
    set_label(l, cell, &label, n_runs, tokens / n_runs);
    for (int half = 0; half < 2; half++)
        l->out->half[2 * cell + half] =
            n[half] && !l->settings->paper ? (float)n_right[half] / (float)n[half] : NAN;
}

static allot_code label_query(labelling *l, long q, allot_err *err)
{
    size_t n;
    const char *text = allot_strings_at(&l->problems->col[ALLOT_COL_PROBLEM], l->g->row[q], &n);
    l->out->keys[q] = l->problems->keys[l->g->row[q]];
    l->out->codepoints[q] = (int32_t)allot_features_codepoints(text, n);
    load_query(l, q);
    for (int s = 0; s < l->out->strategies.count; s++) {
        allot_code code = ALLOT_OK;
        if (l->g->search_of[s] >= 0) label_search(l, q, s);
        else code = label_pooled(l, q, s, err);
        if (code) return code;
    }
    return ALLOT_OK;
}

static allot_code allocate(labelling *l, allot_err *err)
{
    size_t m = (size_t)l->g->pool;
    l->longest = allot_mem_array((size_t)l->out->n,
                                 (size_t)l->out->strategies.count * sizeof *l->longest, err);
    l->cls = allot_mem_array(m, sizeof *l->cls, err);
    l->right = allot_mem_array(m, sizeof *l->right, err);
    l->view_cls = allot_mem_array(m, sizeof *l->view_cls, err);
    l->view_score = allot_mem_array(m, sizeof *l->view_score, err);
    l->lengths = allot_mem_array(m, sizeof *l->lengths, err);
    l->seconds = allot_mem_array(m, sizeof *l->seconds, err);
    if (!l->longest || !l->cls || !l->right || !l->view_cls || !l->view_score || !l->lengths ||
        !l->seconds)
        return ALLOT_ERUNTIME;
    return allot_soft_new(&l->soft, err);
}

static void clear(labelling *l)
{
    free(l->longest);
    free(l->cls);
    free(l->right);
    free(l->view_cls);
    free(l->view_score);
    free(l->lengths);
    free(l->seconds);
    allot_soft_free(l->soft);
}

/* How this program grades: what is not said of the options is as usual. */
static cJSON *make_grading(const char *options)
{
    cJSON *grading = cJSON_CreateObject();
    cJSON_AddStringToObject(grading, "grader", ALLOT_GRADE_VERSION);
    if (*options) cJSON_AddStringToObject(grading, "options", options);
    return grading;
}

static allot_code set_attributes(const allot_label_settings *s, const allot_rundir *manifest,
                                 allot_outcomes *out, allot_err *err)
{
    char rule[32 + ALLOT_GRADE_TEXT], grading[ALLOT_GRADE_TEXT];
    allot_grade_describe(&s->grade, grading);
    snprintf(rule, sizeof rule, "%s%s%s", s->paper ? "paper-bootstrap" : "subsets",
             *grading ? ", " : "", grading);
    out->fingerprint = cJSON_Duplicate(manifest->fingerprint, 1);
    out->grading = make_grading(grading);
    out->label_rule = allot_mem_text(rule, strlen(rule), err);
    strcpy(out->metric, "accuracy");
    if (out->fingerprint && out->grading && out->label_rule) return ALLOT_OK;
    return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
}

/* Labels all queries of a graded run. */
static allot_code label_all(const allot_label_settings *s, const allot_rundir *manifest,
                            const allot_problems *problems, const allot_graded *g,
                            allot_outcomes *out, allot_label_summary *sum, allot_err *err)
{
    labelling l = {.g = g, .settings = s, .problems = problems, .out = out, .sum = sum};
    allot_code code = allot_outcomes_init(out, g->n, g->set, err);
    if (!code) code = set_attributes(s, manifest, out, err);
    if (!code) code = allocate(&l, err);
    allot_progress progress;
    allot_progress_start(&progress, "queries", 0, g->n);
    for (long q = 0; !code && q < g->n; q++) {
        code = allot_interrupted()
                   ? allot_fail(err, ALLOT_EINTR, "interrupted; nothing was written")
                   : label_query(&l, q, err);
        if (g->n >= PROGRESS_FROM) allot_progress_update(&progress, q + 1, NULL);
    }
    if (!code && s->timing_dir) code = allot_label_seconds(s, l.longest, out, sum, err);
    clear(&l);
    return code;
}

/* Our own pool is sampled as fast as the server goes: its seconds say nothing of a strategy. */
static allot_code check_sample_seconds(const allot_label_settings *s, const allot_rundir *manifest,
                                       allot_err *err)
{
    if (!s->sample_seconds || manifest->imported) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%s': only imported samples have seconds of their own, these were drawn "
                      "many at once (time the strategies: 'allot-collect time', and give --timing)",
                      s->run_dir);
}

static int uses_prm(const allot_strategies *set)
{
    int uses = 0;
    for (int i = 0; i < set->count; i++)
        uses |= allot_strategy_uses_prm(&set->at[i]);
    return uses;
}

/* Which strategies: those of the file, else the run's. A parallel strategy needs no more than a
 * pool; a search must have been run. */
static allot_code choose_strategies(const allot_label_settings *s, const allot_rundir *manifest,
                                    allot_strategies *set, allot_err *err)
{
    if (s->strategies) {
        allot_code code = allot_strategyfile_load(s->strategies, set, err);
        if (code) return code;
    }
    for (int i = 0; !s->strategies && i < manifest->strategies.count; i++) {
        allot_code code = allot_strategies_add(set, &manifest->strategies.at[i], err);
        if (code) return code;
    }
    for (int i = 0; i < set->count; i++)
        if (allot_strategy_kind(&set->at[i]) == ALLOT_ELSEWHERE)
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot label named:\"%s\": it was measured "
                              "elsewhere, not run here",
                              set->at[i].name);
    return ALLOT_OK;
}

static allot_code load_problems(const allot_label_settings *s, allot_problems *problems,
                                allot_err *err)
{
    if (s->problems) return allot_problems_load(s->problems, 1, problems, err);
    char *path = allot_rundir_path(s->run_dir, "problems.h5", err);
    allot_code code = path ? allot_problems_load(path, 1, problems, err) : ALLOT_ERUNTIME;
    free(path);
    return code;
}

static allot_code check_queries(const allot_label_settings *s, const allot_graded *g,
                                allot_err *err)
{
    if (g->n > 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT,
                      "cannot label '%s': none of its %ld queries has a "
                      "reference answer (give the problems with answers as --problems)",
                      s->run_dir, g->counts.n_no_reference);
}

static const allot_kind answers_kind = {"a file of --answers", allot_kind_begins, "{\"key\":\""};

allot_code allot_label_run(const allot_label_settings *s, allot_outcomes *out,
                           allot_label_summary *summary, allot_err *err)
{
    allot_rundir manifest = {0};
    allot_problems problems = {0};
    allot_strategies set = {0};
    allot_graded graded = {0};
    allot_atomic answers = {0};
    memset(summary, 0, sizeof *summary);
    summary->held_out.error = summary->held_out.bias = NAN;
    allot_code code = allot_rundir_load(s->run_dir, ALLOT_RUN_SCHEMA, &manifest, err);
    if (!code && manifest.n_shards)
        code =
            allot_fail(err, ALLOT_EMISMATCH,
                       "cannot label '%s': it is shard %d of %d (join them first: 'allot-collect "
                       "merge')",
                       s->run_dir, manifest.shard, manifest.n_shards);
    if (!code) code = check_sample_seconds(s, &manifest, err);
    if (!code) code = choose_strategies(s, &manifest, &set, err);
    if (!code) code = load_problems(s, &problems, err);
    if (!code && s->answers) code = allot_atomic_begin(&answers, s->answers, &answers_kind, err);
    const allot_graded_options options = {s->grade, s->paper, (uint64_t)s->seed, answers.file};
    if (!code)
        code = allot_graded_load(s->run_dir, &manifest, &problems, &set, &options, &graded, err);
    if (!code) code = check_queries(s, &graded, err);
    if (!code) {
        summary->graded = graded.counts;
        summary->n_queries = graded.n;
        summary->pool = graded.pool;
        summary->prm_checked = uses_prm(&set) ? manifest.prm_checked : -1;
        summary->told_seconds =
            manifest.imported && graded.counts.n_timed > 0 && !s->sample_seconds && !s->timing_dir;
        for (int i = 0; i < set.count; i++)
            if (allot_strategy_kind(&set.at[i]) == ALLOT_POOLED && set.at[i].n > summary->largest_n)
                summary->largest_n = set.at[i].n;
        code = label_all(s, &manifest, &problems, &graded, out, summary, err);
    }
    if (!code)
        code = allot_outcomes_missing(out, s->missing, s->run_dir, &summary->dropped_queries,
                                      &summary->dropped_strategies, err);
    if (!code) allot_label_flat_warn(out, &graded);
    if (!code && s->answers) code = allot_atomic_commit(&answers, err);
    allot_atomic_abort(&answers);
    allot_graded_clear(&graded);
    allot_strategies_clear(&set);
    allot_problems_clear(&problems);
    allot_rundir_clear(&manifest);
    return code;
}
