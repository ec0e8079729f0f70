/* SPDX-License-Identifier: Apache-2.0 */
/* atomicfile, err and options' strict numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/core/options.h"
#include "liballot/mem.h"

static char folder[] = "/tmp/allot-test-XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    (void)remove("a.txt");
    return chdir("/") || rmdir(folder); /* fails if a test left something behind */
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(".");
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void appears_only_when_committed(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_atomic a;
    assert_int_equal(allot_atomic_begin(&a, "a.txt", &allot_kind_any, &err), ALLOT_OK);
    fputs("half", a.file);
    assert_int_equal(access("a.txt", F_OK), -1);
    allot_atomic_abort(&a);
    allot_atomic_abort(&a);
    assert_int_equal(entries(), 0);
    assert_int_equal(allot_file_write("a.txt", &allot_kind_any, "whole", 5, &err), ALLOT_OK);
    char *bytes;
    size_t n;
    assert_int_equal(allot_file_read("a.txt", 5, &bytes, &n, &err), ALLOT_OK);
    assert_string_equal(bytes, "whole");
    free(bytes);
    assert_int_equal(allot_file_read("a.txt", 4, &bytes, &n, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "cannot read 'a.txt': larger than 4 bytes");
    assert_int_equal(entries(), 1);
}

static void failures_name_the_file(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_atomic a;
    assert_int_equal(allot_atomic_begin(&a, "none/a.txt", &allot_kind_any, &err), ALLOT_ERUNTIME);
    assert_string_equal(err.msg, "cannot write 'none/a.txt': No such file or directory");
    assert_int_equal(allot_atomic_begin(&a, "/tmp", &allot_kind_any, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, "cannot write '/tmp': it is a directory (give another name)");
    assert_int_equal(allot_atomic_begin(&a, "/tmp/", &allot_kind_any, &err), ALLOT_EUSAGE);
    char *bytes;
    size_t n;
    assert_int_equal(allot_file_read("/tmp", 10, &bytes, &n, &err), ALLOT_ERUNTIME);
}

static void messages_hold_no_control_characters(void **state)
{
    (void)state;
    allot_err err = {0};
    assert_int_equal(allot_fail(&err, ALLOT_EINPUT, "bad '%s'", "a\x1b[31m\nb"), ALLOT_EINPUT);
    assert_string_equal(err.msg, "bad 'a?[31m?b'");
    assert_int_equal(allot_fail_in(&err, "line %d", 3), ALLOT_EINPUT);
    assert_string_equal(err.msg, "line 3: bad 'a?[31m?b'");
    char text[2000];
    memset(text, 0, sizeof text);
    for (int i = 0; i < 1998; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    allot_fail(&err, ALLOT_EINPUT, "x%s", text);
    size_t n = strlen(err.msg);
    assert_true(n < ALLOT_ERR_MAX && n % 2 == 1); /* 'x' and whole two-byte characters */
    allot_fail(&err, ALLOT_EINPUT, "%s", text);
    assert_true(strlen(err.msg) % 2 == 0);
}

static void numbers_are_strict(void **state)
{
    (void)state;
    allot_err err = {0};
    const char *bad[] = {"", " 1", "1 ", "12abc", "0x10", "1e3", "+1", "99999999999999999999"};
    long v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(allot_parse_long(bad[i], "--n", 0, 100, &v, &err), ALLOT_EUSAGE);
    assert_int_equal(allot_parse_long("101", "--n", 0, 100, &v, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, "--n: 101 is not within 0 to 100");
    double d;
    const char *bad_real[] = {"", "nan", "inf", "1e999", "1x", " 1"};
    for (size_t i = 0; i < sizeof bad_real / sizeof *bad_real; i++)
        assert_int_equal(allot_parse_double(bad_real[i], "--x", -10, 10, &d, &err), ALLOT_EUSAGE);
    assert_int_equal(allot_parse_double("-1e-3", "--x", -10, 10, &d, &err), ALLOT_OK);
    assert_true(d == -1e-3);
    long list[3];
    int n;
    assert_int_equal(allot_parse_longs("1,8,32", "--load", 1, 99, list, 3, &n, &err), ALLOT_OK);
    assert_int_equal(n, 3);
    assert_int_equal(list[2], 32);
    assert_int_equal(allot_parse_longs("1,,2", "--load", 1, 99, list, 3, &n, &err), ALLOT_EUSAGE);
    assert_int_equal(allot_parse_longs("1,2,3,4", "--load", 1, 99, list, 3, &n, &err),
                     ALLOT_EUSAGE);
}

static void allocation_checks_overflow(void **state)
{
    (void)state;
    allot_err err = {0};
    assert_null(allot_mem_array(SIZE_MAX / 2, 3, &err));
    assert_int_equal(err.code, ALLOT_ERUNTIME);
    void *p = NULL;
    size_t capacity = 0;
    assert_int_equal(allot_mem_grow(&p, &capacity, SIZE_MAX, 1, &err), ALLOT_ERUNTIME);
    assert_int_equal(allot_mem_grow(&p, &capacity, 100, 4, &err), ALLOT_OK);
    assert_true(capacity >= 100);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appears_only_when_committed), cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(messages_hold_no_control_characters), cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(allocation_checks_overflow)};
    return cmocka_run_group_tests(tests, enter, leave);
}
