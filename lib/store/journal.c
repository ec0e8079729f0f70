/* SPDX-License-Identifier: Apache-2.0 */
/* Locks, cuts off a torn last line, appends; reads whole lines in one pass. */
#include "lib/store/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "liballot/mem.h"
#include "lib/core/atomicfile.h"
#include "lib/core/log.h"
#include "lib/core/progress.h"

#define SYNC_BYTES (4L << 20) /* a crash of the machine loses at most this much... */
#define SYNC_SECONDS 1.0      /* ...or what came since */
#define READ_BYTES (1L << 20)

struct allot_journal {
    int fd;
    char *path;
    off_t size; /* bytes of whole lines */
    off_t unsynced;
    double synced_s;
    char *line; /* the record with its newline, so that one write() takes both */
    size_t capacity;
};

static allot_code io_fail(allot_err *err, const char *verb, const char *path, const char *way_out)
{
    return allot_fail(err, ALLOT_ERUNTIME, "cannot %s '%s': %s%s", verb, path, strerror(errno),
                      way_out);
}

/* flock() does not tell who holds the lock, the kernel's table does. Returns 0 if unknown. */
static long lock_holder(int fd)
{
    struct stat st;
    FILE *f = fopen("/proc/locks", "re");
    if (!f || fstat(fd, &st) != 0) {
        if (f) fclose(f);
        return 0;
    }
    char line[256];
    long pid = 0, found = 0;
    unsigned major_n, minor_n;
    unsigned long inode;
    while (!found && fgets(line, sizeof line, f))
        if (sscanf(line, "%*d: FLOCK %*s %*s %ld %x:%x:%lu", &pid, &major_n, &minor_n, &inode) ==
                4 &&
            inode == st.st_ino && major_n == major(st.st_dev) && minor_n == minor(st.st_dev))
            found = pid;
    fclose(f);
    return found;
}

static allot_code lock(allot_journal *j, allot_err *err)
{
    if (flock(j->fd, LOCK_EX | LOCK_NB) == 0) return ALLOT_OK;
    if (errno != EWOULDBLOCK) return io_fail(err, "lock", j->path, "");
    long pid = lock_holder(j->fd);
    char who[64] = "another process";
    if (pid > 0) snprintf(who, sizeof who, "process %ld", pid);
    return allot_fail(err, ALLOT_ERUNTIME,
                      "cannot write '%s': %s is writing to it (wait for it, or stop it)", j->path,
                      who);
}

/* Size up to and including the last newline. */
static allot_code whole_lines(const allot_journal *j, off_t size, off_t *whole, allot_err *err)
{
    char block[65536];
    off_t end = size;
    while (end > 0) {
        off_t start = end > (off_t)sizeof block ? end - (off_t)sizeof block : 0;
        ssize_t got = pread(j->fd, block, (size_t)(end - start), start);
        if (got != end - start) return io_fail(err, "read", j->path, "");
        const char *nl = memrchr(block, '\n', (size_t)got);
        if (nl) {
            *whole = start + (nl - block) + 1;
            return ALLOT_OK;
        }
        end = start;
    }
    *whole = 0;
    return ALLOT_OK;
}

static allot_code cut_torn_line(allot_journal *j, allot_err *err)
{
    struct stat st;
    if (fstat(j->fd, &st) != 0) return io_fail(err, "read", j->path, "");
    if (!S_ISREG(st.st_mode))
        return allot_fail(err, ALLOT_EINPUT, "cannot write '%s': not a regular file", j->path);
    allot_code rc = whole_lines(j, st.st_size, &j->size, err);
    if (rc || j->size == st.st_size) return rc;
    if (ftruncate(j->fd, j->size) != 0) return io_fail(err, "repair", j->path, "");
    allot_log_warn("'%s' ended in a torn line of %lld bytes, cut off", j->path,
                   (long long)(st.st_size - j->size));
    return ALLOT_OK;
}

static void journal_free(allot_journal *j)
{
    if (j->fd >= 0) close(j->fd);
    free(j->path);
    free(j->line);
    free(j);
}

allot_code allot_journal_open(const char *path, allot_journal **out, allot_err *err)
{
    allot_journal *j = allot_mem_array(1, sizeof *j, err);
    if (!j) return ALLOT_ERUNTIME;
    allot_code rc = ALLOT_OK;
    j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
    j->path = allot_mem_text(path, strlen(path), err);
    if (j->fd < 0 && errno == ELOOP)
        rc = allot_fail(err, ALLOT_EINPUT,
                        "cannot write '%s': it is a symbolic link, which may lead "
                        "anywhere (link the directory of the run instead)",
                        path);
    else if (j->fd < 0)
        rc = allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %s", path, strerror(errno));
    else if (!j->path) rc = ALLOT_ERUNTIME;
    if (!rc) rc = lock(j, err);
    if (!rc) rc = cut_torn_line(j, err);
    if (rc) {
        journal_free(j);
        return rc;
    }
    allot_folder_sync(path);
    j->synced_s = allot_clock_s();
    *out = j;
    return ALLOT_OK;
}

allot_code allot_journal_sync(allot_journal *j, allot_err *err)
{
    if (fdatasync(j->fd) != 0) return io_fail(err, "write", j->path, "");
    j->unsynced = 0;
    j->synced_s = allot_clock_s();
    return ALLOT_OK;
}

/* A short write (a full disk) is taken back, so that the file ends with a whole line. */
static allot_code write_line(allot_journal *j, size_t n, allot_err *err)
{
    ssize_t got;
    do
        got = write(j->fd, j->line, n);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)n) return ALLOT_OK;
    if (got >= 0) errno = ENOSPC;
    allot_code rc =
        io_fail(err, "write", j->path,
                errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                    ? " (make room and run the same command again: whole records are kept)"
                    : "");
    if (got > 0 && ftruncate(j->fd, j->size) != 0)
        allot_log_warn("'%s' ends in a torn line, the next run cuts it off", j->path);
    return rc;
}

allot_code allot_journal_write(allot_journal *j, const char *line, size_t n, allot_err *err)
{
    if (n > ALLOT_JOURNAL_MAX_LINE || memchr(line, '\n', n))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': a record of %zu bytes is %s",
                          j->path, n, n > ALLOT_JOURNAL_MAX_LINE ? "too long" : "not one line");
    allot_code rc = allot_mem_grow((void **)&j->line, &j->capacity, n + 1, 1, err);
    if (rc) return rc;
    memcpy(j->line, line, n);
    j->line[n] = '\n';
    rc = write_line(j, n + 1, err);
    if (rc) return rc;
    j->size += (off_t)n + 1;
    j->unsynced += (off_t)n + 1;
    if (j->unsynced < SYNC_BYTES && allot_clock_s() - j->synced_s < SYNC_SECONDS) return ALLOT_OK;
    return allot_journal_sync(j, err);
}

allot_code allot_journal_close(allot_journal **j, allot_err *err)
{
    if (!*j) return ALLOT_OK;
    allot_code rc = allot_journal_sync(*j, err);
    journal_free(*j);
    *j = NULL;
    return rc;
}

typedef struct {
    const char *path;
    char *buf; /* bytes not yet handed out */
    size_t n, capacity;
    size_t searched; /* of these, known to be without newline */
    long line;
    allot_journal_line f;
    void *user;
} reader;

/* Hands out the whole lines in the buffer and moves the rest to its start. */
static allot_code hand_out(reader *r, allot_err *err)
{
    char *start = r->buf, *from = r->buf + r->searched, *end = r->buf + r->n, *nl;
    while ((nl = memchr(from, '\n', (size_t)(end - from)))) {
        allot_code rc = r->f(start, (size_t)(nl - start), ++r->line, r->user, err);
        if (rc) return rc;
        start = from = nl + 1;
    }
    r->n = r->searched = (size_t)(end - start);
    memmove(r->buf, start, r->n);
    if (r->n > ALLOT_JOURNAL_MAX_LINE)
        return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': line %ld is longer than %ld bytes",
                          r->path, r->line + 1, ALLOT_JOURNAL_MAX_LINE);
    return ALLOT_OK;
}

static allot_code read_all(int fd, reader *r, allot_err *err)
{
    for (;;) {
        allot_code rc = allot_mem_grow((void **)&r->buf, &r->capacity, r->n + READ_BYTES, 1, err);
        if (rc) return rc;
        ssize_t got = read(fd, r->buf + r->n, r->capacity - r->n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_fail(err, "read", r->path, "");
        if (got == 0) return ALLOT_OK;
        r->n += (size_t)got;
        rc = hand_out(r, err);
        if (rc) return rc;
    }
}

allot_code allot_journal_read(const char *path, allot_journal_line f, void *user, int *torn,
                              allot_err *err)
{
    *torn = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return ALLOT_OK;
    if (fd < 0) return io_fail(err, "read", path, "");
    allot_input_note(path);
    reader r = {.path = path, .f = f, .user = user};
    allot_code rc = read_all(fd, &r, err);
    *torn = !rc && r.n > 0;
    free(r.buf);
    close(fd);
    return rc;
}
