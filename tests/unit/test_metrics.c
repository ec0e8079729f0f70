/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics against values worked out by hand and against scikit-learn (tests/golden/
 * make_metrics_golden.py, 1e-12). */
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "lib/core/json.h"
#include "lib/core/metrics.h"

#define GOLDEN "tests/golden/metrics_golden.json"

static void by_hand(void **state)
{
    (void)state;
    allot_forecast f[] = {{0.9, 1, 1}, {0.2, 0, 1}, {0.6, 0.5, 2}};
    allot_forecasts_sort(f, 3);
    assert_float_equal(f[0].p, 0.2, 0);
    assert_float_equal(f[2].p, 0.9, 0);
    /* (0.01 + 0.04 + 2 (0.36 - 0.6 + 0.5)) / 4 */
    assert_float_equal(allot_brier(f, 3), 0.1425, 1e-15);
    double loss = -(log(0.9) + log(0.8) + 2 * (0.5 * log(0.6) + 0.5 * log(0.4))) / 4;
    assert_float_equal(allot_log_loss(f, 3), loss, 1e-15);
    /* successes: 1 at 0.9, 1 at 0.6; failures: 1 at 0.2, 1 at 0.6; pairs 2 + 1 + 0.5 of 4 */
    assert_float_equal(allot_auc(f, 3), 0.875, 1e-15);
    /* ten bins: |0.2 - 0|, |0.6 - 0.5| twice, |0.9 - 1| */
    assert_float_equal(allot_ece(f, 3, ALLOT_BINS_WIDTH, 10), 0.125, 1e-15);
    /* one bin: mean p 2.3 / 4, mean a 2 / 4 */
    assert_float_equal(allot_ece(f, 3, ALLOT_BINS_WIDTH, 1), 0.075, 1e-15);
    /* two of equal weight: the middle run of equal p stays whole and lies in the upper one */
    allot_reliability_bin bins[2];
    allot_reliability(f, 3, ALLOT_BINS_MASS, 2, bins);
    assert_float_equal(bins[0].w, 1, 0);
    assert_float_equal(bins[1].w, 3, 0);
    assert_float_equal(bins[1].p, 0.7, 1e-15);
}

static void edges(void **state)
{
    (void)state;
    allot_forecast f[] = {{0, 0, 1}, {0.1, 1, 1}, {0.2, 1, 1}, {1, 1, 1}};
    allot_reliability_bin bins[10];
    allot_reliability(f, 4, ALLOT_BINS_WIDTH, 10, bins);
    assert_float_equal(bins[0].w, 2, 0); /* 0 and 0.1: bins are closed above */
    assert_float_equal(bins[1].w, 1, 0);
    assert_float_equal(bins[9].w, 1, 0);
    assert_true(isnan(bins[5].p));
    allot_forecast certain[] = {{0, 1, 1}}; /* wrong and sure: large, not infinite */
    assert_float_equal(allot_log_loss(certain, 1), -log(1e-12), 1e-9);
    assert_true(isnan(allot_auc(certain, 1)));
    assert_true(isnan(allot_ece(f, 0, ALLOT_BINS_MASS, 10)));
    assert_true(isnan(allot_brier(f, 0)));
}

/* A resample's weights count like repeated rows. */
static void weights_are_repeats(void **state)
{
    (void)state;
    allot_forecast once[] = {{0.1, 0.3, 2}, {0.4, 0.2, 0}, {0.55, 0.9, 1}, {0.8, 0.6, 3}};
    allot_forecast many[] = {{0.1, 0.3, 1}, {0.1, 0.3, 1}, {0.55, 0.9, 1},
                             {0.8, 0.6, 1}, {0.8, 0.6, 1}, {0.8, 0.6, 1}};
    assert_float_equal(allot_brier(once, 4), allot_brier(many, 6), 1e-15);
    assert_float_equal(allot_log_loss(once, 4), allot_log_loss(many, 6), 1e-15);
    assert_float_equal(allot_auc(once, 4), allot_auc(many, 6), 1e-15);
    for (int kind = 0; kind < 2; kind++)
        assert_float_equal(allot_ece(once, 4, (allot_bins)kind, 3),
                           allot_ece(many, 6, (allot_bins)kind, 3), 1e-15);
}

static double number(const cJSON *o, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void check_losses(const cJSON *want, const allot_forecast *f, size_t n)
{
    assert_float_equal(allot_log_loss(f, n), number(want, "log_loss"), 1e-12);
    assert_float_equal(allot_brier(f, n), number(want, "brier"), 1e-12);
    assert_float_equal(allot_auc(f, n), number(want, "auc"), 1e-12);
}

static void check_case(const cJSON *c)
{
    const cJSON *p = cJSON_GetObjectItem(c, "p"), *a = cJSON_GetObjectItem(c, "a"),
                *w = cJSON_GetObjectItem(c, "w"), *item;
    size_t n = (size_t)cJSON_GetArraySize(p);
    allot_forecast *f = calloc(n, sizeof *f);
    for (int weighted = 1; weighted >= 0; weighted--) {
        for (size_t i = 0; i < n; i++)
            f[i] = (allot_forecast){cJSON_GetArrayItem(p, (int)i)->valuedouble,
                                    cJSON_GetArrayItem(a, (int)i)->valuedouble,
                                    weighted ? cJSON_GetArrayItem(w, (int)i)->valuedouble : 1};
        allot_forecasts_sort(f, n);
        check_losses(cJSON_GetObjectItem(c, weighted ? "weighted" : "plain"), f, n);
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(c, "ece_width")) assert_float_equal(
        allot_ece(f, n, ALLOT_BINS_WIDTH, atoi(item->string)), item->valuedouble, 1e-12);
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(c, "ece_mass")) assert_float_equal(
        allot_ece(f, n, ALLOT_BINS_MASS, atoi(item->string)), item->valuedouble, 1e-12);
    const cJSON *curve = cJSON_GetObjectItem(c, "curve_width_10");
    allot_reliability_bin bins[10];
    allot_reliability(f, n, ALLOT_BINS_WIDTH, 10, bins);
    int k = 0;
    for (int b = 0; curve && b < 10; b++)
        if (bins[b].w > 0) {
            const cJSON *x = cJSON_GetArrayItem(cJSON_GetObjectItem(curve, "p"), k);
            const cJSON *y = cJSON_GetArrayItem(cJSON_GetObjectItem(curve, "a"), k++);
            assert_float_equal(bins[b].p, x->valuedouble, 1e-12);
            assert_float_equal(bins[b].a, y->valuedouble, 1e-12);
        }
    free(f);
}

static void equals_scikit_learn(void **state)
{
    (void)state;
    cJSON *golden;
    allot_err err;
    if (allot_json_load(GOLDEN, 1 << 20, &golden, &err)) fail_msg("%s", err.msg);
    check_case(cJSON_GetObjectItem(golden, "soft"));
    check_case(cJSON_GetObjectItem(golden, "hard"));
    cJSON_Delete(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(edges),
        cmocka_unit_test(weights_are_repeats),
        cmocka_unit_test(equals_scikit_learn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
