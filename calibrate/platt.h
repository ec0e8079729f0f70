/* SPDX-License-Identifier: Apache-2.0 */
/* platt.h - fits p = sigmoid(a z + b) to soft labels by the mean binary cross-entropy
 *   softplus(a z + b) - label (a z + b),
 * convex in (a, b). Where the data do not decide (constant labels or logits, perfect separation),
 * a quadratic prior around (1, 0), worth a few cells, does, and the fit says so. A slope of 0 or
 * less would turn the order of the strategies round: then a stays 1 and only b is fitted. Source:
 * Platt 1999; arXiv:2509.09864, section 2.4. GSL must not abort: see calibrate/main.c. */
#ifndef ALLOT_PLATT_H
#define ALLOT_PLATT_H
#include "liballot/calib.h"
#include <stddef.h>

typedef struct {
    double z;     /* logit, finite */
    double label; /* [0, 1] */
    double w;     /* weight, >= 0 */
    allot_method method;
} allot_platt_cell;

typedef enum {
    ALLOT_PLATT_FREE,   /* the data alone */
    ALLOT_PLATT_SHRUNK, /* towards the global fit */
    ALLOT_PLATT_GUARDED /* with the prior around (1, 0) */
} allot_platt_how;

typedef struct {
    double a, b;
    double loss; /* mean cross-entropy at (a, b), without prior */
    long n;      /* cells of positive weight */
    int iterations;
    allot_platt_how how;
    const char *why; /* GUARDED: reason, static; else NULL */
} allot_platt_fit;

/* One (a, b) for all cells. Fails if there is no cell of positive weight. */
ALLOT_MUST_CHECK allot_code allot_platt_global(const allot_platt_cell *cells, size_t n,
                                               allot_platt_fit *out, allot_err *err);

/* One (a, b) per method, shrunk to `global`: the prior is worth `shrink` of the method's n_queries
 * queries (cells of one query are dependent, so cells do not count). Methods without cells get the
 * global fit. fits [ALLOT_N_METHODS]. */
ALLOT_MUST_CHECK allot_code allot_platt_per_method(const allot_platt_cell *cells, size_t n,
                                                   const allot_platt_fit *global, double shrink,
                                                   long n_queries,
                                                   allot_platt_fit fits[ALLOT_N_METHODS],
                                                   allot_err *err);
#endif
