/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, loading and saving of a run's manifest. */
#include "lib/store/rundir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "lib/store/fingerprint.h"
#include "lib/core/json.h"
#include "lib/store/strategyfile.h"

#define MANIFEST "manifest.json"
#define MANIFEST_MAX_BYTES (16L << 20)
#define MAX_POOL 1000000L
#define MAX_LOADS ((int)(sizeof((allot_rundir *)0)->loads / sizeof(int)))

static const allot_versions versions = {1, 1};

char *allot_rundir_path(const char *dir, const char *name, allot_err *err)
{
    allot_buf b = {0};
    size_t n = strlen(dir);
    allot_buf_printf(&b, "%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
    if (allot_buf_check(&b, err)) {
        allot_buf_clear(&b);
        return NULL;
    }
    return b.at;
}

void allot_rundir_clear(allot_rundir *r)
{
    allot_strategies_clear(&r->strategies);
    cJSON_Delete(r->fingerprint);
    cJSON_Delete(r->hardware);
    memset(r, 0, sizeof *r);
}

static allot_code get_loads(const cJSON *o, const char *where, allot_rundir *r, allot_err *err)
{
    cJSON *list;
    const cJSON *item;
    allot_code rc = allot_json_array(o, "loads", where, &list, err);
    if (rc) return rc;
    if (cJSON_GetArraySize(list) > MAX_LOADS)
        return allot_fail(err, ALLOT_EINPUT, "%s: more than %d loads", where, MAX_LOADS);
    cJSON_ArrayForEach(item, list)
    {
        double x = cJSON_IsNumber(item) ? item->valuedouble : 0;
        if (!(x >= 1 && x <= 1e6 && x == (int)x))
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: a load is not a whole number from 1 to 1000000", where);
        r->loads[r->n_loads++] = (int)x;
    }
    return ALLOT_OK;
}

static allot_code get_shard(const cJSON *o, const char *where, allot_rundir *r, allot_err *err)
{
    long i, n;
    if (!cJSON_HasObjectItem(o, "n_shards")) return ALLOT_OK;
    allot_code rc = allot_json_int(o, "n_shards", where, 1, ALLOT_MAX_SHARDS, &n, err);
    if (!rc) rc = allot_json_int(o, "shard", where, 1, n, &i, err);
    if (rc) return rc;
    r->shard = (int)i;
    r->n_shards = (int)n;
    return ALLOT_OK;
}

int allot_rundir_has(const allot_rundir *r, const allot_key *key)
{
    return !r->n_shards || allot_key_u64(key) % (uint64_t)r->n_shards == (uint64_t)(r->shard - 1);
}

/* Takes a sub-object out of the manifest. */
static allot_code take_object(cJSON *o, const char *field, const char *where, cJSON **out,
                              allot_err *err)
{
    cJSON *item;
    allot_code rc = allot_json_object(o, field, where, &item, err);
    if (!rc) *out = cJSON_DetachItemViaPointer(o, item);
    return rc;
}

/* The fingerprint, and what records carry: told, or the id of the fingerprint as it stands there.
 */
static allot_code get_fingerprint(cJSON *o, const char *where, allot_rundir *r, allot_err *err)
{
    const char *told = NULL;
    allot_code rc = ALLOT_OK;
    if (cJSON_GetObjectItemCaseSensitive(o, "cfg")) {
        rc = allot_json_string(o, "cfg", where, &told, err);
        if (!rc && (strlen(told) != 16 || strspn(told, "0123456789abcdef") != 16))
            rc = allot_fail(err, ALLOT_EINPUT, "%s: \"cfg\" is not of 16 hex digits", where);
        if (!rc) memcpy(r->cfg, told, sizeof r->cfg);
    } else {
        allot_fingerprint_id(cJSON_GetObjectItemCaseSensitive(o, "fingerprint"), r->cfg);
    }
    if (!rc) rc = allot_fingerprint_settle(o, where, err);
    return rc ? rc : take_object(o, "fingerprint", where, &r->fingerprint, err);
}

void allot_rundir_cfg(const allot_rundir *r, char out[17])
{
    if (r->cfg[0]) memcpy(out, r->cfg, sizeof r->cfg);
    else allot_fingerprint_id(r->fingerprint, out);
}

static allot_code get_manifest(cJSON *o, const char *where, allot_rundir *r, allot_err *err)
{
    long pool, runs, scored, judged = 0, imported = 0, prm_checked = 0;
    cJSON *strategies;
    if (!r->schema) {
        const char *has = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "schema"));
        int is_timing = has && strcmp(has, ALLOT_TIMING_SCHEMA) == 0;
        r->schema = is_timing ? ALLOT_TIMING_SCHEMA : ALLOT_RUN_SCHEMA;
    }
    allot_code rc = allot_json_schema(o, r->schema, versions, where, NULL, err);
    if (!rc) rc = allot_json_array(o, "strategies", where, &strategies, err);
    if (!rc) rc = allot_strategyfile_from_json(strategies, where, &r->strategies, err);
    if (!rc) rc = allot_json_int(o, "pool", where, 0, MAX_POOL, &pool, err);
    if (!rc) rc = allot_json_int(o, "runs", where, 0, MAX_POOL, &runs, err);
    if (!rc) rc = allot_json_int(o, "scored", where, 0, 1, &scored, err);
    if (!rc && cJSON_HasObjectItem(o, "judged"))
        rc = allot_json_int(o, "judged", where, 0, 1, &judged, err);
    if (!rc && cJSON_HasObjectItem(o, "imported"))
        rc = allot_json_int(o, "imported", where, 0, 1, &imported, err);
    if (!rc && cJSON_HasObjectItem(o, "prm_checked"))
        rc = allot_json_int(o, "prm_checked", where, 0, 1, &prm_checked, err);
    if (!rc) rc = allot_json_int(o, "seed", where, 0, 1L << 53, &r->seed, err);
    if (!rc) rc = get_shard(o, where, r, err);
    if (!rc) rc = get_loads(o, where, r, err);
    if (!rc) rc = get_fingerprint(o, where, r, err);
    if (!rc) rc = take_object(o, "hardware", where, &r->hardware, err);
    if (rc) return rc;
    r->pool = (int)pool;
    r->runs = (int)runs;
    r->scored = (int)scored;
    r->judged = (int)judged;
    r->imported = (int)imported;
    r->prm_checked = (int)prm_checked;
    return ALLOT_OK;
}

allot_code allot_rundir_load(const char *dir, const char *schema, allot_rundir *out, allot_err *err)
{
    char *path = allot_rundir_path(dir, MANIFEST, err);
    if (!path) return ALLOT_ERUNTIME;
    allot_rundir r = {.schema = schema};
    cJSON *o = NULL;
    char where[512];
    snprintf(where, sizeof where, "'%s'", path);
    allot_code rc = allot_json_load(path, MANIFEST_MAX_BYTES, &o, err);
    if (!rc) rc = get_manifest(o, where, &r, err);
    cJSON_Delete(o);
    free(path);
    if (rc) allot_rundir_clear(&r);
    else *out = r;
    return rc;
}

allot_code allot_rundir_save(const char *dir, const allot_rundir *r, allot_err *err)
{
    allot_code rc = allot_mkdir(dir, err);
    char *path = rc ? NULL : allot_rundir_path(dir, MANIFEST, err);
    if (!path) return ALLOT_ERUNTIME;
    allot_input_forget(path); /* a run grows: what was read of it is in r */
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "schema", r->schema);
    cJSON_AddNumberToObject(o, "version", versions.newest);
    cJSON_AddStringToObject(o, "tool_version", ALLOT_VERSION);
    cJSON_AddItemToObject(o, "strategies", allot_strategyfile_to_json(&r->strategies));
    cJSON_AddNumberToObject(o, "pool", r->pool);
    cJSON_AddNumberToObject(o, "runs", r->runs);
    cJSON_AddNumberToObject(o, "scored", r->scored);
    if (r->judged) cJSON_AddNumberToObject(o, "judged", 1);
    if (r->imported) cJSON_AddNumberToObject(o, "imported", 1);
    if (r->prm_checked) cJSON_AddNumberToObject(o, "prm_checked", 1);
    cJSON_AddNumberToObject(o, "seed", (double)r->seed);
    if (r->n_shards) {
        cJSON_AddNumberToObject(o, "shard", r->shard);
        cJSON_AddNumberToObject(o, "n_shards", r->n_shards);
    }
    cJSON_AddItemToObject(o, "loads", cJSON_CreateIntArray(r->loads, r->n_loads));
    cJSON_AddItemToObject(o, "fingerprint", cJSON_Duplicate(r->fingerprint, 1));
    char id[17];
    allot_fingerprint_id(r->fingerprint, id);
    if (r->cfg[0] && strcmp(r->cfg, id) != 0) cJSON_AddStringToObject(o, "cfg", r->cfg);
    cJSON_AddItemToObject(o, "hardware",
                          r->hardware ? cJSON_Duplicate(r->hardware, 1) : cJSON_CreateObject());
    rc = allot_json_save(path, o, err);
    cJSON_Delete(o);
    free(path);
    return rc;
}
