/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the input files and lays out query parts and labelled cells of each split. */
#include "train/traindata.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/joined.h"
#include "liballot/mem.h"

/* Mean and 1 / standard deviation over the training queries of one column of the embedding, or of
 * the length feature, which is the column behind the last. A constant column keeps scale 1. */
static void standardise(const allot_joined *j, long column, allot_feature_layout layout,
                        float *mean, float *scale)
{
    double sum = 0, squares = 0;
    long n = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (long q = 0; q < j->outcomes.n; q++) {
            if (j->split_of[q] != ALLOT_TRAIN) continue;
            double value =
                column < j->embeddings.dim
                    ? (double)allot_joined_embedding(j, q)[column]
                    : (double)allot_features_length(layout, (size_t)j->outcomes.codepoints[q]);
            n += pass == 0;
            if (pass == 0) sum += value;
            else squares += (value - sum / (double)n) * (value - sum / (double)n);
        }
    }
    double deviation = sqrt(squares / (double)n);
    *mean = (float)(sum / (double)n);
    *scale = deviation > 1e-6 * fabs((double)*mean) ? (float)(1 / deviation) : 1;
    if (!isfinite(*scale)) *scale = 1;
}

static allot_code fill_file(const allot_traindata_source *src, allot_joined *j, allot_traindata *t,
                            allot_err *err)
{
    allot_probefile *f = &t->file;
    allot_feature_layout layout = src->paper ? ALLOT_FEATURES_PAPER : ALLOT_FEATURES_DEFAULT;
    int p = allot_features_strategy_dim(layout, &j->outcomes.strategies);
    f->probe = (allot_probe){.layout = layout,
                             .d = (int)j->embeddings.dim,
                             .p = p,
                             .s = j->outcomes.strategies.count,
                             .h1 = src->hidden,
                             .h2 = src->hidden};
    allot_code rc = allot_probe_init(&f->probe, err);
    if (rc) return rc;
    for (long c = 0; !src->paper && c < j->embeddings.dim; c++)
        standardise(j, c, layout, &f->probe.mean[c], &f->probe.scale[c]);
    if (!src->paper)
        standardise(j, j->embeddings.dim, layout, &f->probe.length_norm[0],
                    &f->probe.length_norm[1]);
    allot_calib_identity(&f->calib);
    memcpy(f->embedding_id, j->embeddings.id, sizeof f->embedding_id);
    memcpy(f->split_id, j->splits.id, sizeof f->split_id);
    memcpy(f->metric, j->outcomes.metric, sizeof f->metric);
    f->embedding_normalized = j->embeddings.normalized;
    f->embedding_model = j->embeddings.model; /* these change their owner */
    f->embedding_pooling = j->embeddings.pooling;
    f->embedding_prefix = j->embeddings.prefix;
    f->fingerprint = j->outcomes.fingerprint;
    f->grading = j->outcomes.grading;
    f->strategies = j->outcomes.strategies;
    j->embeddings.model = j->embeddings.pooling = j->embeddings.prefix = NULL;
    j->outcomes.fingerprint = j->outcomes.grading = NULL;
    j->outcomes.strategies = (allot_strategies){0};
    t->features = allot_mem_array((size_t)f->strategies.count * (size_t)p, sizeof(float), err);
    if (!t->features) return ALLOT_ERUNTIME;
    return allot_features_strategy(layout, &f->strategies, t->features, err);
}

static void fill_query(const allot_joined *j, const allot_probe *p, long q, float *x)
{
    const float *e = allot_joined_embedding(j, q);
    for (int i = 0; i < p->d; i++)
        x[i] = (e[i] - p->mean[i]) * p->scale[i];
    float length = allot_features_length(p->layout, (size_t)j->outcomes.codepoints[q]);
    x[p->d] = (length - p->length_norm[0]) * p->length_norm[1];
}

static allot_code fill_cells(const allot_joined *j, const allot_traindata *t, allot_split split,
                             int by_n_eff, allot_cells *c, allot_err *err)
{
    size_t s = (size_t)t->file.strategies.count, row = 0;
    double weights = 0;
    c->n = j->n[split];
    c->d1 = t->file.probe.d + 1;
    c->n_strategies = (int)s;
    c->x = allot_mem_array((size_t)c->n, (size_t)c->d1 * sizeof *c->x, err);
    c->label = allot_mem_array((size_t)c->n, s * sizeof *c->label, err);
    c->weight = allot_mem_array((size_t)c->n, s * sizeof *c->weight, err);
    if (!c->x || !c->label || !c->weight) return ALLOT_ERUNTIME;
    for (long q = 0; q < j->outcomes.n; q++) {
        if (j->split_of[q] != split) continue;
        fill_query(j, &t->file.probe, q, c->x + row * (size_t)c->d1);
        for (size_t i = 0; i < s; i++) {
            size_t from = (size_t)q * s + i, to = row * s + i;
            c->label[to] = j->outcomes.accuracy[from];
            if (j->outcomes.n_trials[from] == 0) continue;
            c->weight[to] = by_n_eff ? j->outcomes.n_eff[from] : 1;
            weights += (double)c->weight[to];
            c->n_cells++;
        }
        row++;
    }
    for (size_t i = 0; i < row * s; i++)
        c->weight[i] = (float)((double)c->weight[i] * (double)c->n_cells / weights);
    return ALLOT_OK;
}

static double mean_n_eff(const allot_joined *j)
{
    double sum = 0;
    long n = 0;
    for (long q = 0; q < j->outcomes.n; q++)
        for (int s = 0; j->split_of[q] == ALLOT_TRAIN && s < j->outcomes.strategies.count; s++) {
            long cell = q * j->outcomes.strategies.count + s;
            if (j->outcomes.n_trials[cell] == 0) continue;
            sum += (double)j->outcomes.n_eff[cell];
            n++;
        }
    return sum / (double)n;
}

/* Both splits must hold something to learn from. */
static allot_code check_splits(const allot_traindata_source *src, const allot_joined *j,
                               allot_err *err)
{
    static const allot_split needed[] = {ALLOT_TRAIN, ALLOT_VALIDATION};
    for (int i = 0; i < 2; i++) {
        long n = 0;
        for (long q = 0; q < j->outcomes.n; q++)
            for (int s = 0; j->split_of[q] == needed[i] && s < j->outcomes.strategies.count; s++)
                n += j->outcomes.n_trials[q * j->outcomes.strategies.count + s] > 0;
        if (n == 0)
            return allot_fail(err, ALLOT_EINPUT,
                              "no labelled query of '%s' is in the %s split of "
                              "'%s' (split again with a larger share, or label more queries)",
                              src->outcomes, allot_split_name(needed[i]), src->splits);
    }
    return ALLOT_OK;
}

allot_code allot_traindata_load(const allot_traindata_source *source, allot_traindata *out,
                                allot_err *err)
{
    allot_joined j;
    const allot_joined_files files = {source->outcomes, source->embeddings, source->splits,
                                      source->missing};
    *out = (allot_traindata){0};
    allot_code rc = allot_joined_load(&files, NULL, &j, err);
    for (int s = 0; !rc && s < ALLOT_N_SPLITS; s++)
        out->dropped_queries += j.dropped[s];
    out->dropped_strategies = j.dropped_strategies;
    if (!rc) rc = check_splits(source, &j, err);
    if (!rc) out->n_eff_mean = mean_n_eff(&j);
    if (!rc) rc = fill_file(source, &j, out, err);
    if (!rc) rc = fill_cells(&j, out, ALLOT_TRAIN, source->weight_by_n_eff, &out->train, err);
    if (!rc) rc = fill_cells(&j, out, ALLOT_VALIDATION, 0, &out->validation, err);
    allot_joined_clear(&j);
    if (rc) allot_traindata_clear(out);
    return rc;
}

static void clear_cells(allot_cells *c)
{
    free(c->x);
    free(c->label);
    free(c->weight);
    *c = (allot_cells){0};
}

void allot_traindata_clear(allot_traindata *t)
{
    clear_cells(&t->train);
    clear_cells(&t->validation);
    allot_probefile_clear(&t->file);
    free(t->features);
    *t = (allot_traindata){0};
}
