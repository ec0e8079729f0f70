/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.h - one token from the logits of a row. The random number is a function of the seed and
 * of the position in the sequence, so a sample depends on its own request only, and a text
 * continued from any point of itself with the same seed goes on as it did. */
#ifndef ALLOT_SAMPLER_H
#define ALLOT_SAMPLER_H
#include <stdint.h>
#include "demo/kernels.h"

#define ALLOT_MAX_LOGPROBS 20

typedef struct {
    double temperature; /* 0 = the likeliest token */
    double top_p;       /* (0, 1] */
    uint64_t seed;
    int n_logprobs; /* likeliest tokens to report; -1 = none, not even the sampled one's */
} allot_sampling;

/* Before temperature and top_p, as vLLM reports them. */
typedef struct {
    float sampled;                   /* log-probability of the token that was drawn */
    int n;                           /* of the two below */
    int32_t top[ALLOT_MAX_LOGPROBS]; /* likeliest first */
    float top_value[ALLOT_MAX_LOGPROBS];
} allot_logprobs;

/* logits [n rounded up to 8], overwritten; position: of the token that is drawn. logprobs may be
 * NULL when s->n_logprobs is -1. */
int32_t allot_sampler_draw(const allot_kernels *k, float *logits, int n, const allot_sampling *s,
                           int position, allot_logprobs *logprobs);
#endif
