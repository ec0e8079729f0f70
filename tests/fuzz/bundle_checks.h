/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_checks.h - reads a bundle and, when it is accepted, selects with it. */
#ifndef ALLOT_BUNDLE_CHECKS_H
#define ALLOT_BUNDLE_CHECKS_H
#include <assert.h>
#include <stdlib.h>
#include "liballot/allot.h"

static inline void bundle_read_and_select(const void *bytes, size_t n)
{
    allot_bundle b;
    allot_err err = {0};
    if (allot_bundle_parse(bytes, n, "fuzz", &b, &err)) {
        assert(err.code && err.msg[0]);
        return;
    }
    float *scratch = calloc(allot_scratch_floats(&b), sizeof *scratch);
    float *embedding = calloc((size_t)b.probe.d, sizeof *embedding);
    double *accuracy = calloc((size_t)b.strategies.count, sizeof *accuracy);
    allot_rule rule;
    int chosen = -1;
    allot_rule_defaults(&rule);
    assert(scratch && embedding && accuracy);
    /* Finite weights may still overflow; that is an error, not a choice. */
    if (!allot_bundle_select(&b, &rule, embedding, 7, scratch, accuracy, &chosen, &err)) {
        assert(chosen >= 0 && chosen < b.strategies.count);
        for (int s = 0; s < b.strategies.count; s++)
            assert(accuracy[s] >= 0 && accuracy[s] <= 1);
    }
    free(scratch);
    free(embedding);
    free(accuracy);
    allot_bundle_clear(&b);
}
#endif
