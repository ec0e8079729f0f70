/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - an append-only file of lines: one write() per record with O_APPEND, fsync in batches,
 * a torn last line (killed in the middle of a write) ignored and reported by the reader, and cut
 * off by the next writer. One writer at a time: the file is locked. */
#ifndef ALLOT_JOURNAL_H
#define ALLOT_JOURNAL_H
#include <stddef.h>
#include "liballot/err.h"

#define ALLOT_JOURNAL_MAX_LINE (16L << 20)

typedef struct allot_journal allot_journal;

/* Opens or creates for appending; a second writer is refused. */
ALLOT_MUST_CHECK allot_code allot_journal_open(const char *path, allot_journal **out,
                                               allot_err *err);
/* One line without its newline. */
ALLOT_MUST_CHECK allot_code allot_journal_write(allot_journal *j, const char *line, size_t n,
                                                allot_err *err);
ALLOT_MUST_CHECK allot_code allot_journal_sync(allot_journal *j, allot_err *err);
/* Syncs and closes; *j becomes NULL. */
ALLOT_MUST_CHECK allot_code allot_journal_close(allot_journal **j, allot_err *err);

/* Calls f for every whole line, in file order, in one streaming pass; stops at the first failure.
 * *torn = 1 when a torn last line was left out. A missing file is empty. */
typedef allot_code (*allot_journal_line)(const char *line, size_t n, long line_number, void *user,
                                         allot_err *err);
ALLOT_MUST_CHECK allot_code allot_journal_read(const char *path, allot_journal_line f, void *user,
                                               int *torn, allot_err *err);
#endif
