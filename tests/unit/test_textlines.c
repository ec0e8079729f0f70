/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file: blank ones, the last one, too long ones, and what is no file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/core/textlines.h"

static char path[] = "/tmp/allot-test-XXXXXX";

static void write_file(const char *text, size_t n_more)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    for (size_t i = 0; i < n_more; i++)
        putc('x', f);
    assert_int_equal(fclose(f), 0);
}

static void blank_lines_are_counted_only(void **state)
{
    (void)state;
    allot_textlines t;
    const char *line;
    size_t n;
    allot_err err = {0};
    char want[64];
    write_file("one\n\n \t\r\ntwo", 0);
    assert_int_equal(allot_textlines_open(path, &t, &err), ALLOT_OK);
    assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_OK);
    assert_string_equal(line, "one\n");
    assert_int_equal(n, 4);
    assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_OK);
    assert_string_equal(line, "two");
    assert_int_equal(n, 3);
    snprintf(want, sizeof want, "line 4 of '%s'", path);
    assert_string_equal(t.where, want);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_OK);
        assert_null(line);
    }
    allot_textlines_close(&t);
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    allot_textlines t;
    const char *line;
    size_t n;
    allot_err err = {0};
    write_file("", 16 << 20);
    assert_int_equal(allot_textlines_open(path, &t, &err), ALLOT_OK);
    assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_OK);
    assert_int_equal(n, 16 << 20);
    allot_textlines_close(&t);
    write_file("1\n", (16 << 20) + 1);
    assert_int_equal(allot_textlines_open(path, &t, &err), ALLOT_OK);
    assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_OK);
    assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_EINPUT);
    assert_null(line);
    if (!strstr(err.msg, "line 2 of ") || !strstr(err.msg, " is longer than 16777216 bytes"))
        fail_msg("%s", err.msg);
    allot_textlines_close(&t);
}

static void what_cannot_be_read_is_told_of(void **state)
{
    (void)state;
    allot_textlines t;
    const char *line;
    size_t n;
    allot_err err = {0};
    assert_int_equal(allot_textlines_open("/nowhere/x", &t, &err), ALLOT_ERUNTIME);
    assert_string_equal(err.msg, "cannot read '/nowhere/x': No such file or directory");
    allot_textlines_close(&t);
    assert_int_equal(allot_textlines_open("/tmp", &t, &err), ALLOT_OK);
    assert_int_equal(allot_textlines_next(&t, &line, &n, &err), ALLOT_ERUNTIME);
    assert_string_equal(err.msg, "cannot read '/tmp': Is a directory");
    allot_textlines_close(&t);
}

int main(void)
{
    int fd = mkstemp(path);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_lines_are_counted_only),
        cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(what_cannot_be_read_is_told_of),
    };
    int failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    close(fd);
    remove(path);
    return failed;
}
