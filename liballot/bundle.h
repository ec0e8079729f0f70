/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - one versioned file with everything a selector needs: strategies, probe, calibration,
 * costs, embedding id, generation fingerprint. A safetensors file; the manifest is JSON under the
 * metadata key "allot". docs/formats.md has the fields.
 * Threads: a loaded bundle is read-only; all calls are reentrant. */
#ifndef ALLOT_BUNDLE_H
#define ALLOT_BUNDLE_H
#include "calib.h"
#include "choose.h"
#include "probe.h"

#define ALLOT_BUNDLE_SCHEMA "allot-bundle"
#define ALLOT_BUNDLE_VERSION 3 /* what is written */
#define ALLOT_BUNDLE_OLDEST 2  /* what is still read; without a checksum */
#define ALLOT_BUNDLE_MAX_BYTES (1L << 30)

typedef struct {
    allot_strategies strategies;
    allot_probe probe;
    allot_calib calib;
    int calibrated;   /* 0: exported without a Platt fit */
    int has_checksum; /* 0: an old file, in which damage to a weight cannot be seen: warn */
    allot_costs costs;
    float *features;          /* [S][P], owned */
    float *v;                 /* [S][H1] projected features, owned */
    char *embedding_model;    /* owned, e.g. "tinymath", or ALLOT_NGRAM_MODEL */
    char *embedding_id;       /* owned; hash of model, pooling, dimension, normalisation, prefix */
    char *embedding_prefix;   /* owned; to be put before a query that is embedded, "" if none */
    char *embedding_pooling;  /* owned; how its server pools, "last" unless told */
    int embedding_normalized; /* 1: the embedding is to be scaled to length 1 */
    char *manifest;           /* owned; the whole manifest as JSON text */
} allot_bundle;

/* Reads and checks path: checksum, sizes, shapes, types, finite numbers, strategy-set id, schema
 * version. */
ALLOT_MUST_CHECK allot_code allot_bundle_load(const char *path, allot_bundle *out, allot_err *err);
/* The same from bytes in memory (borrowed during the call); name is for messages. */
ALLOT_MUST_CHECK allot_code allot_bundle_parse(const void *bytes, size_t n, const char *name,
                                               allot_bundle *out, allot_err *err);
void allot_bundle_clear(allot_bundle *b);

/* Floats of scratch for the calls below. */
size_t allot_scratch_floats(const allot_bundle *b);

/* Probabilities of all S strategies for one query.
 *   embedding  [D] finite            codepoints  of the query's text
 *   scratch    [allot_scratch_floats(b)]          out  [S] calibrated, in [0, 1]
 * Fails with ALLOT_EINPUT naming the first non-finite entry. Never allocates. */
ALLOT_MUST_CHECK allot_code allot_bundle_predict(const allot_bundle *b, const float *embedding,
                                                 size_t codepoints, float *scratch, double *out,
                                                 allot_err *err);

/* Predict, then choose. accuracy [S] is filled. */
ALLOT_MUST_CHECK allot_code allot_bundle_select(const allot_bundle *b, const allot_rule *rule,
                                                const float *embedding, size_t codepoints,
                                                float *scratch, double *accuracy, int *chosen,
                                                allot_err *err);
#endif
