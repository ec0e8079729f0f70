/* SPDX-License-Identifier: Apache-2.0 */
/* filefields.h - what inspect and show share: what kind a file is, and an object as text. */
#ifndef ALLOT_FILEFIELDS_H
#define ALLOT_FILEFIELDS_H
#include <cjson/cJSON.h>
#include "liballot/err.h"

/* The schema that an HDF5 file names; the caller frees it. */
ALLOT_MUST_CHECK allot_code allot_fields_schema(const char *path, char **schema, allot_err *err);

/* One line "name: value" for each field on stdout, one line for each row of a table. */
void allot_fields_print(const cJSON *object);
#endif
