/* SPDX-License-Identifier: Apache-2.0 */
/* Initial weights, batches and epochs, and the best weights seen on validation. */
#include "train/fit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/log.h"
#include "lib/core/options.h"
#include "lib/core/progress.h"
#include "lib/core/rng.h"
#include "liballot/mem.h"
#include "train/adam.h"
#include "train/fitloss.h"
#include "train/gemm.h"
#include "train/interaction.h"
#include "train/trainnet.h"

enum { STREAM_WEIGHTS = 1, STREAM_ORDER = 2 };

const allot_fit_settings allot_fit_default = {.paper = 0,
                                              .lr = 1e-3,
                                              .weight_decay = 1,
                                              .batch = 64,
                                              .epochs = 200,
                                              .patience = 20,
                                              .threads = 1,
                                              .seed = 1},
                         allot_fit_paper = {.paper = 1,
                                            .lr = 1e-5,
                                            .weight_decay = 0,
                                            .batch = 32,
                                            .epochs = 10,
                                            .patience = 10,
                                            .threads = 1,
                                            .seed = 1};

void allot_fit_defaults(allot_fit_settings *s, int paper)
{
    *s = paper ? allot_fit_paper : allot_fit_default;
}

allot_code allot_fit_check(const allot_fit_settings *s, allot_err *err)
{
    if (!(s->lr > 0) || !isfinite(s->lr))
        return allot_fail(err, ALLOT_EUSAGE, "the learning rate is %g: it must be above 0", s->lr);
    if (!(s->weight_decay >= 0) || s->weight_decay * s->lr >= 1)
        return allot_fail(err, ALLOT_EUSAGE,
                          "the weight decay is %g: it must be 0 or more, and "
                          "below 1 / learning rate",
                          s->weight_decay);
    if (s->batch < 1 || s->epochs < 1 || s->patience < 1 || s->threads < 1)
        return allot_fail(err, ALLOT_EUSAGE,
                          "batch, epochs, patience and threads must be 1 or more");
    return ALLOT_OK;
}

static void draw_uniform(long seed, uint64_t what, double bound, float *out, size_t n)
{
    allot_rng rng = allot_rng_start((uint64_t)seed, STREAM_WEIGHTS, what, 0);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((2 * allot_rng_unit(&rng) - 1) * bound);
}

/* PyTorch's default: weights and biases uniform within 1 / sqrt(inputs of the layer). */
void allot_fit_initialise(allot_probe *probe, long seed)
{
    size_t d = (size_t)probe->d + 1, p = (size_t)probe->p;
    size_t h1 = (size_t)probe->h1, h2 = (size_t)probe->h2;
    double first = 1 / sqrt((double)(d + p)), second = 1 / sqrt((double)h1);
    double third = 1 / sqrt((double)h2);
    draw_uniform(seed, 1, first, probe->w1q, h1 * d);
    draw_uniform(seed, 2, first, probe->w1s, h1 * p);
    draw_uniform(seed, 3, first, probe->b1, h1);
    draw_uniform(seed, 4, second, probe->w2, h2 * h1);
    draw_uniform(seed, 5, second, probe->b2, h2);
    draw_uniform(seed, 6, third, probe->w3, h2);
    draw_uniform(seed, 7, third, probe->b3, 1);
}

/* What one epoch goes through: queries, or single cells with paper. */
typedef struct {
    long *item; /* owned [n]: query, or query * S + strategy */
    long n;
} order;

static allot_code make_order(const allot_cells *c, int cells, order *o, allot_err *err)
{
    long s = c->n_strategies;
    o->item = allot_mem_array((size_t)(cells ? c->n * s : c->n), sizeof *o->item, err);
    if (!o->item) return ALLOT_ERUNTIME;
    for (long i = 0; i < (cells ? c->n * s : c->n); i++)
        if (!cells || c->weight[i] > 0) o->item[o->n++] = i;
    return ALLOT_OK;
}

static void shuffle(order *o, long seed, int epoch)
{
    allot_rng rng = allot_rng_start((uint64_t)seed, STREAM_ORDER, (uint64_t)epoch, 0);
    for (long i = o->n - 1; i > 0; i--) {
        long k = (long)allot_rng_below(&rng, (uint64_t)i + 1), kept = o->item[i];
        o->item[i] = o->item[k];
        o->item[k] = kept;
    }
}

static void add_query(allot_net *net, const allot_cells *c, long q)
{
    size_t d1 = (size_t)c->d1;
    memcpy(net->batch.x + (size_t)net->batch.n_queries * d1, c->x + (size_t)q * d1,
           d1 * sizeof(float));
    net->batch.n_queries++;
}

static void add_cell(allot_net *net, const allot_cells *c, long q, int s)
{
    allot_batch *b = &net->batch;
    long cell = q * c->n_strategies + s;
    b->row_query[b->n_rows] = b->n_queries - 1;
    b->row_strategy[b->n_rows] = s;
    b->label[b->n_rows] = c->label[cell];
    b->weight[b->n_rows] = c->weight[cell];
    b->n_rows++;
}

static void fill_batch(allot_net *net, const allot_cells *c, const long *item, long n, int cells)
{
    net->batch.n_queries = net->batch.n_rows = 0;
    for (long i = 0; i < n; i++) {
        add_query(net, c, cells ? item[i] / c->n_strategies : item[i]);
        for (int s = 0; s < c->n_strategies; s++) {
            long q = cells ? item[i] / c->n_strategies : item[i];
            if ((!cells || item[i] % c->n_strategies == s) &&
                c->weight[q * c->n_strategies + s] > 0)
                add_cell(net, c, q, s);
        }
    }
}

/* All that a training holds. */
typedef struct {
    const allot_fit_settings *s;
    allot_probe *probe;
    allot_workers *workers;
    allot_net net;
    allot_adam adam;
    order order;   /* what an epoch goes through */
    float *best;   /* [trained] */
    float *logits; /* [validation cells] */
} training;

enum { UPDATE_TILE = 16384 };

static void update_tile(void *user, int tile, int worker)
{
    (void)worker;
    training *t = user;
    size_t first = (size_t)tile * UPDATE_TILE, left = t->adam.n - first;
    allot_adam_update(&t->adam, first, left < UPDATE_TILE ? left : UPDATE_TILE, t->net.gradient.w1q,
                      t->probe->w1q);
}

static allot_code train_epoch(training *t, const allot_cells *c, int epoch, double *loss,
                              allot_err *err)
{
    double sum = 0;
    long rows = 0;
    shuffle(&t->order, t->s->seed, epoch);
    for (long at = 0; at < t->order.n; at += t->s->batch) {
        long left = t->order.n - at, n = left < t->s->batch ? left : t->s->batch;
        fill_batch(&t->net, c, t->order.item + at, n, t->s->paper);
        if (t->net.batch.n_rows == 0) continue;
        double mean = allot_net_gradient(&t->net);
        if (!isfinite(mean))
            return allot_fail(err, ALLOT_ERUNTIME,
                              "the loss is not finite in epoch %d: the "
                              "training diverged (lower --lr)",
                              epoch);
        sum += mean * t->net.batch.n_rows;
        rows += t->net.batch.n_rows;
        allot_adam_begin(&t->adam);
        allot_workers_run(t->workers, update_tile, t,
                          (int)((t->adam.n + UPDATE_TILE - 1) / UPDATE_TILE));
    }
    *loss = sum / (double)rows;
    return ALLOT_OK;
}

/* Raw logits [Q][S] of all cells, missing ones too: the mean over strategies is part of the probe.
 */
static void predict(training *t, const allot_cells *c, float *logits)
{
    for (long at = 0; at < c->n; at += t->net.max_queries) {
        allot_batch *b = &t->net.batch;
        b->n_queries = b->n_rows = 0;
        for (long q = at; q < c->n && q < at + t->net.max_queries; q++) {
            add_query(&t->net, c, q);
            for (int s = 0; s < c->n_strategies; s++)
                add_cell(&t->net, c, q, s);
        }
        allot_net_forward(&t->net);
        memcpy(logits + at * c->n_strategies, t->net.z, (size_t)b->n_rows * sizeof *logits);
    }
}

static allot_code start(training *t, const allot_cells *train, const allot_cells *validation,
                        const float *features, allot_err *err)
{
    size_t n = allot_net_n_trained(t->probe);
    allot_code rc = make_order(train, t->s->paper, &t->order, err);
    if (!rc) rc = allot_workers_new(t->s->threads, &t->workers, err);
    if (!rc) rc = allot_adam_init(&t->adam, n, t->s->lr, t->s->weight_decay, err);
    if (!rc)
        rc = allot_net_init(&t->net, t->probe, features, train->n_strategies, t->s->batch,
                            t->workers, err);
    if (rc) return rc;
    t->best = allot_mem_array(n, sizeof *t->best, err);
    t->logits = allot_mem_array((size_t)validation->n,
                                (size_t)validation->n_strategies * sizeof *t->logits, err);
    return t->best && t->logits ? ALLOT_OK : ALLOT_ERUNTIME;
}

static void finish(training *t)
{
    allot_net_clear(&t->net);
    allot_adam_clear(&t->adam);
    allot_workers_free(t->workers);
    free(t->order.item);
    free(t->best);
    free(t->logits);
}

/* Runs the epochs; on return t->best has the weights of info->best_epoch. */
static allot_code run_epochs(training *t, const allot_cells *train, const allot_cells *validation,
                             allot_fit_info *info, allot_err *err)
{
    allot_progress progress;
    allot_progress_start(&progress, "epochs", 0, t->s->epochs);
    for (int epoch = 1; epoch <= t->s->epochs; epoch++) {
        double *train_loss = &info->train[epoch - 1], *loss = &info->validation[epoch - 1];
        allot_code rc = train_epoch(t, train, epoch, train_loss, err);
        if (rc) return rc;
        predict(t, validation, t->logits);
        *loss = allot_fit_log_loss(validation, t->logits);
        info->epochs = epoch;
        if (epoch == 1 || *loss < info->validation[info->best_epoch - 1]) {
            info->best_epoch = epoch;
            memcpy(t->best, t->probe->w1q, t->adam.n * sizeof *t->best);
        }
        char extra[64];
        snprintf(extra, sizeof extra, "loss %.4f, validation %.4f", *train_loss, *loss);
        allot_progress_update(&progress, epoch, extra);
        if (allot_interrupted())
            return allot_fail(err, ALLOT_EINTR,
                              "interrupted after epoch %d; nothing was written "
                              "(run the same command again)",
                              epoch);
        if (epoch - info->best_epoch >= t->s->patience) break;
    }
    allot_progress_end(&progress, info->epochs, NULL);
    return ALLOT_OK;
}

/* What follows the epochs: main effects and interaction, then what the whole probe is worth. */
static allot_code settle(training *t, const allot_cells *train, const allot_cells *validation,
                         allot_fit_info *info, allot_err *err)
{
    size_t s = (size_t)train->n_strategies;
    float *raw = allot_mem_array((size_t)train->n, s * sizeof *raw, err);
    allot_code rc = raw ? ALLOT_OK : ALLOT_ERUNTIME;
    predict(t, validation, t->logits);
    double raw_loss = allot_fit_log_loss(validation, t->logits);
    if (!rc && !t->s->paper) {
        predict(t, train, raw);
        rc = allot_interaction_fit(train, raw, validation, t->logits, t->probe, err);
    }
    for (long q = 0; !rc && q < validation->n; q++)
        allot_probe_settle(t->probe, t->logits + (size_t)q * s);
    if (!rc) rc = allot_fit_losses_of(train, validation, t->logits, &info->losses, err);
    info->losses.raw = raw_loss;
    free(raw);
    return rc;
}

allot_code allot_fit_run(const allot_fit_settings *s, const allot_cells *train,
                         const allot_cells *validation, const float *features, allot_probe *probe,
                         allot_fit_info *info, allot_err *err)
{
    training t = {.s = s, .probe = probe};
    allot_blas_single_thread();
    *info = (allot_fit_info){0};
    allot_code rc = allot_fit_check(s, err);
    if (rc) return rc;
    info->train = allot_mem_array((size_t)s->epochs, sizeof *info->train, err);
    info->validation = allot_mem_array((size_t)s->epochs, sizeof *info->validation, err);
    if (!info->train || !info->validation) rc = ALLOT_ERUNTIME;
    if (!rc) rc = start(&t, train, validation, features, err);
    allot_fit_initialise(probe, s->seed);
    if (!rc) rc = run_epochs(&t, train, validation, info, err);
    if (!rc) {
        memcpy(probe->w1q, t.best, t.adam.n * sizeof *t.best);
        rc = settle(&t, train, validation, info, err);
    }
    finish(&t);
    if (rc) allot_fit_info_clear(info);
    return rc;
}

void allot_fit_info_clear(allot_fit_info *info)
{
    free(info->train);
    free(info->validation);
    *info = (allot_fit_info){0};
}
