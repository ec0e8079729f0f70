/* SPDX-License-Identifier: Apache-2.0 */
/* Fills a folder beside the report's name, then moves it there, or its files into what is there. */
#include "eval/reportdir.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/core/buf.h"
#include "lib/core/interrupt.h"
#include "lib/core/outputs.h"
#include "liballot/mem.h"

static allot_code cannot(const char *path, allot_err *err)
{
    return allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %s", path, strerror(errno));
}

/* Inside a folder that is there, which may be a file system of its own; else beside its name. */
static allot_code name_tmp(allot_reportdir *d, allot_err *err)
{
    uint32_t any = 0;
    allot_buf b = {0};
    const char *slash = strrchr(d->path, '/');
    size_t parent = slash ? (size_t)(slash - d->path) + 1 : 0;
    if (getrandom(&any, sizeof any, 0) < 0) return cannot(d->path, err);
    if (d->existed) allot_buf_printf(&b, "%s/.report", d->path);
    else allot_buf_printf(&b, "%.*s.%s", (int)parent, d->path, d->path + parent);
    allot_buf_printf(&b, ".%08x.tmp", any);
    d->tmp = b.at;
    return allot_buf_check(&b, err);
}

/* A folder with other things in it is somebody's; with a report in it, it is a report's. */
static allot_code check_folder(const allot_reportdir *d, allot_err *err)
{
    int n = 0, ours = 0;
    DIR *dir = opendir(d->path);
    if (!dir) return cannot(d->path, err);
    for (struct dirent *e; (e = readdir(dir)); n += e->d_name[0] != '.')
        ours |= strcmp(e->d_name, d->last) == 0;
    closedir(dir);
    if (n == 0 || ours || allot_output_force) return ALLOT_OK;
    return allot_fail(err, ALLOT_EUSAGE,
                      "cannot write '%s': the folder is not empty and holds no %s "
                      "(give another name, or --force to write into it)",
                      d->path, d->last);
}

allot_code allot_reportdir_begin(allot_reportdir *d, const char *path, const char *last,
                                 allot_err *err)
{
    struct stat st;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    *d = (allot_reportdir){.path = allot_mem_text(path, n, err), .last = last};
    if (!d->path) return ALLOT_ERUNTIME;
    d->existed = stat(d->path, &st) == 0;
    allot_code rc = ALLOT_OK;
    if (d->existed && !S_ISDIR(st.st_mode))
        rc = allot_fail(err, ALLOT_EUSAGE, "cannot write '%s': it is not a folder", d->path);
    if (!rc && d->existed) rc = check_folder(d, err);
    if (!rc) rc = name_tmp(d, err);
    if (!rc) rc = allot_interrupt_own(d->tmp, err);
    if (!rc && mkdir(d->tmp, 0777)) {
        rc = cannot(d->path, err);
        allot_interrupt_disown(d->tmp);
        free(d->tmp);
        d->tmp = NULL; /* not ours to remove */
    }
    if (rc) allot_reportdir_abort(d);
    return rc;
}

static allot_code move_one(const allot_reportdir *d, const char *name, allot_err *err)
{
    allot_buf from = {0}, to = {0};
    allot_buf_printf(&from, "%s/%s", d->tmp, name);
    allot_buf_printf(&to, "%s/%s", d->path, name);
    allot_code rc = allot_buf_check(&from, err);
    if (!rc) rc = allot_buf_check(&to, err);
    if (!rc) rc = allot_output_recheck(to.at, err);
    if (!rc && rename(from.at, to.at)) rc = cannot(to.at, err);
    allot_buf_clear(&from);
    allot_buf_clear(&to);
    return rc;
}

static allot_code move_files(const allot_reportdir *d, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    DIR *dir = opendir(d->tmp);
    if (!dir) return cannot(d->path, err);
    for (struct dirent *e; !rc && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, d->last))
            rc = move_one(d, e->d_name, err);
    closedir(dir);
    if (!rc) rc = move_one(d, d->last, err);
    if (!rc && rmdir(d->tmp)) rc = cannot(d->path, err); /* one was passed over */
    return rc;
}

/* Between the first move and the last no signal ends the program. */
static allot_code move_in_peace(const allot_reportdir *d, allot_err *err)
{
    sigset_t ending, before;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, &before);
    allot_code rc = move_files(d, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

allot_code allot_reportdir_commit(allot_reportdir *d, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    if (d->existed) rc = move_in_peace(d, err);
    else if (rename(d->tmp, d->path)) rc = cannot(d->path, err);
    if (!rc) {
        allot_interrupt_disown(d->tmp);
        free(d->tmp);
        d->tmp = NULL;
    }
    allot_reportdir_abort(d);
    return rc;
}

void allot_reportdir_abort(allot_reportdir *d)
{
    allot_interrupt_remove(d->tmp);
    free(d->tmp);
    free(d->path);
    *d = (allot_reportdir){0};
}
