/* SPDX-License-Identifier: Apache-2.0 */
/* embeddings.h - X.emb.h5: one vector per query. Arrays: key uint8 [Q,32], embedding float32 [Q,D].
 * Attributes: model, pooling, normalized (0/1), prefix, embedding_id (hash of these and D). */
#ifndef ALLOT_EMBEDDINGS_H
#define ALLOT_EMBEDDINGS_H
#include "lib/store/querykey.h"

#define ALLOT_EMBEDDINGS_SCHEMA "allot-embeddings"

typedef struct {
    long n;          /* Q */
    long dim;        /* D */
    allot_key *keys; /* owned [Q], unique */
    float *at;       /* owned [Q,D], finite */
    char *model;     /* owned */
    char *pooling;   /* owned; "last", "cls", "mean", "ngram", ... as told */
    int normalized;
    char *prefix; /* owned; text put before each query, "" if none */
    char id[17];  /* embedding id */
} allot_embeddings;

ALLOT_MUST_CHECK allot_code allot_embeddings_load(const char *path, allot_embeddings *out,
                                                  allot_err *err);
/* Computes the id; checks finiteness and unique keys. */
ALLOT_MUST_CHECK allot_code allot_embeddings_save(const char *path, allot_embeddings *e,
                                                  const char *tool, long seed,
                                                  const char *const *inputs, allot_err *err);
void allot_embeddings_clear(allot_embeddings *e);
/* What tells apart vectors that do not belong together. */
void allot_embeddings_id(const char *model, const char *pooling, long dim, int normalized,
                         const char *prefix, char out[17]);
/* Of a vector of dim numbers: its length, and the same scaled to length 1 (that of length 0 stays).
 */
double allot_embeddings_length(const float *x, long dim);
void allot_embeddings_scale(float *x, long dim);
/* Refuses vectors e of file e_file that are not those that the probe in trained_file was trained
 * on: its model, dim and id. */
ALLOT_MUST_CHECK allot_code allot_embeddings_agree(const allot_embeddings *e, const char *e_file,
                                                   const char *model, long dim, const char *id,
                                                   const char *trained_file, allot_err *err);
#endif
