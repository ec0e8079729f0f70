/* SPDX-License-Identifier: Apache-2.0 */
/* adam.h - Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019), the
 * same update as PyTorch's AdamW, and as its Adam for weight_decay 0. */
#ifndef ALLOT_ADAM_H
#define ALLOT_ADAM_H
#include <stddef.h>
#include "liballot/err.h"

typedef struct {
    double lr;           /* step size, > 0 */
    double beta1, beta2; /* decay of the moments, [0, 1) */
    double eps;
    double weight_decay; /* >= 0 */
    long t;              /* steps done */
    size_t n;            /* parameters */
    float *m, *v;        /* owned [n]: first and second moment */
} allot_adam;

/* beta 0.9, 0.999, eps 1e-8, moments 0. */
ALLOT_MUST_CHECK allot_code allot_adam_init(allot_adam *a, size_t n, double lr, double weight_decay,
                                            allot_err *err);
void allot_adam_clear(allot_adam *a);
/* Counts a step; then allot_adam_update moves parameters [first, first + n) of it. Disjoint ranges
 * may be updated by several threads. */
void allot_adam_begin(allot_adam *a);
void allot_adam_update(const allot_adam *a, size_t first, size_t n, const float *gradient,
                       float *parameters);

#endif
