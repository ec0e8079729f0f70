/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for any processor: the compiler maps the vectors to what there is. */
#include "demo/kernels_body.inc"

static const allot_kernels table = {"portable", product, rms_norm, swiglu, attend, softmax_weights};

const allot_kernels *allot_kernels_portable(void)
{
    return &table;
}
