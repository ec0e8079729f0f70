/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers all parts of a report, writes its files, and says in words what they show. */
#include "eval/report.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/store/provenance.h"
#include "eval/grid.h"
#include "eval/plots.h"
#include "eval/reliability.h"
#include "eval/reportdir.h"
#include "eval/tables.h"
#include "liballot/mem.h"

void allot_report_defaults(allot_report_settings *s)
{
    *s = (allot_report_settings){.resamples = 1000, .max_lambdas = 300, .pictures = 1, .seed = 1};
}

allot_code allot_report_check(const allot_report_settings *s, allot_err *err)
{
    if (s->resamples < 100 || s->resamples > 100000)
        return allot_fail(err, ALLOT_EUSAGE, "--resamples: %d is not within 100 to 100000",
                          s->resamples);
    if (s->max_lambdas < 10 || s->max_lambdas > 5000)
        return allot_fail(err, ALLOT_EUSAGE, "--lambdas: %d is not within 10 to 5000",
                          s->max_lambdas);
    if (!(s->overhead_seconds >= 0 && isfinite(s->overhead_seconds)))
        return allot_fail(err, ALLOT_EUSAGE, "--overhead-seconds: not a time");
    return ALLOT_OK;
}

/* Everything the report consists of, before it is written. */
typedef struct {
    const allot_evaldata *d;
    const allot_report_settings *s;
    const char *dir;
    allot_static_row *statics; /* [S] */
    allot_axis_result axis[2]; /* tokens; seconds if d->seconds */
    int n_axes;
    cJSON *json;
    allot_buf summary;
} report;

/* One CSV file by the function that prints it. */
#define SAVE_CSV(r, name, call, err)                                                               \
    do {                                                                                           \
        allot_buf text = {0};                                                                      \
        call;                                                                                      \
        if (!rc) rc = allot_tables_save((r)->dir, name, &text, err);                               \
        allot_buf_clear(&text);                                                                    \
    } while (0)

static allot_code save_axis(const report *r, int by_seconds, allot_buf *names, allot_err *err)
{
    const allot_axis_result *a = &r->axis[by_seconds];
    allot_code rc = ALLOT_OK;
    char name[64];
    snprintf(name, sizeof name, "band-%s.csv", a->unit);
    SAVE_CSV(r, name, allot_tables_band_csv(&a->band, &text), err);
    snprintf(name, sizeof name, "exact-%s.csv", a->unit);
    SAVE_CSV(r, name, allot_tables_exact_csv(&a->rule, &text), err);
    snprintf(name, sizeof name, "grid-%s.csv", a->unit);
    SAVE_CSV(r, name, allot_grid_csv(r->d, by_seconds, &text), err);
    snprintf(name, sizeof name, "shares-%s.csv", a->unit);
    SAVE_CSV(r, name, allot_tables_shares_wide(r->d, by_seconds, &text, names), err);
    return rc;
}

static allot_code save_files(const report *r, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    allot_buf names = {0}, script = {0};
    SAVE_CSV(r, "statics.csv", allot_tables_statics_csv(r->d, r->statics, &text), err);
    SAVE_CSV(r, "reliability.csv", rc = allot_reliability_csv(r->d, &text, err), err);
    for (int i = 0; i < r->n_axes && !rc; i++)
        rc = save_axis(r, i, &names, err);
    if (!rc) rc = allot_tables_save(r->dir, "strategies.gp", &names, err);
    if (!rc) rc = allot_tables_save(r->dir, "summary.txt", &r->summary, err);
    if (!rc && r->s->pictures) {
        int drawn;
        allot_plots_report(r->n_axes == 2, r->axis[0].oracle.k > 0, &script);
        rc = allot_buf_check(&script, err);
        if (!rc) rc = allot_plots_draw(r->dir, script.at, &drawn, err);
    }
    allot_buf_clear(&names);
    allot_buf_clear(&script);
    return rc;
}

/* 0 or 1 if all labels of a strategy (-1: of all of them) are that; else -1. */
static int flat_labels(const allot_evaldata *d, int strategy)
{
    long n = 0, of[2] = {0, 0};
    for (long cell = 0; cell < (long)d->n * d->s; cell++) {
        if (strategy >= 0 && cell % d->s != strategy) continue;
        n++;
        of[0] += d->label[cell] == 0;
        of[1] += d->label[cell] == 1;
    }
    return of[0] == n ? 0 : of[1] == n ? 1 : -1;
}

static void say_flat(report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* On the screen and in the summary. */
static void say_flat(report *r, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    allot_log_warn("%s", text);
    allot_buf_printf(&r->summary, "WARNING: %s\n\n", text);
}

/* Seldom the model's doing; there are no texts here to show. */
static void tell_flat(report *r)
{
    static const char check[] =
        "look at the texts ('allot-collect label --answers FILE' shows what was read in each), at "
        "the "
        "chat template ('allot-collect sample --prompt-template') and at how answers are read "
        "('allot-collect label --extract')";
    static const int least[2] = {5, 20}; /* queries from which a strategy is worth a word */
    int flat = flat_labels(r->d, -1);
    if (flat >= 0)
        say_flat(r, "ALL LABELS ARE %d: on %d test queries %s, and nothing is evaluated here (%s)",
                 flat, r->d->n,
                 flat ? "every strategy is always right" : "no strategy is ever right", check);
    for (int s = 0; flat < 0 && s < r->d->s; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        int one = flat_labels(r->d, s);
        if (one < 0 || r->d->n < least[one]) continue;
        allot_strategy_print(&r->d->bundle.strategies.at[s], text);
        say_flat(r, "all labels of '%s' are %d, on %d test queries (if that is not plausible, %s)",
                 text, one, r->d->n, check);
    }
}

/* ---- eval.json ---- */

static void random_json(const report *r)
{
    allot_rule rule;
    allot_rule_defaults(&rule);
    allot_realised x;
    allot_grid_random(r->d, &rule, &x);
    cJSON *o = cJSON_AddObjectToObject(r->json, "random");
    allot_json_add_number(o, "accuracy", x.accuracy);
    allot_json_add_number(o, "tokens", x.tokens);
    allot_json_add_number(o, "seconds", r->d->seconds ? x.seconds : NAN);
}

/* The ends of the curve: at lambda 0 the best predicted accuracy, at a huge lambda the cheapest. */
static void limits_json(const report *r)
{
    cJSON *o = cJSON_AddObjectToObject(r->json, "limits");
    allot_json_add_number(o, "lambda_0_best_predicted", allot_tables_limit(r->d, 0, 0));
    allot_json_add_number(o, "lambda_token_large_cheapest", allot_tables_limit(r->d, 0, 1));
    if (r->n_axes == 2)
        allot_json_add_number(o, "lambda_second_large_fastest", allot_tables_limit(r->d, 1, 1));
    for (int by_seconds = 0; by_seconds < r->n_axes; by_seconds++) {
        allot_rule rule;
        allot_rule_defaults(&rule);
        allot_realised x;
        allot_grid_point(r->d, ALLOT_RULE_ADAPTIVE, &rule, NULL, &x);
        cJSON *at = cJSON_AddObjectToObject(o, by_seconds ? "lambda_0_with_overhead" : "lambda_0");
        allot_json_add_number(at, "accuracy", x.accuracy);
        allot_json_add_number(at, "tokens", x.tokens);
        if (r->n_axes == 2)
            allot_json_add_number(at, "seconds",
                                  x.seconds + (by_seconds ? r->s->overhead_seconds : 0));
    }
}

static allot_code make_json(report *r, const char *const *inputs, allot_err *err)
{
    const allot_evaldata *d = r->d;
    cJSON *provenance = NULL, *both = NULL, *calibration = NULL;
    allot_code rc = allot_provenance_make("allot-eval", r->s->seed, inputs, &provenance, err);
    if (!rc) rc = allot_reliability_json(d, r->s->seed, &calibration, err);
    if (!rc && r->n_axes == 2)
        rc = allot_tables_both_json(d, r->s->resamples, r->s->seed, &both, err);
    r->json = cJSON_CreateObject();
    cJSON_AddStringToObject(r->json, "schema", "allot-eval");
    cJSON_AddNumberToObject(r->json, "version", 1);
    cJSON_AddNumberToObject(r->json, "queries", d->n);
    cJSON_AddNumberToObject(r->json, "queries_dropped", (double)d->dropped);
    cJSON_AddStringToObject(r->json, "metric", d->metric);
    int flat = flat_labels(d, -1);
    allot_json_add_number(r->json, "all_labels", flat < 0 ? NAN : flat);
    cJSON_AddStringToObject(r->json, "embedding", d->embedding_model);
    cJSON_AddBoolToObject(r->json, "calibrated", d->bundle.calibrated);
    cJSON_AddStringToObject(r->json, "seconds",
                            !d->seconds           ? "absent"
                            : d->seconds_measured ? "measured cells"
                                                  : "cost table means");
    cJSON_AddNumberToObject(r->json, "overhead_seconds", r->s->overhead_seconds);
    cJSON_AddItemToObject(r->json, "statics", allot_tables_statics_json(d, r->statics));
    random_json(r);
    limits_json(r);
    for (int i = 0; i < r->n_axes; i++)
        cJSON_AddItemToObject(r->json, r->axis[i].unit, allot_tables_axis_json(&r->axis[i]));
    if (both) cJSON_AddItemToObject(r->json, "both_lambdas", both);
    if (calibration) cJSON_AddItemToObject(r->json, "calibration", calibration);
    if (provenance) cJSON_AddItemToObject(r->json, "provenance", provenance);
    return rc;
}

/* ---- summary.txt ---- */

static void summarise_statics(report *r)
{
    allot_buf_printf(&r->summary, "%-22s %18s %10s %10s\n", "static strategy", "accuracy (95 %)",
                     "tokens", "seconds");
    for (int s = 0; s < r->d->s; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&r->d->bundle.strategies.at[s], text);
        const allot_static_row *x = &r->statics[s];
        allot_buf_printf(&r->summary, "%-22s %.3f %.3f..%.3f %10.1f", text, x->accuracy, x->low,
                         x->high, x->tokens);
        if (r->d->seconds) allot_buf_printf(&r->summary, " %10.4f\n", x->seconds);
        else allot_buf_printf(&r->summary, " %10s\n", "-");
    }
}

static void summarise_axis(report *r, const allot_axis_result *a)
{
    const allot_band *b = &a->band;
    char verdict[200];
    allot_axis_verdict(a, verdict, sizeof verdict);
    allot_buf_printf(&r->summary, "\nAgainst the hull of the statics, on %s:\n", a->unit);
    allot_buf_printf(&r->summary, "  %12s %9s %9s %9s   %s\n", a->unit, "adaptive", "hull",
                     "oracle", "adaptive - hull (simultaneous 95 % band)");
    for (int i = 0; i < ALLOT_BAND_POINTS; i += 7) {
        allot_buf_printf(&r->summary, "  %12.4g %9.3f %9.3f ", b->cost[i], b->rule[i], b->hull[i]);
        if (isfinite(b->oracle[i])) allot_buf_printf(&r->summary, "%9.3f", b->oracle[i]);
        else allot_buf_printf(&r->summary, "%9s", "-");
        allot_buf_printf(&r->summary, "   %+.3f (%+.3f..%+.3f)\n", b->difference[i], b->low[i],
                         b->high[i]);
    }
    allot_buf_printf(&r->summary, "  %s\n", verdict);
    allot_buf_printf(&r->summary, "  mean difference over log cost: %+.4f (95 %%: %+.4f..%+.4f)\n",
                     b->mean_difference, b->mean_low, b->mean_high);
    if (isfinite(b->gap))
        allot_buf_printf(&r->summary,
                         "  closed gap to the cross-fitted oracle: %.0f %% (95 %%: %.0f..%.0f)\n",
                         100 * b->gap, 100 * b->gap_low, 100 * b->gap_high);
    else if (isfinite(b->oracle_difference))
        allot_buf_printf(&r->summary,
                         "  closed gap: not told, the cross-fitted oracle (%+.4f) is not surely "
                         "above the hull\n",
                         b->oracle_difference);
}

static allot_code make_summary(report *r, allot_err *err)
{
    const allot_evaldata *d = r->d;
    allot_buf_printf(&r->summary, "%d test queries, embedding %s, seconds: %s\n\n", d->n,
                     d->embedding_model, cJSON_GetObjectItem(r->json, "seconds")->valuestring);
    tell_flat(r);
    summarise_statics(r);
    for (int i = 0; i < r->n_axes; i++)
        summarise_axis(r, &r->axis[i]);
    cJSON *both = cJSON_GetObjectItem(r->json, "both_lambdas");
    if (both)
        allot_buf_printf(
            &r->summary,
            "\nBoth lambdas > 0: utility not below the best static at %d of %d pairs\n",
            cJSON_GetObjectItem(both, "pairs_not_below")->valueint,
            cJSON_GetObjectItem(both, "pairs")->valueint);
    allot_reliability_summary(cJSON_GetObjectItem(r->json, "calibration"), &r->summary);
    if (d->n < 1000)
        allot_buf_printf(&r->summary,
                         "\nOnly %d test queries: the intervals are wide; more queries are needed "
                         "for a verdict\n",
                         d->n);
    return allot_buf_check(&r->summary, err);
}

static void report_clear(report *r)
{
    free(r->statics);
    for (int i = 0; i < 2; i++)
        allot_axis_clear(&r->axis[i]);
    cJSON_Delete(r->json);
    allot_buf_clear(&r->summary);
}

allot_code allot_report_write(const allot_evaldata *d, const allot_report_settings *s,
                              const char *dir, const char *const *inputs, char **summary,
                              cJSON **json, allot_err *err)
{
    allot_reportdir folder;
    allot_buf path = {0};
    allot_code rc = allot_reportdir_begin(&folder, dir, "eval.json", err);
    if (rc) return rc;
    report r = {.d = d, .s = s, .dir = folder.tmp, .n_axes = d->seconds ? 2 : 1};
    allot_buf_printf(&path, "%s/eval.json", r.dir);
    rc = allot_buf_check(&path, err);
    r.statics = allot_mem_array((size_t)d->s, sizeof *r.statics, err);
    if (!r.statics) rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_tables_statics(d, s->resamples, s->seed, r.statics, err);
    for (int i = 0; i < r.n_axes && !rc; i++)
        rc = allot_axis_make(d, i, s, &r.axis[i], err);
    if (!rc) rc = make_json(&r, inputs, err);
    if (!rc) rc = make_summary(&r, err);
    if (!rc) rc = save_files(&r, err);
    if (!rc) rc = allot_json_save(path.at, r.json, err);
    if (!rc) rc = allot_reportdir_commit(&folder, err);
    else allot_reportdir_abort(&folder);
    if (!rc) {
        *summary = r.summary.at;
        *json = r.json;
        r.summary = (allot_buf){0};
        r.json = NULL;
    }
    allot_buf_clear(&path);
    report_clear(&r);
    return rc;
}
