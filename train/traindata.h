/* SPDX-License-Identifier: Apache-2.0 */
/* traindata.h - what the probe learns from: the labelled cells of a split with the query parts of
 * their features, joined from outcomes, embeddings and splits by key. */
#ifndef ALLOT_TRAINDATA_H
#define ALLOT_TRAINDATA_H
#include "lib/store/outcomes.h"
#include "lib/store/probefile.h"

/* The cells of one split. Q queries, S strategies. */
typedef struct {
    long n;           /* Q */
    int d1;           /* D + 1: embedding and length feature */
    int n_strategies; /* S */
    long n_cells;     /* cells that are not missing */
    float *x;         /* owned [Q][D+1], standardised */
    float *label;     /* owned [Q][S], soft labels in [0, 1] */
    float *weight;    /* owned [Q][S]; 0 = missing; 1, or n_eff scaled to a mean of 1 */
} allot_cells;

typedef struct {
    const char *outcomes, *embeddings, *splits; /* paths */
    int paper;           /* the paper's feature layout, nothing standardised */
    int weight_by_n_eff; /* of the training cells */
    allot_missing missing;
    int hidden; /* units in each of both hidden layers */
} allot_traindata_source;

typedef struct {
    allot_cells train, validation;
    allot_probefile file; /* all but weights and training: sizes, normalisation, what it is of */
    float *features;      /* owned [S][P] */
    double n_eff_mean;    /* of the training cells */
    long dropped_queries; /* by the rule for missing cells */
    int dropped_strategies;
} allot_traindata;

/* Fails with ALLOT_EMISMATCH when the files do not belong together (missing keys). */
ALLOT_MUST_CHECK allot_code allot_traindata_load(const allot_traindata_source *source,
                                                 allot_traindata *out, allot_err *err);
void allot_traindata_clear(allot_traindata *t);

#endif
