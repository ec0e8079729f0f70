/* SPDX-License-Identifier: Apache-2.0 */
/* jsontext.h - cJSON for hostile text, for the bundle's reader and lib/core/json. Not installed. */
#ifndef ALLOT_JSONTEXT_H
#define ALLOT_JSONTEXT_H
#include <cjson/cJSON.h>
#include <stddef.h>
#include "err.h"

#define ALLOT_JSON_MAX_DEPTH 64

/* Parses n bytes that must be one JSON value. Refuses NUL (also as \u0000), nesting deeper than
 * ALLOT_JSON_MAX_DEPTH, a field that occurs twice in an object, numbers that are not finite, and
 * text behind the value. where: for messages. The caller deletes *out. */
ALLOT_MUST_CHECK allot_code allot_jsontext_parse(const char *text, size_t n, const char *where,
                                                 cJSON **out, allot_err *err);
#endif
