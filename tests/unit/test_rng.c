/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers, moments, and independence of streams. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/core/rng.h"

/* Known answers of Philox 4x32-10 (Random123's kat_vectors): counter and key all ones. */
static void known_answer(void **state)
{
    (void)state;
    allot_rng r = {.key = {0xffffffffu, 0xffffffffu},
                   .counter = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu},
                   .used = 4};
    assert_int_equal(allot_rng_u32(&r), 0x408f276d);
    assert_int_equal(allot_rng_u32(&r), 0x41c83b0e);
    assert_int_equal(allot_rng_u32(&r), 0xa20bc7c6);
    assert_int_equal(allot_rng_u32(&r), 0x6d5451fd);
}

static void streams_differ_and_repeat(void **state)
{
    (void)state;
    allot_rng a = allot_rng_start(1, 2, 3, 4), b = allot_rng_start(1, 2, 3, 4);
    allot_rng c = allot_rng_start(1, 2, 4, 3);
    uint64_t x = allot_rng_u64(&a);
    assert_true(x == allot_rng_u64(&b));
    assert_true(x != allot_rng_u64(&c));
}

static void moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    allot_rng r = allot_rng_start(7, 0, 0, 0);
    double sum = 0, square = 0, normal = 0, normal2 = 0;
    for (int i = 0; i < N; i++) {
        double u = allot_rng_unit(&r), z = allot_rng_normal(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
        square += u * u;
        normal += z;
        normal2 += z * z;
    }
    assert_true(fabs(sum / N - 0.5) < 0.003);
    assert_true(fabs(square / N - 1.0 / 3) < 0.003);
    assert_true(fabs(normal / N) < 0.01);
    assert_true(fabs(normal2 / N - 1) < 0.02);
}

static void subsets_are_uniform(void **state)
{
    (void)state;
    allot_rng r = allot_rng_start(9, 0, 0, 0);
    int scratch[5], out[2], seen[5][5] = {{0}};
    for (int i = 0; i < 20000; i++) {
        allot_rng_subset(&r, 5, 2, scratch, out);
        assert_int_not_equal(out[0], out[1]);
        seen[out[0]][out[1]]++;
    }
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            if (i != j) assert_in_range(seen[i][j], 850, 1150); /* 1000 expected, 5 sigma */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answer), cmocka_unit_test(streams_differ_and_repeat),
        cmocka_unit_test(moments), cmocka_unit_test(subsets_are_uniform)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
