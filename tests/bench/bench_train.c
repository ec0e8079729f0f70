/* SPDX-License-Identifier: Apache-2.0 */
/* usage: bench_train [EMBEDDING_SIZE]   CPU time of a training step (forward and backward, 64
 * queries x the paper's 22 strategies, hidden 200 + 200): factorised first layer against
 * materialised rows, side by side in one thread, same OpenBLAS, same numbers. Prints the ratio. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/core/rng.h"
#include "train/fit.h"
#include "train/gelu.h"
#include "train/gemm.h"
#include "train/trainnet.h"

enum { S = 22, B = 64, R = S * B, H = 200, REPEATS = 7 };

static const char *const texts[S] = {
    "majority@2",   "majority@4",   "majority@8",   "majority@16", "majority@32", "bon@2",
    "bon@4",        "bon@8",        "bon@16",       "bon@32",      "weighted@2",  "weighted@4",
    "weighted@8",   "weighted@16",  "weighted@32",  "beam@2x2x40", "beam@4x2x40", "beam@8x4x20",
    "beam@16x2x40", "beam@16x4x20", "beam@32x2x20", "beam@32x4x40"};

static void *need(void *p)
{
    if (!p) exit(1);
    return p;
}

/* CPU seconds of this thread: other programs on the machine do not count. */
static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(allot_code rc)
{
    if (rc) exit(1);
}

/* The same network on rows [R][width], width = D + 1 + P: what a plain training loop computes. */
typedef struct {
    int width;
    float *rows, *w1, *gradient_w1;      /* [R][width], [H][width] twice */
    float *g1, *d1, *g2, *d2, *back, *z; /* [R][H]; z [R] */
    float *gradient_w2;                  /* [H][H] */
    float b1[H], b2[H], w3[H];           /* gradients of the small ones */
} plain;

static void plain_rows(plain *m, const allot_net *net)
{
    const allot_probe *p = net->probe;
    size_t d = (size_t)p->d + 1, f = (size_t)p->p, width = d + f;
    for (size_t r = 0; r < R; r++) {
        memcpy(m->rows + r * width, net->batch.x + (size_t)net->batch.row_query[r] * d, 4 * d);
        memcpy(m->rows + r * width + d, net->features + (size_t)net->batch.row_strategy[r] * f,
               4 * f);
    }
    for (size_t h = 0; h < H; h++) {
        memcpy(m->w1 + h * width, p->w1q + h * d, 4 * d);
        memcpy(m->w1 + h * width + d, p->w1s + h * f, 4 * f);
    }
}

static void add_bias(float *a, const float *bias)
{
    for (size_t r = 0; r < R; r++)
        for (size_t h = 0; h < H; h++)
            a[r * H + h] += bias[h];
}

static void sum_columns(const float *a, float *out)
{
    memset(out, 0, H * sizeof *out);
    for (size_t r = 0; r < R; r++)
        for (size_t h = 0; h < H; h++)
            out[h] += a[r * H + h];
}

static void plain_step(plain *m, const allot_net *net)
{
    const allot_probe *p = net->probe;
    plain_rows(m, net);
    allot_blas_nt(R, H, m->width, m->rows, m->w1, m->g1);
    add_bias(m->g1, p->b1);
    allot_gelu_slopes(m->g1, m->d1, (size_t)R * H);
    allot_blas_nt(R, H, H, m->g1, p->w2, m->g2);
    add_bias(m->g2, p->b2);
    allot_gelu_slopes(m->g2, m->d2, (size_t)R * H);
    memset(m->w3, 0, sizeof m->w3);
    for (size_t r = 0; r < R; r++) {
        double z = (double)p->b3[0];
        for (size_t h = 0; h < H; h++)
            z += (double)p->w3[h] * (double)m->g2[r * H + h];
        m->z[r] = (float)z;
        float dz = (float)((1 / (1 + exp(-z)) - (double)net->batch.label[r]) / R);
        for (size_t h = 0; h < H; h++) {
            m->w3[h] += dz * m->g2[r * H + h];
            m->d2[r * H + h] *= dz * p->w3[h];
        }
    }
    sum_columns(m->d2, m->b2);
    allot_blas_tn(H, H, R, m->d2, H, m->g1, m->gradient_w2);
    allot_blas_nn(R, H, H, m->d2, p->w2, m->back);
    for (size_t i = 0; i < (size_t)R * H; i++)
        m->d1[i] *= m->back[i];
    sum_columns(m->d1, m->b1);
    allot_blas_tn(H, m->width, R, m->d1, H, m->rows, m->gradient_w1);
}

static void make_plain(plain *m, const allot_probe *p)
{
    m->width = p->d + 1 + p->p;
    size_t rows = (size_t)R * (size_t)m->width, w1 = (size_t)H * (size_t)m->width;
    m->rows = need(calloc(rows, 4));
    m->w1 = need(calloc(w1, 4));
    m->gradient_w1 = need(calloc(w1, 4));
    float **const wide[] = {&m->g1, &m->d1, &m->g2, &m->d2, &m->back};
    for (int i = 0; i < 5; i++)
        *wide[i] = need(calloc((size_t)R * H, 4));
    m->z = need(calloc(R, 4));
    m->gradient_w2 = need(calloc((size_t)H * H, 4));
}

static void make_batch(allot_net *net)
{
    allot_rng rng = allot_rng_start(1, 2, 0, 0);
    net->batch.n_queries = B;
    net->batch.n_rows = R;
    for (int i = 0; i < B * (net->probe->d + 1); i++)
        net->batch.x[i] = (float)allot_rng_normal(&rng);
    for (int r = 0; r < R; r++) {
        net->batch.row_query[r] = r / S;
        net->batch.row_strategy[r] = r % S;
        net->batch.label[r] = (float)allot_rng_unit(&rng);
        net->batch.weight[r] = 1;
    }
}

/* Both must compute the same, or the ratio says nothing. */
static void compare(const plain *m, const allot_net *net)
{
    const allot_probe *p = net->probe, *g = &net->gradient;
    double worst = 0;
    for (int r = 0; r < R; r++)
        worst = fmax(worst, fabs((double)(m->z[r] - net->z[r])));
    for (int h = 0; h < H; h++) {
        for (int i = 0; i < p->d + 1; i++)
            worst =
                fmax(worst,
                     fabs((double)(m->gradient_w1[h * m->width + i] - g->w1q[h * (p->d + 1) + i])));
        for (int i = 0; i < p->p; i++)
            worst = fmax(worst, fabs((double)(m->gradient_w1[h * m->width + p->d + 1 + i] -
                                              g->w1s[h * p->p + i])));
        worst = fmax(worst, fabs((double)(m->w3[h] - g->w3[h])));
        worst = fmax(worst, fabs((double)(m->b2[h] - g->b2[h])));
    }
    printf("largest difference of logits and gradients: %.1e\n", worst);
    if (!(worst < 1e-4)) exit(1);
}

int main(int argc, char **argv)
{
    allot_strategies set = {0};
    allot_probe probe;
    allot_net net;
    allot_workers *workers;
    plain m = {0};
    int d = argc > 1 ? atoi(argv[1]) : 1536;
    for (int s = 0; s < S; s++) {
        allot_strategy parsed;
        must(allot_strategy_parse(texts[s], &parsed, NULL));
        must(allot_strategies_add(&set, &parsed, NULL));
    }
    int p = allot_features_strategy_dim(ALLOT_FEATURES_DEFAULT, &set);
    float *features = need(calloc((size_t)(S * p), sizeof *features));
    must(allot_features_strategy(ALLOT_FEATURES_DEFAULT, &set, features, NULL));
    probe =
        (allot_probe){.layout = ALLOT_FEATURES_DEFAULT, .d = d, .p = p, .s = S, .h1 = H, .h2 = H};
    must(allot_probe_init(&probe, NULL));
    allot_fit_initialise(&probe, 1);
    allot_blas_single_thread();
    must(allot_workers_new(1, &workers, NULL));
    must(allot_net_init(&net, &probe, features, S, B, workers, NULL));
    make_batch(&net);
    make_plain(&m, &probe);
    double best[2] = {INFINITY, INFINITY};
    for (int i = 0; i < REPEATS; i++) {
        double t0 = cpu_s();
        plain_step(&m, &net);
        double t1 = cpu_s();
        allot_net_gradient(&net);
        double t2 = cpu_s();
        best[0] = fmin(best[0], t1 - t0);
        best[1] = fmin(best[1], t2 - t1);
    }
    compare(&m, &net);
    printf("D = %d, %d rows: materialised %.2f ms, factorised %.2f ms, ratio %.2f\n", d, R,
           1e3 * best[0], 1e3 * best[1], best[0] / best[1]);
    return 0;
}
