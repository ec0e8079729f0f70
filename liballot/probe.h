/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - the accuracy probe: P(correct | query, strategy), two hidden layers of GELU (erf) and
 * one logit, evaluated for all strategies of one query at once.
 *
 * Symbols: D embedding size, P strategy features, H1 and H2 hidden units, S strategies; row-major
 * float32, float64 accumulation.
 *   x  = (embedding - mean) * scale              [D]   (mean 0, scale 1 in the paper layout)
 *   u  = W1q [x, length] + b1                    [H1]  once per query
 *   v  = F W1s^T                                 [S,H1] once per bundle
 *   y  = w3 . gelu(W2 gelu(u + v_s) + b2) + b3   one raw logit per strategy
 *   z  = k y + (1 - k) mean(y) + offset_s        the logit; k = 1 and offset 0 in the paper's probe
 * mean(y) over the strategies is what is known of the query, offset_s of the strategy; k in [0, 1]
 * is the part that is kept of what remains, the interaction (train/interaction.h). Source:
 * arXiv:2509.09864, section 2.4 and appendix A.1. */
#ifndef ALLOT_PROBE_H
#define ALLOT_PROBE_H
#include <stddef.h>
#include "features.h"

#define ALLOT_PROBE_MAX_DIM 65536 /* most embedding entries */
#define ALLOT_PROBE_MAX_HIDDEN 8192

/* All weights in one flat block; the other pointers are views into it. */
typedef struct {
    allot_feature_layout layout;
    int d, p, s, h1, h2; /* sizes as above */
    size_t n_params;     /* numbers in block */
    float *block;        /* owned */
    float *mean;         /* [D] of the training split */
    float *scale;        /* [D] 1 / standard deviation (1 where that is 0) */
    float *length_norm;  /* [2] mean and scale of the length feature */
    float *offset;       /* [S] of each strategy */
    float *interaction;  /* [1] k */
    float *w1q;          /* [H1][D+1], the last column belongs to the length feature */
    float *w1s;          /* [H1][P] */
    float *b1;           /* [H1] */
    float *w2;           /* [H2][H1] */
    float *b2;           /* [H2] */
    float *w3;           /* [H2] */
    float *b3;           /* [1] */
} allot_probe;

/* Allocates the block for the layout and sizes in probe, zeroed but for scales and k of 1, and sets
 * the views. The probe is empty after a failure. */
ALLOT_MUST_CHECK allot_code allot_probe_init(allot_probe *probe, allot_err *err);
void allot_probe_clear(allot_probe *probe);

/* Refuses the first non-finite weight, naming it, and k outside of [0, 1]. */
ALLOT_MUST_CHECK allot_code allot_probe_check(const allot_probe *probe, allot_err *err);

/* v[S][H1] = F W1s^T for the features F [S][P] of a set. */
void allot_probe_project(const allot_probe *probe, const float *features, float *v);

/* Floats of scratch that allot_probe_logits needs. */
size_t allot_probe_scratch(const allot_probe *probe);

/* Logits z[S] of one query. embedding [D], codepoints of the query's text, v from
 * allot_probe_project, scratch [allot_probe_scratch]. Fails with ALLOT_EINPUT naming the first
 * non-finite entry of the embedding. Never allocates; reentrant on a const probe. */
ALLOT_MUST_CHECK allot_code allot_probe_logits(const allot_probe *probe, const float *embedding,
                                               size_t codepoints, const float *v, float *scratch,
                                               float *z, allot_err *err);

/* The last step alone: raw logits y[S] in z become logits. */
void allot_probe_settle(const allot_probe *probe, float *z);

/* x * Phi(x), exact (erf). */
float allot_probe_gelu(float x);

#endif
