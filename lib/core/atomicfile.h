/* SPDX-License-Identifier: Apache-2.0 */
/* atomicfile.h - a file appears under its final name complete or not at all: written under an
 * unpredictable name ".NAME.RANDOM.tmp" in the same folder, which no link can stand in for, synced,
 * renamed. What is there already is replaced only as outputs.h allows; its mode is kept. */
#ifndef ALLOT_ATOMICFILE_H
#define ALLOT_ATOMICFILE_H
#include <stddef.h>
#include <stdio.h>
#include "lib/core/outputs.h"
#include "liballot/err.h"

typedef struct {
    char *path; /* owned */
    char *tmp;  /* owned; where to write */
    FILE *file; /* open for writing, or NULL when begun with allot_atomic_path */
} allot_atomic;

ALLOT_MUST_CHECK allot_code allot_atomic_begin(allot_atomic *a, const char *path,
                                               const allot_kind *kind, allot_err *err);
/* The same for writers that open a->tmp (empty, there) themselves. */
ALLOT_MUST_CHECK allot_code allot_atomic_path(allot_atomic *a, const char *path,
                                              const allot_kind *kind, allot_err *err);
/* Flushes, syncs, renames; on failure the temporary file is removed. */
ALLOT_MUST_CHECK allot_code allot_atomic_commit(allot_atomic *a, allot_err *err);
/* Removes the temporary file; safe on zero, twice, and after commit. */
void allot_atomic_abort(allot_atomic *a);

/* Whole files. */
ALLOT_MUST_CHECK allot_code allot_file_write(const char *path, const allot_kind *kind,
                                             const void *bytes, size_t n, allot_err *err);
/* *bytes is NUL-terminated, the caller frees; refuses files larger than max. */
ALLOT_MUST_CHECK allot_code allot_file_read(const char *path, size_t max, char **bytes, size_t *n,
                                            allot_err *err);
/* A new name survives a power cut only once its folder is on disk too: that of path. */
void allot_folder_sync(const char *path);
ALLOT_MUST_CHECK allot_code allot_mkdir(const char *path, allot_err *err); /* ok if it exists */

#endif
