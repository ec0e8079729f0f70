/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that judges the version of a file. */
#include "lib/core/versions.h"
#include <stdio.h>

allot_code allot_versions_check(allot_versions range, long v, const char *schema, const char *where,
                                allot_err *err)
{
    if (v >= range.oldest && v <= range.newest) return ALLOT_OK;
    char reads[64];
    if (range.oldest == range.newest) snprintf(reads, sizeof reads, "version %d", range.newest);
    else snprintf(reads, sizeof reads, "versions %d to %d", range.oldest, range.newest);
    return allot_fail(err, ALLOT_EINPUT, "%s: version %ld of '%s', this program reads %s (%s)",
                      where, v, schema, reads,
                      v > range.newest ? "install a newer allot" : "make the file again");
}
