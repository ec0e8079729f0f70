/* SPDX-License-Identifier: Apache-2.0 */
/* instream.h - a file line by line in bounded memory, unpacked as it is read: gzip (several members
 * too) and zstd (several frames), known by their magic numbers, never by a name. A bomb costs time,
 * not memory: at most one line and a window of 128 MiB are held. */
#ifndef ALLOT_INSTREAM_H
#define ALLOT_INSTREAM_H
#include <stddef.h>
#include "liballot/err.h"

#define ALLOT_INSTREAM_MAX_LINE (50L << 20)

typedef struct allot_instream allot_instream;

ALLOT_MUST_CHECK allot_code allot_instream_open(const char *path, allot_instream **out,
                                                allot_err *err);
void allot_instream_close(allot_instream **s); /* frees; *s becomes NULL */

/* The next line without its end (LF or CRLF), the first without a byte order mark, in *line [n],
 * valid until the next call, writable, with a NUL behind it; *line = NULL at the end. A line above
 * ALLOT_INSTREAM_MAX_LINE bytes is read past: *n is then its size and *line is not to be read.
 * Fails only when the file cannot be read. */
ALLOT_MUST_CHECK allot_code allot_instream_line(allot_instream *s, char **line, size_t *n,
                                                allot_err *err);
long allot_instream_number(const allot_instream *s); /* of the line read last, from 1 */
/* All lines, with LF ends and a NUL behind them; the caller frees *text [n]. Refuses more than
 * max_bytes, lines that are too long, and NUL bytes. */
ALLOT_MUST_CHECK allot_code allot_instream_text(const char *path, size_t max_bytes, char **text,
                                                size_t *n, allot_err *err);
#endif
