/* SPDX-License-Identifier: Apache-2.0 */
/* failpreload.c - an LD_PRELOAD that lets one call fail: ALLOT_FAIL=KIND:K[:ERRNO] makes the K-th
 * call of a kind (from 1) fail once, as a disk that was full for a moment or memory that was short
 * for one request does; ALLOT_FAIL_COUNT=FILE writes, at the end, how many calls of each kind there
 * were, and ALLOT_FAIL_WHERE=FILE, at once, which object made the call that failed (a library or
 * the program). Kinds: write (write, pwrite, and what stdio is about to write), sync (fsync,
 * fdatasync), rename, close (files open for writing only), malloc (malloc, calloc, realloc).
 * tests/faults/sweep.py goes through all K. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITE, SYNC, RENAME, CLOSE, MALLOC, N_KINDS };
static const char *const names[N_KINDS] = {"write", "sync", "rename", "close", "malloc"};
static long count[N_KINDS], fail_at;
static int fail_kind = -1, fail_errno = ENOSPC, watching;
static const char *where_path;

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void)
{
    const char *what = getenv("ALLOT_FAIL");
    where_path = getenv("ALLOT_FAIL_WHERE");
    for (int i = 0; what && i < N_KINDS; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(what, names[i], n) || what[n] != ':') continue;
        char *end;
        fail_kind = i;
        fail_at = strtol(what + n + 1, &end, 10);
        if (*end == ':') fail_errno = atoi(end + 1);
    }
    if (fail_kind == MALLOC) fail_errno = ENOMEM;
    watching = 1;
}

__attribute__((destructor)) static void stop(void)
{
    const char *path = getenv("ALLOT_FAIL_COUNT");
    watching = 0;
    FILE *f = path ? fopen(path, "w") : NULL;
    for (int i = 0; f && i < N_KINDS; i++)
        fprintf(f, "%s %ld\n", names[i], count[i]);
    if (f) fclose(f);
}

static void tell_where(const void *caller)
{
    Dl_info info;
    int fd = where_path ? open(where_path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd < 0) return;
    if (dladdr(caller, &info) && info.dli_fname)
        (void)!syscall(SYS_write, fd, info.dli_fname, strlen(info.dli_fname));
    syscall(SYS_close, fd);
}

/* Counts a call; 1 when it is the one to fail. */
static int fails_at(int kind, const void *caller)
{
    if (!watching) return 0;
    long k = __atomic_add_fetch(&count[kind], 1, __ATOMIC_RELAXED);
    if (kind != fail_kind || k != fail_at) return 0;
    tell_where(caller);
    errno = fail_errno;
    return 1;
}

#define fails(kind) fails_at(kind, __builtin_return_address(0))

static int is_file(int fd)
{
    struct stat st;
    int e = errno, yes = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    errno = e;
    return yes;
}

static int is_written(int fd)
{
    int e = errno, flags = fcntl(fd, F_GETFL);
    errno = e;
    return is_file(fd) && (flags & O_ACCMODE) != O_RDONLY;
}

#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = (type(*)(__VA_ARGS__))next(name)

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return is_file(fd) && fails(WRITE) ? -1 : real(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return is_file(fd) && fails(WRITE) ? -1 : real(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    return is_file(fd) && fails(WRITE) ? -1 : real(fd, p, n, at);
}

/* stdio's own calls of write() cannot be met from here: what it holds back is thrown away instead,
 * which is what it does itself after a failed write. */
int fflush(FILE *f)
{
    REAL(int, "fflush", FILE *);
    if (!f || !__fpending(f) || !is_file(fileno(f)) || !fails(WRITE)) return real(f);
    int e = errno;
    __fpurge(f);
    errno = e;
    return EOF;
}

int fclose(FILE *f)
{
    REAL(int, "fclose", FILE *);
    int lost = __fpending(f) && is_file(fileno(f)) && fails(WRITE);
    int bad = is_written(fileno(f)) && fails(CLOSE), e = errno;
    if (lost) __fpurge(f);
    int rc = real(f);
    if (!lost && !bad) return rc;
    errno = e;
    return EOF;
}

int fsync(int fd)
{
    REAL(int, "fsync", int);
    return fails(SYNC) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    return fails(SYNC) ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    REAL(int, "rename", const char *, const char *);
    return fails(RENAME) ? -1 : real(from, to);
}

int close(int fd)
{
    REAL(int, "close", int);
    int bad = is_written(fd) && fails(CLOSE), rc = real(fd);
    if (!bad) return rc;
    errno = fail_errno;
    return -1;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t n)
{
    return fails(MALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails(MALLOC) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails(MALLOC) ? NULL : __libc_realloc(p, n);
}
