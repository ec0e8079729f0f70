/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzfile.h - an input for readers that take a path, and in its folder another name for those that
 * take a folder. */
#ifndef ALLOT_FUZZFILE_H
#define ALLOT_FUZZFILE_H
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fuzz_folder_path[64], fuzz_file_path[80], fuzz_link_path[2][128];

static inline void fuzz_folder_remove(void)
{
    unlink(fuzz_file_path);
    for (int i = 0; i < 2; i++)
        if (*fuzz_link_path[i]) unlink(fuzz_link_path[i]);
    rmdir(fuzz_folder_path);
}

/* A folder for this process, in memory where the system has such; removed at the end. */
static inline const char *fuzz_folder(void)
{
    if (*fuzz_folder_path) return fuzz_folder_path;
    snprintf(fuzz_folder_path, sizeof fuzz_folder_path, "%s/allot-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(fuzz_folder_path)) abort();
    atexit(fuzz_folder_remove);
    return fuzz_folder_path;
}

/* The file with these bytes, overwritten by the next call; NULL if there can be none. */
static inline const char *fuzz_file(const uint8_t *data, size_t n)
{
    static int fd = -1;
    if (fd < 0) {
        snprintf(fuzz_file_path, sizeof fuzz_file_path, "%s/input", fuzz_folder());
        fd = open(fuzz_file_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    }
    if (fd < 0 || ftruncate(fd, 0) || (n && pwrite(fd, data, n, 0) != (ssize_t)n)) return NULL;
    return fuzz_file_path;
}

/* Another name of the file, of at most two; its path. */
static inline const char *fuzz_link(const char *name)
{
    int i = 0;
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s/%s", fuzz_folder(), name);
    while (*fuzz_link_path[i] && strcmp(fuzz_link_path[i], wanted))
        if (++i == 2) abort();
    if (!*fuzz_link_path[i] && symlink("input", wanted)) abort();
    memcpy(fuzz_link_path[i], wanted, sizeof wanted);
    return fuzz_link_path[i];
}
#endif
