/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and vectors from JSON, of hostile hands. */
#include "select/selectinput.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "lib/core/json.h"
#include "liballot/mem.h"

#define MAX_VECTOR_BYTES (16u << 20)

static allot_code read_vector(const cJSON *array, const char *where, int dim, float **out,
                              allot_err *err)
{
    if (!cJSON_IsArray(array))
        return allot_fail(err, ALLOT_EINPUT, "%s: the embedding is no list of numbers", where);
    if (cJSON_GetArraySize(array) != dim)
        return allot_fail(err, ALLOT_EMISMATCH,
                          "%s: the embedding has %d entries, the bundle "
                          "needs %d",
                          where, cJSON_GetArraySize(array), dim);
    *out = allot_mem_array((size_t)dim, sizeof **out, err);
    if (!*out) return ALLOT_ERUNTIME;
    int i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsNumber(item) || !(fabs(item->valuedouble) <= FLT_MAX))
            return allot_fail(err, ALLOT_EINPUT,
                              "%s: entry %d of the embedding is no number that "
                              "float32 holds",
                              where, i);
        (*out)[i++] = (float)item->valuedouble;
    }
    return ALLOT_OK;
}

allot_code allot_select_read_line(const char *line, size_t n, const char *where, int dim,
                                  allot_decide_query *out, allot_err *err)
{
    cJSON *object = NULL;
    const char *text = NULL;
    allot_code rc = allot_json_parse(line, n, where, &object, err);
    if (!rc) rc = allot_json_string(object, "problem", where, &text, err);
    if (!rc) {
        rc = allot_decide_query_read(text, strlen(text), out, err);
        if (rc) allot_fail_in(err, "%s", where);
    }
    const cJSON *vector = rc ? NULL : cJSON_GetObjectItemCaseSensitive(object, "embedding");
    if (vector) rc = read_vector(vector, where, dim, &out->vector, err);
    cJSON_Delete(object);
    return rc;
}

allot_code allot_select_read_vector(const char *path, int dim, allot_decide_query *q,
                                    allot_err *err)
{
    cJSON *array = NULL;
    allot_code rc = allot_json_load(path, MAX_VECTOR_BYTES, &array, err);
    if (!rc) rc = read_vector(array, path, dim, &q->vector, err);
    cJSON_Delete(array);
    return rc;
}
