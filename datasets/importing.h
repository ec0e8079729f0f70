/* SPDX-License-Identifier: Apache-2.0 */
/* importing.h - problems.h5 from the rows of a data set. The file is read twice in bounded memory:
 * first what decides about each row (its key, a hash of its answer: 72 bytes, and 250 more where
 * near-duplicates are looked for), then the rows are written.
 * The same text with the same answer is kept once, the first row with an answer; with different
 * answers all its rows are left out. Then the filters, in the order of allot_fate. All that is left
 * out is counted, and the first of each kind are shown. */
#ifndef ALLOT_IMPORTING_H
#define ALLOT_IMPORTING_H
#include <cjson/cJSON.h>
#include "lib/readers/rowreader.h"

/* What becomes of a row. */
typedef enum {
    ALLOT_FATE_WRITTEN,
    ALLOT_FATE_DUPLICATE,     /* the same text as another row */
    ALLOT_FATE_CONTRADICTION, /* the same text as another row, with another answer */
    ALLOT_FATE_UNANSWERED,    /* no reference answer that the grader can read */
    ALLOT_FATE_PROOF,         /* asks for a proof (datasets/textkinds.h) */
    ALLOT_FATE_CHOICE,        /* multiple choice */
    ALLOT_FATE_LENGTH,        /* shorter or longer than asked for */
    ALLOT_FATE_CONTAMINATED,  /* the same as a problem of the other file, or like it */
    ALLOT_FATE_NEAR,          /* like an earlier row */
    ALLOT_FATE_LIMIT,         /* more than were asked for */
    ALLOT_N_FATES
} allot_fate;

enum { ALLOT_IMPORT_EXAMPLES = 3, ALLOT_EXAMPLE_BYTES = 160 };

typedef struct {
    long line, other;                  /* other: the row it is like; 0 = none */
    double similarity;                 /* to it; 1 = the same text */
    char problem[ALLOT_EXAMPLE_BYTES]; /* its start, UTF-8 */
} allot_import_example;

typedef struct {
    allot_row_settings rows;
    int skip_bad;                /* leave bad rows out instead of stopping */
    int keep_unanswered;         /* keep rows without a usable reference answer */
    int no_proofs, no_choice;    /* leave such problems out (datasets/textkinds.h) */
    long min_length, max_length; /* of the problem, characters; 0 = any */
    double near; /* leave out what is so similar to an earlier row; 0 = nothing, else <= 1 */
    const char *against; /* leave out what is in this file (rows or problems.h5); NULL = none */
    double against_near; /* or so similar to it; 1 = the same text only */
    long limit;          /* rows to write; 0 = all */
    int shuffle;         /* those of the limit are drawn by a hash of key and seed, not the first */
    long seed;
} allot_import_settings;

typedef struct {
    long lines, bad;
    long n[ALLOT_N_FATES];
    allot_import_example example[ALLOT_N_FATES][ALLOT_IMPORT_EXAMPLES];
} allot_import_counts;

ALLOT_MUST_CHECK allot_code allot_import(const char *input, const char *output,
                                         const allot_import_settings *s,
                                         allot_import_counts *counts, allot_err *err);
/* The counts and examples as an object, which the caller deletes. */
cJSON *allot_import_report(const allot_import_counts *counts);
/* The start of a text on one line. */
void allot_example_text(const char *text, size_t n, char to[ALLOT_EXAMPLE_BYTES]);
const char *allot_fate_name(allot_fate f); /* "written", "duplicates", ... as in the report */

/* The key of every row in order, repeated ones too; *keys is allocated, the caller frees. Of the
 * settings only the field of the problem is used; a bad row is refused. */
ALLOT_MUST_CHECK allot_code allot_import_keys(const char *input, const allot_row_settings *s,
                                              allot_key **keys, long *n, allot_err *err);
#endif
