/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that give every seed the same text are told from chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "collect/duplicates.h"

static void add(allot_duplicates *d, long q, int n, long n_tokens, uint64_t id)
{
    allot_record r = {.type = ALLOT_REC_SAMPLE, .n_tokens = n_tokens, .texts_id = id};
    for (int i = 0; i < n; i++)
        allot_duplicates_add(d, q, &r);
}

static void queries_with_one_text_are_told_from_the_fifth_on(void **state)
{
    (void)state;
    allot_duplicates d;
    assert_int_equal(allot_duplicates_init(&d, 6, NULL), ALLOT_OK);
    for (long q = 0; q < 5; q++) {
        assert_false(allot_duplicates_alarm(&d));
        add(&d, q, 3, 100, 7 + (uint64_t)q);
        assert_false(allot_duplicates_alarm(&d));
        assert_int_equal(d.n_compared, q);
        add(&d, q, 1, 100, 7 + (uint64_t)q);
    }
    assert_true(allot_duplicates_alarm(&d));
    assert_int_equal(d.n_identical, 5);
    /* another text takes the query back, whenever it comes */
    add(&d, 2, 1, 100, 1);
    add(&d, 2, 9, 100, 9);
    assert_int_equal(d.n_identical, 4);
    assert_int_equal(d.n_compared, 5);
    assert_false(allot_duplicates_alarm(&d));
    allot_duplicates_clear(&d);
    allot_duplicates_clear(&d);
}

static void short_texts_are_not_looked_at(void **state)
{
    (void)state;
    allot_duplicates d;
    allot_record error = {.type = ALLOT_REC_ERROR}, score = {.type = ALLOT_REC_SCORE};
    assert_int_equal(allot_duplicates_init(&d, 20, NULL), ALLOT_OK);
    for (long q = 0; q < 10; q++) {
        add(&d, q, 8, 99, 7);
        add(&d, q + 10, 8, 100, 7);
        add(&d, q + 10, 1, 99, 7); /* one is enough */
        allot_duplicates_add(&d, q, &error);
        allot_duplicates_add(&d, q, &score);
        assert_int_equal(d.at[q].n, 8);
    }
    assert_int_equal(d.n_compared, 0);
    assert_int_equal(d.n_identical, 0);
    allot_duplicates_clear(&d);
}

static void a_small_share_of_them_is_chance(void **state)
{
    (void)state;
    allot_duplicates d;
    assert_int_equal(allot_duplicates_init(&d, 100, NULL), ALLOT_OK);
    for (long q = 0; q < 100; q++) {
        add(&d, q, 3, 500, 7);
        add(&d, q, 1, 500, q % 11 == 0 ? 7 : 8);
    }
    assert_int_equal(d.n_identical, 10);
    assert_int_equal(d.n_compared, 100);
    assert_true(allot_duplicates_alarm(&d));
    add(&d, 0, 1, 500, 8);
    assert_false(allot_duplicates_alarm(&d));
    allot_duplicates_clear(&d);
}

static void a_query_takes_sixteen_bytes(void **state)
{
    (void)state;
    assert_int_equal(sizeof(allot_duplicates_query), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_with_one_text_are_told_from_the_fifth_on),
        cmocka_unit_test(short_texts_are_not_looked_at),
        cmocka_unit_test(a_small_share_of_them_is_chance),
        cmocka_unit_test(a_query_takes_sixteen_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
