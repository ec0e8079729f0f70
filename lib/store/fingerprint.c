/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts the fields, hashes them, and names those in which two fingerprints differ. */
#include "lib/store/fingerprint.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/hash.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "liballot/mem.h"
#include "lib/store/provenance.h"

static int by_name(const void *a, const void *b)
{
    const cJSON *const *x = a, *const *y = b;
    return strcmp((*x)->string, (*y)->string);
}

static allot_code sort_fields(cJSON *fields, allot_err *err)
{
    int n = cJSON_GetArraySize(fields);
    cJSON **items = allot_mem_array((size_t)n, sizeof *items, err);
    if (!items) return ALLOT_ERUNTIME;
    for (int i = 0; i < n; i++)
        items[i] = cJSON_DetachItemViaPointer(fields, fields->child);
    qsort(items, (size_t)n, sizeof *items, by_name);
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(fields, items[i]); /* keeps the item's name */
    free(items);
    return ALLOT_OK;
}

allot_code allot_fingerprint_check(cJSON *fields, const char *where, allot_err *err)
{
    const cJSON *f;
    if (!cJSON_IsObject(fields) || !fields->child)
        return allot_fail(err, ALLOT_EINPUT, "%s: the fingerprint is not an object with fields",
                          where);
    cJSON_ArrayForEach(f, fields) if (!cJSON_IsString(f) && !cJSON_IsNumber(f)) return allot_fail(
        err, ALLOT_EINPUT,
        "%s: field '%.64s' of the fingerprint is neither a "
        "text nor a number",
        where, f->string);
    return sort_fields(fields, err);
}

/* Takes the grader out of a fingerprint of before; what "grading" says itself counts more. */
static allot_code move_grader(cJSON *object, cJSON *fingerprint, allot_err *err)
{
    cJSON *grader = cJSON_DetachItemFromObjectCaseSensitive(fingerprint, "grader");
    if (!grader) return ALLOT_OK;
    int is_told = cJSON_GetObjectItemCaseSensitive(object, "grading") != NULL;
    cJSON *grading = is_told ? NULL : cJSON_AddObjectToObject(object, "grading");
    if (cJSON_AddItemToObject(grading, "grader", grader)) return ALLOT_OK;
    cJSON_Delete(grader);
    return is_told ? ALLOT_OK : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
}

allot_code allot_fingerprint_settle(cJSON *object, const char *where, allot_err *err)
{
    cJSON *fingerprint;
    allot_code rc = allot_json_object(object, "fingerprint", where, &fingerprint, err);
    if (!rc) rc = allot_fingerprint_check(fingerprint, where, err);
    if (!rc) rc = move_grader(object, fingerprint, err);
    if (!rc) rc = allot_fingerprint_check(fingerprint, where, err);
    cJSON *grading = cJSON_GetObjectItemCaseSensitive(object, "grading");
    if (!rc && grading && allot_fingerprint_check(grading, where, NULL))
        rc = allot_fail(err, ALLOT_EINPUT, "%s: the grading is not an object of texts and numbers",
                        where);
    return rc;
}

allot_code allot_fingerprint_from_h5(allot_h5 *h, cJSON **fingerprint, cJSON **grading,
                                     allot_err *err)
{
    char where[512];
    snprintf(where, sizeof where, "cannot read '%.400s'", allot_h5_path(h));
    cJSON *file = cJSON_CreateObject(), *part[2] = {0};
    allot_code rc = allot_json_from_h5(h, "fingerprint", &part[0], err);
    if (!rc && allot_h5_has_text(h, "grading"))
        rc = allot_json_from_h5(h, "grading", &part[1], err);
    cJSON_AddItemToObject(file, "fingerprint", part[0]);
    if (part[1]) cJSON_AddItemToObject(file, "grading", part[1]);
    if (!rc) rc = allot_fingerprint_settle(file, where, err);
    *fingerprint = cJSON_DetachItemFromObjectCaseSensitive(file, "fingerprint");
    *grading = cJSON_DetachItemFromObjectCaseSensitive(file, "grading");
    cJSON_Delete(file);
    return rc;
}

allot_code allot_fingerprint_to_h5(allot_h5 *h, const cJSON *fingerprint, const cJSON *grading,
                                   allot_err *err)
{
    allot_code rc = allot_json_to_h5(h, "fingerprint", fingerprint, err);
    return rc || !grading ? rc : allot_json_to_h5(h, "grading", grading, err);
}

char *allot_fingerprint_text(const cJSON *fields)
{
    cJSON *copy = cJSON_Duplicate(fields, 1);
    char *text = NULL;
    if (copy && !sort_fields(copy, NULL)) text = cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

void allot_fingerprint_id(const cJSON *fields, char out[17])
{
    char *text = allot_fingerprint_text(fields);
    allot_short_id(text ? text : "", out);
    free(text);
}

static void print_value(const cJSON *f, char out[80])
{
    char *text = f ? cJSON_PrintUnformatted(f) : NULL;
    snprintf(out, 80, "%.*s%s", 60, text ? text : "absent", text && strlen(text) > 60 ? "..." : "");
    free(text);
}

/* How many fields differ; *name: the first of them in alphabetical order. */
static int differences(const cJSON *a, const cJSON *b, const char **name)
{
    const cJSON *f;
    int n = 0;
    *name = NULL;
    cJSON_ArrayForEach(f, a)
    {
        if (cJSON_Compare(f, cJSON_GetObjectItemCaseSensitive(b, f->string), 1)) continue;
        if (!n++ || strcmp(f->string, *name) < 0) *name = f->string;
    }
    cJSON_ArrayForEach(f, b)
    {
        if (cJSON_GetObjectItemCaseSensitive(a, f->string)) continue;
        if (!n++ || strcmp(f->string, *name) < 0) *name = f->string;
    }
    return n;
}

allot_code allot_fingerprint_agree(const cJSON *a, const char *a_file, const cJSON *b,
                                   const char *b_file, const char *remedy, allot_err *err)
{
    char x[80], y[80];
    const char *name;
    int n = differences(a, b, &name);
    if (n == 0) return ALLOT_OK;
    print_value(cJSON_GetObjectItemCaseSensitive(a, name), x);
    print_value(cJSON_GetObjectItemCaseSensitive(b, name), y);
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%s' and '%s' do not belong together: %d setting%s, "
                      "e.g. %.64s is %s in the one and %s in the other (%s)",
                      a_file, b_file, n, n == 1 ? " differs" : "s differ", name, x, y, remedy);
}

void allot_grading_compare(const cJSON *a, const char *a_file, const cJSON *b, const char *b_file)
{
    char x[80], y[80];
    const char *name;
    if (!a || !b || differences(a, b, &name) == 0) return;
    print_value(cJSON_GetObjectItemCaseSensitive(a, name), x);
    print_value(cJSON_GetObjectItemCaseSensitive(b, name), y);
    allot_log_warn("'%s' and '%s' were graded differently: %.64s is %s in the one and %s in the "
                   "other (label both with one version and the same options to compare them)",
                   a_file, b_file, name, x, y);
}
