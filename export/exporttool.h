/* SPDX-License-Identifier: Apache-2.0 */
/* exporttool.h - joins a calibrated probe and a cost table into one bundle. */
#ifndef ALLOT_EXPORTTOOL_H
#define ALLOT_EXPORTTOOL_H
#include "lib/core/options.h"

typedef struct {
    const char *probe, *costs, *output; /* paths; required */
    int load;                           /* queries in flight; 0 = the only load of the table */
    int uncalibrated;                   /* a probe without Platt fit is allowed */
} allot_exporttool;

/* Checks that both belong together, writes the bundle, prints what is in it. */
ALLOT_MUST_CHECK allot_code allot_exporttool_run(const allot_exporttool *tool,
                                                 const allot_common *common, allot_err *err);
#endif
