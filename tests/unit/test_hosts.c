/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several servers is next, set aside, asked again or waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/net/hosts.h"

static allot_hosts three(void)
{
    allot_err err = {0};
    allot_hosts h;
    assert_int_equal(allot_hosts_open("http://a:1/v1,http://b/,https://c/x/v1", &h, &err), 0);
    assert_int_equal(h.n, 3);
    return h;
}

static void addresses_are_read_and_checked(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_hosts h = three();
    assert_string_equal(h.at[0].root, "http://a:1");
    assert_string_equal(h.at[1].root, "http://b");
    assert_string_equal(h.at[2].root, "https://c/x");
    allot_hosts_clear(&h);
    assert_int_equal(allot_hosts_open("http://a,http://a/v1", &h, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, "the server 'http://a' is given twice");
    assert_int_equal(allot_hosts_open("http://a,", &h, &err), ALLOT_EUSAGE);
    assert_int_equal(allot_hosts_open("http://a,b:1", &h, &err), ALLOT_EUSAGE);
    assert_non_null(strstr(err.msg, "'b:1' is not the address of a server"));
    allot_hosts_clear(&h);
}

static void the_least_busy_is_next(void **state)
{
    (void)state;
    allot_hosts h = three();
    int sum[3] = {0};
    for (int i = 0; i < 9; i++)
        sum[allot_hosts_begin(&h, 1)]++;
    assert_true(sum[0] == 3 && sum[1] == 3 && sum[2] == 3);
    allot_hosts_end(&h, 1, 0, 2);
    allot_hosts_end(&h, 1, 0, 2);
    assert_int_equal(allot_hosts_begin(&h, 2), 1);
    assert_int_equal(allot_hosts_begin(&h, 2), 1);
    allot_hosts_clear(&h);
}

static void one_that_fails_is_set_aside_and_comes_back(void **state)
{
    (void)state;
    allot_hosts h = three();
    for (int i = 0; i < 6; i++)
        (void)allot_hosts_begin(&h, 10);
    allot_hosts_end(&h, 0, 1, 10);
    allot_hosts_end(&h, 0, 1, 10.01); /* was out at the same time: the same failure */
    assert_int_equal(h.at[0].failures, 1);
    for (int i = 0; i < 20; i++)
        assert_int_not_equal(allot_hosts_begin(&h, 10.5), 0);
    assert_int_equal(allot_hosts_begin(&h, 11.1), 0); /* one request sees whether it is back */
    assert_int_not_equal(allot_hosts_begin(&h, 11.1), 0);
    allot_hosts_end(&h, 0, 1, 11.2);
    assert_int_not_equal(allot_hosts_begin(&h, 12.3), 0); /* longer now */
    assert_int_equal(allot_hosts_begin(&h, 13.3), 0);
    allot_hosts_end(&h, 0, 0, 13.4);
    assert_int_equal(allot_hosts_begin(&h, 13.4), 0);
    assert_int_equal(allot_hosts_begin(&h, 13.4), 0);
    allot_hosts_clear(&h);
}

static void without_any_the_first_to_come_back_is_asked(void **state)
{
    (void)state;
    allot_hosts h = three();
    for (int i = 0; i < 3; i++)
        (void)allot_hosts_begin(&h, 0);
    assert_true(allot_hosts_alive(&h, 0));
    for (int i = 2; i >= 0; i--)
        allot_hosts_end(&h, i, 1, 1 - 0.1 * i);
    assert_false(allot_hosts_alive(&h, 1.1));
    assert_int_equal(allot_hosts_begin(&h, 1.1), 2);
    allot_hosts_clear(&h);
}

static void nobody_is_set_aside_for_more_than_a_minute(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_hosts h;
    for (int others = 0; others < 2; others++) { /* whose work nobody does, for less */
        assert_int_equal(allot_hosts_open(others ? "http://a,http://b" : "http://a", &h, &err), 0);
        for (int i = 0; i < 40; i++) {
            h.at[0].outstanding++;
            allot_hosts_end(&h, 0, ALLOT_HOST_AWAY, 100.0 * i);
        }
        assert_true(h.at[0].aside_until_s == 100.0 * 39 + (others ? 60 : 10));
        allot_hosts_clear(&h);
    }
}

static void an_outage_begins_when_the_last_one_is_away_and_ends_with_any_answer(void **state)
{
    (void)state;
    allot_hosts h = three();
    for (int i = 0; i < 3; i++)
        assert_int_equal(allot_hosts_begin(&h, 0), i);
    allot_hosts_end(&h, 0, ALLOT_HOST_AWAY, 1);
    allot_hosts_end(&h, 1, ALLOT_HOST_FAILED, 2);
    assert_true(h.away_since_s == 0);
    allot_hosts_end(&h, 2, ALLOT_HOST_AWAY, 3);
    assert_true(h.away_since_s == 3);
    assert_false(allot_hosts_probing(&h));
    int host = allot_hosts_begin(&h, 5);
    assert_true(allot_hosts_probing(&h));
    allot_hosts_end(&h, host, ALLOT_HOST_AWAY, 5.1);
    assert_true(h.away_since_s == 3);
    host = allot_hosts_begin(&h, 7);
    allot_hosts_end(&h, host, ALLOT_HOST_THERE, 8);
    assert_true(h.away_since_s == 0);
    assert_true(allot_hosts_alive(&h, 8));
    allot_hosts_clear(&h);
}

/* The first request to a server that is back may take long: the others do not wait for its end. */
static void what_nobody_refused_for_a_while_is_a_sign_of_life(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_hosts h;
    assert_int_equal(allot_hosts_open("http://a", &h, &err), 0);
    assert_int_equal(allot_hosts_begin(&h, 1), 0); /* this one hangs */
    assert_int_equal(allot_hosts_begin(&h, 1), 0);
    allot_hosts_end(&h, 0, ALLOT_HOST_AWAY, 1);
    assert_false(allot_hosts_alive(&h, 1.5));
    assert_true(allot_hosts_alive(&h, 2));
    assert_int_equal(allot_hosts_begin(&h, 2), 0);
    assert_false(allot_hosts_alive(&h, 11.9));
    assert_true(allot_hosts_alive(&h, 12));
    allot_hosts_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_checked),
        cmocka_unit_test(the_least_busy_is_next),
        cmocka_unit_test(one_that_fails_is_set_aside_and_comes_back),
        cmocka_unit_test(without_any_the_first_to_come_back_is_asked),
        cmocka_unit_test(nobody_is_set_aside_for_more_than_a_minute),
        cmocka_unit_test(an_outage_begins_when_the_last_one_is_away_and_ends_with_any_answer),
        cmocka_unit_test(what_nobody_refused_for_a_while_is_a_sign_of_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
