/* SPDX-License-Identifier: Apache-2.0 */
/* The labelled cells of the test queries as forecasts, their scores, and the bins of the diagram.
 */
#include "eval/reliability.h"
#include <math.h>
#include <stdlib.h>
#include "lib/core/json.h"
#include "lib/core/metrics.h"
#include "lib/core/rng.h"
#include "lib/core/stats.h"
#include "eval/band.h"
#include "eval/tables.h"
#include "liballot/mem.h"

enum { RESAMPLES = 200, IDEAL_DRAWS = 20, PICTURE_BINS = 15 };

/* The test cells in order of their prediction, with the way back to query and cell. */
typedef struct {
    allot_forecast *f; /* [n] sorted */
    size_t *cell;      /* [n] */
    size_t n;
} cells;

static const double *sort_key; /* qsort has no context; reports are made by one thread */

static int by_prediction(const void *a, const void *b)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (sort_key[i] != sort_key[j]) return sort_key[i] < sort_key[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

static void cells_clear(cells *c)
{
    free(c->f);
    free(c->cell);
    *c = (cells){0};
}

static allot_code cells_make(const allot_evaldata *d, const double *p, cells *c, allot_err *err)
{
    *c = (cells){.n = (size_t)d->n * (size_t)d->s};
    c->f = allot_mem_array(c->n, sizeof *c->f, err);
    c->cell = allot_mem_array(c->n, sizeof *c->cell, err);
    if (!c->f || !c->cell) {
        cells_clear(c);
        return ALLOT_ERUNTIME;
    }
    for (size_t i = 0; i < c->n; i++)
        c->cell[i] = i;
    sort_key = p;
    qsort(c->cell, c->n, sizeof *c->cell, by_prediction);
    for (size_t i = 0; i < c->n; i++)
        c->f[i] = (allot_forecast){.p = p[c->cell[i]], .a = d->label[c->cell[i]], .w = 1};
    return ALLOT_OK;
}

typedef struct {
    const char *name;
    double (*at)(const allot_forecast *f, size_t n);
} metric;

static double ece_width_10(const allot_forecast *f, size_t n)
{
    return allot_ece(f, n, ALLOT_BINS_WIDTH, 10);
}

static double ece_width_15(const allot_forecast *f, size_t n)
{
    return allot_ece(f, n, ALLOT_BINS_WIDTH, 15);
}

static double ece_width_30(const allot_forecast *f, size_t n)
{
    return allot_ece(f, n, ALLOT_BINS_WIDTH, 30);
}

static double ece_mass_10(const allot_forecast *f, size_t n)
{
    return allot_ece(f, n, ALLOT_BINS_MASS, 10);
}

static double ece_mass_15(const allot_forecast *f, size_t n)
{
    return allot_ece(f, n, ALLOT_BINS_MASS, 15);
}

static double ece_mass_30(const allot_forecast *f, size_t n)
{
    return allot_ece(f, n, ALLOT_BINS_MASS, 30);
}

static const metric metrics[] = {
    {"log_loss", allot_log_loss},   {"brier", allot_brier},         {"auc", allot_auc},
    {"ece_width_10", ece_width_10}, {"ece_width_15", ece_width_15}, {"ece_width_30", ece_width_30},
    {"ece_mass_10", ece_mass_10},   {"ece_mass_15", ece_mass_15},   {"ece_mass_30", ece_mass_30}};
enum { N_METRICS = sizeof metrics / sizeof *metrics, FIRST_ECE = 3 };

/* Values, and 95 % intervals by resampling whole queries: the cells of one query share their pool
 * of samples. drawn [RESAMPLES], weight [n]. */
static void add_metrics(const allot_evaldata *d, cells *c, long seed, double *weight, cJSON *out)
{
    double drawn[N_METRICS][RESAMPLES];
    for (int r = 0; r < RESAMPLES; r++) {
        allot_band_weights(seed, r, d->n, weight);
        for (size_t i = 0; i < c->n; i++)
            c->f[i].w = weight[c->cell[i] / (size_t)d->s];
        for (int m = 0; m < N_METRICS; m++)
            drawn[m][r] = metrics[m].at(c->f, c->n);
    }
    for (size_t i = 0; i < c->n; i++)
        c->f[i].w = 1;
    for (int m = 0; m < N_METRICS; m++) {
        allot_sort(drawn[m], RESAMPLES);
        allot_tables_interval(out, metrics[m].name, metrics[m].at(c->f, c->n),
                              allot_quantile_sorted(drawn[m], RESAMPLES, 0.025),
                              allot_quantile_sorted(drawn[m], RESAMPLES, 0.975));
    }
}

/* ECE of a model whose predictions are exactly right, on labels as noisy as ours. */
static void add_ideal(const allot_evaldata *d, cells *c, long seed, cJSON *out)
{
    double sum[N_METRICS] = {0};
    for (int draw = 0; draw < IDEAL_DRAWS; draw++) {
        for (size_t i = 0; i < c->n; i++) {
            allot_rng r = allot_rng_start((uint64_t)seed, 0x6964656c /* "idel" */, (uint64_t)draw,
                                          c->cell[i]);
            long trials = lround(d->n_eff[c->cell[i]]), hits = 0;
            if (trials < 1) trials = 1;
            for (long t = 0; t < trials; t++)
                hits += allot_rng_unit(&r) < c->f[i].p;
            c->f[i].a = (double)hits / (double)trials;
        }
        for (int m = FIRST_ECE; m < N_METRICS; m++)
            sum[m] += metrics[m].at(c->f, c->n);
    }
    cJSON *ideal = cJSON_AddObjectToObject(out, "perfectly_calibrated");
    for (int m = FIRST_ECE; m < N_METRICS; m++)
        allot_json_add_number(ideal, metrics[m].name, sum[m] / IDEAL_DRAWS);
}

allot_code allot_reliability_json(const allot_evaldata *d, long seed, cJSON **out, allot_err *err)
{
    double *weight = allot_mem_array((size_t)d->n, sizeof *weight, err);
    if (!weight) return ALLOT_ERUNTIME;
    cJSON *json = cJSON_CreateObject();
    allot_code rc = ALLOT_OK;
    for (int raw = 0; raw < 2 && !rc; raw++) {
        cells c;
        rc = cells_make(d, raw ? d->p_raw : d->p, &c, err);
        if (rc) break;
        cJSON *o = cJSON_AddObjectToObject(json, raw ? "raw" : "calibrated");
        add_metrics(d, &c, seed, weight, o);
        if (!raw) add_ideal(d, &c, seed, o);
        cells_clear(&c);
    }
    free(weight);
    if (rc) cJSON_Delete(json);
    else *out = json;
    return rc;
}

allot_code allot_reliability_csv(const allot_evaldata *d, allot_buf *out, allot_err *err)
{
    allot_buf_str(out, "kind,bin,predicted,observed,cells\n");
    for (int raw = 0; raw < 2; raw++) {
        cells c;
        allot_code rc = cells_make(d, raw ? d->p_raw : d->p, &c, err);
        if (rc) return rc;
        allot_reliability_bin bins[PICTURE_BINS];
        allot_reliability(c.f, c.n, ALLOT_BINS_MASS, PICTURE_BINS, bins);
        for (int b = 0; b < PICTURE_BINS; b++)
            if (bins[b].w > 0)
                allot_buf_printf(out, "%s,%d,%.6f,%.6f,%.0f\n", raw ? "raw" : "calibrated", b,
                                 bins[b].p, bins[b].a, bins[b].w);
        cells_clear(&c);
    }
    return ALLOT_OK;
}

static double value_of(const cJSON *o, const char *name)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, name);
    const cJSON *v = cJSON_IsObject(x) ? cJSON_GetObjectItemCaseSensitive(x, "value") : x;
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

void allot_reliability_summary(const cJSON *calibration, allot_buf *out)
{
    const cJSON *after = cJSON_GetObjectItemCaseSensitive(calibration, "calibrated");
    const cJSON *before = cJSON_GetObjectItemCaseSensitive(calibration, "raw");
    const cJSON *ideal = cJSON_GetObjectItemCaseSensitive(after, "perfectly_calibrated");
    allot_buf_printf(out,
                     "\nCalibration: ECE %.3f (15 equal-mass bins; %.3f before Platt, %.3f for a "
                     "perfect model)\n  Brier %.4f, log loss %.4f, AUC %.3f\n",
                     value_of(after, "ece_mass_15"), value_of(before, "ece_mass_15"),
                     value_of(ideal, "ece_mass_15"), value_of(after, "brier"),
                     value_of(after, "log_loss"), value_of(after, "auc"));
}
