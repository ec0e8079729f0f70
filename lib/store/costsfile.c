/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads the table field by field; unknown fields are refused. */
#include "lib/store/costsfile.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/store/fingerprint.h"
#include "lib/core/json.h"
#include "liballot/mem.h"
#include "lib/store/provenance.h"

static const allot_versions versions = {1, 1};

#define MAX_FILE (16L << 20)
#define MAX_LOAD 1000000
#define MAX_COST 1e15 /* tokens or seconds */

/* ---- writing ---- */

static void add_stat(cJSON *row, const char *name, const allot_cost_stat *s)
{
    cJSON *o = cJSON_AddObjectToObject(row, name);
    for (int i = 0; i < ALLOT_N_COST_FIELDS; i++)
        allot_json_add_number(o, allot_cost_fields[i].name, allot_cost_number(s, i));
    allot_json_add_number(o, "n", (double)s->n);
}

cJSON *allot_costs_to_json(const allot_costs *c, const allot_strategies *set)
{
    char text[ALLOT_STRATEGY_TEXT];
    cJSON *load = cJSON_CreateObject();
    cJSON_AddNumberToObject(load, "load", c->load);
    cJSON_AddBoolToObject(load, "has_seconds", c->has_seconds);
    cJSON *rows = cJSON_AddArrayToObject(load, "strategies");
    for (int i = 0; i < c->n_strategies; i++) {
        cJSON *row = cJSON_CreateObject();
        allot_strategy_print(&set->at[i], text);
        cJSON_AddStringToObject(row, "strategy", text);
        add_stat(row, "tokens", &c->at[i].tokens);
        if (c->has_seconds) add_stat(row, "seconds", &c->at[i].seconds);
        if (c->at[i].ttft.mean > 0) add_stat(row, "ttft", &c->at[i].ttft);
        cJSON_AddItemToArray(rows, row);
    }
    return load;
}

allot_code allot_costsfile_save(const char *path, const allot_costsfile *c, const char *tool,
                                long seed, const char *const *inputs, allot_err *err)
{
    cJSON *provenance;
    allot_code rc = allot_provenance_make(tool, seed, inputs, &provenance, err);
    if (rc) return rc;
    cJSON *file = cJSON_CreateObject();
    cJSON_AddStringToObject(file, "schema", ALLOT_COSTS_SCHEMA);
    cJSON_AddNumberToObject(file, "version", versions.newest);
    cJSON_AddItemToObject(file, "fingerprint", cJSON_Duplicate(c->fingerprint, 1));
    cJSON_AddItemToObject(file, "hardware",
                          c->hardware ? cJSON_Duplicate(c->hardware, 1) : cJSON_CreateObject());
    cJSON *loads = cJSON_AddArrayToObject(file, "loads");
    for (int i = 0; i < c->n_loads; i++)
        cJSON_AddItemToArray(loads, allot_costs_to_json(&c->loads[i], &c->strategies));
    cJSON_AddItemToObject(file, "provenance", provenance);
    rc = allot_json_save(path, file, err);
    cJSON_Delete(file);
    return rc;
}

/* ---- reading: people edit this file, so every refusal names the place ---- */

static allot_code check_fields(const cJSON *object, const char *const *known, const char *where,
                               allot_err *err)
{
    const cJSON *f;
    cJSON_ArrayForEach(f, object)
    {
        int i = 0;
        while (known[i] && strcmp(known[i], f->string))
            i++;
        if (!known[i])
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: unknown field \"%.64s\" (docs/formats.md has "
                              "the list)",
                              where, f->string);
    }
    return ALLOT_OK;
}

/* A number that may be unknown: absent and null give NaN. */
static allot_code read_unknown(const cJSON *object, const char *field, const char *where,
                               double *out, allot_err *err)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, field);
    *out = NAN;
    return !v || cJSON_IsNull(v) ? ALLOT_OK
                                 : allot_json_number(object, field, where, 0, MAX_COST, out, err);
}

static allot_code read_stat(const cJSON *row, const char *name, const char *row_where,
                            allot_cost_stat *out, allot_err *err)
{
    const char *known[ALLOT_N_COST_FIELDS + 2] = {0};
    for (int i = 0; i < ALLOT_N_COST_FIELDS; i++)
        known[i] = allot_cost_fields[i].name;
    known[ALLOT_N_COST_FIELDS] = "n";
    char where[700];
    cJSON *stat;
    allot_code rc = allot_json_object(row, name, row_where, &stat, err);
    if (rc) return rc;
    snprintf(where, sizeof where, "%s, %s", row_where, name);
    rc = check_fields(stat, known, where, err);
    if (!rc) rc = allot_json_number(stat, "mean", where, 0, MAX_COST, &out->mean, err);
    for (int i = 1; !rc && i < ALLOT_N_COST_FIELDS; i++) /* all but the mean */
        rc = read_unknown(stat, allot_cost_fields[i].name, where, allot_cost_at(out, i), err);
    if (!rc && cJSON_HasObjectItem(stat, "n"))
        rc = allot_json_int(stat, "n", where, 0, LONG_MAX, &out->n, err);
    return rc;
}

static allot_code read_row(const cJSON *row, const char *where, int has_seconds, allot_cost *out,
                           allot_err *err)
{
    static const char *const known[] = {"strategy", "tokens", "seconds", "ttft", NULL};
    allot_code rc = check_fields(row, known, where, err);
    if (!rc) rc = read_stat(row, "tokens", where, &out->tokens, err);
    if (!rc && has_seconds) rc = read_stat(row, "seconds", where, &out->seconds, err);
    else if (!rc && cJSON_HasObjectItem(row, "seconds"))
        rc = allot_fail(err, ALLOT_EINPUT, "%s: it has seconds although \"has_seconds\" is false",
                        where);
    if (!rc && cJSON_HasObjectItem(row, "ttft"))
        rc = read_stat(row, "ttft", where, &out->ttft, err);
    return rc;
}

static allot_code parse_strategy(const cJSON *row, const char *where, allot_strategy *out,
                                 allot_err *err)
{
    const char *text;
    allot_code rc = allot_json_string(row, "strategy", where, &text, err);
    if (!rc && allot_strategy_parse(text, out, err)) rc = allot_fail_in(err, "%s", where);
    return rc;
}

/* The rows of the first load say which strategies there are. */
static allot_code read_set(const cJSON *load, const char *where, allot_strategies *set,
                           allot_err *err)
{
    cJSON *rows;
    const cJSON *row;
    allot_strategy s;
    allot_code rc = allot_json_array(load, "strategies", where, &rows, err);
    if (!rc && !rows->child) rc = allot_fail(err, ALLOT_EINPUT, "%s: it has no strategies", where);
    if (rc) return rc;
    cJSON_ArrayForEach(row, rows)
    {
        rc = parse_strategy(row, where, &s, err);
        if (!rc && allot_strategies_add(set, &s, err)) rc = allot_fail_in(err, "%s", where);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

/* Rows may stand in any order; seen [set->count] marks those that were found. */
static allot_code read_rows(const cJSON *rows, const char *where, const allot_strategies *set,
                            allot_costs *c, char *seen, allot_err *err)
{
    char row_where[512 + ALLOT_STRATEGY_TEXT + 8], text[ALLOT_STRATEGY_TEXT];
    const cJSON *row;
    allot_strategy s;
    cJSON_ArrayForEach(row, rows)
    {
        allot_code rc = parse_strategy(row, where, &s, err);
        if (rc) return rc;
        int i = allot_strategies_find(set, &s);
        allot_strategy_print(&s, text);
        if (i < 0 || seen[i])
            return allot_fail(err, ALLOT_EINPUT, "%s: '%s' %s", where, text,
                              i < 0 ? "is not a strategy of the first load" : "occurs twice");
        seen[i] = 1;
        snprintf(row_where, sizeof row_where, "%s, '%s'", where, text);
        rc = read_row(row, row_where, c->has_seconds, &c->at[i], err);
        if (rc) return rc;
    }
    for (int i = 0; i < set->count; i++)
        if (!seen[i]) {
            allot_strategy_print(&set->at[i], text);
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: the row of '%s' is missing (time it with "
                              "'allot-collect time', or add the row)",
                              where, text);
        }
    return ALLOT_OK;
}

static allot_code read_load(const cJSON *load, const char *where, const allot_strategies *set,
                            allot_costs *c, allot_err *err)
{
    static const char *const known[] = {"load", "has_seconds", "strategies", NULL};
    const cJSON *has = cJSON_GetObjectItemCaseSensitive(load, "has_seconds");
    cJSON *rows;
    long n;
    allot_code rc = check_fields(load, known, where, err);
    if (!rc && !cJSON_IsBool(has))
        rc = allot_fail(err, ALLOT_EINPUT, "%s: \"has_seconds\" is missing or not true or false",
                        where);
    c->has_seconds = cJSON_IsTrue(has);
    if (!rc)
        rc = allot_json_int(load, "load", where, c->has_seconds, c->has_seconds ? MAX_LOAD : 0, &n,
                            err);
    if (!rc) rc = allot_json_array(load, "strategies", where, &rows, err);
    if (rc) return rc;
    c->load = (int)n;
    c->n_strategies = set->count;
    c->at = allot_mem_array((size_t)set->count, sizeof *c->at, err);
    char *seen = allot_mem_array((size_t)set->count, 1, err);
    rc = c->at && seen ? read_rows(rows, where, set, c, seen, err) : ALLOT_ERUNTIME;
    free(seen);
    return rc;
}

static allot_code read_loads(const cJSON *file, const char *path, allot_costsfile *c,
                             allot_err *err)
{
    char where[512];
    cJSON *loads;
    const cJSON *load;
    snprintf(where, sizeof where, "cannot read '%.400s'", path);
    allot_code rc = allot_json_array(file, "loads", where, &loads, err);
    if (!rc && !loads->child) rc = allot_fail(err, ALLOT_EINPUT, "%s: it has no loads", where);
    if (!rc) rc = read_set(loads->child, where, &c->strategies, err);
    if (!rc &&
        !(c->loads = allot_mem_array((size_t)cJSON_GetArraySize(loads), sizeof *c->loads, err)))
        rc = ALLOT_ERUNTIME;
    if (rc) return rc;
    cJSON_ArrayForEach(load, loads)
    {
        int i = c->n_loads++;
        snprintf(where, sizeof where, "cannot read '%.400s': load number %d of the list", path,
                 i + 1);
        rc = read_load(load, where, &c->strategies, &c->loads[i], err);
        if (!rc && i > 0 && c->loads[i].load <= c->loads[i - 1].load)
            rc = allot_fail(err, ALLOT_EINPUT, "%s: loads are not ascending (%d after %d)", where,
                            c->loads[i].load, c->loads[i - 1].load);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

static allot_code read_object(const cJSON *file, const char *name, const char *where, cJSON **out,
                              allot_err *err)
{
    cJSON *object;
    allot_code rc = allot_json_object(file, name, where, &object, err);
    if (!rc && !(*out = cJSON_Duplicate(object, 1)))
        rc = allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    return rc;
}

allot_code allot_costsfile_load(const char *path, allot_costsfile *out, allot_err *err)
{
    static const char *const known[] = {"schema", "version",    "fingerprint", "hardware",
                                        "loads",  "provenance", NULL};
    char where[512];
    cJSON *file = NULL;
    *out = (allot_costsfile){0};
    snprintf(where, sizeof where, "cannot read '%.400s'", path);
    allot_code rc = allot_json_load(path, MAX_FILE, &file, err);
    if (!rc) rc = allot_json_schema(file, ALLOT_COSTS_SCHEMA, versions, where, NULL, err);
    if (!rc) rc = check_fields(file, known, where, err);
    if (!rc) rc = allot_fingerprint_settle(file, where, err);
    if (!rc) rc = read_object(file, "fingerprint", where, &out->fingerprint, err);
    if (!rc) rc = read_object(file, "hardware", where, &out->hardware, err);
    if (!rc) rc = read_loads(file, path, out, err);
    cJSON_Delete(file);
    if (rc) allot_costsfile_clear(out);
    return rc;
}

void allot_costsfile_clear(allot_costsfile *c)
{
    for (int i = 0; i < c->n_loads; i++)
        allot_costs_clear(&c->loads[i]);
    free(c->loads);
    allot_strategies_clear(&c->strategies);
    cJSON_Delete(c->fingerprint);
    cJSON_Delete(c->hardware);
    *c = (allot_costsfile){0};
}

allot_code allot_costsfile_at_load(const allot_costsfile *c, const char *path, int load,
                                   const allot_costs **out, allot_err *err)
{
    allot_buf list = {0};
    for (int i = 0; i < c->n_loads; i++) {
        if (c->loads[i].load == load) {
            *out = &c->loads[i];
            allot_buf_clear(&list);
            return ALLOT_OK;
        }
        allot_buf_printf(&list, "%s%d", i ? ", " : "", c->loads[i].load);
    }
    allot_code rc = allot_fail(err, ALLOT_EMISMATCH,
                               "'%s' has no costs at load %d, only at %.200s "
                               "(choose one of them, or time that load with 'allot-collect time')",
                               path, load, list.at ? list.at : "none");
    allot_buf_clear(&list);
    return rc;
}
