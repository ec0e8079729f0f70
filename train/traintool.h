/* SPDX-License-Identifier: Apache-2.0 */
/* traintool.h - allot-train from its options to its report. */
#ifndef ALLOT_TRAINTOOL_H
#define ALLOT_TRAINTOOL_H
#include "lib/core/options.h"

typedef struct {
    const char *outcomes, *embeddings, *splits, *output; /* paths; required */
    const char *missing;                                 /* how, as a word */
    const char *weight_by;                               /* "n-eff" or "none" */
    int paper;
    double lr; /* 0 = default of the mode; so below, -1 for weight_decay */
    double weight_decay;
    int batch, epochs, patience, hidden;
} allot_traintool;

/* Trains, writes the probe, prints the report. */
ALLOT_MUST_CHECK allot_code allot_traintool_run(const allot_traintool *tool,
                                                const allot_common *common, allot_err *err);
#endif
