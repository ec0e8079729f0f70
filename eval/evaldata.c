/* SPDX-License-Identifier: Apache-2.0 */
/* Joins bundle, outcomes, embeddings and the test split, and predicts every cell once. */
#include "eval/evaldata.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/bundlefile.h"
#include "lib/store/fingerprint.h"
#include "lib/core/json.h"
#include "liballot/mem.h"

/* The manifest's fields that no selector needs. trained points into manifest. */
static allot_code read_trained(const char *file, const allot_bundle *b, cJSON *manifest,
                               allot_joined_trained *trained, allot_err *err)
{
    cJSON *fingerprint = NULL;
    *trained = (allot_joined_trained){.file = file,
                                      .strategies = &b->strategies,
                                      .embedding_model = b->embedding_model,
                                      .embedding_id = b->embedding_id,
                                      .dim = b->probe.d};
    allot_code rc = allot_fingerprint_settle(manifest, file, err);
    if (!rc) rc = allot_json_object(manifest, "fingerprint", file, &fingerprint, err);
    if (!rc) rc = allot_json_string(manifest, "split_id", file, &trained->split_id, err);
    if (!rc) rc = allot_json_string(manifest, "metric", file, &trained->metric, err);
    trained->fingerprint = fingerprint;
    trained->grading = cJSON_GetObjectItemCaseSensitive(manifest, "grading");
    return rc;
}

static allot_code join(const allot_evalinputs *in, allot_evaldata *d, allot_joined *j,
                       allot_err *err)
{
    cJSON *manifest = NULL;
    allot_joined_trained trained;
    if (in->files.missing == ALLOT_MISSING_MASK)
        return allot_fail(err, ALLOT_EUSAGE,
                          "--missing: 'mask' makes no sense when strategies are compared on the "
                          "same queries (refuse, drop-query or drop-strategy)");
    allot_code rc = allot_bundlefile_load(in->bundle, &d->bundle, err);
    if (!rc)
        rc = allot_json_parse(d->bundle.manifest, strlen(d->bundle.manifest), in->bundle, &manifest,
                              err);
    if (!rc) rc = read_trained(in->bundle, &d->bundle, manifest, &trained, err);
    if (!rc) rc = allot_joined_load(&in->files, &trained, j, err);
    cJSON_Delete(manifest);
    d->dropped = j->dropped[ALLOT_TEST];
    return rc;
}

static allot_code make_room(const allot_joined *j, allot_evaldata *d, allot_err *err)
{
    d->n = (int)j->n[ALLOT_TEST];
    if (d->n < 2)
        return allot_fail(err, ALLOT_EINPUT,
                          "only %d test queries: nothing can be evaluated "
                          "(make a split with a larger test share)",
                          d->n);
    d->s = d->bundle.strategies.count;
    size_t cells = (size_t)d->n * (size_t)d->s;
    double **arrays[] = {&d->label,  &d->half[0], &d->half[1], &d->n_eff,
                         &d->tokens, &d->seconds, &d->p,       &d->p_raw};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (!(*arrays[i] = allot_mem_array(cells, sizeof(double), err))) return ALLOT_ERUNTIME;
    d->table_tokens = allot_mem_array((size_t)d->s, sizeof(double), err);
    d->table_seconds = allot_mem_array((size_t)d->s, sizeof(double), err);
    return d->table_tokens && d->table_seconds ? ALLOT_OK : ALLOT_ERUNTIME;
}

/* Predictions of one query, calibrated and raw; logits are computed once. */
static allot_code predict(const allot_evaldata *d, const float *embedding, long codepoints,
                          float *scratch, float *z, size_t row, allot_err *err)
{
    const allot_bundle *b = &d->bundle;
    allot_code rc =
        allot_probe_logits(&b->probe, embedding, (size_t)codepoints, b->v, scratch, z, err);
    for (int s = 0; s < d->s && !rc; s++) {
        size_t cell = row * (size_t)d->s + (size_t)s;
        d->p_raw[cell] = allot_sigmoid((double)z[s]);
        d->p[cell] = allot_calib_apply(&b->calib, b->strategies.at[s].method, (double)z[s]);
    }
    return rc;
}

static allot_code fill(const allot_joined *j, allot_evaldata *d, allot_err *err)
{
    const allot_outcomes *o = &j->outcomes;
    float *scratch = allot_mem_array(allot_scratch_floats(&d->bundle), sizeof *scratch, err);
    float *z = allot_mem_array((size_t)d->s, sizeof *z, err);
    allot_code rc = scratch && z ? ALLOT_OK : ALLOT_ERUNTIME;
    int halves = 1, measured = 1;
    size_t row = 0, s_count = (size_t)d->s;
    for (long q = 0; q < o->n && !rc; q++) {
        if (j->split_of[q] != ALLOT_TEST) continue;
        rc = predict(d, allot_joined_embedding(j, q), o->codepoints[q], scratch, z, row, err);
        for (size_t s = 0; s < s_count; s++) {
            size_t from = (size_t)q * s_count + s, to = row * s_count + s;
            d->label[to] = (double)o->accuracy[from];
            d->n_eff[to] = (double)o->n_eff[from];
            d->tokens[to] = (double)o->tokens[from];
            d->seconds[to] = (double)o->seconds[from];
            d->half[0][to] = (double)o->half[2 * from];
            d->half[1][to] = (double)o->half[2 * from + 1];
            if (isnan(o->half[2 * from]) || isnan(o->half[2 * from + 1])) halves = 0;
            if (o->seconds_kind[from] != ALLOT_SECONDS_MEASURED) measured = 0;
        }
        row++;
    }
    free(scratch);
    free(z);
    d->seconds_measured = measured;
    if (!halves)
        for (int h = 0; h < 2; h++) {
            free(d->half[h]);
            d->half[h] = NULL;
        }
    return rc;
}

/* Predicted costs; and realised seconds from the table unless every test cell was measured: means
 * of part of the cells would favour the strategies that happened to be timed on easy queries. */
static void cost_tables(allot_evaldata *d)
{
    const allot_costs *c = &d->bundle.costs;
    for (int s = 0; s < d->s; s++) {
        d->table_tokens[s] = c->at[s].tokens.mean;
        d->table_seconds[s] = c->has_seconds ? c->at[s].seconds.mean : 0;
    }
    if (!c->has_seconds) { /* nothing to predict seconds from */
        free(d->table_seconds);
        free(d->seconds);
        d->table_seconds = d->seconds = NULL;
        d->seconds_measured = 0;
    } else if (!d->seconds_measured) {
        for (int q = 0; q < d->n; q++)
            memcpy(d->seconds + (size_t)q * (size_t)d->s, d->table_seconds,
                   (size_t)d->s * sizeof(double));
    }
}

allot_code allot_evaldata_load(const allot_evalinputs *in, allot_evaldata *out, allot_err *err)
{
    *out = (allot_evaldata){0};
    allot_joined j = {0};
    allot_code rc = join(in, out, &j, err);
    if (!rc) rc = make_room(&j, out, err);
    if (!rc) rc = fill(&j, out, err);
    if (!rc) {
        cost_tables(out);
        memcpy(out->metric, j.outcomes.metric, sizeof out->metric);
        out->embedding_model = allot_mem_text(j.embeddings.model, strlen(j.embeddings.model), err);
        if (!out->embedding_model) rc = ALLOT_ERUNTIME;
    }
    allot_joined_clear(&j);
    if (rc) allot_evaldata_clear(out);
    return rc;
}

void allot_evaldata_clear(allot_evaldata *d)
{
    allot_bundle_clear(&d->bundle);
    double *arrays[] = {d->label,   d->half[0], d->half[1], d->n_eff,        d->tokens,
                        d->seconds, d->p,       d->p_raw,   d->table_tokens, d->table_seconds};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    free(d->embedding_model);
    *d = (allot_evaldata){0};
}
