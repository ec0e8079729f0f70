/* SPDX-License-Identifier: Apache-2.0 */
/* problems.h - problems.h5: the queries of a data set with their reference answers.
 * Arrays over Q rows: key uint8 [Q,32]; string columns problem, answer ("" if unknown), solution,
 * source, level, id. Keys are unique. */
#ifndef ALLOT_PROBLEMS_H
#define ALLOT_PROBLEMS_H
#include <cjson/cJSON.h>
#include "lib/store/h5.h"
#include "lib/store/querykey.h"

#define ALLOT_PROBLEMS_SCHEMA "allot-problems"
enum {
    ALLOT_COL_PROBLEM,
    ALLOT_COL_ANSWER,
    ALLOT_COL_SOLUTION,
    ALLOT_COL_SOURCE,
    ALLOT_COL_LEVEL,
    ALLOT_COL_ID,
    ALLOT_N_COLS
};

typedef struct {
    long n;                          /* Q */
    allot_key *keys;                 /* owned [Q] */
    allot_strings col[ALLOT_N_COLS]; /* owned; solution is left empty unless asked for */
} allot_problems;

ALLOT_MUST_CHECK allot_code allot_problems_load(const char *path, int with_solutions,
                                                allot_problems *out, allot_err *err);
void allot_problems_clear(allot_problems *p);

/* Writing in blocks, for data sets larger than memory. */
typedef struct allot_problems_writer allot_problems_writer;
ALLOT_MUST_CHECK allot_code allot_problems_create(const char *path, allot_problems_writer **out,
                                                  allot_err *err);
/* One row; texts [ALLOT_N_COLS] with their lengths; NULL = "". Refuses nothing about duplicates:
 * the importer decides. */
ALLOT_MUST_CHECK allot_code allot_problems_add(allot_problems_writer *w, const allot_key *key,
                                               const char *const *texts, const size_t *n,
                                               allot_err *err);
/* More to be known of the file: a JSON object in the attribute `name`. */
ALLOT_MUST_CHECK allot_code allot_problems_note(allot_problems_writer *w, const char *name,
                                                const cJSON *value, allot_err *err);
/* Writes provenance and renames; *w is freed in any case. */
ALLOT_MUST_CHECK allot_code allot_problems_commit(allot_problems_writer **w, const char *tool,
                                                  long seed, const char *const *inputs,
                                                  allot_err *err);
void allot_problems_abort(allot_problems_writer **w);
#endif
