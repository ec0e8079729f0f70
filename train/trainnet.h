/* SPDX-License-Identifier: Apache-2.0 */
/* trainnet.h - the batched forward and backward pass of the probe, factorised: the first layer is
 * computed once per query and once per strategy, never per row.
 *
 * Symbols as in liballot/probe.h; a batch has B queries and R rows (query, strategy).
 *   U = X W1q^T + b1 [B,H1]     V = F W1s^T [S,H1]     A1 = U[q] + V[s]    [R,H1]
 *   A2 = gelu(A1) W2^T + b2     z = gelu(A2) w3 + b3   loss = mean w BCE(z, label)
 * z is the raw logit; offset and interaction are fitted afterwards (train/interaction.h).
 * Work is cut into tiles of fixed size, each computed by one thread and written to its own place:
 * the result does not depend on the number of threads.
 * Source: arXiv:2509.09864, appendix A.1. */
#ifndef ALLOT_TRAINNET_H
#define ALLOT_TRAINNET_H
#include "lib/core/workers.h"
#include "liballot/probe.h"

typedef struct {
    int n_queries, n_rows;
    float *x;          /* [n_queries][D + 1] standardised query parts */
    int *row_query;    /* [n_rows] place in x, ascending */
    int *row_strategy; /* [n_rows] */
    float *label;      /* [n_rows] in [0, 1] */
    float *weight;     /* [n_rows] > 0 */
} allot_batch;

typedef struct {
    const allot_probe *probe; /* borrowed: the parameters */
    const float *features;    /* borrowed [S][P] */
    int n_strategies;
    allot_workers *workers; /* borrowed */
    allot_probe gradient;   /* owned; of the mean loss; the others unused */
    allot_batch batch;      /* owned buffers for max_queries and max_rows, filled by the user */
    int max_queries, max_rows;
    float *block;          /* owned; the views below */
    float *u, *du;         /* [max_queries][H1] */
    float *v, *dv;         /* [S][H1] */
    float *g1, *d1, *back; /* [max_rows][H1]: gelu(A1), its slope then dloss/dA1, product */
    float *g2, *d2;        /* [max_rows][H2]: gelu(A2), dloss/dA2 */
    float *z, *dz;         /* [max_rows] logits and dloss/dz */
    double *loss;          /* owned [max_rows]: w BCE of each row */
} allot_net;

ALLOT_MUST_CHECK allot_code allot_net_init(allot_net *net, const allot_probe *probe,
                                           const float *features, int n_strategies, int max_queries,
                                           allot_workers *workers, allot_err *err);
void allot_net_clear(allot_net *net);

/* Logits and loss of net->batch; returns the mean of w BCE over its rows. */
double allot_net_forward(allot_net *net);
/* The same, and net->gradient. */
double allot_net_gradient(allot_net *net);

/* The trained part of a probe's block: from w1q to the end. */
size_t allot_net_n_trained(const allot_probe *probe);

#endif
