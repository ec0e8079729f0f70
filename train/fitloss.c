/* SPDX-License-Identifier: Apache-2.0 */
/* Log losses of the probe, of strategy means and of an additive model, over the same cells. */
#include "train/fitloss.h"
#include <math.h>
#include <stdlib.h>
#include "liballot/mem.h"

static int present(const allot_cells *c, long q, int s)
{
    return c->weight[q * c->n_strategies + s] > 0;
}

/* Mean over the cells of max(z, 0) - z y + log(1 + exp(-|z|)) with z = query[q] + strategy[s] +
 * cell[q][s]; parts that are NULL count 0. */
static double log_loss(const allot_cells *c, const double *query, const double *strategy,
                       const float *cell)
{
    double sum = 0;
    for (long q = 0; q < c->n; q++)
        for (int s = 0; s < c->n_strategies; s++) {
            if (!present(c, q, s)) continue;
            long at = q * c->n_strategies + s;
            double z = (query ? query[q] : 0) + (strategy ? strategy[s] : 0) +
                       (cell ? (double)cell[at] : 0);
            sum += fmax(z, 0) - z * (double)c->label[at] + log1p(exp(-fabs(z)));
        }
    return sum / (double)c->n_cells;
}

double allot_fit_log_loss(const allot_cells *c, const float *logits)
{
    return log_loss(c, NULL, NULL, logits);
}

/* Mean logit of each query, and of what each strategy adds to it. */
static void additive_parts(const allot_cells *c, const float *logits, double *query,
                           double *strategy)
{
    for (long q = 0; q < c->n; q++) {
        double sum = 0, n = 0;
        for (int s = 0; s < c->n_strategies; s++) {
            if (!present(c, q, s)) continue;
            sum += (double)logits[q * c->n_strategies + s];
            n++;
        }
        query[q] = n > 0 ? sum / n : 0;
    }
    for (int s = 0; s < c->n_strategies; s++) {
        double sum = 0, n = 0;
        for (long q = 0; q < c->n; q++) {
            if (!present(c, q, s)) continue;
            sum += (double)logits[q * c->n_strategies + s] - query[q];
            n++;
        }
        strategy[s] = n > 0 ? sum / n : 0;
    }
}

/* The logit of the mean training label of each strategy, kept away from 0 and 1. */
static void strategy_means(const allot_cells *c, double *strategy)
{
    for (int s = 0; s < c->n_strategies; s++) {
        double sum = 0.5, n = 1;
        for (long q = 0; q < c->n; q++) {
            if (!present(c, q, s)) continue;
            sum += (double)c->label[q * c->n_strategies + s];
            n++;
        }
        strategy[s] = log(sum / (n - sum));
    }
}

allot_code allot_fit_losses_of(const allot_cells *train, const allot_cells *validation,
                               const float *logits, allot_fit_losses *out, allot_err *err)
{
    double *query = allot_mem_array((size_t)validation->n, sizeof *query, err);
    double *strategy = allot_mem_array((size_t)validation->n_strategies, sizeof *strategy, err);
    allot_code rc = query && strategy ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!rc) {
        out->probe = log_loss(validation, NULL, NULL, logits);
        strategy_means(train, strategy);
        out->strategy_mean = log_loss(validation, NULL, strategy, NULL);
        additive_parts(validation, logits, query, strategy);
        out->query_only = log_loss(validation, query, NULL, NULL);
        out->additive = log_loss(validation, query, strategy, NULL);
    }
    free(query);
    free(strategy);
    return rc;
}
