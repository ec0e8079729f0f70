/* SPDX-License-Identifier: Apache-2.0 */
/* tinymathgen.h - problems for the model in a box: chains of arithmetic, evaluated left to right,
 * from families whose difficulty differs in kind. demo/README.md describes them. */
#ifndef ALLOT_TINYMATHGEN_H
#define ALLOT_TINYMATHGEN_H
#include <stdint.h>

typedef struct {
    const char *family; /* "sum", "chain", "long"; static text */
    char problem[128];  /* "12+7*3-5=?" */
    long answer;
} allot_tinymath;

/* Problem number `index` of a seed: independent of all others. */
void allot_tinymath_make(uint64_t seed, uint64_t index, allot_tinymath *out);

#endif
