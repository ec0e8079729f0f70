/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_platt.c - 'allot-calibrate platt': fit, report before and after, write the calibrated probe.
 */
#include "calibrate/calcells.h"
#include "calibrate/cmds.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/core/metrics.h"
#include "liballot/mem.h"
#include <stdio.h>
#include <stdlib.h>

static allot_calcells_source source;
static const char *output, *missing = "refuse";
static int per_method;
static double shrink = 20;

static const allot_option options[] = {
    {"probe", ALLOT_OPT_NEEDED, &source.probe, "FILE", "probe.h5 of allot-train; required", 0, 0},
    {"outcomes", ALLOT_OPT_NEEDED, &source.files.outcomes, "FILE",
     "the outcomes it was trained on; required", 0, 0},
    {"embeddings", ALLOT_OPT_NEEDED, &source.files.embeddings, "FILE",
     "the embeddings it was trained on; required", 0, 0},
    {"splits", ALLOT_OPT_NEEDED, &source.files.splits, "FILE", "the splits; required", 0, 0},
    {"output", ALLOT_OPT_NEEDED, &output, "FILE", "the calibrated probe; required", 0, 0},
    {"per-method", ALLOT_OPT_FLAG, &per_method, NULL,
     "one (a, b) per method, shrunk to the global fit (else one for all, as in the paper)", 0, 0},
    {"shrink", ALLOT_OPT_DOUBLE, &shrink, "QUERIES",
     "how many queries the global fit is worth with --per-method", 1e-6, 1e9},
    {"by-n-eff", ALLOT_OPT_FLAG, &source.by_n_eff, NULL,
     "weight cells by their effective number of trials (else equally)", 0, 0},
    {"missing", ALLOT_OPT_STRING, &missing, "HOW",
     "cells without data: refuse, drop-query, drop-strategy or mask", 0, 0},
    ALLOT_FORCE_ROW,
    {NULL, 0, NULL, NULL, NULL, 0, 0}};

/* What the report shows, before and after. */
enum { N_ECE_BINS = 3 };
static const int ece_bins[N_ECE_BINS] = {10, 15, 30};
typedef struct {
    double log_loss, brier, auc;
    double ece[2][N_ECE_BINS]; /* by allot_bins */
} measures;

static measures measure(const allot_calcells *cells, const allot_calib *calib, allot_forecast *f)
{
    measures m;
    for (size_t i = 0; i < cells->n; i++) {
        const allot_platt_cell *c = &cells->at[i];
        f[i] = (allot_forecast){allot_calib_apply(calib, c->method, c->z), c->label, c->w};
    }
    allot_forecasts_sort(f, cells->n);
    m.log_loss = allot_log_loss(f, cells->n);
    m.brier = allot_brier(f, cells->n);
    m.auc = allot_auc(f, cells->n);
    for (int kind = 0; kind < 2; kind++)
        for (int b = 0; b < N_ECE_BINS; b++)
            m.ece[kind][b] = allot_ece(f, cells->n, (allot_bins)kind, ece_bins[b]);
    return m;
}

static cJSON *measures_json(const measures *m)
{
    static const char *const kinds[] = {"ece_width", "ece_mass"};
    cJSON *o = cJSON_CreateObject();
    allot_json_add_number(o, "log_loss", m->log_loss);
    allot_json_add_number(o, "brier", m->brier);
    allot_json_add_number(o, "auc", m->auc);
    for (int kind = 0; kind < 2; kind++)
        for (int b = 0; b < N_ECE_BINS; b++) {
            char name[32];
            snprintf(name, sizeof name, "%s_%d", kinds[kind], ece_bins[b]);
            allot_json_add_number(o, name, m->ece[kind][b]);
        }
    return o;
}

static cJSON *fit_json(const allot_platt_fit *f)
{
    static const char *const how[] = {"free", "shrunk", "guarded"};
    cJSON *o = cJSON_CreateObject();
    allot_json_add_number(o, "a", f->a);
    allot_json_add_number(o, "b", f->b);
    allot_json_add_number(o, "loss", f->loss);
    cJSON_AddNumberToObject(o, "cells", (double)f->n);
    cJSON_AddStringToObject(o, "how", how[f->how]);
    if (f->why) cJSON_AddStringToObject(o, "why", f->why);
    return o;
}

static void print_text(const measures *before, const measures *after)
{
    const struct {
        const char *name;
        double before, after;
    } rows[] = {
        {"log loss", before->log_loss, after->log_loss},
        {"Brier", before->brier, after->brier},
        {"AUC", before->auc, after->auc},
        {"ECE, 10 bins of equal width", before->ece[0][0], after->ece[0][0]},
        {"ECE, 15 bins of equal width", before->ece[0][1], after->ece[0][1]},
        {"ECE, 30 bins of equal width", before->ece[0][2], after->ece[0][2]},
        {"ECE, 10 bins of equal mass", before->ece[1][0], after->ece[1][0]},
        {"ECE, 15 bins of equal mass", before->ece[1][1], after->ece[1][1]},
        {"ECE, 30 bins of equal mass", before->ece[1][2], after->ece[1][2]},
    };
    printf("%-30s %9s %9s  (on the calibration split)\n", "", "before", "after");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("%-30s %9.5f %9.5f\n", rows[i].name, rows[i].before, rows[i].after);
}

/* Fits; calib and the JSON report of the fit (the caller deletes it). */
static allot_code fit(const allot_calcells *cells, allot_calib *calib, cJSON **report,
                      allot_err *err)
{
    allot_platt_fit global, fits[ALLOT_N_METHODS];
    allot_code code = allot_platt_global(cells->at, cells->n, &global, err);
    if (!code && per_method)
        code = allot_platt_per_method(cells->at, cells->n, &global, shrink, cells->n_queries, fits,
                                      err);
    if (code) return code;
    if (global.why) allot_log_warn("%s: a prior around a = 1, b = 0 decided the fit", global.why);
    *report = cJSON_CreateObject();
    cJSON_AddItemToObject(*report, "global", fit_json(&global));
    cJSON *methods = per_method ? cJSON_AddObjectToObject(*report, "methods") : NULL;
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        const allot_platt_fit *f = per_method ? &fits[m] : &global;
        calib->a[m] = f->a;
        calib->b[m] = f->b;
        if (per_method && f->how == ALLOT_PLATT_SHRUNK)
            cJSON_AddItemToObject(methods, allot_method_name((allot_method)m), fit_json(f));
        if (f->a <= 0)
            allot_log_warn("a = %g turns the probe's order round for %s: it has not learned", f->a,
                           allot_method_name((allot_method)m));
    }
    return ALLOT_OK;
}

static void print_fits(const cJSON *report)
{
    const cJSON *global = cJSON_GetObjectItem(report, "global"), *one;
    printf("all: a = %.5f, b = %.5f\n", cJSON_GetObjectItem(global, "a")->valuedouble,
           cJSON_GetObjectItem(global, "b")->valuedouble);
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(report, "methods"))
        printf("%s: a = %.5f, b = %.5f\n", one->string, cJSON_GetObjectItem(one, "a")->valuedouble,
               cJSON_GetObjectItem(one, "b")->valuedouble);
}

/* Fits, reports, and leaves the calibration in the probe. */
static allot_code calibrate(const allot_calcells *cells, allot_probefile *probe,
                            const allot_common *common, allot_err *err)
{
    cJSON *report = NULL;
    allot_calib identity;
    allot_forecast *f = allot_mem_array(cells->n, sizeof *f, err);
    allot_code code = f ? fit(cells, &probe->calib, &report, err) : ALLOT_ERUNTIME;
    if (code) {
        free(f);
        return code;
    }
    allot_calib_identity(&identity);
    measures before = measure(cells, &identity, f), after = measure(cells, &probe->calib, f);
    free(f);
    cJSON_AddNumberToObject(report, "queries", (double)cells->n_queries);
    cJSON_AddNumberToObject(report, "cells", (double)cells->n);
    cJSON_AddNumberToObject(report, "missing", (double)cells->n_missing);
    cJSON_AddItemToObject(report, "before", measures_json(&before));
    cJSON_AddItemToObject(report, "after", measures_json(&after));
    cJSON_Delete(probe->calibration);
    probe->calibration = report;
    probe->calibrated = 1;
    const char *const inputs[] = {source.probe, source.files.outcomes, source.files.embeddings,
                                  source.files.splits, NULL};
    code = allot_probefile_save(output, probe, "allot-calibrate", common->seed, inputs, err);
    if (code) return code;
    if (common->json) return allot_json_print(report, err);
    print_fits(report);
    print_text(&before, &after);
    return ALLOT_OK;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_probefile probe = {0};
    allot_calcells cells = {0};
    allot_code code = allot_missing_parse(missing, &source.files.missing, err);
    if (!code) code = allot_probefile_load(source.probe, &probe, err);
    if (!code) code = allot_calcells_load(&source, &probe, &cells, err);
    if (!code) code = calibrate(&cells, &probe, common, err);
    allot_calcells_clear(&cells);
    allot_probefile_clear(&probe);
    return code;
}

const allot_command allot_cmd_platt = {
    .name = "platt",
    .usage =
        "[OPTION...] --probe FILE --outcomes FILE --embeddings FILE --splits FILE --output FILE",
    .about = "Fits p = sigmoid(a z + b) to the soft labels of the calibration split and writes the "
             "probe with its calibration into a new file.",
    .options = options,
    .run = run,
    .examples = "allot-calibrate platt --probe probe.h5 --outcomes outcomes.h5 --embeddings "
                "qwen.emb.h5 --splits splits.h5 --output probe.cal.h5",
};
