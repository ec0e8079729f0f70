/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the widest instruction set there is, and packs weights into the panels that it reads. */
#include "demo/kernels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const allot_kernels *allot_kernels_best(void)
{
    const char *wish = getenv("ALLOT_DEMO_KERNELS");
    const allot_kernels *avx2 = allot_kernels_avx2();
    if (avx2 == NULL || (wish != NULL && strcmp(wish, "portable") == 0))
        return allot_kernels_portable();
    return avx2;
}

float *allot_kernels_floats(size_t n, allot_err *err)
{
    size_t bytes = n <= SIZE_MAX / 8 ? (n * sizeof(float) + 63) / 64 * 64 + 64 : 0;
    float *x = bytes == 0 ? NULL : aligned_alloc(64, bytes);
    if (x == NULL) {
        allot_fail(err, ALLOT_ERUNTIME, "out of memory: %zu numbers do not fit", n);
        return NULL;
    }
    memset(x, 0, bytes);
    return x;
}

int allot_kernels_panels(size_t n)
{
    return (int)((n + ALLOT_PANEL - 1) / ALLOT_PANEL);
}

void allot_kernels_pack(const float *w, size_t n, size_t k, size_t first, float *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t column = first + i;
        float *panel = out + column / ALLOT_PANEL * k * ALLOT_PANEL + column % ALLOT_PANEL;
        for (size_t j = 0; j < k; j++)
            panel[j * ALLOT_PANEL] = w[i * k + j];
    }
}
