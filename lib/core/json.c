/* SPDX-License-Identifier: Apache-2.0 */
/* Parses within bounds, writes atomically, and reads fields with messages that name them. */
#include "lib/core/json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/atomicfile.h"
#include "lib/core/buf.h"
#include "liballot/jsontext.h"
#include "liballot/mem.h"

static void *counted_malloc(size_t n)
{
    void *p = malloc(n);
    if (!p) allot_mem_short();
    return p;
}

void allot_json_count_shortages(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){counted_malloc, free});
}

allot_code allot_json_parse(const char *text, size_t n, const char *where, cJSON **out,
                            allot_err *err)
{
    return allot_jsontext_parse(text, n, where, out, err);
}

allot_code allot_json_load(const char *path, size_t max_bytes, cJSON **out, allot_err *err)
{
    char *text = NULL;
    size_t n = 0;
    allot_code rc = allot_file_read(path, max_bytes, &text, &n, err);
    if (rc) return rc;
    char where[300];
    snprintf(where, sizeof where, "cannot read '%.250s'", path);
    rc = allot_json_parse(text, n, where, out, err);
    free(text);
    return rc;
}

static allot_code printed(const cJSON *value, int indented, char **out, allot_err *err)
{
    *out = indented ? cJSON_Print(value) : cJSON_PrintUnformatted(value);
    if (*out && !allot_mem_shortages()) return ALLOT_OK;
    free(*out);
    *out = NULL;
    return allot_fail(err, ALLOT_ERUNTIME, "out of memory for JSON");
}

/* The file's "schema" is the first in it, as we write it and people leave it. */
static int has_schema(const char *path, const void *user)
{
    char start[4096], want[128];
    (void)allot_kind_start(path, start, sizeof start);
    char *at = strstr(start, "\"schema\"");
    if (!at || start[strspn(start, " \t\r\n")] != '{') return 0;
    at += strlen("\"schema\"");
    at += strspn(at, " \t\r\n:");
    snprintf(want, sizeof want, "\"%.100s\"", (const char *)user);
    return strncmp(at, want, strlen(want)) == 0;
}

allot_code allot_json_save(const char *path, const cJSON *value, allot_err *err)
{
    const char *schema = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(value, "schema"));
    char what[160], *text = NULL;
    snprintf(what, sizeof what, "a file of kind '%.100s'", schema ? schema : "?");
    const allot_kind kind = {what, has_schema, schema ? schema : "?"};
    allot_code rc = printed(value, 1, &text, err);
    if (rc) return rc;
    allot_buf b = {0};
    allot_buf_str(&b, text);
    allot_buf_str(&b, "\n");
    free(text);
    rc = allot_buf_check(&b, err);
    if (!rc) rc = allot_file_write(path, &kind, b.at, b.n, err);
    allot_buf_clear(&b);
    return rc;
}

allot_code allot_json_print(const cJSON *value, allot_err *err)
{
    char *text = NULL;
    allot_code rc = printed(value, 0, &text, err);
    if (!rc) puts(text);
    free(text);
    return rc;
}

static allot_code field_of(const cJSON *object, const char *field, const char *where,
                           const cJSON **out, allot_err *err)
{
    *out = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, field) : NULL;
    if (*out) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT, "%s: \"%s\" is missing", where, field);
}

static allot_code wrong(const char *field, const char *where, const char *want, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "%s: \"%s\" is not %s", where, field, want);
}

allot_code allot_json_string(const cJSON *object, const char *field, const char *where,
                             const char **out, allot_err *err)
{
    const cJSON *v;
    allot_code rc = field_of(object, field, where, &v, err);
    if (rc) return rc;
    if (!cJSON_IsString(v)) return wrong(field, where, "a string", err);
    *out = v->valuestring;
    return ALLOT_OK;
}

allot_code allot_json_number(const cJSON *object, const char *field, const char *where, double min,
                             double max, double *out, allot_err *err)
{
    const cJSON *v;
    allot_code rc = field_of(object, field, where, &v, err);
    if (rc) return rc;
    if (!cJSON_IsNumber(v)) return wrong(field, where, "a number", err);
    if (!(v->valuedouble >= min && v->valuedouble <= max))
        return allot_fail(err, ALLOT_EINPUT, "%s: \"%s\" is %g, not within %g to %g", where, field,
                          v->valuedouble, min, max);
    *out = v->valuedouble;
    return ALLOT_OK;
}

allot_code allot_json_int(const cJSON *object, const char *field, const char *where, long min,
                          long max, long *out, allot_err *err)
{
    double x;
    allot_code rc = allot_json_number(object, field, where, (double)min, (double)max, &x, err);
    if (rc) return rc;
    if (x != floor(x) || fabs(x) > 0x1p53) return wrong(field, where, "a whole number", err);
    *out = (long)x;
    return ALLOT_OK;
}

allot_code allot_json_array(const cJSON *object, const char *field, const char *where, cJSON **out,
                            allot_err *err)
{
    const cJSON *v;
    allot_code rc = field_of(object, field, where, &v, err);
    if (rc) return rc;
    if (!cJSON_IsArray(v)) return wrong(field, where, "an array", err);
    *out = cJSON_GetObjectItemCaseSensitive(object, field);
    return ALLOT_OK;
}

allot_code allot_json_object(const cJSON *object, const char *field, const char *where, cJSON **out,
                             allot_err *err)
{
    const cJSON *v;
    allot_code rc = field_of(object, field, where, &v, err);
    if (rc) return rc;
    if (!cJSON_IsObject(v)) return wrong(field, where, "an object", err);
    *out = cJSON_GetObjectItemCaseSensitive(object, field);
    return ALLOT_OK;
}

allot_code allot_json_schema(const cJSON *object, const char *schema, allot_versions range,
                             const char *where, int *version, allot_err *err)
{
    const char *s;
    long v;
    allot_code rc = allot_json_string(object, "schema", where, &s, err);
    if (!rc) rc = allot_json_int(object, "version", where, 0, 1000000, &v, err);
    if (rc) return rc;
    if (strcmp(s, schema) != 0)
        return allot_fail(err, ALLOT_EINPUT, "%s: it is a file of kind '%.64s', not '%s'", where, s,
                          schema);
    if (version) *version = (int)v;
    return allot_versions_check(range, v, schema, where, err);
}

void allot_json_add_number(cJSON *object, const char *field, double value)
{
    if (isfinite(value)) cJSON_AddNumberToObject(object, field, value);
    else cJSON_AddNullToObject(object, field);
}
