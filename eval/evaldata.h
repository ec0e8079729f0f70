/* SPDX-License-Identifier: Apache-2.0 */
/* evaldata.h - the test queries of one bundle, joined by key: soft labels, realised costs, the
 * bundle's predictions and its cost table. All arrays are [n][S] row-major unless told otherwise.
 */
#ifndef ALLOT_EVALDATA_H
#define ALLOT_EVALDATA_H
#include "lib/store/joined.h"
#include "liballot/bundle.h"

typedef struct {
    const char *bundle;       /* path, borrowed */
    allot_joined_files files; /* missing: refuse or drop-query */
} allot_evalinputs;

typedef struct {
    allot_bundle bundle;   /* owned */
    int n;                 /* test queries */
    int s;                 /* strategies, = bundle.strategies.count */
    double *label;         /* soft labels */
    double *half[2];       /* labels on two disjoint halves; NULL when any is unknown */
    double *n_eff;         /* effective trials behind a label */
    double *tokens;        /* realised */
    double *seconds;       /* realised; NULL when there are no seconds at all */
    int seconds_measured;  /* 1: cells of the test queries; 0: the cost table's means */
    double *p;             /* predicted, calibrated */
    double *p_raw;         /* predicted, before calibration */
    double *table_tokens;  /* [S] predicted costs */
    double *table_seconds; /* [S]; NULL when the table has none */
    long dropped;          /* test queries left out for missing cells */
    char metric[32];
    char *embedding_model; /* owned */
} allot_evaldata;

/* Refuses files that do not belong together: strategy set, fingerprint, embedding, split, keys. */
ALLOT_MUST_CHECK allot_code allot_evaldata_load(const allot_evalinputs *in, allot_evaldata *out,
                                                allot_err *err);
void allot_evaldata_clear(allot_evaldata *d);
#endif
