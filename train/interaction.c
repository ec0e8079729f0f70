/* SPDX-License-Identifier: Apache-2.0 */
/* Fits effects of the strategies and the weight of what depends on the query. */
#include "train/interaction.h"
#include <math.h>
#include <stdlib.h>
#include "liballot/calib.h"
#include "liballot/mem.h"
#include "train/fitloss.h"

enum { N_BISECTIONS = 50 };
#define LARGEST_EFFECT 60.0
#define GOLDEN 0.6180339887498949

/* The two splits and the parts of their raw logits. */
typedef struct {
    const allot_cells *cells[2]; /* training, validation */
    const float *y[2];           /* [Q][S] */
    double *query[2];            /* owned [Q]: q(x) */
    double *main;                /* owned [S]: mean of y - q over the training queries */
    double *effect;              /* owned [S]: m_s, fitted to the labels */
    float *logits;               /* owned [Q][S] of the validation queries */
} parts;

static allot_code split(parts *p, allot_err *err)
{
    size_t s = (size_t)p->cells[0]->n_strategies;
    p->main = allot_mem_array(s, sizeof *p->main, err);
    p->effect = allot_mem_array(s, sizeof *p->effect, err);
    p->logits = allot_mem_array((size_t)p->cells[1]->n, s * sizeof *p->logits, err);
    for (int i = 0; i < 2; i++)
        p->query[i] = allot_mem_array((size_t)p->cells[i]->n, sizeof(double), err);
    if (!p->main || !p->effect || !p->logits || !p->query[0] || !p->query[1]) return ALLOT_ERUNTIME;
    for (int i = 0; i < 2; i++)
        for (size_t cell = 0; cell < (size_t)p->cells[i]->n * s; cell++)
            p->query[i][cell / s] += (double)p->y[i][cell] / (double)s;
    for (size_t cell = 0; cell < (size_t)p->cells[0]->n * s; cell++)
        p->main[cell % s] +=
            ((double)p->y[0][cell] - p->query[0][cell / s]) / (double)p->cells[0]->n;
    return ALLOT_OK;
}

/* Labels above predictions, summed over the queries, for strategy s with effect m; falls with m. */
static double surplus(const parts *p, int s, double m, double mean_query)
{
    double sum = 0.5 - allot_sigmoid(mean_query + m);
    for (int i = 0; i < 2; i++) {
        const allot_cells *c = p->cells[i];
        for (long q = 0; q < c->n; q++) {
            long cell = q * c->n_strategies + s;
            sum += (double)c->weight[cell] *
                   ((double)c->label[cell] - allot_sigmoid(p->query[i][q] + m));
        }
    }
    return sum;
}

static void fit_effects(parts *p)
{
    double mean_query = 0;
    for (long q = 0; q < p->cells[0]->n; q++)
        mean_query += p->query[0][q] / (double)p->cells[0]->n;
    for (int s = 0; s < p->cells[0]->n_strategies; s++) {
        double low = -LARGEST_EFFECT, high = LARGEST_EFFECT;
        for (int i = 0; i < N_BISECTIONS; i++) {
            double middle = (low + high) / 2;
            if (surplus(p, s, middle, mean_query) > 0) low = middle;
            else high = middle;
        }
        p->effect[s] = (low + high) / 2;
    }
}

static void settle(const parts *p, double k, allot_probe *probe)
{
    probe->interaction[0] = (float)k;
    for (int s = 0; s < probe->s; s++)
        probe->offset[s] = (float)(p->effect[s] - (double)probe->interaction[0] * p->main[s]);
}

static double loss_of(const parts *p, double k, allot_probe *probe)
{
    const allot_cells *c = p->cells[1];
    settle(p, k, probe);
    for (long q = 0; q < c->n; q++) {
        float *z = p->logits + q * probe->s;
        for (int s = 0; s < probe->s; s++)
            z[s] = p->y[1][q * probe->s + s];
        allot_probe_settle(probe, z);
    }
    return allot_fit_log_loss(c, p->logits);
}

/* The loss is convex in k: golden section, then the ends, where the least often is. */
static void fit_share(const parts *p, allot_probe *probe)
{
    double low = 0, high = 1;
    while (high - low > 1e-4) {
        double a = high - GOLDEN * (high - low), b = low + GOLDEN * (high - low);
        if (loss_of(p, a, probe) <= loss_of(p, b, probe)) high = b;
        else low = a;
    }
    double best = (low + high) / 2, loss = loss_of(p, best, probe);
    if (loss_of(p, 1, probe) <= loss) best = 1;
    if (loss_of(p, 0, probe) <= fmin(loss, loss_of(p, 1, probe))) best = 0;
    settle(p, best, probe);
}

allot_code allot_interaction_fit(const allot_cells *train, const float *y_train,
                                 const allot_cells *validation, const float *y_validation,
                                 allot_probe *probe, allot_err *err)
{
    parts p = {.cells = {train, validation}, .y = {y_train, y_validation}};
    allot_code rc = split(&p, err);
    if (!rc) {
        fit_effects(&p);
        fit_share(&p, probe);
    }
    free(p.query[0]);
    free(p.query[1]);
    free(p.main);
    free(p.effect);
    free(p.logits);
    return rc;
}
