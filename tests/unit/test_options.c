/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of main(): exit codes and values; messages are checked by the command-line tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/options.h"

static int flag, number;
static double real;
static const char *text;
static allot_list list;
static long seen_seed;
static int seen_args, ran;

static allot_code run(const allot_common *common, allot_err *err)
{
    (void)err;
    ran++;
    seen_seed = common->seed;
    seen_args = common->n_args;
    return number == 9 ? ALLOT_EPARTIAL : ALLOT_OK;
}

static const allot_option table[] = {{"flag", ALLOT_OPT_FLAG, &flag, NULL, "a flag", 0, 0},
                                     {"max-number", ALLOT_OPT_INT, &number, "N", "a number", 1, 9},
                                     {"real", ALLOT_OPT_DOUBLE, &real, "X", "a real", 0, 1},
                                     {"text", ALLOT_OPT_STRING, &text, "T", "a text", 0, 0},
                                     {"list", ALLOT_OPT_LIST, &list, "T", "a list", 0, 0},
                                     {0}};

static int call(int argc, ...)
{
    const char *words[16] = {"prog"};
    char *argv[16];
    va_list ap;
    va_start(ap, argc);
    for (int i = 1; i <= argc; i++)
        words[i] = va_arg(ap, const char *);
    va_end(ap);
    memcpy(argv, words, sizeof argv); /* as main has them: not const */
    const allot_command c = {
        .usage = "X", .about = "test", .options = table, .min_args = 1, .max_args = 2, .run = run};
    return allot_main("prog", "test", &c, 1, argc + 1, argv);
}

static void values_arrive(void **state)
{
    (void)state;
    assert_int_equal(
        call(8, "--max_number=3", "--real", "0.25", "--flag", "--list", "a", "--list=b", "arg"), 0);
    assert_int_equal(number, 3);
    assert_true(real == 0.25 && flag == 1);
    assert_int_equal(list.n, 2);
    assert_int_equal(seen_args, 1);
    assert_int_equal(seen_seed, 1);
    assert_int_equal(call(3, "--seed=7", "--", "--text"), 0);
    assert_int_equal(seen_seed, 7);
    assert_int_equal(call(2, "--max-number=9", "a"), ALLOT_EPARTIAL);
    free(list.at);
    list = (allot_list){0};
}

static void wrong_lines_are_usage_errors(void **state)
{
    (void)state;
    int before = ran;
    assert_int_equal(call(0), ALLOT_EUSAGE);
    assert_int_equal(call(3, "a", "b", "c"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--unknown", "a"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--max-number=10", "a"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--max-number=3x", "a"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--real=nan", "a"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--text=", "a"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "a", "--text"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--flag=1", "a"), ALLOT_EUSAGE);
    assert_int_equal(call(2, "--threads=0", "a"), ALLOT_EUSAGE);
    assert_int_equal(ran, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_arrive),
                                       cmocka_unit_test(wrong_lines_are_usage_errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
