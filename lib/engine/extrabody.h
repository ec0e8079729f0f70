/* SPDX-License-Identifier: Apache-2.0 */
/* extrabody.h - fields of a user's own in each generation request (top_k, repetition_penalty, ...),
 * for what a server knows and allot does not. */
#ifndef ALLOT_EXTRABODY_H
#define ALLOT_EXTRABODY_H
#include <cjson/cJSON.h>
#include "liballot/err.h"

/* A JSON object without the fields that allot sets itself. The caller deletes *out. */
ALLOT_MUST_CHECK allot_code allot_extrabody_parse(const char *text, cJSON **out, allot_err *err);
/* Adds its fields to a request; extra may be NULL. */
void allot_extrabody_add(const cJSON *extra, cJSON *body);
#endif
