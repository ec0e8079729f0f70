/* SPDX-License-Identifier: Apache-2.0 */
/* Means, errors and quantiles by strategy and load, and the tokens' share of the seconds as a
 * line. */
#include "calibrate/fitcosts.h"
#include "lib/store/splits.h"
#include "lib/core/stats.h"
#include "lib/store/timedrows.h"
#include "liballot/mem.h"
#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

allot_cost_stat allot_cost_stat_of(const allot_cost_row *rows, size_t n, double *x)
{
    allot_cost_stat s = {.n = (long)n};
    size_t n_queries = 0;
    for (size_t i = 0, end; i < n; i = end) {
        double sum = 0;
        for (end = i; end < n && allot_key_compare(&rows[end].key, &rows[i].key) == 0; end++)
            sum += rows[end].value;
        x[n_queries++] = sum / (double)(end - i);
    }
    s.se = sqrt(allot_variance(x, n_queries) / (double)n_queries);
    for (size_t i = 0; i < n; i++)
        x[i] = rows[i].value;
    s.mean = allot_mean(x, n);
    allot_sort(x, n);
    for (int i = 0; i < ALLOT_N_COST_FIELDS; i++)
        if (allot_cost_fields[i].quantile > 0)
            *allot_cost_at(&s, i) = allot_quantile_sorted(x, n, allot_cost_fields[i].quantile);
    return s;
}

allot_cost_line allot_cost_line_fit(const allot_costsfile *c, int strategy)
{
    allot_cost_line line = {NAN, NAN, NAN};
    double x[ALLOT_FITCOSTS_MAX_LOADS], y[ALLOT_FITCOSTS_MAX_LOADS], w[ALLOT_FITCOSTS_MAX_LOADS];
    double cov00, cov01, cov11, rest;
    size_t n = 0;
    for (int l = 0; l < c->n_loads && n < ALLOT_FITCOSTS_MAX_LOADS; l++) {
        double mean = c->loads[l].at[strategy].seconds.mean;
        if (!c->loads[l].has_seconds || !(mean > 0)) continue;
        x[n] = c->loads[l].load - 1;
        y[n] = mean;
        w[n++] = 1 / (mean * mean);
    }
    if (n < 2 || gsl_fit_wlinear(x, 1, w, 1, y, 1, n, &line.at_1, &line.per_load, &cov00, &cov01,
                                 &cov11, &rest))
        return line;
    line.worst = 0;
    for (size_t i = 0; i < n; i++)
        line.worst = fmax(line.worst, fabs(line.at_1 + line.per_load * x[i] - y[i]) / y[i]);
    return line;
}

/* Work arrays for n rows at most. */
typedef struct {
    allot_cost_row *tokens, *seconds, *ttft;
    double *x;
} scratch;

static allot_code scratch_init(scratch *w, size_t n, allot_err *err)
{
    w->tokens = allot_mem_array(n, sizeof *w->tokens, err);
    w->seconds = allot_mem_array(n, sizeof *w->seconds, err);
    w->ttft = allot_mem_array(n, sizeof *w->ttft, err);
    w->x = allot_mem_array(n, sizeof *w->x, err);
    return w->tokens && w->seconds && w->ttft && w->x ? ALLOT_OK : ALLOT_ERUNTIME;
}

static void scratch_clear(scratch *w)
{
    free(w->tokens);
    free(w->seconds);
    free(w->ttft);
    free(w->x);
}

static allot_code new_load(allot_costsfile *out, int load, int has_seconds, allot_err *err)
{
    allot_costs *c = &out->loads[out->n_loads];
    c->n_strategies = out->strategies.count;
    c->has_seconds = has_seconds;
    c->load = has_seconds ? load : 0;
    c->at = allot_mem_array((size_t)c->n_strategies, sizeof *c->at, err);
    out->n_loads += c->at != NULL;
    return c->at ? ALLOT_OK : ALLOT_ERUNTIME;
}

static allot_code fit_load(const char *dir, const allot_timedrows *rows, int load, scratch *w,
                           allot_costsfile *out, allot_err *err)
{
    allot_code code = new_load(out, load, 1, err);
    for (int s = 0; !code && s < out->strategies.count; s++) {
        size_t n = 0, n_ttft = 0;
        for (size_t i = 0; i < rows->n; i++) {
            const allot_timed *row = &rows->at[i];
            if (row->load != load || row->strategy != s) continue;
            if (row->ttft_s > 0) w->ttft[n_ttft++] = (allot_cost_row){row->key, row->ttft_s};
            w->tokens[n] = (allot_cost_row){row->key, row->tokens};
            w->seconds[n++] = (allot_cost_row){row->key, row->seconds};
        }
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&out->strategies.at[s], text);
        if (n == 0)
            return allot_fail(err, ALLOT_EINPUT,
                              "'%s' has no usable row of '%s' at load %d (%ld "
                              "were retried, %ld under foreign load; run 'allot-collect time' "
                              "again, it goes on where it was)",
                              dir, text, load, rows->n_retried, rows->n_foreign);
        allot_cost *cost = &out->loads[out->n_loads - 1].at[s];
        cost->tokens = allot_cost_stat_of(w->tokens, n, w->x);
        cost->seconds = allot_cost_stat_of(w->seconds, n, w->x);
        if (n_ttft) cost->ttft = allot_cost_stat_of(w->ttft, n_ttft, w->x);
    }
    return code;
}

static allot_code copy_strategies(const allot_strategies *from, allot_strategies *to,
                                  allot_err *err)
{
    allot_code code = ALLOT_OK;
    for (int i = 0; !code && i < from->count; i++)
        code = allot_strategies_add(to, &from->at[i], err);
    return code;
}

/* The smallest load above `than` that has rows, or 0. */
static int next_load(const allot_timedrows *rows, int than)
{
    int load = 0;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->at[i].load > than && (load == 0 || rows->at[i].load < load))
            load = rows->at[i].load;
    return load;
}

static int count_loads(const allot_timedrows *rows)
{
    int n = 0;
    for (int load = next_load(rows, 0); load; load = next_load(rows, load))
        n++;
    return n;
}

static allot_code fit_timing(const char *dir, const allot_timedrows *rows, allot_costsfile *out,
                             allot_err *err)
{
    scratch w = {0};
    int n_loads = count_loads(rows);
    if (n_loads > ALLOT_FITCOSTS_MAX_LOADS)
        return allot_fail(err, ALLOT_EINPUT, "'%s' has rows at %d loads, more than %d", dir,
                          n_loads, ALLOT_FITCOSTS_MAX_LOADS);
    allot_code code = copy_strategies(&rows->manifest.strategies, &out->strategies, err);
    out->fingerprint = cJSON_Duplicate(rows->manifest.fingerprint, 1);
    out->hardware = cJSON_Duplicate(rows->manifest.hardware, 1);
    out->loads = allot_mem_array((size_t)n_loads, sizeof *out->loads, err);
    if (!code && !out->loads) code = ALLOT_ERUNTIME;
    if (!code) code = scratch_init(&w, rows->n, err);
    for (int load = next_load(rows, 0); !code && load; load = next_load(rows, load))
        code = fit_load(dir, rows, load, &w, out, err);
    scratch_clear(&w);
    return code;
}

allot_code allot_fitcosts_timing(const char *dir, allot_costsfile *out,
                                 allot_fitcosts_counts *counts, allot_err *err)
{
    allot_timedrows rows;
    memset(out, 0, sizeof *out);
    memset(counts, 0, sizeof *counts);
    allot_code code = allot_timedrows_load(dir, &rows, err);
    if (code) return code;
    *counts = (allot_fitcosts_counts){.n_rows = (long)rows.n,
                                      .n_retried = rows.n_retried,
                                      .n_foreign = rows.n_foreign,
                                      .n_duplicates = rows.n_duplicates,
                                      .n_errors = rows.n_errors,
                                      .torn = rows.torn};
    code = fit_timing(dir, &rows, out, err);
    for (int l = 0; !code && l < out->n_loads; l++)
        code = allot_secondsmodel_held_out(&rows, out->loads[l].load, NULL, NULL, &counts->model[l],
                                           err);
    allot_timedrows_clear(&rows);
    if (code) allot_costsfile_clear(out);
    return code;
}

/* Says which strategy has no measured cell among the chosen queries; nothing if all have. */
static void why_no_seconds(const allot_outcomes *o, const uint8_t *split,
                           char out[ALLOT_STRATEGY_TEXT + 80])
{
    long n_measured = 0, n_s = o->strategies.count;
    char text[ALLOT_STRATEGY_TEXT] = "";
    for (long s = 0; s < n_s; s++) {
        long n = 0;
        for (long q = 0; q < o->n; q++)
            n += split[q] == ALLOT_TRAIN && o->n_trials[q * n_s + s] > 0 &&
                 o->seconds_kind[q * n_s + s] == ALLOT_SECONDS_MEASURED;
        n_measured += n;
        if (n == 0 && !*text) allot_strategy_print(&o->strategies.at[s], text);
    }
    if (n_measured == 0) strcpy(out, "the outcomes have no measured seconds");
    else if (*text)
        snprintf(out, ALLOT_STRATEGY_TEXT + 80, "not every strategy has measured seconds, e.g. %s",
                 text);
}

static allot_code fit_cells(const char *file, const allot_outcomes *o, const uint8_t *split,
                            scratch *w, allot_costsfile *out, long *n_rows, allot_err *err)
{
    allot_costs *c = &out->loads[0];
    long n_s = o->strategies.count;
    for (long s = 0; s < n_s; s++) {
        size_t n = 0;
        for (long q = 0; q < o->n; q++) {
            long cell = q * n_s + s;
            if (split[q] != ALLOT_TRAIN || o->n_trials[cell] == 0 ||
                (c->has_seconds && o->seconds_kind[cell] != ALLOT_SECONDS_MEASURED))
                continue;
            w->tokens[n] = (allot_cost_row){o->keys[q], o->tokens[cell]};
            w->seconds[n++] = (allot_cost_row){o->keys[q], o->seconds[cell]};
        }
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&o->strategies.at[s], text);
        if (n == 0)
            return allot_fail(err, ALLOT_EINPUT,
                              "'%s' has no cell of '%s' in the train split "
                              "(label with --missing drop-strategy)",
                              file, text);
        *n_rows += (long)n;
        c->at[s].tokens = allot_cost_stat_of(w->tokens, n, w->x);
        if (c->has_seconds) c->at[s].seconds = allot_cost_stat_of(w->seconds, n, w->x);
    }
    return ALLOT_OK;
}

static allot_code fit_outcomes(const char *file, const allot_outcomes *o, const uint8_t *split,
                               int load, allot_costsfile *out, allot_fitcosts_counts *counts,
                               allot_err *err)
{
    scratch w = {0};
    why_no_seconds(o, split, counts->no_seconds);
    out->fingerprint = cJSON_Duplicate(o->fingerprint, 1);
    out->hardware = cJSON_CreateObject();
    out->loads = allot_mem_array(1, sizeof *out->loads, err);
    allot_code code =
        out->loads ? copy_strategies(&o->strategies, &out->strategies, err) : ALLOT_ERUNTIME;
    if (!code) code = new_load(out, load, !*counts->no_seconds, err);
    if (!code) code = scratch_init(&w, (size_t)o->n, err);
    if (!code) code = fit_cells(file, o, split, &w, out, &counts->n_rows, err);
    scratch_clear(&w);
    return code;
}

allot_code allot_fitcosts_outcomes(const char *outcomes, const char *splits, allot_missing missing,
                                   int load, allot_costsfile *out, allot_fitcosts_counts *counts,
                                   allot_err *err)
{
    long dropped_queries;
    allot_outcomes o = {0};
    allot_splits s = {0};
    uint8_t *split = NULL;
    memset(out, 0, sizeof *out);
    memset(counts, 0, sizeof *counts);
    allot_code code = allot_outcomes_load(outcomes, &o, err);
    if (!code)
        code = allot_outcomes_missing(&o, missing, outcomes, &dropped_queries,
                                      &counts->dropped_strategies, err);
    if (!code) code = allot_splits_load(splits, &s, err);
    if (!code && !(split = allot_mem_array((size_t)o.n, 1, err))) code = ALLOT_ERUNTIME;
    if (!code) code = allot_splits_join(&s, splits, o.keys, o.n, outcomes, split, err);
    if (!code) code = fit_outcomes(outcomes, &o, split, load, out, counts, err);
    free(split);
    allot_splits_clear(&s);
    allot_outcomes_clear(&o);
    if (code) allot_costsfile_clear(out);
    return code;
}
