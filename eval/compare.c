/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates each candidate on the same queries, pairs the curves, and writes tables and pictures.
 */
#include "eval/compare.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/store/provenance.h"
#include "lib/core/stats.h"
#include "eval/plots.h"
#include "eval/reliability.h"
#include "eval/reportdir.h"
#include "eval/tables.h"
#include "liballot/mem.h"

allot_code allot_candidate_parse(const char *text, allot_candidate *out, allot_err *err)
{
    *out = (allot_candidate){0};
    const char *equals = strchr(text, '='), *colon = strrchr(text, ':');
    size_t n = equals ? (size_t)(equals - text) : 0;
    if (n == 0 || n >= sizeof out->name || !colon || colon < equals + 2 || !colon[1])
        return allot_fail(err, ALLOT_EUSAGE,
                          "--candidate: '%s' is not name=model.safetensors:x.emb.h5", text);
    for (size_t i = 0; i < n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", text[i]))
            return allot_fail(err, ALLOT_EUSAGE,
                              "--candidate: the name in '%s' may hold letters, "
                              "digits, '.', '_' and '-' only",
                              text);
    memcpy(out->name, text, n);
    out->bundle = allot_mem_text(equals + 1, (size_t)(colon - equals - 1), err);
    out->embeddings = allot_mem_text(colon + 1, strlen(colon + 1), err);
    return out->bundle && out->embeddings ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_candidate_clear(allot_candidate *c)
{
    free(c->bundle);
    free(c->embeddings);
    *c = (allot_candidate){0};
}

typedef struct {
    const char *name;
    allot_band band[2]; /* tokens; seconds */
    int n_axes;
    cJSON *calibration;
} result;

static allot_code evaluate(const allot_candidate *c, const allot_evalinputs *in,
                           const allot_report_settings *s, result *r, allot_err *err)
{
    allot_evaldata d;
    r->name = c->name;
    allot_code rc = allot_evaldata_load(in, &d, err);
    if (rc) return rc;
    r->n_axes = d.seconds ? 2 : 1;
    for (int i = 0; i < r->n_axes && !rc; i++) {
        allot_axis_result a;
        rc = allot_axis_make(&d, i, s, &a, err);
        if (rc) break;
        r->band[i] = a.band;
        a.band = (allot_band){0}; /* moved */
        allot_axis_clear(&a);
    }
    if (!rc) rc = allot_reliability_json(&d, s->seed, &r->calibration, err);
    allot_evaldata_clear(&d);
    return rc;
}

/* Difference of the mean advantage of b over a, with its paired interval. */
static allot_code paired(const allot_band *a, const allot_band *b, double out[3], allot_err *err)
{
    double *x = allot_mem_array((size_t)a->resamples, sizeof *x, err);
    if (!x) return ALLOT_ERUNTIME;
    for (int r = 0; r < a->resamples; r++)
        x[r] = b->resampled_mean[r] - a->resampled_mean[r];
    allot_sort(x, (size_t)a->resamples);
    out[0] = b->mean_difference - a->mean_difference;
    out[1] = allot_quantile_sorted(x, (size_t)a->resamples, 0.025);
    out[2] = allot_quantile_sorted(x, (size_t)a->resamples, 0.975);
    free(x);
    return ALLOT_OK;
}

/* One row per candidate and axis, in JSON, CSV and the summary at once. */
static allot_code axis_rows(const result *r, int n, int axis, cJSON *json, allot_buf *csv,
                            allot_buf *summary, allot_err *err)
{
    const char *unit = axis ? "seconds" : "tokens";
    cJSON *list = cJSON_AddArrayToObject(json, unit);
    allot_buf_printf(summary,
                     "\nMean advantage over the hull on %s (95 %%), closed gap, and "
                     "difference to %s (paired, 95 %%)\n",
                     unit, r[0].name);
    for (int i = 0; i < n; i++) {
        const allot_band *b = &r[i].band[axis];
        double diff[3];
        allot_code rc = paired(&r[0].band[axis], b, diff, err);
        if (rc) return rc;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(list, row);
        cJSON_AddStringToObject(row, "candidate", r[i].name);
        allot_tables_interval(row, "mean_difference", b->mean_difference, b->mean_low,
                              b->mean_high);
        allot_tables_interval(row, "closed_gap", b->gap, b->gap_low, b->gap_high);
        allot_tables_interval(row, "against_first", diff[0], diff[1], diff[2]);
        cJSON_AddNumberToObject(row, "points_above", b->n_above);
        cJSON_AddNumberToObject(row, "points_below", b->n_below);
        allot_buf_printf(csv, "%s,%s,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f\n", unit, r[i].name,
                         b->mean_difference, b->mean_low, b->mean_high, b->gap, diff[0], diff[1],
                         diff[2]);
        allot_buf_printf(summary, "  %-14s %+.4f (%+.4f..%+.4f)", r[i].name, b->mean_difference,
                         b->mean_low, b->mean_high);
        if (isfinite(b->gap)) allot_buf_printf(summary, "  %4.0f %%", 100 * b->gap);
        if (i) allot_buf_printf(summary, "   %+.4f (%+.4f..%+.4f)", diff[0], diff[1], diff[2]);
        allot_buf_str(summary, "\n");
    }
    return ALLOT_OK;
}

/* The curves of all candidates in one CSV, and the picture over it. */
static allot_code save_picture(const result *r, int n, const char *dir, int pictures,
                               allot_err *err)
{
    allot_buf script = {0};
    allot_code rc = ALLOT_OK;
    allot_buf_str(&script,
                  "# drawn by allot-eval; run 'gnuplot plots.gp' in this folder\n"
                  "set datafile separator ','\nset terminal pngcairo size 900,600 noenhanced\n"
                  "set grid\nset key autotitle columnhead bottom right\nset logscale x\n"
                  "set ylabel 'accuracy'\n");
    for (int axis = 0; axis < r[0].n_axes && !rc; axis++) {
        allot_buf csv = {0};
        char name[32];
        snprintf(name, sizeof name, "curves-%s.csv", axis ? "seconds" : "tokens");
        allot_buf_str(&csv, "cost,hull");
        for (int i = 0; i < n; i++)
            allot_buf_printf(&csv, ",%s", r[i].name);
        allot_buf_str(&csv, "\n");
        for (int p = 0; p < ALLOT_BAND_POINTS; p++) {
            allot_buf_printf(&csv, "%.6g,%.6f", r[0].band[axis].cost[p], r[0].band[axis].hull[p]);
            for (int i = 0; i < n; i++)
                allot_buf_printf(&csv, ",%.6f", r[i].band[axis].rule[p]);
            allot_buf_str(&csv, "\n");
        }
        rc = allot_tables_save(dir, name, &csv, err);
        allot_buf_clear(&csv);
        allot_buf_printf(&script,
                         "set output 'compare-%s.png'\nset xlabel 'mean %s per query'\n"
                         "plot for [i=2:%d] '%s' using 1:i with lines lw 2\n",
                         axis ? "seconds" : "tokens", axis ? "seconds" : "tokens", n + 2, name);
    }
    int drawn;
    if (!rc) rc = allot_buf_check(&script, err);
    if (!rc && pictures) rc = allot_plots_draw(dir, script.at, &drawn, err);
    allot_buf_clear(&script);
    return rc;
}

static allot_code write_all(const result *r, int n, const allot_report_settings *s, const char *dir,
                            cJSON *json, allot_buf *summary, allot_err *err)
{
    allot_buf csv = {0}, path = {0};
    allot_buf_str(&csv, "axis,candidate,mean_difference,low,high,closed_gap,against_first,"
                        "against_first_low,against_first_high\n");
    allot_buf_printf(summary, "%d candidates on the same test queries\n", n);
    allot_code rc = ALLOT_OK;
    for (int axis = 0; axis < r[0].n_axes && !rc; axis++)
        rc = axis_rows(r, n, axis, json, &csv, summary, err);
    cJSON *calibration = cJSON_AddObjectToObject(json, "calibration");
    for (int i = 0; i < n && !rc; i++) {
        cJSON_AddItemToObject(calibration, r[i].name, cJSON_Duplicate(r[i].calibration, 1));
        allot_buf_printf(summary, "\n%s:", r[i].name);
        allot_reliability_summary(r[i].calibration, summary);
    }
    if (!rc) rc = allot_tables_save(dir, "compare.csv", &csv, err);
    if (!rc) rc = allot_tables_save(dir, "summary.txt", summary, err);
    if (!rc) rc = save_picture(r, n, dir, s->pictures, err);
    allot_buf_printf(&path, "%s/compare.json", dir);
    if (!rc) rc = allot_buf_check(&path, err);
    if (!rc) rc = allot_json_save(path.at, json, err);
    allot_buf_clear(&csv);
    allot_buf_clear(&path);
    return rc;
}

allot_code allot_compare_write(const allot_candidate *c, int n, const allot_joined_files *files,
                               const allot_report_settings *s, const char *dir, char **summary,
                               cJSON **json, allot_err *err)
{
    result r[ALLOT_MAX_CANDIDATES] = {{0}};
    allot_buf text = {0};
    allot_reportdir folder;
    allot_code rc = allot_reportdir_begin(&folder, dir, "compare.json", err);
    if (rc) return rc;
    cJSON *object = cJSON_CreateObject(), *provenance = NULL;
    cJSON_AddStringToObject(object, "schema", "allot-compare");
    cJSON_AddNumberToObject(object, "version", 1);
    const char *inputs[] = {files->outcomes, files->splits, NULL};
    rc = allot_provenance_make("allot-eval", s->seed, inputs, &provenance, err);
    if (provenance) cJSON_AddItemToObject(object, "provenance", provenance);
    for (int i = 0; i < n && !rc; i++) {
        allot_evalinputs in = {c[i].bundle, *files};
        in.files.embeddings = c[i].embeddings;
        rc = evaluate(&c[i], &in, s, &r[i], err);
        if (!rc && r[i].n_axes != r[0].n_axes)
            rc = allot_fail(err, ALLOT_EMISMATCH,
                            "'%s' has seconds in its cost table or lacks "
                            "them, unlike '%s' (export both with the same costs.json)",
                            c[i].bundle, c[0].bundle);
    }
    if (!rc) rc = write_all(r, n, s, folder.tmp, object, &text, err);
    if (!rc) rc = allot_reportdir_commit(&folder, err);
    else allot_reportdir_abort(&folder);
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < 2; a++)
            allot_band_clear(&r[i].band[a]);
        cJSON_Delete(r[i].calibration);
    }
    if (rc) {
        cJSON_Delete(object);
        allot_buf_clear(&text);
        return rc;
    }
    *summary = text.at;
    *json = object;
    return ALLOT_OK;
}
