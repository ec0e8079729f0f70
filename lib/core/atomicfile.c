/* SPDX-License-Identifier: Apache-2.0 */
/* Files written aside and renamed; whole files read. */
#include "lib/core/atomicfile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/buf.h"
#include "lib/core/outputs.h"
#include "lib/core/interrupt.h"
#include "liballot/mem.h"

static allot_code cannot(allot_err *err, const char *verb, const char *path)
{
    return allot_fail(err, ALLOT_ERUNTIME, "cannot %s '%s': %s", verb, path, strerror(errno));
}

/* ---- writing aside ---- */

/* A new file of its own: never one that is there, never through a link. mode 0: as the umask says.
 */
static allot_code make_tmp(allot_atomic *a, mode_t mode, allot_err *err)
{
    const char *slash = strrchr(a->path, '/');
    size_t folder = slash ? (size_t)(slash - a->path) + 1 : 0;
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return cannot(err, "write", a->path);
    allot_buf tmp = {0};
    allot_buf_add(&tmp, a->path, folder);
    allot_buf_printf(&tmp, ".%s.%016llx.tmp", a->path + folder, (unsigned long long)random);
    allot_code rc = allot_buf_check(&tmp, err);
    if (!rc) rc = allot_interrupt_own(tmp.at, err);
    int fd = rc ? -1 : open(tmp.at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (!rc && fd < 0) rc = cannot(err, "write", a->path);
    if (fd >= 0) {
        a->tmp = tmp.at;
    } else {
        allot_interrupt_disown(tmp.at);
        allot_buf_clear(&tmp);
    }
    if (fd >= 0 && mode && fchmod(fd, mode)) rc = cannot(err, "write", a->path);
    if (fd >= 0 && close(fd) && !rc) rc = cannot(err, "write", a->path);
    return rc;
}

allot_code allot_atomic_path(allot_atomic *a, const char *path, const allot_kind *kind,
                             allot_err *err)
{
    *a = (allot_atomic){0};
    mode_t mode;
    const char *slash = strrchr(path, '/');
    if (*path == '\0' || (slash && slash[1] == '\0'))
        return allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': it names no file", path);
    allot_code rc = allot_output_check(path, kind, &mode, err); /* before the work, not after it */
    if (rc) return rc;
    a->path = allot_mem_text(path, strlen(path), err);
    rc = a->path ? make_tmp(a, mode, err) : ALLOT_ERUNTIME;
    if (rc) allot_atomic_abort(a);
    return rc;
}

allot_code allot_atomic_begin(allot_atomic *a, const char *path, const allot_kind *kind,
                              allot_err *err)
{
    allot_code rc = allot_atomic_path(a, path, kind, err);
    if (rc) return rc;
    a->file = fopen(a->tmp, "r+be"); /* it is there: nothing is to be created */
    if (!a->file) {
        cannot(err, "write", path);
        allot_atomic_abort(a);
        return ALLOT_ERUNTIME;
    }
    return ALLOT_OK;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return -1;
    int rc = fsync(fd);
    int e = errno;
    close(fd);
    errno = e;
    return rc;
}

void allot_folder_sync(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        (void)sync_path(".", O_RDONLY | O_DIRECTORY);
        return;
    }
    char *folder = allot_mem_text(path, (size_t)(slash - path) + 1, NULL);
    if (folder) (void)sync_path(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
}

allot_code allot_atomic_commit(allot_atomic *a, allot_err *err)
{
    allot_code rc = allot_output_recheck(a->path, err); /* since it was begun */
    if (!rc && allot_mem_shortages())
        rc = allot_fail(err, ALLOT_ERUNTIME,
                        "cannot write '%s': out of memory on the way, so it "
                        "may lack a part",
                        a->path);
    if (a->file) {
        int bad = ferror(a->file) || fflush(a->file) || fsync(fileno(a->file));
        if (fclose(a->file)) bad = 1;
        a->file = NULL;
        if (bad && !rc) rc = cannot(err, "write", a->path);
    } else if (!rc && sync_path(a->tmp, O_RDONLY)) {
        rc = cannot(err, "write", a->path);
    }
    if (!rc && rename(a->tmp, a->path)) rc = cannot(err, "write", a->path);
    if (!rc) {
        allot_folder_sync(a->path);
        allot_interrupt_disown(a->tmp);
        free(a->tmp);
        a->tmp = NULL;
    }
    allot_atomic_abort(a);
    return rc;
}

void allot_atomic_abort(allot_atomic *a)
{
    if (a->file) fclose(a->file);
    if (a->tmp) (void)unlink(a->tmp);
    allot_interrupt_disown(a->tmp);
    free(a->tmp);
    free(a->path);
    *a = (allot_atomic){0};
}

allot_code allot_file_write(const char *path, const allot_kind *kind, const void *bytes, size_t n,
                            allot_err *err)
{
    allot_atomic a;
    allot_code rc = allot_atomic_begin(&a, path, kind, err);
    if (rc) return rc;
    if (n && fwrite(bytes, 1, n, a.file) != n) {
        rc = cannot(err, "write", path);
        allot_atomic_abort(&a);
        return rc;
    }
    return allot_atomic_commit(&a, err);
}

/* Reads to the end of the stream rather than to a size that fstat promised: works on pipes too. */
static allot_code read_all(FILE *f, const char *path, size_t max, allot_buf *b, allot_err *err)
{
    char block[65536];
    size_t got;
    while ((got = fread(block, 1, sizeof block, f)) > 0) {
        if (got > max - b->n)
            return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': larger than %zu bytes", path,
                              max);
        allot_buf_add(b, block, got);
    }
    if (ferror(f)) return cannot(err, "read", path);
    allot_buf_add(b, "", 0); /* an empty file still gets its NUL */
    return allot_buf_check(b, err);
}

allot_code allot_file_read(const char *path, size_t max, char **bytes, size_t *n, allot_err *err)
{
    FILE *f = fopen(path, "rb");
    if (!f) return cannot(err, "read", path);
    allot_input_note(path);
    allot_buf b = {0};
    allot_code rc = read_all(f, path, max, &b, err);
    fclose(f);
    if (rc) {
        allot_buf_clear(&b);
        return rc;
    }
    *bytes = b.at;
    *n = b.n;
    return ALLOT_OK;
}

allot_code allot_mkdir(const char *path, allot_err *err)
{
    struct stat st;
    if (mkdir(path, 0777) == 0) return ALLOT_OK;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return ALLOT_OK;
    return cannot(err, "make the folder", path);
}
