/* SPDX-License-Identifier: Apache-2.0 */
/* probefile.h - probe.h5: the trained weights, what they were trained on, and (after
 * allot-calibrate platt, in a new file) the calibration. */
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
    char *embedding_model;    /* owned */
    char *embedding_pooling;  /* owned; may be NULL, as the next */
    char *embedding_prefix;   /* owned; text put before each query */
    int embedding_normalized; /* vectors are scaled to length 1 */
    char embedding_id[17];
    char split_id[17];
    cJSON *fingerprint; /* owned, of the outcomes */
    cJSON *grading;     /* owned, of the outcomes; NULL = not told */
    cJSON *training;    /* owned: settings and curve, for people */
    char metric[32];
    int calibrated;
    allot_calib calib;  /* identity unless calibrated */
    cJSON *calibration; /* owned: how it was fitted; NULL unless calibrated */
} allot_probefile;

ALLOT_MUST_CHECK allot_code allot_probefile_load(const char *path, allot_probefile *out,
                                                 allot_err *err);
ALLOT_MUST_CHECK allot_code allot_probefile_save(const char *path, const allot_probefile *p,
                                                 const char *tool, long seed,
                                                 const char *const *inputs, allot_err *err);
void allot_probefile_clear(allot_probefile *p);

/* The weights by name, in the order of probe->block: arrays of probe.h5, tensors of the bundle. */
enum { ALLOT_PROBE_VIEWS = 12 };
typedef struct {
    const char *name;
    float *at; /* view into the probe's block */
    int rank;  /* 1 or 2 */
    long dims[2];
} allot_probe_view;
void allot_probe_views(const allot_probe *p, allot_probe_view out[ALLOT_PROBE_VIEWS]);

/* Has a file of this set an entry for the method? Of the first methods always, of later ones where
 * the set uses them. */
int allot_calib_tells(const allot_strategies *set, allot_method m);
/* {"fitted": bool, "a": {method: number}, "b": {...}} and back. A missing entry of a method that
 * the set does not use is the identity, one of a method that it does is refused. The numbers are
 * exact; to_json is for printing only (they are raw JSON). */
cJSON *allot_calib_to_json(const allot_calib *c, const allot_strategies *set, int fitted);
ALLOT_MUST_CHECK allot_code allot_calib_from_json(const cJSON *object, const char *where,
                                                  const allot_strategies *set, allot_calib *out,
                                                  int *fitted, allot_err *err);
const char *allot_layout_name(allot_feature_layout layout); /* "default" or "paper" */
#endif
