/* SPDX-License-Identifier: Apache-2.0 */
/* Draws operands and operators of one problem, and works it out from left to right. */
#include "datasets/tinymathgen.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/rng.h"

enum { STREAM = 0x74696e79 }; /* "tiny" */

/* Shares add up to 1. The model was trained on chains of at most 6 operations, so the long ones are
 * beyond it, whatever is spent on them. */
static const struct {
    const char *name;
    double share;
    int least, most; /* operations */
    int multiply;
} families[] = {{"sum", 0.30, 1, 1, 0}, {"chain", 0.35, 3, 6, 1}, {"long", 0.35, 8, 11, 1}};
enum { N_FAMILIES = sizeof families / sizeof *families };

static long between(allot_rng *r, long low, long high)
{
    return low + (long)allot_rng_below(r, (uint64_t)(high - low + 1));
}

void allot_tinymath_make(uint64_t seed, uint64_t index, allot_tinymath *out)
{
    allot_rng r = allot_rng_start(seed, STREAM, index, 0);
    double u = allot_rng_unit(&r);
    int f = 0;
    while (f < N_FAMILIES - 1 && u >= families[f].share)
        u -= families[f++].share;
    long n_ops = between(&r, families[f].least, families[f].most), value = between(&r, 1, 99);
    size_t at = (size_t)snprintf(out->problem, sizeof out->problem, "%ld", value);
    for (long i = 0; i < n_ops; i++) {
        int times = families[f].multiply && allot_rng_unit(&r) < 0.3 && labs(value) <= 200;
        char op = times ? '*' : allot_rng_below(&r, 2) ? '-' : '+';
        long b = times ? between(&r, 2, 9) : between(&r, 1, 99);
        value = op == '*' ? value * b : op == '+' ? value + b : value - b;
        at += (size_t)snprintf(out->problem + at, sizeof out->problem - at, "%c%ld", op, b);
    }
    memcpy(out->problem + at, "=?", 3); /* at most 2 + 11 * 3 characters stand before it */
    out->family = families[f].name;
    out->answer = value;
}
