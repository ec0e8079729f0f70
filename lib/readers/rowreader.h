/* SPDX-License-Identifier: Apache-2.0 */
/* rowreader.h - the rows of a data set: JSON lines, or CSV or TSV with a header row (quoted fields
 * may hold separators and line ends), each plain, gzip or zstd. One row in memory at a time. */
#ifndef ALLOT_ROWREADER_H
#define ALLOT_ROWREADER_H
#include "lib/store/problems.h"

typedef enum {
    ALLOT_ROWS_BY_NAME,
    ALLOT_ROWS_JSONL,
    ALLOT_ROWS_CSV,
    ALLOT_ROWS_TSV
} allot_rowformat;

typedef struct {
    const char *field[ALLOT_N_COLS]; /* name of each column's field, borrowed; NULL = none. Several
                                        may be given as "a|b": the first that is there */
    int gsm8k;                       /* the answer field holds a solution that ends in "#### 42" */
    allot_rowformat format;          /* by name: x.csv, x.tsv.gz; else JSON lines */
    int no_key;                      /* rows need no key */
    int quiet;                       /* bad rows are counted, not shown */
    const unsigned char
        *keep; /* [n_keep], borrowed: rows of other lines are passed over; or NULL */
    long n_keep;
} allot_row_settings;

/* presets: jsonl, gsm8k, math, math500, aime, olympiad, numina. */
ALLOT_MUST_CHECK allot_code allot_row_preset(const char *name, allot_row_settings *out,
                                             allot_err *err);
/* By its name: x.csv, x.tsv.gz; else JSON lines. */
allot_rowformat allot_row_format_of(const char *path);
/* jsonl, csv, tsv. */
ALLOT_MUST_CHECK allot_code allot_row_format(const char *name, allot_rowformat *out,
                                             allot_err *err);

typedef struct {
    const char *text[ALLOT_N_COLS]; /* [n], UTF-8 without NUL, valid until the next row */
    size_t n[ALLOT_N_COLS];         /* 0 = the field is not there */
    allot_key key;                  /* of the problem, which is never empty; zero with no_key */
    long line;                      /* where the row begins, from 1 */
} allot_row;

typedef struct allot_rowreader allot_rowreader;

ALLOT_MUST_CHECK allot_code allot_rowreader_open(const char *path, const allot_row_settings *s,
                                                 allot_rowreader **out, allot_err *err);
void allot_rowreader_close(allot_rowreader **r); /* *r becomes NULL */
/* The next good row; *row = NULL at the end. Bad rows are passed over and counted, and the first 5
 * shown. Fails when the file cannot be read further (damaged, or a quote that is never closed). */
ALLOT_MUST_CHECK allot_code allot_rowreader_next(allot_rowreader *r, const allot_row **row,
                                                 allot_err *err);
long allot_rowreader_lines(const allot_rowreader *r); /* read so far */
/* ALLOT_OK if no row was bad, else ALLOT_EINPUT with their number and the first. */
ALLOT_MUST_CHECK allot_code allot_rowreader_check(const allot_rowreader *r, allot_err *err);
long allot_rowreader_bad(const allot_rowreader *r);
#endif
