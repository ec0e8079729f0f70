/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a bundle's header, tensors and checksum, then predicts and selects with it. */
#include "bundle.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "checksum.h"
#include "manifest.h"
#include "mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bundles are read as little-endian");

#define MAX_HEADER_BYTES (4u << 20)

/* The header says the same as the manifest's sizes or the file is refused, so that shapes, offsets
 * and sizes follow from few checked numbers. */
static allot_code check_tensor(const cJSON *header, const char *name, size_t rows, size_t columns,
                               size_t *offset, allot_err *err)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(header, name);
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(t, "dtype");
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(t, "shape");
    const cJSON *range = cJSON_GetObjectItemCaseSensitive(t, "data_offsets");
    double n = (double)rows * (double)(columns ? columns : 1);
    if (!cJSON_IsObject(t)) return allot_fail(err, ALLOT_EINPUT, "tensor '%s' is missing", name);
    if (!cJSON_IsString(type) || strcmp(type->valuestring, "F32") != 0)
        return allot_fail(err, ALLOT_EINPUT, "tensor '%s' is not of type F32", name);
    const double want[] = {(double)rows, (double)columns};
    int rank = columns ? 2 : 1, same = cJSON_IsArray(shape) && cJSON_GetArraySize(shape) == rank;
    for (int i = 0; same && i < rank; i++)
        same = cJSON_GetNumberValue(cJSON_GetArrayItem(shape, i)) == want[i];
    if (!same)
        return allot_fail(err, ALLOT_EINPUT, "the shape of tensor '%s' does not fit the manifest",
                          name);
    double begin = cJSON_GetNumberValue(cJSON_GetArrayItem(range, 0));
    double end = cJSON_GetNumberValue(cJSON_GetArrayItem(range, 1));
    if (!cJSON_IsArray(range) || cJSON_GetArraySize(range) != 2 || begin != (double)*offset ||
        end != begin + 4 * n)
        return allot_fail(err, ALLOT_EINPUT,
                          "the offsets of tensor '%s' do not fit its shape and "
                          "place",
                          name);
    *offset += 4 * (size_t)n;
    return ALLOT_OK;
}

/* Checks all tensors against the sizes d, p, h1, h2 of the (not yet allocated) probe. */
static allot_code check_tensors(const cJSON *header, const allot_probe *p, size_t n_data,
                                allot_err *err)
{
    size_t d = (size_t)p->d, f = (size_t)p->p, h1 = (size_t)p->h1, h2 = (size_t)p->h2;
    size_t s = (size_t)p->s;
    const struct {
        const char *name;
        size_t rows, columns; /* columns 0: one-dimensional */
    } want[] = {
        {"probe.mean", d, 0},         {"probe.scale", d, 0},       {"probe.length_norm", 2, 0},
        {"probe.offset", s, 0},       {"probe.interaction", 1, 0}, {"probe.w1_query", h1, d + 1},
        {"probe.w1_strategy", h1, f}, {"probe.b1", h1, 0},         {"probe.w2", h2, h1},
        {"probe.b2", h2, 0},          {"probe.w3", h2, 0},         {"probe.b3", 1, 0},
    };
    const int n_want = (int)(sizeof want / sizeof *want);
    size_t offset = 0;
    for (int i = 0; i < n_want; i++) {
        allot_code rc =
            check_tensor(header, want[i].name, want[i].rows, want[i].columns, &offset, err);
        if (rc) return rc;
    }
    if (cJSON_GetArraySize(header) != n_want + 1)
        return allot_fail(err, ALLOT_EINPUT, "there are tensors that a bundle does not have");
    if (offset != n_data)
        return allot_fail(err, ALLOT_EINPUT,
                          "the tensors need %zu bytes, the file has %zu (was it "
                          "cut off? copy or export it again)",
                          offset, n_data);
    return ALLOT_OK;
}

static allot_code parse_header(const unsigned char *bytes, size_t n, cJSON **header,
                               size_t *data_at, allot_err *err)
{
    uint64_t length = 0;
    if (n < 8) return allot_fail(err, ALLOT_EINPUT, "%zu bytes are no safetensors file", n);
    memcpy(&length, bytes, 8);
    if (length > n - 8)
        return allot_fail(err, ALLOT_EINPUT,
                          "no safetensors file, or cut off: the header needs "
                          "%llu bytes, the file has %zu",
                          (unsigned long long)length, n - 8);
    if (length > MAX_HEADER_BYTES)
        return allot_fail(err, ALLOT_EINPUT, "the header has more than %u bytes", MAX_HEADER_BYTES);
    allot_code rc =
        allot_jsontext_parse((const char *)bytes + 8, (size_t)length, "header", header, err);
    if (!rc && !cJSON_IsObject(*header))
        rc = allot_fail(err, ALLOT_EINPUT, "the header is no object");
    *data_at = 8 + (size_t)length;
    return rc;
}

/* What selection needs of every strategy, computed once here so that no call allocates. */
static allot_code prepare(allot_bundle *b, allot_err *err)
{
    size_t s = (size_t)b->strategies.count;
    b->features = allot_mem_array(s * (size_t)b->probe.p, sizeof *b->features, err);
    b->v = allot_mem_array(s * (size_t)b->probe.h1, sizeof *b->v, err);
    if (!b->features || !b->v) return ALLOT_ERUNTIME;
    allot_code rc = allot_features_strategy(b->probe.layout, &b->strategies, b->features, err);
    if (!rc) allot_probe_project(&b->probe, b->features, b->v);
    return rc;
}

static allot_code read_weights(allot_bundle *b, const cJSON *header, const unsigned char *data,
                               size_t n_data, allot_err *err)
{
    allot_code rc = check_tensors(header, &b->probe, n_data, err);
    if (!rc) rc = allot_probe_init(&b->probe, err);
    if (rc) return rc;
    memcpy(b->probe.block, data, n_data); /* the tensors have the order of the block */
    return allot_probe_check(&b->probe, err);
}

static allot_code check_sum(const unsigned char *bytes, size_t n, size_t header_end, int *has,
                            allot_err *err)
{
    char want[ALLOT_CHECKSUM_DIGITS + 1];
    const char *place = allot_checksum_place(bytes, header_end);
    *has = place != NULL;
    if (!place) return ALLOT_OK;
    allot_checksum_of(bytes, n, place, want);
    if (memcmp(place, want, ALLOT_CHECKSUM_DIGITS) == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT,
                      "the checksum does not fit: the file is damaged or was changed by hand (copy "
                      "or export it again)");
}

static allot_code parse(const unsigned char *bytes, size_t n, allot_bundle *b, cJSON **header,
                        allot_err *err)
{
    size_t data_at = 0;
    allot_code rc = parse_header(bytes, n, header, &data_at, err);
    if (!rc) rc = check_sum(bytes, n, data_at, &b->has_checksum, err);
    if (rc) return rc;
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(*header, "__metadata__");
    const cJSON *manifest = cJSON_GetObjectItemCaseSensitive(meta, "allot");
    if (!cJSON_IsString(manifest))
        return allot_fail(err, ALLOT_EINPUT,
                          "not a bundle of allot: the metadata 'allot' are "
                          "missing");
    b->manifest = allot_mem_text(manifest->valuestring, strlen(manifest->valuestring), err);
    if (!b->manifest) return ALLOT_ERUNTIME;
    rc = allot_manifest_read(b->manifest, b, err);
    if (!rc) rc = read_weights(b, *header, bytes + data_at, n - data_at, err);
    if (!rc) rc = prepare(b, err);
    return rc;
}

allot_code allot_bundle_parse(const void *bytes, size_t n, const char *name, allot_bundle *out,
                              allot_err *err)
{
    allot_bundle b = {0};
    allot_err inner = {0};
    cJSON *header = NULL;
    allot_code rc = parse(bytes, n, &b, &header, &inner);
    cJSON_Delete(header);
    if (rc) {
        allot_bundle_clear(&b);
        return allot_fail(err, rc, "cannot read '%s': %s", name, inner.msg);
    }
    *out = b;
    return ALLOT_OK;
}

/* The size is asked of the open file, so that a pipe or a directory is refused before reading. */
static allot_code read_all(FILE *f, unsigned char **bytes, size_t *n, allot_err *err)
{
    if (fseek(f, 0, SEEK_END) != 0) return allot_fail(err, ALLOT_EINPUT, "%m");
    long size = ftell(f);
    if (size < 0 || size > ALLOT_BUNDLE_MAX_BYTES)
        return allot_fail(err, ALLOT_EINPUT, "not a regular file of at most %ld bytes",
                          ALLOT_BUNDLE_MAX_BYTES);
    rewind(f);
    *bytes = allot_mem_array((size_t)size, 1, err);
    if (!*bytes) return ALLOT_ERUNTIME;
    *n = fread(*bytes, 1, (size_t)size, f);
    if (*n != (size_t)size) return allot_fail(err, ALLOT_ERUNTIME, "reading stopped early");
    return ALLOT_OK;
}

allot_code allot_bundle_load(const char *path, allot_bundle *out, allot_err *err)
{
    allot_err inner = {0};
    unsigned char *bytes = NULL;
    size_t n = 0;
    FILE *f = fopen(path, "rb");
    if (!f)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %m (allot-export writes it)",
                          path);
    allot_code rc = read_all(f, &bytes, &n, &inner);
    fclose(f);
    if (rc) allot_fail(err, rc, "cannot read '%s': %s", path, inner.msg);
    else rc = allot_bundle_parse(bytes, n, path, out, err);
    free(bytes);
    return rc;
}

void allot_bundle_clear(allot_bundle *b)
{
    allot_strategies_clear(&b->strategies);
    allot_probe_clear(&b->probe);
    allot_costs_clear(&b->costs);
    free(b->features);
    free(b->v);
    free(b->embedding_model);
    free(b->embedding_id);
    free(b->embedding_prefix);
    free(b->embedding_pooling);
    free(b->manifest);
    *b = (allot_bundle){0};
}

size_t allot_scratch_floats(const allot_bundle *b)
{
    return allot_probe_scratch(&b->probe) + (size_t)b->strategies.count;
}

allot_code allot_bundle_predict(const allot_bundle *b, const float *embedding, size_t codepoints,
                                float *scratch, double *out, allot_err *err)
{
    int count = b->strategies.count;
    float *z = scratch, *rest = scratch + count;
    allot_code rc = allot_probe_logits(&b->probe, embedding, codepoints, b->v, rest, z, err);
    for (int s = 0; !rc && s < count; s++)
        out[s] = allot_calib_apply(&b->calib, b->strategies.at[s].method, (double)z[s]);
    return rc;
}

allot_code allot_bundle_select(const allot_bundle *b, const allot_rule *rule,
                               const float *embedding, size_t codepoints, float *scratch,
                               double *accuracy, int *chosen, allot_err *err)
{
    allot_code rc = allot_rule_check(rule, &b->costs, err);
    if (!rc) rc = allot_bundle_predict(b, embedding, codepoints, scratch, accuracy, err);
    if (!rc) rc = allot_choose(rule, &b->strategies, accuracy, &b->costs, chosen, err);
    return rc;
}
