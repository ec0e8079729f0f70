/* SPDX-License-Identifier: Apache-2.0 */
/* probefile.h - probe.h5: the trained weights, what they were trained on, and (after allot-calibrate
 * platt, in a new file) the calibration. */
#ifndef ALLOT_PROBEFILE_H
#define ALLOT_PROBEFILE_H
#include <cjson/cJSON.h>
#include "liballot/calib.h"
#include "liballot/probe.h"
#include "liballot/strategy.h"

#define ALLOT_PROBE_SCHEMA "allot-probe"

typedef struct {
    allot_probe probe;
    allot_strategies strategies;
    char *embedding_model;   /* owned */
    char embedding_id[17];
    char split_id[17];
    cJSON *fingerprint;      /* owned, of the outcomes */
    cJSON *training;         /* owned: settings and curve, for people */
    char metric[32];
    int calibrated;
    allot_calib calib;       /* identity unless calibrated */
    cJSON *calibration;      /* owned: how it was fitted; NULL unless calibrated */
} allot_probefile;

ALLOT_MUST_CHECK allot_code allot_probefile_load(const char *path, allot_probefile *out,
                                                 allot_err *err);
ALLOT_MUST_CHECK allot_code allot_probefile_save(const char *path, const allot_probefile *p,
                                                 const char *tool, long seed,
                                                 const char *const *inputs, allot_err *err);
void allot_probefile_clear(allot_probefile *p);
#endif
