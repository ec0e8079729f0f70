/* SPDX-License-Identifier: Apache-2.0 */
/* jsonlimport.h - problems from JSON lines. The file is read twice in bounded memory: first every
 * row's key and answer, so that duplicates and contradictions are known, then the rows are written.
 * The same text with the same answer is kept once; with different answers all its rows are left
 * out; rows without a usable reference answer are left out unless asked for. All are counted. */
#ifndef ALLOT_JSONLIMPORT_H
#define ALLOT_JSONLIMPORT_H
#include "core/problems.h"

#define ALLOT_IMPORT_MAX_LINE (50L << 20)

typedef struct {
    const char *field[ALLOT_N_COLS]; /* JSON field of each column, borrowed; NULL = none. Several
                                        names may be given as "a|b": the first that is there */
    int gsm8k;                       /* the answer field holds a solution that ends in "#### 42" */
    int skip_bad;                    /* leave bad lines out instead of stopping */
    int keep_unanswered;             /* keep rows without a usable reference answer */
    long limit;                      /* rows to write; 0 = all */
} allot_import_settings;

/* presets: jsonl, gsm8k, math, math500, aime, numina. */
ALLOT_MUST_CHECK allot_code allot_import_preset(const char *name, allot_import_settings *out,
                                                allot_err *err);

typedef struct {
    long lines, written, bad, duplicates, contradictions, unanswered;
} allot_import_counts;

/* seed is recorded only. The first 5 bad lines are shown through the log. */
ALLOT_MUST_CHECK allot_code allot_import_jsonl(const char *input, const char *output,
                                               const allot_import_settings *s,
                                               allot_import_counts *counts, allot_err *err);

/* The key of every row in order, repeated ones too; *keys is allocated, the caller frees. Of the
 * settings only the field of the problem is used; a bad line is refused. */
ALLOT_MUST_CHECK allot_code allot_import_keys(const char *input, const allot_import_settings *s,
                                              allot_key **keys, long *n, allot_err *err);
#endif
