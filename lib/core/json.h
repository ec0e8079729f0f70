/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - cJSON with bounds and typed access. Depth and size are limited, duplicate keys and
 * non-finite numbers are refused, errors name file and field. */
#ifndef ALLOT_JSON_H
#define ALLOT_JSON_H
#include <cjson/cJSON.h>
#include <stddef.h>
#include "lib/core/versions.h"
#include "liballot/err.h"

/* From now on cJSON's failed allocations are counted (liballot/mem.h): a tree that lacks a field
 * for want of memory is neither saved nor printed. Once per process, before any other thread. */
void allot_json_count_shortages(void);

/* text of n bytes; where: for messages ("'costs.json'", "line 7 of 'x.jsonl'"). The caller deletes
 * *out. The whole text must be one value. */
ALLOT_MUST_CHECK allot_code allot_json_parse(const char *text, size_t n, const char *where,
                                             cJSON **out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_json_load(const char *path, size_t max_bytes, cJSON **out,
                                            allot_err *err);
/* Indented, with a newline at the end, atomically. value has a field "schema" first: an existing
 * file is replaced only if it is of the same (lib/core/outputs.h). */
ALLOT_MUST_CHECK allot_code allot_json_save(const char *path, const cJSON *value, allot_err *err);
/* One line to stdout. */
ALLOT_MUST_CHECK allot_code allot_json_print(const cJSON *value, allot_err *err);
/* {schema, version}: of this kind and within the range; *version (or NULL) gets which. */
ALLOT_MUST_CHECK allot_code allot_json_schema(const cJSON *object, const char *schema,
                                              allot_versions range, const char *where, int *version,
                                              allot_err *err);

/* Required fields of an object; strings are borrowed from it. */
ALLOT_MUST_CHECK allot_code allot_json_string(const cJSON *object, const char *field,
                                              const char *where, const char **out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_json_number(const cJSON *object, const char *field,
                                              const char *where, double min, double max,
                                              double *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_json_int(const cJSON *object, const char *field,
                                           const char *where, long min, long max, long *out,
                                           allot_err *err);
ALLOT_MUST_CHECK allot_code allot_json_array(const cJSON *object, const char *field,
                                             const char *where, cJSON **out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_json_object(const cJSON *object, const char *field,
                                              const char *where, cJSON **out, allot_err *err);
/* Adds a number, or null when it is not finite. */
void allot_json_add_number(cJSON *object, const char *field, double value);

#endif
