/* SPDX-License-Identifier: Apache-2.0 */
/* A byte string grows, and keeps what it had when memory is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/core/buf.h"

/* Prints of every length, so that some just fit into the room there is and some just do not. */
static void prints_grow_it(void **state)
{
    (void)state;
    allot_buf printed = {0}, added = {0};
    char text[301];
    for (int n = 0; n <= 300; n++) {
        memset(text, 'a' + n % 26, sizeof text);
        allot_buf_printf(&printed, "%.*s", n, text);
        allot_buf_add(&added, text, (size_t)n);
        assert_int_equal(printed.n, added.n);
        assert_string_equal(printed.at, added.at);
        assert_true(printed.capacity > printed.n);
    }
    allot_buf_reset(&printed);
    allot_buf_printf(&printed, "%d", 7);
    assert_string_equal(printed.at, "7");
    allot_buf_clear(&printed);
    allot_buf_clear(&added);
}

static void what_failed_stays_as_it_is(void **state)
{
    (void)state;
    allot_buf b = {0};
    allot_err err = {0};
    allot_buf_printf(&b, "kept");
    b.failed = 1;
    allot_buf_printf(&b, "%s", "lost");
    assert_string_equal(b.at, "kept");
    assert_int_equal(allot_buf_check(&b, &err), ALLOT_ERUNTIME);
    allot_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(prints_grow_it),
                                       cmocka_unit_test(what_failed_stays_as_it_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
