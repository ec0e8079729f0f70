/* SPDX-License-Identifier: Apache-2.0 */
/* joined.h - outcomes, embeddings and splits of the same queries, joined by key: what training,
 * calibration and evaluation read. What does not belong together is refused (ALLOT_EMISMATCH). */
#ifndef ALLOT_JOINED_H
#define ALLOT_JOINED_H
#include "lib/store/embeddings.h"
#include "lib/store/outcomes.h"
#include "lib/store/splits.h"

typedef struct {
    const char *outcomes, *embeddings, *splits; /* paths */
    allot_missing missing;
} allot_joined_files;

/* What a probe was trained with; everything is borrowed. */
typedef struct {
    const char *file; /* the probe or the bundle, for messages */
    const allot_strategies *strategies;
    const cJSON *fingerprint;
    const cJSON *grading;
    const char *embedding_model, *embedding_id, *split_id, *metric;
    long dim;
} allot_joined_trained;

typedef struct {
    allot_outcomes outcomes; /* Q queries, after the rule for missing cells */
    allot_embeddings embeddings;
    allot_splits splits;
    long *row;                    /* owned [Q] row of each query in embeddings */
    uint8_t *split_of;            /* owned [Q] */
    long n[ALLOT_N_SPLITS];       /* queries of each split */
    long dropped[ALLOT_N_SPLITS]; /* and left out of it by the rule for missing cells */
    int dropped_strategies;
} allot_joined;

/* trained: NULL when nothing was trained yet. */
ALLOT_MUST_CHECK allot_code allot_joined_load(const allot_joined_files *files,
                                              const allot_joined_trained *trained,
                                              allot_joined *out, allot_err *err);
void allot_joined_clear(allot_joined *j);
/* The embedding [D] of query q. */
const float *allot_joined_embedding(const allot_joined *j, long q);
#endif
