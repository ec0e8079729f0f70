/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of rows forward and backward, and gradients summed in an order that is always the same. */
#include "train/trainnet.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"
#include "train/gelu.h"
#include "train/gemm.h"

enum { TILE_QUERIES = 32, TILE_ROWS = 128, TILE_UNITS = 100 };

static int n_tiles(int n, int tile)
{
    return (n + tile - 1) / tile;
}

static int tile_size(int n, int tile, int size)
{
    return n - tile * size < size ? n - tile * size : size;
}

size_t allot_net_n_trained(const allot_probe *probe)
{
    return probe->n_params - (size_t)(probe->w1q - probe->block);
}

allot_code allot_net_init(allot_net *net, const allot_probe *probe, const float *features,
                          int n_strategies, int max_queries, allot_workers *workers, allot_err *err)
{
    size_t q = (size_t)max_queries, s = (size_t)n_strategies, r = q * s;
    size_t h1 = (size_t)probe->h1, h2 = (size_t)probe->h2;
    *net = (allot_net){.probe = probe,
                       .features = features,
                       .n_strategies = n_strategies,
                       .workers = workers,
                       .max_queries = max_queries,
                       .max_rows = (int)r};
    net->gradient = *probe; /* its sizes */
    allot_code rc = allot_probe_init(&net->gradient, err);
    if (rc) return rc;
    allot_batch *b = &net->batch;
    b->x = allot_mem_array(q * ((size_t)probe->d + 1), sizeof *b->x, err);
    b->row_query = allot_mem_array(r, sizeof *b->row_query, err);
    b->row_strategy = allot_mem_array(r, sizeof *b->row_strategy, err);
    b->label = allot_mem_array(r, sizeof *b->label, err);
    b->weight = allot_mem_array(r, sizeof *b->weight, err);
    net->loss = allot_mem_array(r, sizeof *net->loss, err);
    net->block = allot_mem_array(2 * q * h1 + 2 * s * h1 + r * (3 * h1 + 2 * h2 + 2),
                                 sizeof *net->block, err);
    if (!b->x || !b->row_query || !b->row_strategy || !b->label || !b->weight || !net->loss ||
        !net->block)
        return ALLOT_ERUNTIME;
    float **const views[] = {&net->u,    &net->du, &net->v,  &net->dv, &net->g1, &net->d1,
                             &net->back, &net->g2, &net->d2, &net->z,  &net->dz};
    const size_t sizes[] = {q * h1, q * h1, s * h1, s * h1, r * h1, r * h1,
                            r * h1, r * h2, r * h2, r,      r};
    float *at = net->block;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *views[i] = at;
        at += sizes[i];
    }
    return ALLOT_OK;
}

void allot_net_clear(allot_net *net)
{
    allot_probe_clear(&net->gradient);
    free(net->batch.x);
    free(net->batch.row_query);
    free(net->batch.row_strategy);
    free(net->batch.label);
    free(net->batch.weight);
    free(net->loss);
    free(net->block);
    *net = (allot_net){0};
}

static void first_layer(void *user, int tile, int worker)
{
    (void)worker;
    allot_net *net = user;
    const allot_probe *p = net->probe;
    int first = tile * TILE_QUERIES, n = tile_size(net->batch.n_queries, tile, TILE_QUERIES);
    float *u = net->u + (size_t)first * (size_t)p->h1;
    allot_blas_nt(n, p->h1, p->d + 1, net->batch.x + (size_t)first * ((size_t)p->d + 1), p->w1q, u);
    for (int i = 0; i < n; i++)
        for (int h = 0; h < p->h1; h++)
            u[i * p->h1 + h] += p->b1[h];
}

static void hidden_rows(allot_net *net, size_t first, size_t n)
{
    size_t h1 = (size_t)net->probe->h1;
    for (size_t r = first; r < first + n; r++) {
        const float *u = net->u + (size_t)net->batch.row_query[r] * h1;
        const float *v = net->v + (size_t)net->batch.row_strategy[r] * h1;
        float *g1 = net->g1 + r * h1;
        for (size_t h = 0; h < h1; h++)
            g1[h] = u[h] + v[h];
        allot_gelu_slopes(g1, net->d1 + r * h1, h1);
    }
}

/* BCE with logits, stable for any z: max(z, 0) - z y + log(1 + exp(-|z|)). */
static double cross_entropy(double z, double label)
{
    return fmax(z, 0) - z * label + log1p(exp(-fabs(z)));
}

/* From A2 without bias in g2: gelu(A2), z, loss, dloss/dz and dloss/dA2. */
static void output_rows(allot_net *net, size_t first, size_t n)
{
    const allot_probe *p = net->probe;
    size_t h2 = (size_t)p->h2;
    for (size_t r = first; r < first + n; r++) {
        float *g2 = net->g2 + r * h2, *d2 = net->d2 + r * h2;
        double z = (double)p->b3[0], w = (double)net->batch.weight[r];
        for (size_t h = 0; h < h2; h++)
            g2[h] += p->b2[h];
        allot_gelu_slopes(g2, d2, h2);
        for (size_t h = 0; h < h2; h++)
            z += (double)p->w3[h] * (double)g2[h];
        net->z[r] = (float)z;
        net->loss[r] = w * cross_entropy(z, (double)net->batch.label[r]);
        double slope = 1 / (1 + exp(-z)) - (double)net->batch.label[r];
        net->dz[r] = (float)(w * slope / net->batch.n_rows);
        for (size_t h = 0; h < h2; h++)
            d2[h] *= net->dz[r] * p->w3[h];
    }
}

static void forward_rows(void *user, int tile, int worker)
{
    (void)worker;
    allot_net *net = user;
    const allot_probe *p = net->probe;
    int n = tile_size(net->batch.n_rows, tile, TILE_ROWS);
    size_t first = (size_t)tile * TILE_ROWS;
    hidden_rows(net, first, (size_t)n);
    allot_blas_nt(n, p->h2, p->h1, net->g1 + first * (size_t)p->h1, p->w2,
                  net->g2 + first * (size_t)p->h2);
    output_rows(net, first, (size_t)n);
}

static void backward_rows(void *user, int tile, int worker)
{
    (void)worker;
    allot_net *net = user;
    const allot_probe *p = net->probe;
    int n = tile_size(net->batch.n_rows, tile, TILE_ROWS);
    size_t h1 = (size_t)p->h1, first = (size_t)tile * TILE_ROWS;
    float *back = net->back + first * h1, *d1 = net->d1 + first * h1;
    allot_blas_nn(n, p->h1, p->h2, net->d2 + first * (size_t)p->h2, p->w2, back);
    for (size_t i = 0; i < (size_t)n * h1; i++)
        d1[i] *= back[i];
}

/* Gradients of w2, b2, w3 for a few units of the second layer. */
static void second_layer_gradient(allot_net *net, size_t first, size_t n)
{
    const allot_probe *p = net->probe;
    size_t h1 = (size_t)p->h1, h2 = (size_t)p->h2;
    float *b2 = net->gradient.b2 + first, *w3 = net->gradient.w3 + first;
    memset(b2, 0, n * sizeof *b2);
    memset(w3, 0, n * sizeof *w3);
    for (size_t r = 0; r < (size_t)net->batch.n_rows; r++) {
        const float *d2 = net->d2 + r * h2 + first, *g2 = net->g2 + r * h2 + first;
        for (size_t h = 0; h < n; h++) {
            b2[h] += d2[h];
            w3[h] += net->dz[r] * g2[h];
        }
    }
    allot_blas_tn((int)n, p->h1, net->batch.n_rows, net->d2 + first, p->h2, net->g1,
                  net->gradient.w2 + first * h1);
}

/* dloss/dA1 summed over the rows of each query (du) and of each strategy (dv), for a few units. */
static void sum_rows(allot_net *net, size_t first, size_t n)
{
    size_t h1 = (size_t)net->probe->h1;
    for (size_t q = 0; q < (size_t)net->batch.n_queries; q++)
        memset(net->du + q * h1 + first, 0, n * sizeof *net->du);
    for (size_t s = 0; s < (size_t)net->n_strategies; s++)
        memset(net->dv + s * h1 + first, 0, n * sizeof *net->dv);
    for (size_t r = 0; r < (size_t)net->batch.n_rows; r++) {
        const float *d1 = net->d1 + r * h1 + first;
        float *du = net->du + (size_t)net->batch.row_query[r] * h1 + first;
        float *dv = net->dv + (size_t)net->batch.row_strategy[r] * h1 + first;
        for (size_t h = 0; h < n; h++) {
            du[h] += d1[h];
            dv[h] += d1[h];
        }
    }
}

/* Gradients of w1q, w1s, b1 for a few units of the first layer. */
static void first_layer_gradient(allot_net *net, size_t first, size_t n)
{
    const allot_probe *p = net->probe;
    size_t d = (size_t)p->d + 1, f = (size_t)p->p, h1 = (size_t)p->h1;
    sum_rows(net, first, n);
    allot_blas_tn((int)n, (int)d, net->batch.n_queries, net->du + first, p->h1, net->batch.x,
                  net->gradient.w1q + first * d);
    allot_blas_tn((int)n, (int)f, net->n_strategies, net->dv + first, p->h1, net->features,
                  net->gradient.w1s + first * f);
    for (size_t h = first; h < first + n; h++) {
        double sum = 0;
        for (size_t s = 0; s < (size_t)net->n_strategies; s++)
            sum += (double)net->dv[s * h1 + h];
        net->gradient.b1[h] = (float)sum;
    }
}

static void gradient_units(void *user, int tile, int worker)
{
    (void)worker;
    allot_net *net = user;
    int second = n_tiles(net->probe->h2, TILE_UNITS);
    if (tile < second) {
        second_layer_gradient(net, (size_t)tile * TILE_UNITS,
                              (size_t)tile_size(net->probe->h2, tile, TILE_UNITS));
    } else {
        tile -= second;
        first_layer_gradient(net, (size_t)tile * TILE_UNITS,
                             (size_t)tile_size(net->probe->h1, tile, TILE_UNITS));
    }
}

double allot_net_forward(allot_net *net)
{
    int n_rows = net->batch.n_rows;
    double sum = 0;
    allot_blas_nt(net->n_strategies, net->probe->h1, net->probe->p, net->features, net->probe->w1s,
                  net->v);
    allot_workers_run(net->workers, first_layer, net, n_tiles(net->batch.n_queries, TILE_QUERIES));
    allot_workers_run(net->workers, forward_rows, net, n_tiles(n_rows, TILE_ROWS));
    for (int r = 0; r < n_rows; r++)
        sum += net->loss[r];
    return sum / n_rows;
}

double allot_net_gradient(allot_net *net)
{
    double loss = allot_net_forward(net), sum = 0;
    allot_workers_run(net->workers, backward_rows, net, n_tiles(net->batch.n_rows, TILE_ROWS));
    allot_workers_run(net->workers, gradient_units, net,
                      n_tiles(net->probe->h1, TILE_UNITS) + n_tiles(net->probe->h2, TILE_UNITS));
    for (int r = 0; r < net->batch.n_rows; r++)
        sum += (double)net->dz[r];
    net->gradient.b3[0] = (float)sum;
    return loss;
}
