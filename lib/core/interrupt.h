/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt.h - SIGINT and SIGTERM end a program in order: it leaves nothing unfinished behind,
 * says one line and exits with ALLOT_EINTR. A program with more to keep asks allot_interrupted() in
 * its loop and ends by itself; everything else is ended by the signal's handler, which removes what
 * is owned here. */
#ifndef ALLOT_INTERRUPT_H
#define ALLOT_INTERRUPT_H
#include <sys/types.h>
#include "liballot/err.h"

/* Installs the handler; program (borrowed, for ever) is named in its line. */
void allot_interrupt_install(const char *program);

/* 1 after SIGINT or SIGTERM. From the first question on, the first signal is only noted. It ends
 * the program after all if nobody has asked again within seconds, and so does a second one. */
int allot_interrupted(void);

/* A file or folder (with the files in it) that goes when the program is ended: from before it is
 * made until it is removed or has its final name. path: borrowed until allot_interrupt_disown,
 * which must be given the same pointer and may be given NULL or one that is not owned. */
ALLOT_MUST_CHECK allot_code allot_interrupt_own(const char *path, allot_err *err);
void allot_interrupt_disown(const char *path);
/* Removes all that is owned, as the handler does: for an end that is not ours. */
void allot_interrupt_clean(void);
/* Removes one, for a program that ends by itself. */
void allot_interrupt_remove(const char *path);

/* A child that is killed first, since it may be writing into such a folder; 0: none any more. */
void allot_interrupt_child(pid_t pid);

#endif
