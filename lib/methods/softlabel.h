/* SPDX-License-Identifier: Apache-2.0 */
/* softlabel.h - how often a strategy answers one query rightly, from a pool of graded samples.
 *
 * Symbols: M samples in the pool, N samples of the strategy. The label is the exact expectation
 * over all N-subsets drawn without replacement (a U-statistic); with M < N there is none, with
 * M = N it is a single draw. Failed extractions fill places but never vote; with the top score of
 * best-of-N they are a wrong answer. Ties share: tied ranks and tied sums equally, a class tied
 * with t others for the lead wins 1 / (1 + t).
 *
 * A workspace serves one thread; the same inputs give the same bits.
 * Source: arXiv:2509.09864, section 2.4 (the estimators are ours, the bootstrap is the paper's). */
#ifndef ALLOT_SOFTLABEL_H
#define ALLOT_SOFTLABEL_H
#include "liballot/strategy.h"
#include <stdint.h>

typedef struct {
    int n;          /* M, 1..ALLOT_MAX_N */
    const int *cls; /* [M] class of the sample's answer, -1 = no answer */
    int n_classes;
    const unsigned char *right; /* [n_classes] 1: this answer is correct */
    const double *score;        /* [M] aggregated reward, finite; NULL unless scores are needed */
} allot_pool;

/* What random subsets are keyed by. */
typedef struct {
    uint64_t seed, query, strategy;
} allot_soft_stream;

typedef struct {
    double accuracy; /* [0, 1] */
    double variance; /* delete-one jackknife over the pool; Monte-Carlo error not included */
    double n_eff;    /* effective number of trials, 1..M */
    double mc_error; /* standard error of the accuracy from random subsets; 0 where it is exact */
} allot_soft_label;

typedef struct allot_soft allot_soft;

/* Workspace; grows with the pools it sees. */
ALLOT_MUST_CHECK allot_code allot_soft_new(allot_soft **out, allot_err *err);
void allot_soft_free(allot_soft *w);

/* Label of a pooled strategy with s->n <= pool->n. */
ALLOT_MUST_CHECK allot_code allot_soft_pool(allot_soft *w, const allot_pool *pool,
                                            const allot_strategy *s,
                                            const allot_soft_stream *stream, allot_soft_label *out,
                                            allot_err *err);

/* Label of a strategy with n_runs >= 1 independent runs, n_right of them correct. */
allot_soft_label allot_soft_runs(int n_right, int n_runs);

/* The paper's label, kept for comparison: the mean over 30 draws of `draw` candidates with
 * replacement. best: the draw's highest score answers; else the majority, weighted by the score if
 * weighted. Ties go to the earliest place of the draw. */
#define ALLOT_PAPER_BOOTSTRAPS 30
#define ALLOT_PAPER_POOL 32
typedef enum { ALLOT_VOTE_BEST, ALLOT_VOTE_COUNT, ALLOT_VOTE_WEIGHTED } allot_vote;
ALLOT_MUST_CHECK allot_code allot_soft_paper(allot_soft *w, const allot_pool *pool, allot_vote vote,
                                             int draw, const allot_soft_stream *stream,
                                             allot_soft_label *out, allot_err *err);

/* n_eff = clamp(p (1 - p) / V, 1, m) with p = (m a + 0.5) / (m + 1). */
double allot_soft_n_eff(double accuracy, double variance, int m);

/* Expected longest of N of the pool's M lengths: the i-th shortest with probability
 * C(i - 1, N - 1) / C(M, N). lengths [M] ascending, 1 <= n <= m. */
double allot_expected_longest(const double *lengths, int m, int n);

#endif
