/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of the training: gradients against finite differences, the training's forward pass
 * against liballot's, no influence of threads, tiles, order of rows or missing cells; the GELU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/log.h"
#include "lib/core/rng.h"
#include "train/fit.h"
#include "train/fitloss.h"
#include "train/gelu.h"
#include "train/gemm.h"
#include "train/interaction.h"
#include "train/trainnet.h"

enum { S = 6 };
static const char *const texts[S] = {"single",      "majority@8",  "bon@8;agg=min",
                                     "weighted@32", "beam@8x4x20", "beam@8x4x20;final=vote"};

/* A random probe and Q queries with random labels; embeddings are kept as they were. */
typedef struct {
    allot_strategies set;
    allot_probe probe;
    float *features;    /* [S][P] */
    float *embedding;   /* [Q][D] */
    size_t *codepoints; /* [Q] */
    allot_cells cells;
} world;

static void make_world(world *w, long q, int d, int h1, int h2, uint64_t seed)
{
    allot_rng rng = allot_rng_start(seed, 11, 0, 0);
    *w = (world){0};
    for (int s = 0; s < S; s++) {
        allot_strategy parsed;
        assert_int_equal(allot_strategy_parse(texts[s], &parsed, NULL), ALLOT_OK);
        assert_int_equal(allot_strategies_add(&w->set, &parsed, NULL), ALLOT_OK);
    }
    int p = allot_features_strategy_dim(ALLOT_FEATURES_DEFAULT, &w->set);
    w->probe =
        (allot_probe){.layout = ALLOT_FEATURES_DEFAULT, .d = d, .p = p, .s = S, .h1 = h1, .h2 = h2};
    assert_int_equal(allot_probe_init(&w->probe, NULL), 0);
    w->features = calloc((size_t)(S * p), sizeof(float));
    assert_int_equal(allot_features_strategy(ALLOT_FEATURES_DEFAULT, &w->set, w->features, NULL),
                     0);
    allot_fit_initialise(&w->probe, (long)seed);
    for (int i = 0; i < d; i++) {
        w->probe.mean[i] = (float)allot_rng_normal(&rng);
        w->probe.scale[i] = (float)(0.5 + allot_rng_unit(&rng));
    }
    w->embedding = calloc((size_t)q * (size_t)d, sizeof(float));
    w->codepoints = calloc((size_t)q, sizeof *w->codepoints);
    allot_cells *c = &w->cells;
    *c = (allot_cells){.n = q, .d1 = d + 1, .n_strategies = S, .n_cells = q * S};
    c->x = calloc((size_t)(q * (d + 1)), sizeof(float));
    c->label = calloc((size_t)q * S, sizeof(float));
    c->weight = calloc((size_t)q * S, sizeof(float));
    for (long i = 0; i < q; i++) {
        for (int k = 0; k < d; k++) {
            float e = (float)allot_rng_normal(&rng);
            w->embedding[i * d + k] = e;
            c->x[i * (d + 1) + k] = (e - w->probe.mean[k]) * w->probe.scale[k];
        }
        w->codepoints[i] = allot_rng_below(&rng, 200);
        c->x[i * (d + 1) + d] = allot_features_length(ALLOT_FEATURES_DEFAULT, w->codepoints[i]);
        for (int s = 0; s < S; s++) {
            c->label[i * S + s] = (float)allot_rng_unit(&rng);
            c->weight[i * S + s] = (float)(0.1 + allot_rng_unit(&rng));
        }
    }
}

static void clear_world(world *w)
{
    allot_strategies_clear(&w->set);
    allot_probe_clear(&w->probe);
    free(w->features);
    free(w->embedding);
    free(w->codepoints);
    free(w->cells.x);
    free(w->cells.label);
    free(w->cells.weight);
}

/* All cells but those that a step leaves out, in order. */
static void fill(allot_net *net, const world *w, int leave_out_every)
{
    allot_batch *b = &net->batch;
    b->n_queries = (int)w->cells.n;
    b->n_rows = 0;
    memcpy(b->x, w->cells.x, (size_t)w->cells.n * (size_t)w->cells.d1 * sizeof(float));
    for (int cell = 0; cell < w->cells.n * S; cell++) {
        if (leave_out_every && cell % leave_out_every == 1) continue;
        b->row_query[b->n_rows] = cell / S;
        b->row_strategy[b->n_rows] = cell % S;
        b->label[b->n_rows] = w->cells.label[cell];
        b->weight[b->n_rows++] = w->cells.weight[cell];
    }
}

static void gradient_equals_finite_differences(void **state)
{
    (void)state;
    world w;
    allot_net net;
    allot_workers *workers;
    make_world(&w, 7, 5, 9, 6, 1);
    assert_int_equal(allot_workers_new(1, &workers, NULL), ALLOT_OK);
    assert_int_equal(allot_net_init(&net, &w.probe, w.features, S, 7, workers, NULL), ALLOT_OK);
    fill(&net, &w, 5);
    size_t n = allot_net_n_trained(&w.probe);
    double worst = 0, largest = 0;
    allot_net_gradient(&net);
    float *gradient = malloc(n * sizeof *gradient);
    memcpy(gradient, net.gradient.w1q, n * sizeof *gradient);
    for (size_t i = 0; i < n; i++) {
        float *p = &w.probe.w1q[i], kept = *p;
        const float step = 0.02f;
        *p = kept + step;
        double above = allot_net_forward(&net);
        *p = kept - step;
        double below = allot_net_forward(&net);
        *p = kept;
        double slope = (above - below) / (2 * (double)step);
        worst = fmax(worst, fabs(slope - (double)gradient[i]));
        largest = fmax(largest, fabs(slope));
    }
    assert_true(largest > 0.01);
    if (worst > 2e-3 * largest) fail_msg("gradient off by %g of %g", worst, largest);
    free(gradient);
    allot_net_clear(&net);
    allot_workers_free(workers);
    clear_world(&w);
}

static void assert_same_logits(const world *w, const allot_net *net)
{
    size_t d = (size_t)w->probe.d;
    float *v = calloc((size_t)(S * w->probe.h1), sizeof *v), z[S];
    float *scratch = calloc(allot_probe_scratch(&w->probe), sizeof *scratch);
    allot_probe_project(&w->probe, w->features, v);
    for (long q = 0; q < w->cells.n; q++) {
        allot_probe_settle(&w->probe, net->z + q * S);
        assert_int_equal(allot_probe_logits(&w->probe, w->embedding + (size_t)q * d,
                                            w->codepoints[q], v, scratch, z, NULL),
                         ALLOT_OK);
        for (int s = 0; s < S; s++) {
            double want = (double)net->z[q * S + s], off = fabs((double)z[s] - want);
            if (off > 1e-5 * fmax(1, fabs(want))) fail_msg("%g instead of %g", (double)z[s], want);
        }
    }
    free(v);
    free(scratch);
}

/* The size of the embedding of Qwen2.5-1.5B, the hidden layers of the paper, fresh and large
 * weights (as after a long training). */
static void serving_equals_training(void **state)
{
    (void)state;
    allot_workers *workers;
    assert_int_equal(allot_workers_new(2, &workers, NULL), ALLOT_OK);
    static const int sizes[][3] = {{1, 1, 1}, {7, 33, 17}, {128, 200, 200}, {1536, 200, 200}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int grown = 0; grown < 2; grown++) {
            world w;
            allot_net net;
            make_world(&w, 40, sizes[i][0], sizes[i][1], sizes[i][2], 2 + i);
            for (size_t k = 0; grown && k < allot_net_n_trained(&w.probe); k++)
                w.probe.w1q[k] *= 3;
            assert_int_equal(allot_net_init(&net, &w.probe, w.features, S, 40, workers, NULL), 0);
            fill(&net, &w, 0);
            allot_net_forward(&net);
            assert_same_logits(&w, &net);
            allot_net_clear(&net);
            clear_world(&w);
        }
    allot_workers_free(workers);
}

/* A trained probe, with its standardisation: not only fresh weights agree. */
static void serving_equals_training_after_training(void **state)
{
    (void)state;
    world w, validation;
    allot_net net;
    allot_workers *workers;
    allot_fit_settings s;
    allot_fit_info info;
    make_world(&w, 60, 12, 24, 24, 5);
    make_world(&validation, 30, 12, 24, 24, 6);
    allot_fit_defaults(&s, 0);
    s.epochs = 30;
    assert_int_equal(
        allot_fit_run(&s, &w.cells, &validation.cells, w.features, &w.probe, &info, NULL),
        ALLOT_OK);
    assert_true(info.train[info.epochs - 1] < info.train[0]);
    assert_int_equal(allot_workers_new(1, &workers, NULL), ALLOT_OK);
    assert_int_equal(allot_net_init(&net, &w.probe, w.features, S, 60, workers, NULL), ALLOT_OK);
    fill(&net, &w, 0);
    allot_net_forward(&net);
    assert_same_logits(&w, &net);
    allot_net_clear(&net);
    allot_workers_free(workers);
    allot_fit_info_clear(&info);
    clear_world(&w);
    clear_world(&validation);
}

static void train_once(int threads, int paper, long seed, float **weights, size_t *n)
{
    world w, validation;
    allot_fit_settings s;
    allot_fit_info info;
    make_world(&w, 150, 20, 90, 70, 3);
    make_world(&validation, 40, 20, 90, 70, 4);
    allot_fit_defaults(&s, paper);
    s.epochs = 3;
    s.threads = threads;
    s.seed = seed;
    assert_int_equal(
        allot_fit_run(&s, &w.cells, &validation.cells, w.features, &w.probe, &info, NULL),
        ALLOT_OK);
    *n = w.probe.n_params * sizeof(float);
    *weights = malloc(*n);
    memcpy(*weights, w.probe.block, *n);
    allot_fit_info_clear(&info);
    clear_world(&w);
    clear_world(&validation);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int paper = 0; paper < 2; paper++) {
        float *one, *other;
        size_t n;
        train_once(1, paper, 1, &one, &n);
        for (int threads = 2; threads < 5; threads++) {
            train_once(threads, paper, 1, &other, &n);
            assert_memory_equal(one, other, n);
            free(other);
        }
        train_once(1, paper, 2, &other, &n);
        assert_memory_not_equal(one, other, n);
        free(one);
        free(other);
    }
}

/* A masked cell has no influence, whatever its label says. */
static void missing_cells_have_no_influence(void **state)
{
    (void)state;
    float *weights[2];
    size_t n = 0;
    for (int variant = 0; variant < 2; variant++) {
        world w;
        allot_fit_settings s;
        allot_fit_info info;
        make_world(&w, 50, 6, 8, 8, 7);
        for (long cell = 3; cell < 50 * S; cell += 7) {
            w.cells.weight[cell] = 0;
            w.cells.label[cell] = (float)variant;
            w.cells.n_cells--;
        }
        allot_fit_defaults(&s, 0);
        s.epochs = 4;
        assert_int_equal(allot_fit_run(&s, &w.cells, &w.cells, w.features, &w.probe, &info, NULL),
                         ALLOT_OK);
        n = w.probe.n_params * sizeof(float);
        weights[variant] = malloc(n);
        memcpy(weights[variant], w.probe.block, n);
        allot_fit_info_clear(&info);
        clear_world(&w);
    }
    assert_memory_equal(weights[0], weights[1], n);
    free(weights[0]);
    free(weights[1]);
}

static void early_stopping_keeps_the_best(void **state)
{
    (void)state;
    world w, validation;
    allot_fit_settings s;
    allot_fit_info info;
    make_world(&w, 30, 10, 32, 32, 8); /* random labels: the validation loss must rise */
    make_world(&validation, 30, 10, 32, 32, 9);
    for (long cell = 0; cell < 30 * S; cell++)
        validation.cells.weight[cell] = 1;
    allot_fit_defaults(&s, 0);
    s.epochs = 500;
    s.patience = 5;
    s.lr = 0.01;
    assert_int_equal(
        allot_fit_run(&s, &w.cells, &validation.cells, w.features, &w.probe, &info, NULL),
        ALLOT_OK);
    assert_int_equal(info.epochs, info.best_epoch + 5);
    for (int e = 0; e < info.epochs; e++)
        assert_true(info.validation[e] >= info.validation[info.best_epoch - 1]);
    assert_true(fabs(info.losses.raw - info.validation[info.best_epoch - 1]) < 1e-12);
    allot_fit_info_clear(&info);
    clear_world(&w);
    clear_world(&validation);
}

/* Raw logits of 200 queries that say too little of the strategies, and all of an interaction that
 * the labels have to the part `true_share`. */
static double share_of(double true_share, world *w, float *y)
{
    allot_err err = {0};
    allot_rng rng = allot_rng_start(21, 0, 0, 0);
    make_world(w, 200, 2, 2, 2, 12);
    for (int cell = 0; cell < 200 * S; cell++) {
        double q = 4.0 * (cell / S) / 200 - 2, s = 0.4 * (cell % S), i = allot_rng_normal(&rng);
        y[cell] = (float)(q + 0.1 * s + i);
        w->cells.label[cell] = (float)(1 / (1 + exp(-(q + s + true_share * i))));
        w->cells.weight[cell] = 1;
    }
    assert_int_equal(allot_interaction_fit(&w->cells, y, &w->cells, y, &w->probe, &err), 0);
    return (double)w->probe.interaction[0];
}

static void interaction_is_kept_as_far_as_it_is_true(void **state)
{
    (void)state;
    static float y[200 * S];
    const double shares[] = {-0.5, 0, 0.5, 1.5};
    const double low[] = {0, 0, 0.4, 1}, high[] = {0, 0.1, 0.6, 1};
    for (int i = 0; i < 4; i++) {
        world w;
        double k = share_of(shares[i], &w, y);
        if (k < low[i] || k > high[i]) fail_msg("kept %g of %g", k, shares[i]);
        clear_world(&w);
    }
}

/* Whatever the raw logits said: with the interaction gone, the strategies have the order of their
 * mean labels, and the mean predictions are the mean labels. */
static void strategies_get_their_mean_labels(void **state)
{
    (void)state;
    static float y[200 * S];
    world w;
    share_of(-0.5, &w, y);
    for (int s = 0; s < S; s++) {
        double label = 0, predicted = 0;
        for (int q = 0; q < 200; q++) {
            float z[S];
            memcpy(z, y + q * S, sizeof z);
            allot_probe_settle(&w.probe, z);
            label += (double)w.cells.label[q * S + s] / 200;
            predicted += 1 / (1 + exp(-(double)z[s])) / 200;
        }
        if (fabs(label - predicted) > 2e-3) fail_msg("%g predicted, %g is true", predicted, label);
    }
    clear_world(&w);
}

/* The paper's probe has neither. */
static void the_paper_mode_settles_nothing(void **state)
{
    (void)state;
    for (int paper = 0; paper < 2; paper++) {
        world w;
        allot_fit_settings s;
        allot_fit_info info;
        make_world(&w, 50, 6, 8, 8, 7);
        allot_fit_defaults(&s, paper);
        s.epochs = 2;
        assert_int_equal(allot_fit_run(&s, &w.cells, &w.cells, w.features, &w.probe, &info, NULL),
                         ALLOT_OK);
        double moved = 1 - (double)w.probe.interaction[0];
        for (int i = 0; i < S; i++)
            moved += fabs((double)w.probe.offset[i]);
        assert_true(paper ? moved == 0 : moved > 0);
        assert_true(!paper || info.losses.raw == info.losses.probe);
        allot_fit_info_clear(&info);
        clear_world(&w);
    }
}

/* Logits that are query part + strategy part lose nothing in the additive baseline; with an
 * interaction they do. */
static void baselines_see_what_they_should(void **state)
{
    (void)state;
    world w;
    allot_fit_losses l;
    float z[40 * S];
    make_world(&w, 40, 2, 2, 2, 10);
    for (int interaction = 0; interaction < 2; interaction++) {
        for (int cell = 0; cell < 40 * S; cell++) {
            int q = cell / S, s = cell % S;
            z[cell] = (float)(0.1 * q - 2 + 0.5 * s + interaction * ((q + s) % 2 ? 2 : -2));
            w.cells.label[cell] = (float)(1 / (1 + exp(-(double)z[cell])));
        }
        assert_int_equal(allot_fit_losses_of(&w.cells, &w.cells, z, &l, NULL), ALLOT_OK);
        assert_true(fabs(l.probe - allot_fit_log_loss(&w.cells, z)) < 1e-12);
        assert_true(l.query_only > l.additive && l.strategy_mean > l.probe);
        if (interaction) assert_true(l.additive > l.probe + 0.05);
        else assert_true(fabs(l.additive - l.probe) < 1e-6);
    }
    clear_world(&w);
}

static void gelu_is_exact_enough(void **state)
{
    (void)state;
    for (double at = -30; at < 30; at += 0.0037) {
        float a = (float)at, value[3] = {a, 1, a}, slope[3];
        double x = (double)a, cdf = 0.5 * erfc(-x / sqrt(2));
        double density = exp(-x * x / 2) / sqrt(2 * acos(-1));
        allot_gelu_slopes(value, slope, 3);
        assert_true(fabs((double)value[0] - x * cdf) < 5e-7 * fmax(1, fabs(x)));
        assert_true(fabs((double)slope[0] - (cdf + x * density)) < 5e-7);
        assert_true(value[0] == value[2]);
    }
    float extremes[20], slope[20];
    for (int i = 0; i < 20; i++)
        extremes[i] = i % 2 ? 1e30f : -1e30f;
    allot_gelu_slopes(extremes, slope, 20);
    for (int i = 0; i < 20; i++) {
        assert_true(extremes[i] == (i % 2 ? 1e30f : 0) || fabsf(extremes[i]) < 1e-6f);
        assert_true(slope[i] == (i % 2 ? 1 : 0) || fabsf(slope[i]) < 1e-6f);
    }
}

static int quiet(void **state)
{
    (void)state;
    allot_log_level(-1);
    allot_blas_single_thread();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_equals_finite_differences),
        cmocka_unit_test(serving_equals_training),
        cmocka_unit_test(serving_equals_training_after_training),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(missing_cells_have_no_influence),
        cmocka_unit_test(early_stopping_keeps_the_best),
        cmocka_unit_test(interaction_is_kept_as_far_as_it_is_true),
        cmocka_unit_test(strategies_get_their_mean_labels),
        cmocka_unit_test(the_paper_mode_settles_nothing),
        cmocka_unit_test(baselines_see_what_they_should),
        cmocka_unit_test(gelu_is_exact_enough),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
