/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.h - what a program may write over, so that outputs destroy neither inputs nor anything
 * else: an existing output is replaced only if it is a regular file of the same kind, empty, or,
 * with
 * --force, of another kind; never a file that the same command read, a link, a folder, a device. */
#ifndef ALLOT_OUTPUTS_H
#define ALLOT_OUTPUTS_H
#include <sys/types.h>
#include "liballot/err.h"

/* What a writer may replace. */
typedef struct {
    const char *what;                              /* for messages: "a bundle" */
    int (*is)(const char *path, const void *user); /* 1: the file is of this kind */
    const void *user;                              /* borrowed during the call */
} allot_kind;

/* Files of a folder that is ours as a whole: whoever writes it looks at the folder first. */
extern const allot_kind allot_kind_any;
/* The first bytes of a file into start[size], with a NUL behind them; how many. 0: cannot be read.
 */
size_t allot_kind_start(const char *path, char *start, size_t size);
/* is: the file begins with this text (user, a string). */
int allot_kind_begins(const char *path, const void *user);

/* Readers say which files they read; writers that go on with a file of their own take it back. Kept
 * for a program's one command only: from allot_inputs_watch on (allot_main calls it). Threads: any.
 */
void allot_inputs_watch(void);
void allot_input_note(const char *path);
void allot_input_forget(const char *path);
/* Set by the option --force (lib/core/options.h): existing files of other kinds may be replaced. */
extern int allot_output_force;

/* Refuses what may not be replaced; *mode: permissions of the file that will be, 0 for none. */
ALLOT_MUST_CHECK allot_code allot_output_check(const char *path, const allot_kind *kind,
                                               mode_t *mode, allot_err *err);
/* Only whether it was read since. */
ALLOT_MUST_CHECK allot_code allot_output_recheck(const char *path, allot_err *err);
#endif
