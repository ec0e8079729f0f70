/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax with temperature, the nucleus of top_p, the draw, and log probabilities of the
 * likeliest. */
#include "demo/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "lib/core/rng.h"

static int32_t likeliest(const float *x, int n)
{
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++) {
        if (x[i] > x[best]) best = i;
    }
    return best;
}

typedef struct {
    float p;
    int32_t id;
} candidate;

static int by_probability(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The top tokens by insertion into a short list. Returns log(sum(exp(logits))) in float64. */
static double take_logprobs(const float *logits, int n, int wanted, allot_logprobs *out)
{
    float most = logits[likeliest(logits, n)];
    double sum = 0;
    out->n = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += exp((double)(logits[i] - most));
        int at = out->n;
        while (at > 0 && logits[i] > logits[out->top[at - 1]])
            at--;
        if (at >= wanted) continue;
        if (out->n < wanted) out->n++;
        for (int j = out->n - 1; j > at; j--)
            out->top[j] = out->top[j - 1];
        out->top[at] = i;
    }
    double norm = (double)most + log(sum);
    for (int j = 0; j < out->n; j++)
        out->top_value[j] = (float)((double)logits[out->top[j]] - norm);
    return norm;
}

/* The smallest set of likeliest tokens whose mass reaches top_p (vLLM's rule), drawn from in order
 * of probability. Tokens below a millionth of the mass that may be cut are left out of the sort. */
static int32_t draw_top_p(const float *weights, int n, double total, double top_p, double u)
{
    candidate *c = malloc((size_t)n * sizeof *c);
    if (c == NULL) return likeliest(weights, n);
    double floor = total * (1 - top_p) * 1e-6 / n, kept = 0;
    int m = 0, end = 0;
    for (int32_t i = 0; i < n; i++) {
        if (weights[i] >= floor && weights[i] > 0) c[m++] = (candidate){weights[i], i};
    }
    qsort(c, (size_t)m, sizeof *c, by_probability);
    while (end < m && kept < top_p * total)
        kept += (double)c[end++].p;
    double target = u * kept, seen = 0;
    int i = 0;
    for (; i < end - 1; i++) {
        seen += (double)c[i].p;
        if (target < seen) break;
    }
    int32_t id = c[i].id;
    free(c);
    return id;
}

static int32_t draw(const float *weights, int n, double top_p, double u)
{
    double total = 0, seen = 0;
    int32_t last = 0;
    for (int i = 0; i < n; i++)
        total += (double)weights[i];
    if (top_p < 1) return draw_top_p(weights, n, total, top_p, u);
    for (int32_t i = 0; i < n; i++) {
        if (weights[i] <= 0) continue;
        seen += (double)weights[i];
        last = i; /* rounding may leave the sum a little below the target */
        if (u * total < seen) break;
    }
    return last;
}

int32_t allot_sampler_draw(const allot_kernels *k, float *logits, int n, const allot_sampling *s,
                           int position, allot_logprobs *logprobs)
{
    int32_t id;
    double norm = 0;
    float *kept = NULL;
    if (s->n_logprobs >= 0) {
        norm = take_logprobs(logits, n, s->n_logprobs, logprobs);
        kept = malloc((size_t)n * sizeof *kept);
        for (int i = 0; kept != NULL && i < n; i++)
            kept[i] = logits[i];
    }
    if (s->temperature <= 0) {
        id = likeliest(logits, n);
    } else {
        allot_rng r = allot_rng_start(s->seed, (uint64_t)position, 0, 0);
        k->softmax_weights(logits, n, (float)(1 / s->temperature));
        id = draw(logits, n, s->top_p, allot_rng_unit(&r));
    }
    if (s->n_logprobs >= 0) {
        logprobs->sampled = kept != NULL ? (float)((double)kept[id] - norm) : 0;
        free(kept);
    }
    return id;
}
