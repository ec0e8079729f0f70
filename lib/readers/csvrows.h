/* SPDX-License-Identifier: Apache-2.0 */
/* csvrows.h - comma-separated values (RFC 4180), or with tabs: a field may stand in double quotes,
 * which may hold separators, line ends and doubled quotes. Blank lines are skipped. */
#ifndef ALLOT_CSVROWS_H
#define ALLOT_CSVROWS_H
#include <stddef.h>
#include "liballot/err.h"

typedef struct {
    char *rest;       /* what is not read yet; start with a NUL-terminated text, which is changed */
    const char *file; /* for messages */
    char separator;   /* 0 = ',' */
    long next_line;   /* number of the line at rest; start with 1 */
    long line;        /* where the row begins that was read last */
    char **field;     /* owned [n]; borrowed texts, valid as long as the text */
    size_t n, capacity;
} allot_csvrows;

/* Reads the next row; n = 0 at the end. Refuses a quote that does not close and text behind one. */
ALLOT_MUST_CHECK allot_code allot_csvrows_next(allot_csvrows *c, allot_err *err);
void allot_csvrows_clear(allot_csvrows *c); /* frees field */
#endif
