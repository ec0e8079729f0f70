/* SPDX-License-Identifier: Apache-2.0 */
/* Checks sizes, lays views over one block of weights, and computes logits, the query part once. */
#include "probe.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"

enum { LANES = 16, BLOCK = 256 };

typedef struct {
    const char *name;
    size_t n;
    float **view;
} part;

enum { N_PARTS = 12 };

/* The parts of the block in their order; from w1_query on they are trained by gradient. */
static void list_parts(allot_probe *p, part out[N_PARTS])
{
    size_t d = (size_t)p->d, f = (size_t)p->p, h1 = (size_t)p->h1, h2 = (size_t)p->h2;
    const part parts[N_PARTS] = {
        {"mean", d, &p->mean},
        {"scale", d, &p->scale},
        {"length_norm", 2, &p->length_norm},
        {"offset", (size_t)p->s, &p->offset},
        {"interaction", 1, &p->interaction},
        {"w1_query", h1 * (d + 1), &p->w1q},
        {"w1_strategy", h1 * f, &p->w1s},
        {"b1", h1, &p->b1},
        {"w2", h2 * h1, &p->w2},
        {"b2", h2, &p->b2},
        {"w3", h2, &p->w3},
        {"b3", 1, &p->b3},
    };
    memcpy(out, parts, sizeof parts);
}

static int within(int n, int max)
{
    return n >= 1 && n <= max;
}

static allot_code check_sizes(const allot_probe *p, allot_err *err)
{
    if (!within(p->d, ALLOT_PROBE_MAX_DIM) || !within(p->p, ALLOT_PROBE_MAX_DIM) ||
        !within(p->s, ALLOT_PROBE_MAX_DIM))
        return allot_fail(err, ALLOT_EINPUT,
                          "a probe of %d embedding entries, %d strategy features and %d "
                          "strategies: each must be 1 to %d",
                          p->d, p->p, p->s, ALLOT_PROBE_MAX_DIM);
    if (!within(p->h1, ALLOT_PROBE_MAX_HIDDEN) || !within(p->h2, ALLOT_PROBE_MAX_HIDDEN))
        return allot_fail(err, ALLOT_EINPUT,
                          "a probe of %d and %d hidden units: both must be 1 to %d", p->h1, p->h2,
                          ALLOT_PROBE_MAX_HIDDEN);
    return ALLOT_OK;
}

allot_code allot_probe_init(allot_probe *probe, allot_err *err)
{
    const allot_probe sizes = *probe;
    *probe = (allot_probe){0};
    if (check_sizes(&sizes, err)) return ALLOT_EINPUT;
    *probe = (allot_probe){.layout = sizes.layout,
                           .d = sizes.d,
                           .p = sizes.p,
                           .s = sizes.s,
                           .h1 = sizes.h1,
                           .h2 = sizes.h2};
    part parts[N_PARTS];
    list_parts(probe, parts);
    for (int i = 0; i < N_PARTS; i++)
        probe->n_params += parts[i].n;
    probe->block = allot_mem_array(probe->n_params, sizeof *probe->block, err);
    if (!probe->block) return ALLOT_ERUNTIME;
    float *at = probe->block;
    for (int i = 0; i < N_PARTS; i++) {
        *parts[i].view = at;
        at += parts[i].n;
    }
    for (int i = 0; i < probe->d; i++)
        probe->scale[i] = 1;
    probe->length_norm[1] = probe->interaction[0] = 1;
    return ALLOT_OK;
}

void allot_probe_clear(allot_probe *probe)
{
    free(probe->block);
    *probe = (allot_probe){0};
}

allot_code allot_probe_check(const allot_probe *probe, allot_err *err)
{
    allot_probe views = *probe;
    part parts[N_PARTS];
    list_parts(&views, parts);
    for (int i = 0; i < N_PARTS; i++)
        for (size_t j = 0; j < parts[i].n; j++)
            if (!isfinite((*parts[i].view)[j]))
                return allot_fail(err, ALLOT_EINPUT, "weight %zu of '%s' is %g", j, parts[i].name,
                                  (double)(*parts[i].view)[j]);
    if (!(probe->interaction[0] >= 0 && probe->interaction[0] <= 1))
        return allot_fail(err, ALLOT_EINPUT, "'interaction' is %g, not within 0 to 1",
                          (double)probe->interaction[0]);
    return ALLOT_OK;
}

/* A dot product in 16 independent lanes, which the compiler turns into vector instructions, and in
 * double precision across blocks, so that the error does not grow with n. */
static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    size_t i = 0;
    while (n - i >= LANES) {
        size_t end = n - i > BLOCK ? i + BLOCK : i + (n - i) / LANES * LANES;
        float lane[LANES] = {0};
        for (; i < end; i += LANES)
            for (int j = 0; j < LANES; j++)
                lane[j] += a[i + (size_t)j] * b[i + (size_t)j];
        for (int j = 0; j < LANES; j++)
            sum += (double)lane[j];
    }
    for (; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

float allot_probe_gelu(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678f));
}

void allot_probe_project(const allot_probe *probe, const float *features, float *v)
{
    size_t p = (size_t)probe->p, h1 = (size_t)probe->h1;
    for (size_t s = 0; s < (size_t)probe->s; s++)
        for (size_t h = 0; h < h1; h++)
            v[s * h1 + h] = (float)dot(features + s * p, probe->w1s + h * p, p);
}

size_t allot_probe_scratch(const allot_probe *probe)
{
    return (size_t)probe->d + 1 + 2 * (size_t)probe->h1;
}

/* x [D + 1]: the standardised embedding and the length feature. */
static allot_code query_part(const allot_probe *probe, const float *embedding, size_t codepoints,
                             float *x, allot_err *err)
{
    for (int i = 0; i < probe->d; i++) {
        if (!isfinite(embedding[i]))
            return allot_fail(err, ALLOT_EINPUT, "entry %d of the embedding is %g", i,
                              (double)embedding[i]);
        x[i] = (embedding[i] - probe->mean[i]) * probe->scale[i];
    }
    float length = allot_features_length(probe->layout, codepoints);
    x[probe->d] = (length - probe->length_norm[0]) * probe->length_norm[1];
    return ALLOT_OK;
}

void allot_probe_settle(const allot_probe *probe, float *z)
{
    double k = (double)probe->interaction[0], mean = 0;
    for (int s = 0; s < probe->s; s++)
        mean += (double)z[s] / probe->s;
    for (int s = 0; s < probe->s; s++)
        z[s] = (float)(k * (double)z[s] + (1 - k) * mean + (double)probe->offset[s]);
}

allot_code allot_probe_logits(const allot_probe *probe, const float *embedding, size_t codepoints,
                              const float *v, float *scratch, float *z, allot_err *err)
{
    size_t d = (size_t)probe->d + 1, h1 = (size_t)probe->h1;
    float *x = scratch, *u = x + d, *g = u + h1;
    allot_code code = query_part(probe, embedding, codepoints, x, err);
    if (code) return code;
    for (size_t h = 0; h < h1; h++)
        u[h] = (float)(dot(probe->w1q + h * d, x, d) + (double)probe->b1[h]);
    for (int s = 0; s < probe->s; s++) {
        for (size_t h = 0; h < h1; h++)
            g[h] = allot_probe_gelu(u[h] + v[(size_t)s * h1 + h]);
        double logit = (double)probe->b3[0];
        for (size_t h = 0; h < (size_t)probe->h2; h++) {
            double a = dot(probe->w2 + h * h1, g, h1) + (double)probe->b2[h];
            logit += (double)probe->w3[h] * (double)allot_probe_gelu((float)a);
        }
        z[s] = (float)logit;
    }
    allot_probe_settle(probe, z);
    for (int s = 0; s < probe->s; s++)
        if (!isfinite(z[s]))
            return allot_fail(err, ALLOT_EINPUT,
                              "the probe's output is not finite: the embedding "
                              "is far outside the range it was trained on");
    return ALLOT_OK;
}
