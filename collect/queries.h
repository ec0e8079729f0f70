/* SPDX-License-Identifier: Apache-2.0 */
/* queries.h - which queries of a data set a run works on, and the copy of them that it keeps. */
#ifndef ALLOT_QUERIES_H
#define ALLOT_QUERIES_H
#include "lib/store/problems.h"

typedef struct {
    const char *dataset; /* problems.h5; required */
    const char *split;   /* only queries of this split; NULL = all */
    const char *splits;  /* splits.h5; required with split */
    long limit;          /* at most so many; 0 = all */
    int at_random;       /* the limit takes a random sample (a larger one contains a smaller one),
                            not the first rows */
    long seed;           /* of the random sample */
} allot_query_choice;

ALLOT_MUST_CHECK allot_code allot_queries_check(const allot_query_choice *c, allot_err *err);

/* Rows of `problems` that are chosen, in file order: *rows is allocated [*n], the caller frees. */
ALLOT_MUST_CHECK allot_code allot_queries_choose(const allot_query_choice *c,
                                                 const allot_problems *problems, long **rows,
                                                 long *n, allot_err *err);

/* Sorts rows[n] of these keys by a hash of seed, stream and key: a random order that does not
 * depend on which other rows there are. */
ALLOT_MUST_CHECK allot_code allot_queries_shuffle(const allot_key *keys, long seed, uint64_t stream,
                                                  long *rows, long n, allot_err *err);

/* Writes to out_file and loads into *out (without solutions) what the run is to work on: its own
 * queries first, those of run_file, which need not exist (with the data set's text and answer where
 * the data set has them), then the newly chosen ones. A run only grows. asked [out->n]: which of
 * them are chosen now; the caller frees it; NULL = not asked for. */
ALLOT_MUST_CHECK allot_code allot_queries_merge(const allot_query_choice *c, const char *run_file,
                                                const char *out_file, allot_problems *out,
                                                unsigned char **asked, allot_err *err);
#endif
