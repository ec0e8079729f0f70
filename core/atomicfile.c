/* SPDX-License-Identifier: Apache-2.0 */
/* Files written aside and renamed; what may be replaced; whole files read. */
#include "core/atomicfile.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/buf.h"
#include "liballot/mem.h"

static allot_code cannot(allot_err *err, const char *verb, const char *path)
{
    return allot_fail(err, ALLOT_ERUNTIME, "cannot %s '%s': %s", verb, path, strerror(errno));
}

/* ---- what was read ---- */

typedef struct {
    dev_t device;
    ino_t inode;
} file_id;

static pthread_mutex_t inputs_lock = PTHREAD_MUTEX_INITIALIZER;
static file_id *inputs; /* kept until the process ends */
static size_t n_inputs, input_capacity;
static int watching; /* written before there are threads */

void allot_inputs_watch(void)
{
    watching = 1;
}

/* Its place among the inputs, or n_inputs; under the lock. */
static size_t find_input(const struct stat *st)
{
    size_t i = 0;
    while (i < n_inputs && (inputs[i].device != st->st_dev || inputs[i].inode != st->st_ino))
        i++;
    return i;
}

void allot_input_note(const char *path)
{
    struct stat st;
    if (!watching || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
    pthread_mutex_lock(&inputs_lock);
    if (find_input(&st) == n_inputs && !allot_mem_grow((void **)&inputs, &input_capacity,
                                                       n_inputs + 1, sizeof *inputs, NULL))
        inputs[n_inputs++] = (file_id){st.st_dev, st.st_ino};
    pthread_mutex_unlock(&inputs_lock);
}

void allot_input_forget(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return;
    pthread_mutex_lock(&inputs_lock);
    size_t i = find_input(&st);
    if (i < n_inputs) inputs[i] = inputs[--n_inputs];
    pthread_mutex_unlock(&inputs_lock);
}

static int was_read(const struct stat *st)
{
    pthread_mutex_lock(&inputs_lock);
    int found = find_input(st) < n_inputs;
    pthread_mutex_unlock(&inputs_lock);
    return found;
}

/* ---- what may be replaced ---- */

int allot_output_force;

static int anything(const char *path, const void *user)
{
    (void)path;
    (void)user;
    return 1;
}

const allot_kind allot_kind_any = {"a file", anything, NULL};

int allot_kind_begins(const char *path, const void *user)
{
    char start[256];
    size_t n = strlen(user);
    FILE *f = n <= sizeof start ? fopen(path, "rbe") : NULL;
    int yes = f && fread(start, 1, n, f) == n && memcmp(start, user, n) == 0;
    if (f) fclose(f);
    return yes;
}

static allot_code refuse(const char *path, const char *why, allot_err *err)
{
    return allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': it is %s (give another name)", path,
                      why);
}

/* *mode: of the file that would be replaced, 0 when there is none. */
static allot_code check_replaceable(const char *path, const allot_kind *kind, mode_t *mode,
                                    allot_err *err)
{
    struct stat st;
    *mode = 0;
    if (lstat(path, &st) != 0) return ALLOT_OK;
    if (S_ISDIR(st.st_mode)) return refuse(path, "a directory", err);
    if (S_ISLNK(st.st_mode)) return refuse(path, "a symbolic link", err);
    if (!S_ISREG(st.st_mode)) return refuse(path, "a device or pipe", err);
    if (was_read(&st)) return refuse(path, "read by the same command", err);
    if (st.st_size > 0 && !allot_output_force && !kind->is(path, kind->user))
        return allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': what is there is not %s (give "
                          "another name, or --force to replace it)", path, kind->what);
    *mode = st.st_mode & 07777;
    return ALLOT_OK;
}

/* ---- writing aside ---- */

/* A new file of its own: never one that is there, never through a link. mode 0: as the umask says. */
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
    int fd = rc ? -1 : open(tmp.at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (!rc && fd < 0) rc = cannot(err, "write", a->path);
    if (fd >= 0) a->tmp = tmp.at;
    else allot_buf_clear(&tmp);
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
    allot_code rc = check_replaceable(path, kind, &mode, err); /* before the work, not after it */
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
    struct stat st;
    allot_code rc = ALLOT_OK;
    if (allot_mem_shortages())
        rc = allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': out of memory on the way, so it "
                        "may lack a part", a->path);
    else if (lstat(a->path, &st) == 0 && was_read(&st)) /* since it was begun */
        rc = refuse(a->path, "read by the same command", err);
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
