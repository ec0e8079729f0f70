/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt: a signal leaves no temporary file, whichever writer was at work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/store/h5.h"
#include "lib/core/interrupt.h"

static char folder[] = "/tmp/allot-test-XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
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

/* Runs f in a child with the handler installed; its exit code, or -1 when a signal killed it.
 * said: what it wrote to stderr. */
static int code_of(void (*f)(void), char said[512])
{
    int fd[2], status;
    assert_int_equal(pipe(fd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], STDERR_FILENO);
        close(fd[0]);
        close(fd[1]);
        allot_interrupt_install("tester");
        f();
        _exit(0);
    }
    close(fd[1]);
    ssize_t n = read(fd[0], said, 511);
    said[n > 0 ? n : 0] = '\0';
    close(fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char line[] =
    "tester: error: interrupted; nothing is left half written (run the same command again)\n";

static void write_and_stop(void)
{
    allot_err err;
    allot_atomic a, b;
    allot_h5 *h;
    if (allot_atomic_begin(&a, "a.txt", &allot_kind_any, &err) ||
        allot_atomic_begin(&b, "b.txt", &allot_kind_any, &err))
        _exit(9);
    fputs("half", a.file);
    if (allot_h5_create("c.h5", "schema", 1, &h, &err)) _exit(9);
    allot_atomic_abort(&b);
    raise(SIGTERM);
}

static void a_signal_removes_what_was_begun(void **state)
{
    char said[512];
    (void)state;
    assert_int_equal(code_of(write_and_stop, said), ALLOT_EINTR);
    assert_string_equal(said, line);
    assert_int_equal(entries(), 0);
}

static void finish_and_stop(void)
{
    allot_err err;
    if (allot_file_write("done.txt", &allot_kind_any, "whole", 5, &err)) _exit(9);
    raise(SIGINT);
}

static void what_is_finished_stays(void **state)
{
    char said[512];
    (void)state;
    assert_int_equal(code_of(finish_and_stop, said), ALLOT_EINTR);
    assert_int_equal(entries(), 1);
    assert_int_equal(unlink("done.txt"), 0);
}

/* The first signal is the program's to see; the second, or none asking for long, ends it. */
static void do_not_ask(int second)
{
    allot_err err;
    allot_atomic a;
    if (allot_interrupted() || allot_atomic_begin(&a, "a.txt", &allot_kind_any, &err)) _exit(9);
    raise(SIGINT);
    if (alarm(0) == 0) _exit(8); /* time is running */
    raise(second);
}

static void do_not_ask_twice(void)
{
    do_not_ask(SIGTERM);
}

static void do_not_ask_for_long(void)
{
    do_not_ask(SIGALRM);
}

static void ask_in_time(void)
{
    if (allot_interrupted()) _exit(9);
    raise(SIGTERM);
    _exit(allot_interrupted() && alarm(0) == 0 ? 7 : 8);
}

static void who_asks_decides_and_who_does_not_is_ended(void **state)
{
    char said[512];
    (void)state;
    assert_int_equal(code_of(do_not_ask_twice, said), ALLOT_EINTR);
    assert_string_equal(said, line);
    assert_int_equal(code_of(do_not_ask_for_long, said), ALLOT_EINTR);
    assert_int_equal(entries(), 0);
    assert_int_equal(code_of(ask_in_time, said), 7);
    assert_string_equal(said, "");
}

/* A folder goes with its files, the child that fills it before it; what is beside it stays. */
static void fill_and_stop(void)
{
    allot_err err;
    if (mkdir("tmp", 0700) || allot_interrupt_own("tmp", &err)) _exit(9);
    for (int i = 0; i < 300; i++) {
        char name[64];
        snprintf(name, sizeof name, "tmp/a-file-with-a-long-name-%d", i);
        if (allot_file_write(name, &allot_kind_any, "x", 1, &err)) _exit(9);
    }
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            close(open("tmp/again", O_WRONLY | O_CREAT, 0600));
    allot_interrupt_child(pid);
    raise(SIGTERM);
}

static void a_folder_goes_with_what_fills_it(void **state)
{
    char said[512];
    (void)state;
    assert_int_equal(code_of(fill_and_stop, said), ALLOT_EINTR);
    assert_int_equal(entries(), 0);
}

static void own_too_many(void)
{
    static char names[65][16];
    allot_err err;
    allot_code rc = ALLOT_OK;
    for (int i = 0; i < 65 && !rc; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        rc = allot_interrupt_own(names[i], &err);
        if (rc && i != 64) _exit(9);
    }
    if (rc != ALLOT_ERUNTIME) _exit(8);
    allot_interrupt_disown(names[3]);
    allot_interrupt_disown(names[3]);
    _exit(allot_interrupt_own("again", &err) ? 6 : 7);
}

static void too_many_are_refused(void **state)
{
    char said[512];
    (void)state;
    assert_int_equal(code_of(own_too_many, said), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_removes_what_was_begun),
        cmocka_unit_test(what_is_finished_stays),
        cmocka_unit_test(who_asks_decides_and_who_does_not_is_ended),
        cmocka_unit_test(a_folder_goes_with_what_fills_it),
        cmocka_unit_test(too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
