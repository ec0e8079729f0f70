/* SPDX-License-Identifier: Apache-2.0 */
/* The sigmoid without overflow, and the scaling of one logit or many. */
#include "calib.h"
#include <math.h>

void allot_calib_identity(allot_calib *c)
{
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        c->a[m] = 1;
        c->b[m] = 0;
    }
}

double allot_sigmoid(double x)
{
    if (x >= 0) return 1 / (1 + exp(-x));
    double e = exp(x);
    return e / (1 + e);
}

double allot_calib_apply(const allot_calib *c, allot_method m, double z)
{
    return allot_sigmoid(c->a[m] * z + c->b[m]);
}
