/* SPDX-License-Identifier: Apache-2.0 */
/* Standardises the logits and finds the root of the gradient (GSL's hybrid of Newton and
 * gradient steps), with and without the prior that keeps few cells from a wild fit. */
#include "calibrate/platt.h"
#include "liballot/mem.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multiroots.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITERATIONS = 200 };
#define GRADIENT_TOLERANCE 1e-10
#define STIFF 1e6            /* a prior that no data move */
#define GUARD_CELLS 10.0     /* cells that the prior around (1, 0) is worth */
#define CURVATURE 0.25       /* of one cell of label 1/2 in b: what "worth a cell" means */
#define LEAST_CURVATURE 1e-6 /* below it the loss is flat: a fit has run away to infinity */

/* The problem in standardised logits x = (z - mean) / sd, where it is well conditioned: minimise
 * the mean cross-entropy of alpha x + beta plus half the sum of strength |(alpha, beta) -
 * centre|^2. */
typedef struct {
    const allot_platt_cell *cells;
    size_t n;
    double mean, sd, w; /* of the logits; the weights' sum */
    int constant;       /* all logits are equal: sd is 1 */
    double centre[2], strength[2];
} problem;

/* Gradient g[2] and Hessian h[3] (aa, ab, bb) at (alpha, beta). */
static void derivatives(const problem *p, double alpha, double beta, double g[2], double h[3])
{
    memset(g, 0, 2 * sizeof *g);
    memset(h, 0, 3 * sizeof *h);
    for (size_t i = 0; i < p->n; i++) {
        double x = (p->cells[i].z - p->mean) / p->sd, w = p->cells[i].w / p->w;
        double q = allot_sigmoid(alpha * x + beta), slope = w * q * (1 - q);
        double error = w * (q - p->cells[i].label);
        g[0] += error * x;
        g[1] += error;
        h[0] += slope * x * x;
        h[1] += slope * x;
        h[2] += slope;
    }
    g[0] += p->strength[0] * (alpha - p->centre[0]);
    g[1] += p->strength[1] * (beta - p->centre[1]);
    h[0] += p->strength[0];
    h[2] += p->strength[1];
}

static int gradient_and_hessian(const gsl_vector *at, void *params, gsl_vector *f, gsl_matrix *j)
{
    double g[2], h[3], alpha = gsl_vector_get(at, 0), beta = gsl_vector_get(at, 1);
    if (!isfinite(alpha) || !isfinite(beta)) return GSL_EBADFUNC;
    derivatives(params, alpha, beta, g, h);
    for (size_t i = 0; f && i < 2; i++)
        gsl_vector_set(f, i, g[i]);
    for (size_t i = 0; j && i < 4; i++)
        gsl_matrix_set(j, i / 2, i % 2, h[i / 2 + i % 2]);
    return GSL_SUCCESS;
}

static int gradient(const gsl_vector *at, void *params, gsl_vector *f)
{
    return gradient_and_hessian(at, params, f, NULL);
}

static int hessian(const gsl_vector *at, void *params, gsl_matrix *j)
{
    return gradient_and_hessian(at, params, NULL, j);
}

/* Powell's hybrid of Newton and gradient steps on gradient = 0. Returns 1 when it got there. */
static int solve(problem *p, double at[2], int *iterations, allot_err *err, allot_code *code)
{
    gsl_multiroot_function_fdf f = {gradient, hessian, gradient_and_hessian, 2, p};
    gsl_multiroot_fdfsolver *s = gsl_multiroot_fdfsolver_alloc(gsl_multiroot_fdfsolver_hybridsj, 2);
    gsl_vector *start = gsl_vector_alloc(2);
    int found = 0;
    *code = s && start ? ALLOT_OK : allot_fail(err, ALLOT_ERUNTIME, "out of memory");
    if (!*code) {
        gsl_vector_set(start, 0, at[0]);
        gsl_vector_set(start, 1, at[1]);
        int status = gsl_multiroot_fdfsolver_set(s, &f, start);
        for (*iterations = 0; !status && !found && *iterations < MAX_ITERATIONS; ++*iterations) {
            status = gsl_multiroot_fdfsolver_iterate(s);
            found = gsl_multiroot_test_residual(s->f, GRADIENT_TOLERANCE) == GSL_SUCCESS;
        }
        at[0] = gsl_vector_get(s->x, 0);
        at[1] = gsl_vector_get(s->x, 1);
        /* a solver that stops making progress at the limit of precision has arrived */
        found = found || gsl_multiroot_test_residual(s->f, 1e-6) == GSL_SUCCESS;
    }
    if (start) gsl_vector_free(start);
    if (s) gsl_multiroot_fdfsolver_free(s);
    return found && isfinite(at[0]) && isfinite(at[1]);
}

/* The least curvature of the loss at a point (least eigenvalue of the Hessian, by det / trace). */
static double curvature(const problem *p, const double at[2])
{
    double g[2], h[3];
    derivatives(p, at[0], at[1], g, h);
    return (h[0] * h[2] - h[1] * h[1]) / (h[0] + h[2]);
}

/* softplus(x) - label x, stable for any x. */
static double cross_entropy(double x, double label)
{
    return fmax(x, 0) - label * x + log1p(exp(-fabs(x)));
}

static double mean_loss(const problem *p, double a, double b)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->cells[i].w / p->w * cross_entropy(a * p->cells[i].z + b, p->cells[i].label);
    return sum;
}

static long set_up(problem *p, const allot_platt_cell *cells, size_t n)
{
    long used = 0;
    *p = (problem){.cells = cells, .n = n};
    for (size_t i = 0; i < n; i++) {
        p->w += cells[i].w;
        used += cells[i].w > 0;
    }
    for (size_t i = 0; i < n; i++)
        p->mean += cells[i].w / p->w * cells[i].z;
    for (size_t i = 0; i < n; i++)
        p->sd += cells[i].w / p->w * (cells[i].z - p->mean) * (cells[i].z - p->mean);
    p->sd = sqrt(p->sd);
    p->constant = p->sd < 1e-9 * fmax(1, fabs(p->mean));
    if (p->constant) p->sd = 1;
    return used;
}

/* Why the data alone cannot decide (a, b), or NULL. */
static const char *undecided(const problem *p)
{
    double least = 1, most = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->cells[i].w > 0) {
            least = fmin(least, p->cells[i].label);
            most = fmax(most, p->cells[i].label);
        }
    if (most - least < 1e-9) return "all labels are equal";
    return p->constant ? "all logits are equal" : NULL;
}

/* (a, b) on logits to (alpha, beta) on standardised ones, and back. */
static void standardise(const problem *p, double a, double b, double at[2])
{
    at[0] = a * p->sd;
    at[1] = b + a * p->mean;
}

static void unstandardise(const problem *p, const double at[2], allot_platt_fit *fit)
{
    fit->a = at[0] / p->sd;
    fit->b = at[1] - fit->a * p->mean;
}

/* With the prior around (a, b) that p->strength says. */
static allot_code fit_with_prior(problem *p, double a, double b, allot_platt_fit *out,
                                 allot_err *err)
{
    double at[2];
    allot_code code;
    standardise(p, a, b, p->centre);
    memcpy(at, p->centre, sizeof at);
    if (!solve(p, at, &out->iterations, err, &code) && !code)
        code = allot_fail(err, ALLOT_ERUNTIME, "the fit did not converge (are the logits sane?)");
    if (!code) unstandardise(p, at, out);
    return code;
}

allot_code allot_platt_global(const allot_platt_cell *cells, size_t n, allot_platt_fit *out,
                              allot_err *err)
{
    problem p;
    allot_code code = ALLOT_OK;
    *out = (allot_platt_fit){.n = set_up(&p, cells, n)};
    if (out->n == 0) return allot_fail(err, ALLOT_EINPUT, "no cells to calibrate on");
    const char *nothing = out->why = undecided(&p);
    if (!nothing) {
        double at[2];
        standardise(&p, 1, 0, at);
        /* not from where sigmoids are flat: the minimum is one, wherever the way to it begins */
        at[0] = fmin(at[0], 4);
        at[1] = fmin(fmax(at[1], -4), 4);
        int found = solve(&p, at, &out->iterations, err, &code);
        unstandardise(&p, at, out);
        if (!found || !(curvature(&p, at) > LEAST_CURVATURE))
            out->why = "the labels are separated by the logits";
        else if (!code && out->a <= 0) out->why = nothing = "labels do not rise with the logits";
    }
    if (!code && out->why) {
        out->how = ALLOT_PLATT_GUARDED;
        /* with nothing to learn about a it stays 1, or the order of strategies could turn round */
        p.strength[1] = CURVATURE * GUARD_CELLS / (double)out->n;
        p.strength[0] = nothing ? STIFF : p.strength[1];
        code = fit_with_prior(&p, 1, 0, out, err);
    }
    out->loss = mean_loss(&p, out->a, out->b);
    return code;
}

static allot_code fit_method(const allot_platt_cell *cells, size_t n, const allot_platt_fit *global,
                             double strength, allot_platt_fit *out, allot_err *err)
{
    problem p;
    *out = *global;
    long used = set_up(&p, cells, n);
    if (used == 0) return ALLOT_OK;
    *out = (allot_platt_fit){.n = used, .how = ALLOT_PLATT_SHRUNK};
    p.strength[0] = p.strength[1] = strength;
    allot_code code = fit_with_prior(&p, global->a, global->b, out, err);
    out->loss = mean_loss(&p, out->a, out->b);
    return code;
}

allot_code allot_platt_per_method(const allot_platt_cell *cells, size_t n,
                                  const allot_platt_fit *global, double shrink, long n_queries,
                                  allot_platt_fit fits[ALLOT_N_METHODS], allot_err *err)
{
    allot_platt_cell *own = allot_mem_array(n, sizeof *own, err);
    allot_code code = own ? ALLOT_OK : ALLOT_ERUNTIME;
    for (int m = 0; !code && m < ALLOT_N_METHODS; m++) {
        size_t k = 0;
        for (size_t i = 0; i < n; i++)
            if (cells[i].method == (allot_method)m) own[k++] = cells[i];
        code = fit_method(own, k, global, CURVATURE * shrink / (double)n_queries, &fits[m], err);
    }
    free(own);
    return code;
}
