/* SPDX-License-Identifier: Apache-2.0 */
/* A set of strategies as JSON and as a column of HDF5 with its id. */
#include "lib/store/strategyfile.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

#define MAX_FILE (4L << 20)

/* Parses one text and adds it; position counts from 0. */
static allot_code add_text(allot_strategies *set, const char *text, const char *where, int position,
                           allot_err *err)
{
    allot_strategy s;
    char same[ALLOT_STRATEGY_TEXT];
    if (allot_strategy_parse(text, &s, err))
        return allot_fail_in(err, "%s: strategy %d", where, position);
    int before = allot_strategies_find(set, &s);
    if (before < 0) return allot_strategies_add(set, &s, err);
    allot_strategy_print(&s, same);
    return allot_fail(err, ALLOT_EINPUT, "%s: strategies %d and %d are both '%s' (list each once)",
                      where, before, position, same);
}

allot_code allot_strategyfile_from_json(const cJSON *array, const char *where,
                                        allot_strategies *out, allot_err *err)
{
    const cJSON *item;
    int i = 0;
    allot_code rc = ALLOT_OK;
    *out = (allot_strategies){0};
    if (!cJSON_IsArray(array) || !array->child)
        return allot_fail(err, ALLOT_EINPUT, "%s: 'strategies' is not a list of one or more texts",
                          where);
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsString(item))
            rc = allot_fail(err, ALLOT_EINPUT, "%s: strategy %d is not a text", where, i);
        else rc = add_text(out, item->valuestring, where, i, err);
        if (rc) break;
        i++;
    }
    if (rc) allot_strategies_clear(out);
    return rc;
}

allot_code allot_strategyfile_load(const char *path, allot_strategies *out, allot_err *err)
{
    char where[512];
    cJSON *file = NULL;
    *out = (allot_strategies){0};
    snprintf(where, sizeof where, "cannot read '%.400s'", path);
    allot_code rc = allot_json_load(path, MAX_FILE, &file, err);
    if (!rc)
        rc = allot_json_schema(file, "allot-strategies", (allot_versions){1, 1}, where, NULL, err);
    if (!rc)
        rc = allot_strategyfile_from_json(cJSON_GetObjectItemCaseSensitive(file, "strategies"),
                                          where, out, err);
    cJSON_Delete(file);
    return rc;
}

cJSON *allot_strategyfile_to_json(const allot_strategies *set)
{
    char text[ALLOT_STRATEGY_TEXT];
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < set->count; i++) {
        allot_strategy_print(&set->at[i], text);
        cJSON_AddItemToArray(array, cJSON_CreateString(text));
    }
    return array;
}

allot_code allot_strategyfile_to_h5(allot_h5 *h, const allot_strategies *set, allot_err *err)
{
    allot_strings column = {0};
    size_t capacity_n = 0, capacity_bytes = 0;
    char text[ALLOT_STRATEGY_TEXT], id[17];
    allot_code rc = ALLOT_OK;
    for (int i = 0; !rc && i < set->count; i++) {
        allot_strategy_print(&set->at[i], text);
        rc = allot_strings_add(&column, &capacity_n, &capacity_bytes, text, strlen(text), err);
    }
    if (!rc) rc = allot_h5_write_strings(h, "strategies", &column, err);
    allot_strings_clear(&column);
    snprintf(id, sizeof id, "%016" PRIx64, allot_strategies_id(set));
    return rc ? rc : allot_h5_set_text(h, "strategy_set_id", id, err);
}

static allot_code from_column(const allot_strings *column, const char *where, allot_strategies *out,
                              allot_err *err)
{
    char text[ALLOT_STRATEGY_TEXT];
    allot_code rc = ALLOT_OK;
    if (column->n < 1 || column->n > ALLOT_MAX_STRATEGIES)
        return allot_fail(err, ALLOT_EINPUT, "%s: it has %ld strategies, not 1 to %d", where,
                          column->n, ALLOT_MAX_STRATEGIES);
    for (long i = 0; !rc && i < column->n; i++) {
        size_t n;
        const char *bytes = allot_strings_at(column, i, &n);
        if (n >= sizeof text || memchr(bytes, 0, n))
            return allot_fail(err, ALLOT_EINPUT, "%s: strategy %ld has no readable text", where, i);
        memcpy(text, bytes, n);
        text[n] = 0;
        rc = add_text(out, text, where, (int)i, err);
    }
    return rc;
}

/* The id was written with the texts: if they differ, one of them was edited. */
static allot_code check_id(allot_h5 *h, const allot_strategies *set, const char *where,
                           allot_err *err)
{
    char want[17], *found = NULL;
    allot_code rc = allot_h5_get_text(h, "strategy_set_id", &found, err);
    if (rc) return rc;
    snprintf(want, sizeof want, "%016" PRIx64, allot_strategies_id(set));
    if (strcmp(found, want))
        rc = allot_fail(err, ALLOT_EINPUT,
                        "%s: its strategies have the id %s, its strategy_set_id "
                        "is '%.32s' (the file was edited; make it again)",
                        where, want, found);
    free(found);
    return rc;
}

allot_code allot_strategyfile_from_h5(allot_h5 *h, allot_strategies *out, allot_err *err)
{
    char where[512];
    allot_strings column = {0};
    *out = (allot_strategies){0};
    snprintf(where, sizeof where, "cannot read '%.400s'", allot_h5_path(h));
    allot_code rc = allot_h5_read_strings(h, "strategies", ALLOT_H5_ANY, &column, err);
    if (!rc) rc = from_column(&column, where, out, err);
    if (!rc) rc = check_id(h, out, where, err);
    allot_strings_clear(&column);
    if (rc) allot_strategies_clear(out);
    return rc;
}

allot_code allot_strategyfile_agree(const allot_strategies *a, const char *a_file,
                                    const allot_strategies *b, const char *b_file,
                                    const char *remedy, allot_err *err)
{
    char x[ALLOT_STRATEGY_TEXT], y[ALLOT_STRATEGY_TEXT], first[3 * ALLOT_STRATEGY_TEXT];
    int n = a->count > b->count ? a->count : b->count, differ = 0;
    for (int i = 0; i < n; i++) {
        strcpy(x, "absent");
        strcpy(y, "absent");
        if (i < a->count) allot_strategy_print(&a->at[i], x);
        if (i < b->count) allot_strategy_print(&b->at[i], y);
        if (strcmp(x, y) && !differ++)
            snprintf(first, sizeof first, "strategy %d is %s in the one and %s in the other", i, x,
                     y);
    }
    if (!differ) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%s' and '%s' do not belong together: %d of %d "
                      "strategies differ, e.g. %s (%s)",
                      a_file, b_file, differ, n, first, remedy);
}
