/* SPDX-License-Identifier: Apache-2.0 */
/* Reads each field of the manifest with its bounds, and refuses what it does not know. */
#include "manifest.h"
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"

static const cJSON *field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static allot_code wrong(const char *name, const char *want, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "manifest: '%s' is missing or not %s", name, want);
}

static allot_code read_text(const cJSON *object, const char *name, const char **out, allot_err *err)
{
    const cJSON *v = field(object, name);
    *out = cJSON_IsString(v) ? v->valuestring : "";
    return cJSON_IsString(v) ? ALLOT_OK : wrong(name, "a text", err);
}

static allot_code read_int(const cJSON *v, const char *name, int min, int max, int *out,
                           allot_err *err)
{
    double x = cJSON_GetNumberValue(v); /* NaN when it is no number */
    if (!(x >= min && x <= max) || x != floor(x))
        return allot_fail(err, ALLOT_EINPUT,
                          "manifest: '%s' is missing or not a whole number from %d to %d", name,
                          min, max);
    *out = (int)x;
    return ALLOT_OK;
}

static int is_id(const char *text)
{
    return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static allot_code read_schema(const cJSON *m, int has_checksum, allot_err *err)
{
    const char *schema;
    const cJSON *version = field(m, "version");
    allot_code rc = read_text(m, "schema", &schema, err);
    if (rc) return rc;
    if (strcmp(schema, ALLOT_BUNDLE_SCHEMA) != 0)
        return allot_fail(err, ALLOT_EINPUT, "the schema is '%.60s', not '%s'", schema,
                          ALLOT_BUNDLE_SCHEMA);
    int v = 0;
    rc = read_int(version, "version", 0, INT_MAX, &v, err);
    if (!rc && (v < ALLOT_BUNDLE_OLDEST || v > ALLOT_BUNDLE_VERSION))
        rc = allot_fail(err, ALLOT_EINPUT,
                        "the version of the schema is %d, not within %d to %d (use the allot that "
                        "wrote it, or export again)",
                        v, ALLOT_BUNDLE_OLDEST, ALLOT_BUNDLE_VERSION);
    if (!rc && v > 2 && !has_checksum)
        rc = allot_fail(err, ALLOT_EINPUT, "the checksum is missing (copy or export it again)");
    if (rc) return rc;
    static const char *const objects[] = {"fingerprint", "hardware", "training", "provenance"};
    static const char *const texts[] = {"tool_version", "metric", "split_id"};
    const cJSON *grading = field(m, "grading"); /* absent in older files */
    if (grading && !cJSON_IsObject(grading)) return wrong("grading", "an object", err);
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        if (!cJSON_IsObject(field(m, objects[i]))) return wrong(objects[i], "an object", err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!cJSON_IsString(field(m, texts[i]))) return wrong(texts[i], "a text", err);
    return ALLOT_OK;
}

static allot_code read_strategies(const cJSON *m, allot_strategies *set, allot_err *err)
{
    const cJSON *list = field(m, "strategies"), *item;
    if (!cJSON_IsArray(list) || !list->child) return wrong("strategies", "a list", err);
    cJSON_ArrayForEach(item, list)
    {
        allot_strategy s;
        if (!cJSON_IsString(item)) return wrong("strategies", "a list of texts", err);
        allot_code rc = allot_strategy_parse(item->valuestring, &s, err);
        if (!rc) rc = allot_strategies_add(set, &s, err);
        if (rc) return rc;
    }
    const char *id;
    char want[17];
    allot_code rc = read_text(m, "strategy_set_id", &id, err);
    if (rc) return rc;
    snprintf(want, sizeof want, "%016" PRIx64, allot_strategies_id(set));
    if (strcmp(id, want) != 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "the strategy-set id is '%.40s', but the strategies "
                          "have '%s' (the file was changed by hand; export it again)",
                          id, want);
    return ALLOT_OK;
}

static allot_code read_sizes(const cJSON *m, allot_bundle *b, allot_err *err)
{
    const char *layout, *model, *id, *prefix;
    const cJSON *hidden = field(m, "hidden"), *embedding = field(m, "embedding");
    allot_probe *p = &b->probe;
    allot_code rc = read_text(m, "layout", &layout, err);
    if (!rc && strcmp(layout, "default") != 0 && strcmp(layout, "paper") != 0)
        rc = wrong("layout", "'default' or 'paper'", err);
    if (!rc && (!cJSON_IsArray(hidden) || cJSON_GetArraySize(hidden) != 2))
        rc = wrong("hidden", "a list of two", err);
    if (!rc)
        rc = read_int(cJSON_GetArrayItem(hidden, 0), "hidden", 1, ALLOT_PROBE_MAX_HIDDEN, &p->h1,
                      err);
    if (!rc)
        rc = read_int(cJSON_GetArrayItem(hidden, 1), "hidden", 1, ALLOT_PROBE_MAX_HIDDEN, &p->h2,
                      err);
    if (!rc)
        rc = read_int(field(embedding, "dimension"), "dimension", 1, ALLOT_PROBE_MAX_DIM, &p->d,
                      err);
    if (!rc) rc = read_text(embedding, "model", &model, err);
    if (!rc) rc = read_text(embedding, "id", &id, err);
    if (!rc) rc = read_text(embedding, "prefix", &prefix, err);
    const cJSON *normalized = field(embedding, "normalized");
    if (!rc && !cJSON_IsBool(normalized)) rc = wrong("normalized", "true or false", err);
    if (!rc && !is_id(id)) rc = wrong("id", "16 hex digits", err);
    if (rc) return rc;
    const char *pooling = cJSON_GetStringValue(field(embedding, "pooling"));
    if (!pooling || !*pooling) pooling = "last";
    p->layout = strcmp(layout, "paper") == 0 ? ALLOT_FEATURES_PAPER : ALLOT_FEATURES_DEFAULT;
    p->p = allot_features_strategy_dim(p->layout, &b->strategies);
    p->s = b->strategies.count;
    b->embedding_model = allot_mem_text(model, strlen(model), err);
    b->embedding_id = allot_mem_text(id, strlen(id), err);
    b->embedding_prefix = allot_mem_text(prefix, strlen(prefix), err);
    b->embedding_pooling = allot_mem_text(pooling, strlen(pooling), err);
    b->embedding_normalized = cJSON_IsTrue(normalized);
    int whole =
        b->embedding_model && b->embedding_id && b->embedding_prefix && b->embedding_pooling;
    return whole ? ALLOT_OK : ALLOT_ERUNTIME;
}

/* Methods that no strategy of the set uses may be missing: a file names those that its writer knew.
 */
static allot_code read_calibration(const cJSON *m, allot_bundle *b, allot_err *err)
{
    const cJSON *all = field(m, "calibration"), *fitted = field(all, "fitted");
    if (!cJSON_IsBool(fitted)) return wrong("calibration.fitted", "true or false", err);
    b->calibrated = cJSON_IsTrue(fitted);
    allot_calib_identity(&b->calib);
    for (int i = 0; i < ALLOT_N_METHODS; i++) {
        int used = allot_strategies_use(&b->strategies, (allot_method)i);
        const char *name = allot_method_name((allot_method)i);
        const cJSON *slope = field(field(all, "a"), name), *shift = field(field(all, "b"), name);
        if (!used && !slope && !shift) continue;
        b->calib.a[i] = cJSON_GetNumberValue(slope);
        b->calib.b[i] = cJSON_GetNumberValue(shift);
        if (!isfinite(b->calib.a[i]) || !isfinite(b->calib.b[i]))
            return wrong("calibration", "a number for every method in both 'a' and 'b'", err);
    }
    return ALLOT_OK;
}

/* A quantile or standard error: a number of 0 or more, or null (unknown: NaN). */
static int read_known(const cJSON *stat, const char *name, double *out)
{
    const cJSON *v = field(stat, name);
    *out = cJSON_IsNumber(v) ? v->valuedouble : NAN;
    return cJSON_IsNull(v) || (cJSON_IsNumber(v) && *out >= 0);
}

static allot_code read_stat(const cJSON *row, const char *name, allot_cost_stat *out,
                            allot_err *err)
{
    const cJSON *stat = field(row, name);
    double n = cJSON_GetNumberValue(field(stat, "n"));
    int good = cJSON_IsObject(stat) && n >= 0 && n <= 0x1p53 && n == floor(n);
    for (int i = 0; good && i < ALLOT_N_COST_FIELDS; i++)
        good = read_known(stat, allot_cost_fields[i].name, allot_cost_at(out, i));
    if (!good || isnan(out->mean))
        return allot_fail(err, ALLOT_EINPUT,
                          "manifest: a cost row's '%s' is missing or has a wrong number", name);
    out->n = (long)n;
    return ALLOT_OK;
}

static allot_code read_costs(const cJSON *m, allot_bundle *b, allot_err *err)
{
    const cJSON *costs = field(m, "costs"), *has = field(costs, "has_seconds");
    const cJSON *rows = field(costs, "strategies"), *row;
    int count = b->strategies.count, i = 0;
    if (!cJSON_IsBool(has)) return wrong("costs.has_seconds", "true or false", err);
    if (!cJSON_IsArray(rows) || cJSON_GetArraySize(rows) != count)
        return wrong("costs.strategies", "a list with one row per strategy", err);
    b->costs.has_seconds = cJSON_IsTrue(has);
    allot_code rc = read_int(field(costs, "load"), "costs.load", b->costs.has_seconds, INT_MAX,
                             &b->costs.load, err);
    if (rc) return rc;
    b->costs.at = allot_mem_array((size_t)count, sizeof *b->costs.at, err);
    if (!b->costs.at) return ALLOT_ERUNTIME;
    b->costs.n_strategies = count;
    cJSON_ArrayForEach(row, rows)
    {
        const char *text;
        char want[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&b->strategies.at[i], want);
        rc = read_text(row, "strategy", &text, err);
        if (!rc && strcmp(text, want) != 0)
            rc = allot_fail(err, ALLOT_EINPUT, "manifest: cost row %d is of '%.127s', not of '%s'",
                            i + 1, text, want);
        if (!rc) rc = read_stat(row, "tokens", &b->costs.at[i].tokens, err);
        if (!rc && b->costs.has_seconds)
            rc = read_stat(row, "seconds", &b->costs.at[i].seconds, err);
        if (!rc && cJSON_HasObjectItem(row, "ttft"))
            rc = read_stat(row, "ttft", &b->costs.at[i].ttft, err);
        if (rc) return rc;
        i++;
    }
    return ALLOT_OK;
}

allot_code allot_manifest_read(const char *text, allot_bundle *b, allot_err *err)
{
    cJSON *m = NULL;
    allot_code rc = allot_jsontext_parse(text, strlen(text), "manifest", &m, err);
    if (!rc) rc = read_schema(m, b->has_checksum, err);
    if (!rc) rc = read_strategies(m, &b->strategies, err);
    if (!rc) rc = read_sizes(m, b, err);
    if (!rc) rc = read_calibration(m, b, err);
    if (!rc) rc = read_costs(m, b, err);
    cJSON_Delete(m);
    return rc;
}
