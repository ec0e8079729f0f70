/* SPDX-License-Identifier: Apache-2.0 */
/* Weights, calibration and provenance of a probe to HDF5 and back, shapes checked before reading.
 */
#include "lib/store/probefile.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "lib/store/h5.h"
#include "lib/core/json.h"
#include "lib/store/provenance.h"
#include "lib/store/strategyfile.h"

static const allot_versions versions = {2, 2};

void allot_probe_views(const allot_probe *p, allot_probe_view out[ALLOT_PROBE_VIEWS])
{
    long d = p->d, f = p->p, h1 = p->h1, h2 = p->h2;
    const allot_probe_view views[ALLOT_PROBE_VIEWS] = {
        {"mean", p->mean, 1, {d, 0}},
        {"scale", p->scale, 1, {d, 0}},
        {"length_norm", p->length_norm, 1, {2, 0}},
        {"offset", p->offset, 1, {p->s, 0}},
        {"interaction", p->interaction, 1, {1, 0}},
        {"w1_query", p->w1q, 2, {h1, d + 1}},
        {"w1_strategy", p->w1s, 2, {h1, f}},
        {"b1", p->b1, 1, {h1, 0}},
        {"w2", p->w2, 2, {h2, h1}},
        {"b2", p->b2, 1, {h2, 0}},
        {"w3", p->w3, 1, {h2, 0}},
        {"b3", p->b3, 1, {1, 0}},
    };
    memcpy(out, views, sizeof views);
}

const char *allot_layout_name(allot_feature_layout layout)
{
    return layout == ALLOT_FEATURES_PAPER ? "paper" : "default";
}

/* ---- calibration ---- */

/* cJSON's own numbers may differ in the last bit when they are read again. */
static void add_exact(cJSON *object, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    cJSON_AddRawToObject(object, name, text);
}

int allot_calib_tells(const allot_strategies *set, allot_method m)
{
    return allot_features_always(m) || allot_strategies_use(set, m);
}

cJSON *allot_calib_to_json(const allot_calib *c, const allot_strategies *set, int fitted)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddBoolToObject(object, "fitted", fitted);
    cJSON *a = cJSON_AddObjectToObject(object, "a"), *b = cJSON_AddObjectToObject(object, "b");
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        if (!allot_calib_tells(set, (allot_method)m)) continue;
        add_exact(a, allot_method_name((allot_method)m), c->a[m]);
        add_exact(b, allot_method_name((allot_method)m), c->b[m]);
    }
    return object;
}

/* Missing: 1 and 0, of methods that the set does not use. */
allot_code allot_calib_from_json(const cJSON *object, const char *where,
                                 const allot_strategies *set, allot_calib *out, int *fitted,
                                 allot_err *err)
{
    const cJSON *flag = cJSON_GetObjectItemCaseSensitive(object, "fitted");
    cJSON *a, *b;
    if (!cJSON_IsBool(flag))
        return allot_fail(err, ALLOT_EINPUT, "%s: \"fitted\" is missing or not true or false",
                          where);
    allot_code rc = allot_json_object(object, "a", where, &a, err);
    if (!rc) rc = allot_json_object(object, "b", where, &b, err);
    allot_calib_identity(out);
    for (int m = 0; !rc && m < ALLOT_N_METHODS; m++) {
        const char *name = allot_method_name((allot_method)m);
        int told = cJSON_HasObjectItem(a, name) || cJSON_HasObjectItem(b, name);
        if (!told && !allot_strategies_use(set, (allot_method)m)) continue;
        rc = allot_json_number(a, name, where, -1e6, 1e6, &out->a[m], err);
        if (!rc) rc = allot_json_number(b, name, where, -1e6, 1e6, &out->b[m], err);
    }
    *fitted = cJSON_IsTrue(flag);
    return rc;
}

/* ---- reading ---- */

static allot_code read_layout(allot_h5 *h, allot_feature_layout *out, allot_err *err)
{
    char name[16];
    allot_code rc = allot_h5_get_short(h, "layout", name, sizeof name, err);
    if (rc) return rc;
    *out = strcmp(name, "paper") ? ALLOT_FEATURES_DEFAULT : ALLOT_FEATURES_PAPER;
    if (strcmp(name, allot_layout_name(*out)))
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': layout is '%s', not default or "
                          "paper",
                          allot_h5_path(h), name);
    return ALLOT_OK;
}

/* Sizes come from two arrays; all others must then have the shapes that follow. */
static allot_code init_probe(allot_h5 *h, allot_probefile *p, allot_err *err)
{
    allot_feature_layout layout;
    long q[2], w2[2];
    allot_code rc = read_layout(h, &layout, err);
    if (!rc) rc = allot_h5_shape(h, "w1_query", ALLOT_H5_F32, 2, q, err);
    if (!rc) rc = allot_h5_shape(h, "w2", ALLOT_H5_F32, 2, w2, err);
    if (rc) return rc;
    if (q[0] > ALLOT_PROBE_MAX_HIDDEN || w2[0] > ALLOT_PROBE_MAX_HIDDEN || q[1] < 2 ||
        q[1] - 1 > ALLOT_PROBE_MAX_DIM)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': a probe with %ld inputs, %ld and %ld "
                          "hidden units is out of bounds",
                          allot_h5_path(h), q[1], q[0], w2[0]);
    p->probe = (allot_probe){.layout = layout,
                             .d = (int)q[1] - 1,
                             .h1 = (int)q[0],
                             .h2 = (int)w2[0],
                             .p = allot_features_strategy_dim(layout, &p->strategies),
                             .s = p->strategies.count};
    rc = allot_probe_init(&p->probe, err);
    return rc ? allot_fail_in(err, "cannot read '%s'", allot_h5_path(h)) : ALLOT_OK;
}

static allot_code read_weights(allot_h5 *h, allot_probefile *p, allot_err *err)
{
    allot_probe_view views[ALLOT_PROBE_VIEWS];
    allot_probe_views(&p->probe, views);
    for (int i = 0; i < ALLOT_PROBE_VIEWS; i++) {
        const allot_probe_view *v = &views[i];
        long dims[2] = {0};
        allot_code rc = allot_h5_shape(h, v->name, ALLOT_H5_F32, v->rank, dims, err);
        if (!rc && (dims[0] != v->dims[0] || dims[1] != v->dims[1]))
            rc = allot_fail(err, ALLOT_EINPUT,
                            "cannot read '%s': '/%s' has the wrong shape for its "
                            "hidden units and strategies (train again)",
                            allot_h5_path(h), v->name);
        if (!rc) rc = allot_h5_read_rows(h, v->name, ALLOT_H5_F32, v->rank, 0, dims[0], v->at, err);
        if (rc) return rc;
    }
    if (allot_probe_check(&p->probe, err))
        return allot_fail_in(err, "cannot read '%s'", allot_h5_path(h));
    return ALLOT_OK;
}

static allot_code read_calibration(allot_h5 *h, allot_probefile *p, allot_err *err)
{
    char where[512];
    cJSON *ab;
    snprintf(where, sizeof where, "cannot read '%.400s': 'platt'", allot_h5_path(h));
    allot_code rc = allot_json_from_h5(h, "platt", &ab, err);
    if (!rc) rc = allot_calib_from_json(ab, where, &p->strategies, &p->calib, &p->calibrated, err);
    cJSON_Delete(ab);
    if (!rc && p->calibrated) rc = allot_json_from_h5(h, "calibration", &p->calibration, err);
    return rc;
}

static allot_code read_attributes(allot_h5 *h, allot_probefile *p, allot_err *err)
{
    allot_code rc = allot_h5_get_text(h, "embedding_model", &p->embedding_model, err);
    if (!rc) rc = allot_h5_get_text(h, "embedding_pooling", &p->embedding_pooling, err);
    if (!rc) rc = allot_h5_get_text(h, "embedding_prefix", &p->embedding_prefix, err);
    long normalized = 0;
    if (!rc) rc = allot_h5_get_long(h, "embedding_normalized", 0, 1, &normalized, err);
    p->embedding_normalized = (int)normalized;
    if (!rc)
        rc = allot_h5_get_short(h, "embedding_id", p->embedding_id, sizeof p->embedding_id, err);
    if (!rc) rc = allot_h5_get_short(h, "split_id", p->split_id, sizeof p->split_id, err);
    if (!rc) rc = allot_h5_get_short(h, "metric", p->metric, sizeof p->metric, err);
    if (!rc) rc = allot_fingerprint_from_h5(h, &p->fingerprint, &p->grading, err);
    if (!rc) rc = allot_json_from_h5(h, "training", &p->training, err);
    return rc;
}

allot_code allot_probefile_load(const char *path, allot_probefile *out, allot_err *err)
{
    allot_h5 *h;
    *out = (allot_probefile){0};
    allot_code rc = allot_h5_open(path, ALLOT_PROBE_SCHEMA, versions, &h, err);
    if (rc) return rc;
    rc = allot_strategyfile_from_h5(h, &out->strategies, err);
    if (!rc) rc = init_probe(h, out, err);
    if (!rc) rc = read_weights(h, out, err);
    if (!rc) rc = read_attributes(h, out, err);
    if (!rc) rc = read_calibration(h, out, err);
    allot_h5_close(&h);
    if (rc) allot_probefile_clear(out);
    return rc;
}

/* ---- writing ---- */

/* What is told to people may be absent. */
static allot_code write_object(allot_h5 *h, const char *name, const cJSON *object, allot_err *err)
{
    return object ? allot_json_to_h5(h, name, object, err) : allot_h5_set_text(h, name, "{}", err);
}

static allot_code write_platt(allot_h5 *h, const allot_probefile *p, allot_err *err)
{
    cJSON *ab = allot_calib_to_json(&p->calib, &p->strategies, p->calibrated);
    allot_code rc = allot_json_to_h5(h, "platt", ab, err);
    cJSON_Delete(ab);
    if (!rc && p->calibrated) rc = write_object(h, "calibration", p->calibration, err);
    return rc;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static allot_code write_attributes(allot_h5 *h, const allot_probefile *p, allot_err *err)
{
    allot_code rc = allot_h5_set_text(h, "layout", allot_layout_name(p->probe.layout), err);
    if (!rc) rc = allot_h5_set_text(h, "embedding_model", p->embedding_model, err);
    if (!rc) rc = allot_h5_set_text(h, "embedding_pooling", or_empty(p->embedding_pooling), err);
    if (!rc) rc = allot_h5_set_text(h, "embedding_prefix", or_empty(p->embedding_prefix), err);
    if (!rc) rc = allot_h5_set_long(h, "embedding_normalized", p->embedding_normalized, err);
    if (!rc) rc = allot_h5_set_text(h, "embedding_id", p->embedding_id, err);
    if (!rc) rc = allot_h5_set_text(h, "split_id", p->split_id, err);
    if (!rc) rc = allot_h5_set_text(h, "metric", p->metric, err);
    if (!rc) rc = allot_fingerprint_to_h5(h, p->fingerprint, p->grading, err);
    if (!rc) rc = write_object(h, "training", p->training, err);
    if (!rc) rc = write_platt(h, p, err);
    return rc;
}

static allot_code write_weights(allot_h5 *h, const allot_probe *probe, allot_err *err)
{
    allot_probe_view views[ALLOT_PROBE_VIEWS];
    allot_code rc = ALLOT_OK;
    allot_probe_views(probe, views);
    for (int i = 0; !rc && i < ALLOT_PROBE_VIEWS; i++)
        rc = allot_h5_write(h, views[i].name, ALLOT_H5_F32, views[i].rank, views[i].dims,
                            views[i].at, err);
    return rc;
}

/* An uncalibrated probe has the identity, whatever the caller left there. */
static allot_code check_calibration(const allot_probefile *p, const char *path, allot_err *err)
{
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        if (!isfinite(p->calib.a[m]) || !isfinite(p->calib.b[m]))
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot write '%s': the calibration of %s is not "
                              "finite",
                              path, allot_method_name((allot_method)m));
        if (!p->calibrated && (p->calib.a[m] != 1 || p->calib.b[m] != 0))
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot write '%s': the probe is not calibrated "
                              "but has a calibration",
                              path);
    }
    return ALLOT_OK;
}

allot_code allot_probefile_save(const char *path, const allot_probefile *p, const char *tool,
                                long seed, const char *const *inputs, allot_err *err)
{
    allot_h5 *h;
    if (allot_probe_check(&p->probe, err)) return allot_fail_in(err, "cannot write '%s'", path);
    allot_code rc = check_calibration(p, path, err);
    if (!rc) rc = allot_h5_create(path, ALLOT_PROBE_SCHEMA, versions.newest, &h, err);
    if (rc) return rc;
    rc = allot_strategyfile_to_h5(h, &p->strategies, err);
    if (!rc) rc = write_weights(h, &p->probe, err);
    if (!rc) rc = write_attributes(h, p, err);
    if (!rc) rc = allot_provenance_to_h5(h, tool, seed, inputs, err);
    if (!rc) rc = allot_h5_commit(&h, err);
    allot_h5_close(&h);
    return rc;
}

void allot_probefile_clear(allot_probefile *p)
{
    allot_probe_clear(&p->probe);
    allot_strategies_clear(&p->strategies);
    free(p->embedding_model);
    free(p->embedding_pooling);
    free(p->embedding_prefix);
    cJSON_Delete(p->fingerprint);
    cJSON_Delete(p->grading);
    cJSON_Delete(p->training);
    cJSON_Delete(p->calibration);
    *p = (allot_probefile){0};
}
