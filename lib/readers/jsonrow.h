/* SPDX-License-Identifier: Apache-2.0 */
/* jsonrow.h - the wanted fields of one line of JSON, without building a tree: the whole line is
 * checked (RFC 8259, UTF-8), only wanted texts are decoded. Refuses what lib/core/json.h refuses:
 * NUL (also as \u0000), nesting deeper than 64, a field twice in an object, text behind the value.
 */
#ifndef ALLOT_JSONROW_H
#define ALLOT_JSONROW_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

typedef enum {
    ALLOT_ROW_ABSENT, /* or null */
    ALLOT_ROW_TEXT,   /* a string, decoded; it may be empty */
    ALLOT_ROW_NUMBER, /* as written */
    ALLOT_ROW_LIST,   /* an array of strings, or of one number: joined by ", " */
    ALLOT_ROW_OTHER   /* true, false, an array, an object */
} allot_rowkind;

typedef struct {
    allot_rowkind kind;
    const char *text; /* [n] within the line; not NUL-terminated */
    size_t n;
} allot_rowvalue;

enum { ALLOT_JSONROW_FIELDS = 8 };

/* Memory that rows share: zero at first. */
typedef struct {
    allot_rowvalue field[ALLOT_JSONROW_FIELDS]; /* [n_fields] names of the line's first fields */
    int n_fields;
    uint64_t *names; /* owned: hashes of the names of the objects that are open */
    size_t n, capacity;
} allot_jsonrow;

/* line: [n], changed in place; n_names names of fields of the outermost object -> out[n_names]. */
ALLOT_MUST_CHECK allot_code allot_jsonrow_read(allot_jsonrow *j, char *line, size_t n,
                                               const char *const *names, int n_names,
                                               allot_rowvalue *out, allot_err *err);
void allot_jsonrow_clear(allot_jsonrow *j);
#endif
