/* SPDX-License-Identifier: Apache-2.0 */
/* The probe against PyTorch (tests/golden/make_golden.py): features, forward pass of liballot and
 * of the training, loss, gradients, Adam. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "liballot/probe.h"
#include "train/adam.h"
#include "train/gemm.h"
#include "train/trainnet.h"

static double tolerance, adam_tolerance;

/* One case of the golden file, set up in our structures. */
typedef struct {
    const cJSON *json;
    allot_strategies set;
    allot_probe probe;
    float *features, *v;
    int n_queries;
} golden;

static const cJSON *get(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    assert_non_null(v);
    return v;
}

static int integer(const cJSON *o, const char *name)
{
    return (int)get(o, name)->valuedouble;
}

static void read_floats(const cJSON *array, float *out, size_t n)
{
    size_t i = 0;
    const cJSON *item;
    assert_int_equal(cJSON_GetArraySize(array), n);
    cJSON_ArrayForEach(item, array) out[i++] = (float)item->valuedouble;
}

/* Relative to the largest number of the array. */
static void assert_near(const cJSON *want, const float *got, size_t n, double tolerance_of)
{
    double largest = 1e-3, worst = 0;
    size_t i = 0;
    const cJSON *item;
    assert_int_equal(cJSON_GetArraySize(want), n);
    cJSON_ArrayForEach(item, want) largest = fmax(largest, fabs(item->valuedouble));
    cJSON_ArrayForEach(item, want) worst = fmax(worst, fabs((double)got[i++] - item->valuedouble));
    if (!(worst <= tolerance_of * largest)) fail_msg("off by %g of %g", worst, largest);
}

enum { N_TRAINED = 7 };
static const char *const names[N_TRAINED] = {"w1q", "w1s", "b1", "w2", "b2", "w3", "b3"};

static void views(const allot_probe *p, float *at[N_TRAINED], size_t n[N_TRAINED])
{
    float *const from[] = {p->w1q, p->w1s, p->b1, p->w2,
                           p->b2,  p->w3,  p->b3, p->block + p->n_params};
    for (int i = 0; i < N_TRAINED; i++) {
        at[i] = from[i];
        n[i] = (size_t)(from[i + 1] - from[i]);
    }
}

static void load_weights(const cJSON *from, allot_probe *p)
{
    float *at[N_TRAINED];
    size_t n[N_TRAINED];
    views(p, at, n);
    for (int i = 0; i < N_TRAINED; i++)
        read_floats(get(from, names[i]), at[i], n[i]);
}

static void assert_weights(const cJSON *want, const allot_probe *p, double tolerance_of)
{
    float *at[N_TRAINED];
    size_t n[N_TRAINED];
    views(p, at, n);
    for (int i = 0; i < N_TRAINED; i++)
        assert_near(get(want, names[i]), at[i], n[i], tolerance_of);
}

static void open_case(const cJSON *json, golden *g)
{
    const cJSON *text;
    *g = (golden){.json = json, .n_queries = integer(json, "queries")};
    cJSON_ArrayForEach(text, get(json, "strategies"))
    {
        allot_strategy s;
        assert_int_equal(allot_strategy_parse(text->valuestring, &s, NULL), ALLOT_OK);
        assert_int_equal(allot_strategies_add(&g->set, &s, NULL), ALLOT_OK);
    }
    int paper = strcmp(get(json, "layout")->valuestring, "paper") == 0;
    allot_feature_layout layout = paper ? ALLOT_FEATURES_PAPER : ALLOT_FEATURES_DEFAULT;
    int p = allot_features_strategy_dim(layout, &g->set);
    allot_probe *probe = &g->probe;
    *probe = (allot_probe){.layout = layout,
                           .d = integer(json, "d"),
                           .p = p,
                           .s = g->set.count,
                           .h1 = integer(json, "h1"),
                           .h2 = integer(json, "h2")};
    assert_int_equal(allot_probe_init(probe, NULL), ALLOT_OK);
    read_floats(get(json, "mean"), probe->mean, (size_t)probe->d);
    read_floats(get(json, "scale"), probe->scale, (size_t)probe->d);
    read_floats(get(json, "length_norm"), probe->length_norm, 2);
    load_weights(get(json, "start"), probe);
    g->features = calloc((size_t)(g->set.count * p), sizeof(float));
    g->v = calloc((size_t)(g->set.count * probe->h1), sizeof(float));
    assert_int_equal(allot_features_strategy(layout, &g->set, g->features, NULL), ALLOT_OK);
    allot_probe_project(probe, g->features, g->v);
}

static void close_case(golden *g)
{
    allot_strategies_clear(&g->set);
    allot_probe_clear(&g->probe);
    free(g->features);
    free(g->v);
}

static void check_liballot(golden *g)
{
    size_t n = (size_t)(g->n_queries * g->set.count), d = (size_t)g->probe.d;
    assert_near(get(g->json, "features"), g->features, (size_t)(g->set.count * g->probe.p),
                tolerance);
    float *z = calloc(n, sizeof *z), *embedding = calloc((size_t)g->n_queries * d, sizeof *z);
    float *scratch = calloc(allot_probe_scratch(&g->probe), sizeof *scratch);
    read_floats(get(g->json, "embedding"), embedding, (size_t)g->n_queries * d);
    for (int q = 0; q < g->n_queries; q++) {
        size_t codepoints = (size_t)cJSON_GetArrayItem(get(g->json, "codepoints"), q)->valuedouble;
        assert_int_equal(allot_probe_logits(&g->probe, embedding + (size_t)q * d, codepoints, g->v,
                                            scratch, z + q * g->set.count, NULL),
                         ALLOT_OK);
    }
    assert_near(get(g->json, "logits"), z, n, tolerance);
    free(z);
    free(embedding);
    free(scratch);
}

static void fill_batch(const golden *g, allot_net *net)
{
    allot_batch *b = &net->batch;
    const allot_probe *p = &g->probe;
    size_t d = (size_t)p->d;
    float *embedding = calloc((size_t)g->n_queries * d, sizeof *embedding);
    read_floats(get(g->json, "embedding"), embedding, (size_t)g->n_queries * d);
    b->n_queries = g->n_queries;
    b->n_rows = g->n_queries * g->set.count;
    for (size_t q = 0; q < (size_t)g->n_queries; q++) {
        float *x = b->x + q * (d + 1);
        for (size_t i = 0; i < d; i++)
            x[i] = (embedding[q * d + i] - p->mean[i]) * p->scale[i];
        double codepoints = cJSON_GetArrayItem(get(g->json, "codepoints"), (int)q)->valuedouble;
        x[d] = (allot_features_length(p->layout, (size_t)codepoints) - p->length_norm[0]) *
               p->length_norm[1];
    }
    for (int r = 0; r < b->n_rows; r++) {
        b->row_query[r] = r / g->set.count;
        b->row_strategy[r] = r % g->set.count;
    }
    read_floats(get(g->json, "label"), b->label, (size_t)b->n_rows);
    read_floats(get(g->json, "weight"), b->weight, (size_t)b->n_rows);
    free(embedding);
}

static void take_steps(golden *g, allot_net *net, double weight_decay)
{
    allot_adam adam;
    size_t n = allot_net_n_trained(&g->probe);
    load_weights(get(g->json, "start"), &g->probe);
    assert_int_equal(allot_adam_init(&adam, n, 0.01, weight_decay, NULL), ALLOT_OK);
    for (int i = 0; i < 3; i++) {
        allot_net_gradient(net);
        allot_adam_begin(&adam);
        allot_adam_update(&adam, 0, n / 2, net->gradient.w1q, g->probe.w1q);
        allot_adam_update(&adam, n / 2, n - n / 2, net->gradient.w1q, g->probe.w1q);
    }
    allot_adam_clear(&adam);
}

static void check_training(golden *g)
{
    allot_workers *workers;
    allot_net net;
    assert_int_equal(allot_workers_new(2, &workers, NULL), ALLOT_OK);
    assert_int_equal(
        allot_net_init(&net, &g->probe, g->features, g->set.count, g->n_queries, workers, NULL),
        ALLOT_OK);
    fill_batch(g, &net);
    double loss = allot_net_gradient(&net);
    assert_near(get(g->json, "logits"), net.z, (size_t)net.batch.n_rows, tolerance);
    assert_true(fabs(loss - get(g->json, "loss")->valuedouble) < tolerance);
    assert_weights(get(g->json, "gradient"), &net.gradient, tolerance);
    take_steps(g, &net, 0);
    assert_weights(get(g->json, "adam"), &g->probe, adam_tolerance);
    take_steps(g, &net, 0.1);
    assert_weights(get(g->json, "adamw"), &g->probe, adam_tolerance);
    allot_net_clear(&net);
    allot_workers_free(workers);
}

static void with_cases(void (*check)(golden *))
{
    cJSON *file = NULL;
    const cJSON *json;
    allot_err err = {0};
    if (allot_json_load("tests/golden/probe_golden.json", 1 << 20, &file, &err))
        fail_msg("%s", err.msg);
    tolerance = get(file, "tolerance")->valuedouble;
    adam_tolerance = get(file, "adam_tolerance")->valuedouble;
    int n = 0;
    cJSON_ArrayForEach(json, get(file, "cases"))
    {
        golden g;
        open_case(json, &g);
        check(&g);
        close_case(&g);
        n++;
    }
    assert_int_equal(n, 2);
    cJSON_Delete(file);
}

static void liballot_equals_pytorch(void **state)
{
    (void)state;
    with_cases(check_liballot);
}

static void training_equals_pytorch(void **state)
{
    (void)state;
    allot_blas_single_thread();
    with_cases(check_training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(liballot_equals_pytorch),
                                       cmocka_unit_test(training_equals_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
