/* SPDX-License-Identifier: Apache-2.0 */
/* versions.h - which versions of a format a reader reads. A writer writes the newest; a reader
 * reads all since the oldest that was ever released, for ever (tests/golden/files). */
#ifndef ALLOT_VERSIONS_H
#define ALLOT_VERSIONS_H
#include "liballot/err.h"

typedef struct {
    int oldest, newest;
} allot_versions;

/* Refuses version v of `schema` outside the range; where: "cannot read 'costs.json'". */
ALLOT_MUST_CHECK allot_code allot_versions_check(allot_versions range, long v, const char *schema,
                                                 const char *where, allot_err *err);
#endif
