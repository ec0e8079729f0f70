/* SPDX-License-Identifier: Apache-2.0 */
/* Platt scaling recovers what it should, is a minimum, and survives data that decide nothing. */
#include <gsl/gsl_errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "calibrate/platt.h"
#include "lib/core/rng.h"

enum { N = 4000 };

/* Logits and the labels that (a, b) makes of them; noise: of a label, kept in [0, 1]. */
static void make(allot_platt_cell *c, size_t n, double a, double b, double noise, allot_rng *r)
{
    for (size_t i = 0; i < n; i++) {
        double z = 2 * allot_rng_normal(r) + 0.5;
        double p = allot_sigmoid(a * z + b) + noise * allot_rng_normal(r);
        c[i] = (allot_platt_cell){z, fmin(fmax(p, 0), 1), 1, (allot_method)(i % 5)};
    }
}

static double loss(const allot_platt_cell *c, size_t n, double a, double b)
{
    double sum = 0, w = 0;
    for (size_t i = 0; i < n; i++) {
        double p = allot_sigmoid(a * c[i].z + b);
        sum -= c[i].w * (c[i].label * log(p) + (1 - c[i].label) * log(1 - p));
        w += c[i].w;
    }
    return sum / w;
}

static void recovers_exact_labels(void **state)
{
    allot_platt_cell *c = *state;
    const double known[][2] = {{1, 0}, {0.37, -1.2}, {2.5, 0.8}, {0.05, 2}, {1.6, 0.3}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        allot_rng r = allot_rng_start(21, k, 0, 0);
        allot_platt_fit fit;
        make(c, N, known[k][0], known[k][1], 0, &r);
        assert_int_equal(allot_platt_global(c, N, &fit, NULL), ALLOT_OK);
        assert_int_equal(fit.how, ALLOT_PLATT_FREE);
        assert_int_equal(fit.n, N);
        assert_float_equal(fit.a, known[k][0], 1e-6);
        assert_float_equal(fit.b, known[k][1], 1e-6);
    }
}

/* A probe that ranks the wrong way round is not believed the other way round. */
static void the_order_is_never_turned_round(void **state)
{
    allot_platt_cell *c = *state;
    allot_rng r = allot_rng_start(27, 0, 0, 0);
    allot_platt_fit fit;
    make(c, N, -0.6, 0.3, 0, &r);
    assert_int_equal(allot_platt_global(c, N, &fit, NULL), ALLOT_OK);
    assert_int_equal(fit.how, ALLOT_PLATT_GUARDED);
    assert_string_equal(fit.why, "labels do not rise with the logits");
    assert_float_equal(fit.a, 1, 1e-3);
}

/* With noisy labels and weights: no neighbour has less loss, and coin flips of the known
 * probabilities are recovered within their standard error. */
static void is_a_minimum(void **state)
{
    allot_platt_cell *c = *state;
    allot_platt_fit fit;
    allot_rng r = allot_rng_start(22, 0, 0, 0);
    make(c, N, 0.7, -0.4, 0.3, &r);
    for (size_t i = 0; i < N; i++)
        c[i].w = allot_rng_unit(&r) * 5;
    assert_int_equal(allot_platt_global(c, N, &fit, NULL), ALLOT_OK);
    double least = loss(c, N, fit.a, fit.b);
    assert_float_equal(fit.loss, least, 1e-9);
    for (int da = -1; da <= 1; da++)
        for (int db = -1; db <= 1; db++)
            assert_true(loss(c, N, fit.a + 1e-3 * da, fit.b + 1e-3 * db) >= least);
    make(c, N, 0.7, -0.4, 0, &r);
    for (size_t i = 0; i < N; i++)
        c[i].label = allot_rng_unit(&r) < c[i].label;
    assert_int_equal(allot_platt_global(c, N, &fit, NULL), ALLOT_OK);
    assert_float_equal(fit.a, 0.7, 0.12);
    assert_float_equal(fit.b, -0.4, 0.2);
}

/* The logits' scale and origin are the fit's business, not the solver's. */
static void scale_does_not_matter(void **state)
{
    allot_platt_cell *c = *state;
    allot_platt_fit fit, moved;
    allot_rng r = allot_rng_start(23, 0, 0, 0);
    make(c, N, 1.3, 0.2, 0.2, &r);
    assert_int_equal(allot_platt_global(c, N, &fit, NULL), ALLOT_OK);
    for (size_t i = 0; i < N; i++)
        c[i].z = 1e5 * c[i].z - 3e5;
    assert_int_equal(allot_platt_global(c, N, &moved, NULL), ALLOT_OK);
    assert_float_equal(moved.a * 1e5, fit.a, 1e-6);
    assert_float_equal(moved.b - 3 * fit.a, fit.b, 1e-5);
}

static void check_guarded(const allot_platt_cell *c, size_t n, const char *why)
{
    allot_platt_fit fit;
    assert_int_equal(allot_platt_global(c, n, &fit, NULL), ALLOT_OK);
    assert_int_equal(fit.how, ALLOT_PLATT_GUARDED);
    assert_string_equal(fit.why, why);
    if (!(fit.a > 0 && fit.a < 100 && fabs(fit.b) < 100)) fail_msg("a = %g, b = %g", fit.a, fit.b);
}

static void guards_what_is_undecided(void **state)
{
    allot_platt_cell *c = *state;
    allot_platt_fit fit;
    allot_err err;
    allot_rng r = allot_rng_start(24, 0, 0, 0);
    make(c, N, 1, 0, 0, &r);
    for (size_t i = 0; i < N; i++)
        c[i].label = c[i].z > 0;
    check_guarded(c, N, "the labels are separated by the logits");
    const allot_platt_cell two[] = {{-1, 0, 1, ALLOT_BON}, {1, 1, 1, ALLOT_BON}};
    check_guarded(two, 2, "the labels are separated by the logits");
    check_guarded(two, 1, "all labels are equal");
    for (int label = 0; label <= 2; label++) {
        for (size_t i = 0; i < N; i++)
            c[i].label = label / 2.0;
        check_guarded(c, N, "all labels are equal");
    }
    for (size_t i = 0; i < N; i++) {
        c[i].z = 0.75;
        c[i].label = (double)(i % 5) / 4;
    }
    check_guarded(c, N, "all logits are equal");
    assert_int_equal(allot_platt_global(c, N, &fit, NULL), ALLOT_OK);
    /* the label's mean is met but for the prior's weight: 10 of 4000 cells */
    assert_float_equal(allot_sigmoid(fit.a * 0.75 + fit.b), 0.5, 0.002);
    assert_int_equal(allot_platt_global(c, 0, &fit, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "no cells to calibrate on");
}

static double distance(const allot_platt_fit *x, const allot_platt_fit *y)
{
    return hypot(x->a - y->a, x->b - y->b);
}

static void methods_shrink_to_the_global_fit(void **state)
{
    allot_platt_cell *c = *state;
    allot_platt_fit global, free_fit[ALLOT_N_METHODS], half[ALLOT_N_METHODS],
        tight[ALLOT_N_METHODS];
    allot_rng r = allot_rng_start(25, 0, 0, 0);
    make(c, N, 1, 0, 0, &r);
    for (size_t i = 0; i < N; i++) /* beam differs */
        if (c[i].method == ALLOT_BEAM) c[i].label = allot_sigmoid(0.4 * c[i].z - 1);
    assert_int_equal(allot_platt_global(c, N, &global, NULL), ALLOT_OK);
    assert_int_equal(allot_platt_per_method(c, N, &global, 1e-6, 800, free_fit, NULL), ALLOT_OK);
    assert_int_equal(allot_platt_per_method(c, N, &global, 200, 800, half, NULL), ALLOT_OK);
    assert_int_equal(allot_platt_per_method(c, N, &global, 1e9, 800, tight, NULL), ALLOT_OK);
    assert_float_equal(free_fit[ALLOT_BEAM].a, 0.4, 1e-5);
    assert_float_equal(free_fit[ALLOT_BEAM].b, -1, 1e-5);
    assert_float_equal(free_fit[ALLOT_BON].a, 1, 1e-5);
    assert_true(distance(&tight[ALLOT_BEAM], &global) < 1e-4);
    assert_true(distance(&half[ALLOT_BEAM], &global) < distance(&free_fit[ALLOT_BEAM], &global));
    assert_true(distance(&half[ALLOT_BEAM], &global) > 0.1);
    /* no cells: the global fit */
    assert_float_equal(half[ALLOT_NAMED].a, global.a, 0);
    assert_float_equal(half[ALLOT_NAMED].b, global.b, 0);
}

static int setup(void **state)
{
    gsl_set_error_handler_off();
    *state = calloc(N, sizeof(allot_platt_cell));
    return *state == NULL;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovers_exact_labels),
        cmocka_unit_test(the_order_is_never_turned_round),
        cmocka_unit_test(is_a_minimum),
        cmocka_unit_test(scale_does_not_matter),
        cmocka_unit_test(guards_what_is_undecided),
        cmocka_unit_test(methods_shrink_to_the_global_fit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
