/* SPDX-License-Identifier: Apache-2.0 */
/* Lines stay whole and in order: torn ends, second writers, short writes, killed writers. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib/store/journal.h"
#include "lib/core/log.h"

static char dir[] = "/tmp/allot-journal-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(strrchr(dir, '-') + 1, "XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/j.jsonl", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void put(const char *bytes, const char *mode)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    fputs(bytes, f);
    fclose(f);
}

/* Joins the lines with their numbers: "1:a 2:b ". */
static allot_code collect(const char *line, size_t n, long number, void *user, allot_err *err)
{
    (void)err;
    char *all = user;
    sprintf(all + strlen(all), "%ld:%.*s ", number, (int)n, line);
    return ALLOT_OK;
}

static void expect(const char *text, int expected_torn)
{
    allot_err err = {0};
    char all[256] = "";
    int torn = -1;
    assert_int_equal(allot_journal_read(path, collect, all, &torn, &err), ALLOT_OK);
    assert_string_equal(all, text);
    assert_int_equal(torn, expected_torn);
}

static void append(const char *line)
{
    allot_err err = {0};
    allot_journal *j;
    assert_int_equal(allot_journal_open(path, &j, &err), ALLOT_OK);
    assert_int_equal(allot_journal_write(j, line, strlen(line), &err), ALLOT_OK);
    assert_int_equal(allot_journal_close(&j, &err), ALLOT_OK);
    assert_null(j);
}

static void keeps_lines_in_order(void **state)
{
    (void)state;
    expect("", 0); /* a missing file is empty */
    append("a");
    append("");
    append("bc");
    expect("1:a 2: 3:bc ", 0);
}

static void torn_line_is_left_out_then_cut_off(void **state)
{
    (void)state;
    put("one\ntwo\nthr", "w");
    expect("1:one 2:two ", 1);
    append("three");
    expect("1:one 2:two 3:three ", 0);
}

static void a_file_that_is_one_torn_line_becomes_empty(void **state)
{
    (void)state;
    char *big = malloc(200001); /* longer than the block that the repair reads */
    memset(big, 'x', 200000);
    big[200000] = '\0';
    put(big, "w");
    free(big);
    append("new");
    expect("1:new ", 0);
}

static void second_writer_is_refused_with_its_process(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_journal *j, *k = NULL;
    assert_int_equal(allot_journal_open(path, &j, &err), ALLOT_OK);
    assert_int_equal(allot_journal_open(path, &k, &err), ALLOT_ERUNTIME);
    assert_null(k);
    char expected[256];
    snprintf(expected, sizeof expected,
             "cannot write '%s': process %ld is writing to it (wait for it, or stop it)", path,
             (long)getpid());
    char unknown[256];
    snprintf(unknown, sizeof unknown,
             "cannot write '%s': another process is writing to it (wait for it, or stop it)", path);
    assert_true(!strcmp(err.msg, expected) || !strcmp(err.msg, unknown));
    assert_int_equal(allot_journal_close(&j, &err), ALLOT_OK);
}

/* A file-size limit cuts a write short just as a full disk does. */
static void a_short_write_leaves_whole_lines(void **state)
{
    (void)state;
    append("a");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        allot_err err = {0};
        allot_journal *j;
        struct rlimit limit = {6, 6};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) || allot_journal_open(path, &j, &err)) _exit(1);
        _exit(allot_journal_write(j, "0123456789", 10, &err) == ALLOT_ERUNTIME ? 0 : 2);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    expect("1:a ", 0);
}

static void a_line_with_newline_is_refused(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_journal *j;
    assert_int_equal(allot_journal_open(path, &j, &err), ALLOT_OK);
    assert_int_equal(allot_journal_write(j, "a\nb", 3, &err), ALLOT_ERUNTIME);
    assert_int_equal(allot_journal_close(&j, &err), ALLOT_OK);
    expect("", 0);
}

static allot_code stop_at_two(const char *line, size_t n, long number, void *user, allot_err *err)
{
    (void)line, (void)n;
    ++*(int *)user;
    return number == 2 ? allot_fail(err, ALLOT_EINPUT, "line 2") : ALLOT_OK;
}

static void reading_stops_at_the_first_failure(void **state)
{
    (void)state;
    put("a\nb\nc\n", "w");
    allot_err err = {0};
    int calls = 0, torn;
    assert_int_equal(allot_journal_read(path, stop_at_two, &calls, &torn, &err), ALLOT_EINPUT);
    assert_string_equal(err.msg, "line 2");
    assert_int_equal(calls, 2);
}

/* A writer killed at any moment leaves a file whose whole lines are a prefix of what it wrote. */
static void killed_writers_lose_no_whole_line(void **state)
{
    (void)state;
    allot_log_level(-1);
    for (int round = 0; round < 5; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            allot_err err;
            allot_journal *j;
            if (allot_journal_open(path, &j, &err)) _exit(1);
            for (;;)
                if (allot_journal_write(j, "0123456789", 10, &err)) _exit(1);
        }
        usleep(20000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    append("end");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size % 11, 4); /* lines of 11 bytes, then "end\n" */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(keeps_lines_in_order),
        CASE(torn_line_is_left_out_then_cut_off),
        CASE(a_file_that_is_one_torn_line_becomes_empty),
        CASE(second_writer_is_refused_with_its_process),
        CASE(a_short_write_leaves_whole_lines),
        CASE(a_line_with_newline_is_refused),
        CASE(reading_stops_at_the_first_failure),
        CASE(killed_writers_lose_no_whole_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
