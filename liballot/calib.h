/* SPDX-License-Identifier: Apache-2.0 */
/* calib.h - Platt scaling: p = sigmoid(a z + b), one (a, b) per method (equal for all when fitted
 * globally). Fitting lives in calibrate/; this is its application, shared by all readers.
 * Source: Platt 1999; arXiv:2509.09864, section 2.4. */
#ifndef ALLOT_CALIB_H
#define ALLOT_CALIB_H
#include "strategy.h"

typedef struct {
    double a[ALLOT_N_METHODS];
    double b[ALLOT_N_METHODS];
} allot_calib;

/* a = 1, b = 0: the uncalibrated probe. */
void allot_calib_identity(allot_calib *c);

/* Probability in [0, 1]; stable for any finite z. */
double allot_calib_apply(const allot_calib *c, allot_method m, double z);

double allot_sigmoid(double x);

#endif
