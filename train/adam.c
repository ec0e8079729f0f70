/* SPDX-License-Identifier: Apache-2.0 */
/* The update of a range of parameters, so that workers can share a step. */
#include "train/adam.h"
#include <math.h>
#include <stdlib.h>
#include "liballot/mem.h"

allot_code allot_adam_init(allot_adam *a, size_t n, double lr, double weight_decay, allot_err *err)
{
    *a = (allot_adam){
        .lr = lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = weight_decay, .n = n};
    a->m = allot_mem_array(n, sizeof *a->m, err);
    a->v = allot_mem_array(n, sizeof *a->v, err);
    return a->m && a->v ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_adam_clear(allot_adam *a)
{
    free(a->m);
    free(a->v);
    *a = (allot_adam){0};
}

void allot_adam_begin(allot_adam *a)
{
    a->t++;
}

void allot_adam_update(const allot_adam *a, size_t first, size_t n, const float *gradient,
                       float *parameters)
{
    float *m = a->m, *v = a->v;
    const float b1 = (float)a->beta1, b2 = (float)a->beta2, eps = (float)a->eps;
    const float step = (float)(a->lr / (1 - pow(a->beta1, (double)a->t)));
    const float root = (float)(1 / sqrt(1 - pow(a->beta2, (double)a->t)));
    const float keep = (float)(1 - a->lr * a->weight_decay);
    for (size_t i = first; i < first + n; i++) {
        float g = gradient[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        parameters[i] = parameters[i] * keep - step * m[i] / (sqrtf(v[i]) * root + eps);
    }
}
