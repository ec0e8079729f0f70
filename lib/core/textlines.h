/* SPDX-License-Identifier: Apache-2.0 */
/* textlines.h - a file of lines, or stdin, read line by line as they come; each is at most 16 MiB.
 * Blank lines are passed over but counted. */
#ifndef ALLOT_TEXTLINES_H
#define ALLOT_TEXTLINES_H
#include <stddef.h>
#include <stdio.h>
#include "liballot/err.h"

typedef struct {
    const char *path; /* borrowed */
    FILE *in;         /* closed by allot_textlines_close, unless it is stdin */
    char *line;       /* owned */
    size_t capacity;
    long number;     /* of the line, from 1 */
    char where[300]; /* "line 7 of 'q.jsonl'", for messages */
} allot_textlines;   /* zero: nothing to close */

/* path "-" is stdin. */
ALLOT_MUST_CHECK allot_code allot_textlines_open(const char *path, allot_textlines *out,
                                                 allot_err *err);
void allot_textlines_close(allot_textlines *t);
/* *line: the next one's n bytes with its line break, NUL-terminated, until the next call; NULL at
 * the end. Blocks until a line is there. */
ALLOT_MUST_CHECK allot_code allot_textlines_next(allot_textlines *t, const char **line, size_t *n,
                                                 allot_err *err);
#endif
