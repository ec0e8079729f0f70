/* SPDX-License-Identifier: Apache-2.0 */
/* reportdir.h - the folder of a report appears complete or not at all. It is filled under another
 * name, in a folder that an interrupted program removes. Where the folder is there already, the
 * files move into it at the end, the JSON last; whatever else is in it stays. A folder that holds
 * things, but no report, is refused (lib/core/outputs.h). */
#ifndef ALLOT_REPORTDIR_H
#define ALLOT_REPORTDIR_H
#include "liballot/err.h"

typedef struct {
    char *path;       /* owned */
    char *tmp;        /* owned; the folder to fill */
    const char *last; /* borrowed; the file that is moved last: where it is, there is a report */
    int existed;      /* path did */
} allot_reportdir;

ALLOT_MUST_CHECK allot_code allot_reportdir_begin(allot_reportdir *d, const char *path,
                                                  const char *last, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_reportdir_commit(allot_reportdir *d, allot_err *err);
/* Removes what was begun; safe on zero, twice and after commit. */
void allot_reportdir_abort(allot_reportdir *d);

#endif
