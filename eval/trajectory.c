/* SPDX-License-Identifier: Apache-2.0 */
/* At which lambdas some query's choice changes, and what all queries realise between them. */
#include "eval/trajectory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/stats.h"
#include "liballot/mem.h"

static const double *cost_of(const allot_belief *b, int q, int s)
{
    return b->cost + (b->per_query ? (size_t)q * (size_t)s : 0);
}

/* The corners of max_s (a_s - lambda c_s) for lambda from 0 up: from the present best line, the
 * next to take over is the cheaper line that it meets first. Appends their lambdas. */
static int corners(const double *a, const double *c, int s, int start, double *out)
{
    int n = 0, at = start;
    while (1) {
        int next = -1;
        double meet = INFINITY;
        for (int i = 0; i < s; i++) {
            if (c[i] >= c[at]) continue;
            double x = (a[at] - a[i]) / (c[at] - c[i]);
            if (x < meet || (x == meet && next >= 0 && c[i] < c[next])) {
                meet = x;
                next = i;
            }
        }
        if (next < 0) return n;
        out[n++] = meet;
        at = next;
    }
}

static int choose_at(const allot_evaldata *d, const allot_belief *b, int q, double lambda)
{
    allot_rule rule;
    allot_rule_defaults(&rule);
    rule.lambda_per_token = lambda;
    return allot_choose_argmax(&rule, &d->bundle.strategies, b->accuracy + (size_t)q * (size_t)d->s,
                               cost_of(b, q, d->s), NULL);
}

/* Lambdas between the corners of all queries: every one if there are few, else at quantiles. */
static allot_code pick_lambdas(const allot_evaldata *d, const allot_belief *b, int max_k,
                               allot_trajectory *out, allot_err *err)
{
    size_t room = (size_t)d->n * (size_t)d->s + 1, n = 0;
    double *all = allot_mem_array(room, sizeof *all, err);
    if (!all) return ALLOT_ERUNTIME;
    for (int q = 0; q < d->n; q++)
        n += (size_t)corners(b->accuracy + (size_t)q * (size_t)d->s, cost_of(b, q, d->s), d->s,
                             choose_at(d, b, q, 0), all + n);
    allot_sort(all, n);
    size_t unique = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i] > 0 && (unique == 0 || all[i] > all[unique - 1])) all[unique++] = all[i];
    out->lambda = allot_mem_array((size_t)max_k, sizeof *out->lambda, err);
    if (!out->lambda) {
        free(all);
        return ALLOT_ERUNTIME;
    }
    size_t gaps = unique; /* one lambda behind each corner */
    size_t take = gaps < (size_t)max_k - 1 ? gaps : (size_t)max_k - 1;
    out->lambda[out->k++] = 0;
    for (size_t i = 0; i < take; i++) {
        size_t g = take == gaps ? i : (i + 1) * gaps / take - 1; /* ends at the last corner */
        double x = g + 1 < unique ? sqrt(all[g]) * sqrt(all[g + 1]) : all[g] * 2;
        if (x > out->lambda[out->k - 1]) out->lambda[out->k++] = x;
    }
    free(all);
    return ALLOT_OK;
}

static allot_code make_room(allot_trajectory *t, int n, allot_err *err)
{
    size_t cells = (size_t)t->k * (size_t)n;
    t->n = n;
    t->accuracy = allot_mem_array(cells, sizeof *t->accuracy, err);
    t->cost = allot_mem_array(cells, sizeof *t->cost, err);
    t->choice = allot_mem_array(cells, sizeof *t->choice, err);
    return t->accuracy && t->cost && t->choice ? ALLOT_OK : ALLOT_ERUNTIME;
}

/* Fills queries [first, first + d->n) of the trajectory. */
static void realise(const allot_evaldata *d, const allot_belief *b, const double *accuracy,
                    const double *cost, int first, allot_trajectory *t)
{
    for (int k = 0; k < t->k; k++)
        for (int q = 0; q < d->n; q++) {
            int s = choose_at(d, b, q, t->lambda[k]);
            size_t cell = (size_t)q * (size_t)d->s + (size_t)s;
            size_t to = (size_t)k * (size_t)t->n + (size_t)(first + q);
            t->choice[to] = (uint16_t)s;
            t->accuracy[to] = (float)accuracy[cell];
            t->cost[to] = (float)cost[cell];
        }
}

allot_code allot_trajectory_make(const allot_evaldata *d, const allot_belief *b,
                                 const double *realised_accuracy, const double *realised_cost,
                                 int max_k, allot_trajectory *out, allot_err *err)
{
    *out = (allot_trajectory){0};
    allot_code rc = pick_lambdas(d, b, max_k, out, err);
    if (!rc) rc = make_room(out, d->n, err);
    if (!rc) realise(d, b, realised_accuracy, realised_cost, 0, out);
    if (rc) allot_trajectory_clear(out);
    return rc;
}

allot_code allot_trajectory_crossfit(const allot_evaldata *d, const double *cost,
                                     const double *realised_cost, int max_k, allot_trajectory *out,
                                     allot_err *err)
{
    *out = (allot_trajectory){0};
    allot_belief belief = {.name = "oracle, cross-fitted", .accuracy = d->half[0], .cost = cost};
    allot_code rc = pick_lambdas(d, &belief, max_k, out, err);
    if (!rc) rc = make_room(out, 2 * d->n, err);
    if (!rc) {
        realise(d, &belief, d->half[1], realised_cost, 0, out);
        belief.accuracy = d->half[1];
        realise(d, &belief, d->half[0], realised_cost, d->n, out);
    }
    if (rc) allot_trajectory_clear(out);
    return rc;
}

void allot_trajectory_clear(allot_trajectory *t)
{
    free(t->lambda);
    free(t->accuracy);
    free(t->cost);
    free(t->choice);
    *t = (allot_trajectory){0};
}

/* Insertion sort: realised cost falls nearly everywhere as lambda grows, so few steps are needed.
 */
static void sort_by_cost(double *cost, double *accuracy, int n)
{
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && cost[j] < cost[j - 1]; j--) {
            double c = cost[j], a = accuracy[j];
            cost[j] = cost[j - 1];
            accuracy[j] = accuracy[j - 1];
            cost[j - 1] = c;
            accuracy[j - 1] = a;
        }
}

void allot_trajectory_curve(const allot_trajectory *t, const double *weight, double *cost,
                            double *accuracy)
{
    double total = 0;
    for (int q = 0; q < t->n; q++)
        total += weight ? weight[q] : 1;
    for (int k = 0; k < t->k; k++) {
        const float *a = t->accuracy + (size_t)k * (size_t)t->n;
        const float *c = t->cost + (size_t)k * (size_t)t->n;
        double sum_a = 0, sum_c = 0;
        for (int q = 0; q < t->n; q++) {
            double w = weight ? weight[q] : 1;
            sum_a += w * (double)a[q];
            sum_c += w * (double)c[q];
        }
        accuracy[t->k - 1 - k] = sum_a / total; /* largest lambda, least cost, first */
        cost[t->k - 1 - k] = sum_c / total;
    }
    sort_by_cost(cost, accuracy, t->k);
}
