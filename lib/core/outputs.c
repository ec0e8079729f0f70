/* SPDX-License-Identifier: Apache-2.0 */
/* Which files were read, and what may be replaced. */
#include "lib/core/outputs.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "liballot/mem.h"

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
    if (find_input(&st) == n_inputs &&
        !allot_mem_grow((void **)&inputs, &input_capacity, n_inputs + 1, sizeof *inputs, NULL))
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

size_t allot_kind_start(const char *path, char *start, size_t size)
{
    FILE *f = fopen(path, "rbe");
    size_t n = f ? fread(start, 1, size - 1, f) : 0;
    if (f) fclose(f);
    start[n] = '\0';
    return n;
}

int allot_kind_begins(const char *path, const void *user)
{
    char start[256];
    size_t n = strlen(user);
    return allot_kind_start(path, start, sizeof start) >= n && memcmp(start, user, n) == 0;
}

static allot_code refuse(const char *path, const char *why, allot_err *err)
{
    return allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': it is %s (give another name)", path,
                      why);
}

allot_code allot_output_check(const char *path, const allot_kind *kind, mode_t *mode,
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
        return allot_fail(err, ALLOT_EUSAGE,
                          "cannot write '%s': what is there is not %s (give "
                          "another name, or --force to replace it)",
                          path, kind->what);
    *mode = st.st_mode & 07777;
    return ALLOT_OK;
}

allot_code allot_output_recheck(const char *path, allot_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !was_read(&st)) return ALLOT_OK;
    return refuse(path, "read by the same command", err);
}
