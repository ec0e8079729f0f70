/* SPDX-License-Identifier: Apache-2.0 */
/* Behind which attempt the next call begins, also from older journals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "collect/attempts.h"

/* An error as a journal has it; draws < 0: not told. */
static void add(allot_attempts *a, long q, int unit, int draws, int attempt, const char *message)
{
    allot_err err = {0};
    allot_record rec, r = {.type = ALLOT_REC_ERROR, .code = ALLOT_ESERVER, .attempt = attempt};
    allot_buf line = {0};
    r.draws = draws < 0 ? 0 : draws;
    strcpy(r.source, "pool");
    r.message = (char *)(uintptr_t)message;
    assert_int_equal(allot_record_print(&r, &line, &err), ALLOT_OK);
    char *field = strstr(line.at, ",\"draws\":0");
    if (draws < 0) memmove(field, field + 10, strlen(field + 10) + 1);
    if (allot_record_parse(line.at, strlen(line.at), "line 1", &rec, &err)) fail_msg("%s", err.msg);
    assert_int_equal(rec.draws, draws < 0 ? -1 : draws);
    assert_int_equal(allot_attempts_add(a, q, unit, &rec, &err), ALLOT_OK);
    allot_record_clear(&rec);
    allot_buf_clear(&line);
}

static void the_highest_number_of_a_unit_counts(void **state)
{
    (void)state;
    allot_attempts a = {0};
    allot_attempts_sort(&a);
    assert_int_equal(allot_attempts_next(&a, 0, 0), 0);
    add(&a, 2, 1, 8, 7, "x");
    add(&a, 2, 1, 4, 3, "x");
    add(&a, 0, 5, 4, 3, "x");
    add(&a, 2, 0, 0, 0, "no answer");
    allot_attempts_sort(&a);
    assert_int_equal(allot_attempts_next(&a, 2, 1), 8);
    assert_int_equal(allot_attempts_next(&a, 0, 5), 4);
    assert_int_equal(allot_attempts_next(&a, 2, 0), 0);
    assert_int_equal(allot_attempts_next(&a, 1, 5), 0);
    allot_attempts_clear(&a);
    allot_attempts_clear(&a);
}

static void older_journals_are_read_by_the_servers_words(void **state)
{
    (void)state;
    allot_attempts a = {0};
    add(&a, 0, 0, -1, 3, "'http://h/v1/completions' answered with status 500: no UTF-8");
    add(&a, 0, 1, -1, 3, "'http://h/v1/completions' answered with status 424: generation");
    add(&a, 0, 2, -1, 1, "'http://h/v1/completions' answered with status 500: no UTF-8");
    add(&a, 0, 3, -1, 3, "no answer from 'http://h'");
    allot_attempts_sort(&a);
    static const int next[] = {4, 4, 0, 0};
    for (int unit = 0; unit < 4; unit++)
        assert_int_equal(allot_attempts_next(&a, 0, unit), next[unit]);
    allot_attempts_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_number_of_a_unit_counts),
        cmocka_unit_test(older_journals_are_read_by_the_servers_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
