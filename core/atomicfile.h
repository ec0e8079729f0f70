/* SPDX-License-Identifier: Apache-2.0 */
/* atomicfile.h - a file appears under its final name complete or not at all: written under an
 * unpredictable name ".NAME.RANDOM.tmp" in the same folder, which no link can stand in for, synced,
 * renamed. What is there already is replaced only where that destroys nothing: a regular file of the
 * same kind, empty, or anything regular after allot_output_force; its mode is kept. Never a file that
 * this program read: outputs do not destroy inputs. */
#ifndef ALLOT_ATOMICFILE_H
#define ALLOT_ATOMICFILE_H
#include <stddef.h>
#include <stdio.h>
#include "liballot/err.h"

/* What a writer may replace. */
typedef struct {
    const char *what; /* for messages: "a bundle" */
    int (*is)(const char *path, const void *user); /* 1: the file is of this kind */
    const void *user; /* borrowed during the call */
} allot_kind;

/* Files of a folder that is ours as a whole: whoever writes it looks at the folder first. */
extern const allot_kind allot_kind_any;
/* is: the file begins with this text (user, a string). */
int allot_kind_begins(const char *path, const void *user);

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
/* Readers say which files they read; writers that go on with a file of their own take it back. Kept
 * for a program's one command only: from allot_inputs_watch on (allot_main calls it). Threads: any. */
void allot_inputs_watch(void);
void allot_input_note(const char *path);
void allot_input_forget(const char *path);
/* Set by the option --force (core/options.h): existing files of other kinds may be replaced. */
extern int allot_output_force;
ALLOT_MUST_CHECK allot_code allot_mkdir(const char *path, allot_err *err); /* ok if it exists */

#endif
