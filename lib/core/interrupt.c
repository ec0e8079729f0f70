/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of signals, and the list of temporary files and folders that they remove. */
#include "lib/core/interrupt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_OWNED = 64, GRACE_S = 5 };

static _Atomic(const char *) owned[MAX_OWNED];
static _Atomic pid_t child;
static volatile sig_atomic_t noting, interrupted;
static char last_words[160];

/* readdir allocates, which a handler must not: the kernel's own call. Not below a second level. */
static void empty_folder(const char *path)
{
    _Alignas(struct dirent64) char block[4096];
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    long got;
    while (fd >= 0 && (got = syscall(SYS_getdents64, fd, block, sizeof block)) > 0)
        for (long at = 0; at < got;) {
            const struct dirent64 *e = (const void *)(block + at);
            if (e->d_type != DT_DIR) (void)unlinkat(fd, e->d_name, 0);
            at += e->d_reclen;
        }
    if (fd >= 0) close(fd);
}

static void remove_path(const char *path)
{
    if (unlink(path) == 0 || errno != EISDIR) return;
    empty_folder(path);
    (void)rmdir(path);
}

void allot_interrupt_clean(void)
{
    pid_t pid = atomic_exchange(&child, 0);
    if (pid > 0 && kill(pid, SIGKILL) == 0) (void)waitpid(pid, NULL, 0);
    for (int i = 0; i < MAX_OWNED; i++) {
        const char *path = atomic_exchange(&owned[i], NULL);
        if (path) remove_path(path);
    }
}

static void on_signal(int signal_number);

static void handle(int signal_number)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaddset(&a.sa_mask, SIGINT);
    sigaddset(&a.sa_mask, SIGTERM);
    sigaddset(&a.sa_mask, SIGALRM);
    sigaction(signal_number, &a, NULL);
}

/* Only calls that are safe in a handler. SIGALRM: the first signal was noted and nobody asked. */
static void on_signal(int signal_number)
{
    if (signal_number != SIGALRM && noting && !interrupted) {
        interrupted = 1;
        handle(SIGALRM);
        alarm(GRACE_S);
        return;
    }
    allot_interrupt_clean();
    (void)!write(STDERR_FILENO, last_words, strlen(last_words));
    _exit(ALLOT_EINTR);
}

static void install(void)
{
    handle(SIGINT);
    handle(SIGTERM);
}

void allot_interrupt_install(const char *program)
{
    snprintf(last_words, sizeof last_words,
             "%.60s: error: interrupted; nothing is left half written (run the same command "
             "again)\n",
             program);
    install();
}

int allot_interrupted(void)
{
    if (!noting) {
        if (!last_words[0]) install(); /* a program without the frame of options.h */
        noting = 1;
    }
    if (interrupted) alarm(0);
    return interrupted != 0;
}

allot_code allot_interrupt_own(const char *path, allot_err *err)
{
    for (int i = 0; i < MAX_OWNED; i++) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&owned[i], &none, path)) return ALLOT_OK;
    }
    return allot_fail(err, ALLOT_ERUNTIME,
                      "cannot write '%s': more than %d files are being written", path, MAX_OWNED);
}

/* The main thread writes the files and gets the signals: it is never here while they are handled.
 */
void allot_interrupt_disown(const char *path)
{
    for (int i = 0; path && i < MAX_OWNED; i++) {
        const char *same = path;
        if (atomic_compare_exchange_strong(&owned[i], &same, NULL)) return;
    }
}

void allot_interrupt_remove(const char *path)
{
    if (path) remove_path(path);
    allot_interrupt_disown(path);
}

void allot_interrupt_child(pid_t pid)
{
    atomic_store(&child, pid);
}
