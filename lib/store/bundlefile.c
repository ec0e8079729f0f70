/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest and tensors to bytes, their checksum, and a reading back before the file gets its
 * name. */
#include "lib/store/bundlefile.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "liballot/bundle.h"
#include "liballot/checksum.h"
#include "lib/core/log.h"
#include "lib/store/strategyfile.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are written as they are");

static void add_copy(cJSON *object, const char *name, const cJSON *value)
{
    cJSON_AddItemToObject(object, name, value ? cJSON_Duplicate(value, 1) : cJSON_CreateObject());
}

/* The manifest's fields are described in docs/formats.md. */
static cJSON *make_manifest(const allot_probefile *p, const allot_costs *costs,
                            const cJSON *hardware, const cJSON *provenance)
{
    char id[17];
    cJSON *m = cJSON_CreateObject();
    snprintf(id, sizeof id, "%016" PRIx64, allot_strategies_id(&p->strategies));
    cJSON_AddStringToObject(m, "schema", ALLOT_BUNDLE_SCHEMA);
    cJSON_AddNumberToObject(m, "version", ALLOT_BUNDLE_VERSION);
    cJSON_AddStringToObject(m, "tool_version", ALLOT_VERSION);
    cJSON_AddItemToObject(m, "strategies", allot_strategyfile_to_json(&p->strategies));
    cJSON_AddStringToObject(m, "strategy_set_id", id);
    cJSON_AddStringToObject(m, "layout", allot_layout_name(p->probe.layout));
    cJSON_AddItemToObject(m, "hidden", cJSON_CreateIntArray((int[]){p->probe.h1, p->probe.h2}, 2));
    cJSON *embedding = cJSON_AddObjectToObject(m, "embedding");
    cJSON_AddStringToObject(embedding, "model", p->embedding_model);
    cJSON_AddStringToObject(embedding, "id", p->embedding_id);
    cJSON_AddNumberToObject(embedding, "dimension", p->probe.d);
    const char *pooling = p->embedding_pooling, *prefix = p->embedding_prefix;
    cJSON_AddStringToObject(embedding, "pooling", pooling ? pooling : "");
    cJSON_AddStringToObject(embedding, "prefix", prefix ? prefix : "");
    cJSON_AddBoolToObject(embedding, "normalized", p->embedding_normalized);
    cJSON_AddItemToObject(m, "calibration",
                          allot_calib_to_json(&p->calib, &p->strategies, p->calibrated));
    cJSON_AddItemToObject(m, "costs", allot_costs_to_json(costs, &p->strategies));
    add_copy(m, "fingerprint", p->fingerprint);
    if (p->grading) add_copy(m, "grading", p->grading);
    add_copy(m, "hardware", hardware);
    cJSON_AddStringToObject(m, "metric", p->metric);
    cJSON_AddStringToObject(m, "split_id", p->split_id);
    add_copy(m, "training", p->training);
    add_copy(m, "provenance", provenance);
    return m;
}

static size_t view_bytes(const allot_probe_view *v)
{
    return (size_t)v->dims[0] * (size_t)(v->rank > 1 ? v->dims[1] : 1) * sizeof(float);
}

/* The safetensors header; the manifest goes into its metadata as a text. */
static char *make_header(const allot_probe_view *views, cJSON *manifest)
{
    char name[64];
    size_t offset = 0;
    char *manifest_text = cJSON_PrintUnformatted(manifest);
    cJSON *header = cJSON_CreateObject();
    cJSON *metadata = cJSON_AddObjectToObject(header, "__metadata__");
    cJSON_AddStringToObject(metadata, ALLOT_CHECKSUM_NAME, "0000000000000000"); /* set at the end */
    cJSON_AddStringToObject(metadata, "allot", manifest_text ? manifest_text : "");
    for (int i = 0; i < ALLOT_PROBE_VIEWS; i++) {
        const allot_probe_view *v = &views[i];
        size_t end = offset + view_bytes(v);
        snprintf(name, sizeof name, "probe.%s", v->name);
        cJSON *tensor = cJSON_AddObjectToObject(header, name);
        cJSON_AddStringToObject(tensor, "dtype", "F32");
        cJSON_AddItemToObject(
            tensor, "shape",
            cJSON_CreateDoubleArray((double[]){(double)v->dims[0], (double)v->dims[1]}, v->rank));
        cJSON_AddItemToObject(tensor, "data_offsets",
                              cJSON_CreateDoubleArray((double[]){(double)offset, (double)end}, 2));
        offset = end;
    }
    char *text = cJSON_PrintUnformatted(header);
    cJSON_Delete(header);
    free(manifest_text);
    return text;
}

static allot_code make_bytes(const allot_probefile *p, cJSON *manifest, allot_buf *out,
                             allot_err *err)
{
    allot_probe_view views[ALLOT_PROBE_VIEWS];
    allot_probe_views(&p->probe, views);
    char *header = make_header(views, manifest);
    if (!header) return allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    size_t n = strlen(header);
    uint64_t padded = (n + 7) / 8 * 8; /* the data start at a multiple of 8 */
    allot_buf_add(out, &padded, sizeof padded);
    allot_buf_add(out, header, n);
    allot_buf_add(out, "       ", padded - n);
    free(header);
    for (int i = 0; i < ALLOT_PROBE_VIEWS; i++)
        allot_buf_add(out, views[i].at, view_bytes(&views[i]));
    allot_code rc = allot_buf_check(out, err);
    if (rc) return rc;
    const char *found = allot_checksum_place(out->at, out->n);
    if (!found) return allot_fail(err, ALLOT_ERUNTIME, "out of memory for the header");
    char *place = out->at + (found - out->at);
    char sum[ALLOT_CHECKSUM_DIGITS + 1];
    allot_checksum_of(out->at, out->n, place, sum);
    memcpy(place, sum, ALLOT_CHECKSUM_DIGITS);
    return ALLOT_OK;
}

allot_code allot_bundlefile_load(const char *path, allot_bundle *out, allot_err *err)
{
    allot_input_note(path);
    allot_code rc = allot_bundle_load(path, out, err);
    if (!rc && !out->has_checksum)
        allot_log_warn("'%s' has no checksum: damage to it cannot be seen (export it again)", path);
    return rc;
}

/* What a reader will see must be what was meant: same set, same weights, same calibration, same
 * costs (the last by way of their JSON, which knows about unknown numbers). */
static allot_code compare(const allot_bundle *b, const allot_probefile *p, const allot_costs *costs,
                          allot_err *err)
{
    cJSON *read = allot_costs_to_json(&b->costs, &b->strategies);
    cJSON *meant = allot_costs_to_json(costs, &p->strategies);
    int same = cJSON_Compare(read, meant, 1) &&
               allot_strategies_id(&b->strategies) == allot_strategies_id(&p->strategies) &&
               b->probe.n_params == p->probe.n_params &&
               !memcmp(b->probe.block, p->probe.block, p->probe.n_params * sizeof(float)) &&
               b->calibrated == p->calibrated;
    for (int m = 0; m < ALLOT_N_METHODS; m++)
        same &= !allot_calib_tells(&p->strategies, (allot_method)m) ||
                (b->calib.a[m] == p->calib.a[m] && b->calib.b[m] == p->calib.b[m]);
    cJSON_Delete(read);
    cJSON_Delete(meant);
    return same ? ALLOT_OK
                : allot_fail(err, ALLOT_ERUNTIME,
                             "the bundle reads back differently from what was "
                             "written");
}

static allot_code check(const allot_probefile *p, const allot_costs *costs, const char *path,
                        const allot_buf *bytes, allot_err *err)
{
    allot_bundle b = {0};
    allot_code rc = allot_bundle_parse(bytes->at, bytes->n, "new bundle", &b, err);
    if (!rc) rc = compare(&b, p, costs, err);
    allot_bundle_clear(&b);
    return rc ? allot_fail_in(err, "cannot write '%s'", path) : ALLOT_OK;
}

/* A safetensors file whose metadata name us; its header begins behind 8 bytes of length. */
static int is_bundle(const char *path, const void *user)
{
    (void)user;
    char start[512];
    size_t n = allot_kind_start(path, start, sizeof start);
    return n > 8 && start[8] == '{' && memmem(start + 8, n - 8, "\"__metadata__\"", 14) &&
           memmem(start + 8, n - 8, "\"allot\"", 7);
}

static const allot_kind kind = {"a bundle", is_bundle, NULL};

allot_code allot_bundlefile_save(const char *path, const allot_probefile *probe,
                                 const allot_costs *costs, const cJSON *hardware,
                                 const cJSON *provenance, allot_err *err)
{
    allot_buf bytes = {0};
    if (costs->n_strategies != probe->strategies.count)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "cannot write '%s': costs of %d strategies, a probe "
                          "of %d (make the costs of the same strategies)",
                          path, costs->n_strategies, probe->strategies.count);
    cJSON *manifest = make_manifest(probe, costs, hardware, provenance);
    allot_code rc = make_bytes(probe, manifest, &bytes, err);
    cJSON_Delete(manifest);
    if (!rc) rc = check(probe, costs, path, &bytes, err);
    if (!rc) rc = allot_file_write(path, &kind, bytes.at, bytes.n, err);
    allot_buf_clear(&bytes);
    return rc;
}
