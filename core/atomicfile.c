/* SPDX-License-Identifier: Apache-2.0 */
#include "core/atomicfile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/buf.h"
#include "liballot/mem.h"

static allot_code cannot(allot_err *err, const char *verb, const char *path)
{
    return allot_fail(err, ALLOT_ERUNTIME, "cannot %s '%s': %s", verb, path, strerror(errno));
}

allot_code allot_atomic_path(allot_atomic *a, const char *path, allot_err *err)
{
    *a = (allot_atomic){0};
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    if (path[folder] == '\0')
        return allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': it names no file", path);
    allot_buf tmp = {0};
    allot_buf_add(&tmp, path, folder);
    allot_buf_printf(&tmp, ".%s.%ld.tmp", path + folder, (long)getpid());
    a->tmp = tmp.at;
    a->path = allot_mem_text(path, strlen(path), err);
    if (allot_buf_check(&tmp, err) || !a->path) {
        allot_atomic_abort(a);
        return ALLOT_ERUNTIME;
    }
    struct stat st; /* said before the work rather than after it */
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        allot_atomic_abort(a);
        return allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': it is a directory", path);
    }
    return ALLOT_OK;
}

allot_code allot_atomic_begin(allot_atomic *a, const char *path, allot_err *err)
{
    allot_code rc = allot_atomic_path(a, path, err);
    if (rc) return rc;
    a->file = fopen(a->tmp, "wb");
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

/* The new name survives a power cut only once its folder is on disk too. */
static void sync_folder(const char *path)
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
    allot_code rc = ALLOT_OK;
    if (a->file) {
        int bad = ferror(a->file) || fflush(a->file) || fsync(fileno(a->file));
        if (fclose(a->file)) bad = 1;
        a->file = NULL;
        if (bad) rc = cannot(err, "write", a->path);
    } else if (sync_path(a->tmp, O_RDONLY)) {
        rc = cannot(err, "write", a->path);
    }
    if (!rc && rename(a->tmp, a->path)) rc = cannot(err, "write", a->path);
    if (!rc) {
        sync_folder(a->path);
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
    free(a->tmp);
    free(a->path);
    *a = (allot_atomic){0};
}

allot_code allot_file_write(const char *path, const void *bytes, size_t n, allot_err *err)
{
    allot_atomic a;
    allot_code rc = allot_atomic_begin(&a, path, err);
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
