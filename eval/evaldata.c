/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/evaldata.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/embeddings.h"
#include "core/fingerprint.h"
#include "core/json.h"
#include "core/splits.h"
#include "core/strategyfile.h"
#include "liballot/mem.h"

/* Everything that is read besides the bundle; lives only while the test set is put together. */
typedef struct {
    allot_outcomes outcomes;
    allot_embeddings embeddings;
    allot_splits splits;
    cJSON *manifest;
    uint8_t *split_of;       /* [Q] */
    long *embedding_row;     /* [Q] */
} sources;

static void sources_clear(sources *src)
{
    allot_outcomes_clear(&src->outcomes);
    allot_embeddings_clear(&src->embeddings);
    allot_splits_clear(&src->splits);
    cJSON_Delete(src->manifest);
    free(src->split_of);
    free(src->embedding_row);
}

static allot_code check_belong(const allot_evalinputs *in, const sources *src,
                               const allot_bundle *b, allot_err *err)
{
    allot_code rc = allot_strategyfile_agree(
        &b->strategies, in->bundle, &src->outcomes.strategies, in->outcomes,
        "train and export on these outcomes, or evaluate on the ones the bundle was made from",
        err);
    if (rc) return rc;
    cJSON *fields;
    rc = allot_json_object(src->manifest, "fingerprint", in->bundle, &fields, err);
    if (!rc)
        rc = allot_fingerprint_agree(fields, in->bundle, src->outcomes.fingerprint, in->outcomes,
                                     "train on these outcomes, or label the run the bundle was "
                                     "made from",
                                     err);
    if (rc) return rc;
    rc = allot_embeddings_agree(&src->embeddings, in->embeddings, b->embedding_model, b->probe.d,
                                b->embedding_id, in->bundle, err);
    if (rc) return rc;
    const char *split_id;
    rc = allot_json_string(src->manifest, "split_id", in->bundle, &split_id, err);
    if (!rc && strcmp(split_id, src->splits.id) != 0)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "'%s' was trained on split %s, '%s' is split %s: its test queries may "
                          "have been trained on (give the splits that allot-train had)",
                          in->bundle, split_id, in->splits, src->splits.id);
    return rc;
}

static allot_code read_sources(const allot_evalinputs *in, sources *src, allot_evaldata *d,
                               allot_err *err)
{
    allot_code rc = allot_bundle_load(in->bundle, &d->bundle, err);
    if (!rc)
        rc = allot_json_parse(d->bundle.manifest, strlen(d->bundle.manifest), in->bundle,
                              &src->manifest, err);
    if (!rc) rc = allot_outcomes_load(in->outcomes, &src->outcomes, err);
    if (!rc) rc = allot_embeddings_load(in->embeddings, &src->embeddings, err);
    if (!rc) rc = allot_splits_load(in->splits, &src->splits, err);
    if (!rc) rc = check_belong(in, src, &d->bundle, err);
    return rc;
}

static allot_code join(const allot_evalinputs *in, sources *src, allot_evaldata *d,
                       allot_err *err)
{
    allot_outcomes *o = &src->outcomes;
    int dropped_strategies = 0;
    if (in->missing != ALLOT_MISSING_REFUSE && in->missing != ALLOT_MISSING_DROP_QUERY)
        return allot_fail(err, ALLOT_EUSAGE, "--missing: only 'refuse' and 'drop-query' make sense "
                                             "when strategies are compared on the same queries");
    allot_code rc = allot_outcomes_missing(o, in->missing, in->outcomes, &d->dropped,
                                           &dropped_strategies, err);
    if (rc) return rc;
    src->split_of = allot_mem_array((size_t)o->n, 1, err);
    src->embedding_row = allot_mem_array((size_t)o->n, sizeof(long), err);
    allot_keyindex index = {0};
    if (!src->split_of || !src->embedding_row) return ALLOT_ERUNTIME;
    rc = allot_splits_join(&src->splits, in->splits, o->keys, o->n, in->outcomes, src->split_of,
                           err);
    if (!rc)
        rc = allot_keyindex_build(&index, src->embeddings.keys, (size_t)src->embeddings.n,
                                  in->embeddings, err);
    if (!rc)
        rc = allot_key_join(o->keys, (size_t)o->n, in->outcomes, &index, in->embeddings,
                            "run 'allot-datasets embed' on the whole data set",
                            src->embedding_row, err);
    allot_keyindex_clear(&index);
    return rc;
}

static allot_code make_room(const sources *src, allot_evaldata *d, allot_err *err)
{
    const allot_outcomes *o = &src->outcomes;
    for (long q = 0; q < o->n; q++) d->n += src->split_of[q] == ALLOT_TEST;
    if (d->n < 2)
        return allot_fail(err, ALLOT_EINPUT, "only %d test queries: nothing can be evaluated "
                                             "(make a split with a larger test share)", d->n);
    d->s = d->bundle.strategies.count;
    size_t cells = (size_t)d->n * (size_t)d->s;
    double **arrays[] = {&d->label, &d->half[0], &d->half[1], &d->n_eff,
                         &d->tokens, &d->seconds, &d->p, &d->p_raw};
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
    allot_code rc = allot_probe_logits(&b->probe, embedding, (size_t)codepoints, b->v, scratch,
                                       z, err);
    for (int s = 0; s < d->s && !rc; s++) {
        size_t cell = row * (size_t)d->s + (size_t)s;
        d->p_raw[cell] = allot_sigmoid((double)z[s]);
        d->p[cell] = allot_calib_apply(&b->calib, b->strategies.at[s].method, (double)z[s]);
    }
    return rc;
}

static allot_code fill(const sources *src, allot_evaldata *d, allot_err *err)
{
    const allot_outcomes *o = &src->outcomes;
    float *scratch = allot_mem_array(allot_scratch_floats(&d->bundle), sizeof *scratch, err);
    float *z = allot_mem_array((size_t)d->s, sizeof *z, err);
    allot_code rc = scratch && z ? ALLOT_OK : ALLOT_ERUNTIME;
    int halves = 1, measured = 1;
    size_t row = 0, s_count = (size_t)d->s;
    for (long q = 0; q < o->n && !rc; q++) {
        if (src->split_of[q] != ALLOT_TEST) continue;
        const float *e = src->embeddings.at + src->embedding_row[q] * src->embeddings.dim;
        rc = predict(d, e, o->codepoints[q], scratch, z, row, err);
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

/* Predicted costs; and realised seconds from the table unless every test cell was measured: means of
 * part of the cells would favour the strategies that happened to be timed on easy queries. */
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
    sources src = {0};
    allot_code rc = read_sources(in, &src, out, err);
    if (!rc) rc = join(in, &src, out, err);
    if (!rc) rc = make_room(&src, out, err);
    if (!rc) rc = fill(&src, out, err);
    if (!rc) {
        cost_tables(out);
        memcpy(out->metric, src.outcomes.metric, sizeof out->metric);
        out->embedding_model = allot_mem_text(src.embeddings.model, strlen(src.embeddings.model),
                                              err);
        if (!out->embedding_model) rc = ALLOT_ERUNTIME;
    }
    sources_clear(&src);
    if (rc) allot_evaldata_clear(out);
    return rc;
}

void allot_evaldata_clear(allot_evaldata *d)
{
    allot_bundle_clear(&d->bundle);
    double *arrays[] = {d->label, d->half[0], d->half[1], d->n_eff, d->tokens,
                        d->seconds, d->p, d->p_raw, d->table_tokens, d->table_seconds};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    free(d->embedding_model);
    *d = (allot_evaldata){0};
}
