/* SPDX-License-Identifier: Apache-2.0 */
/* merge.h - the shards of a run, collected apart (another machine, another server), become one run
 * directory, the same as if it had been collected at once. Refused: shards of different settings or
 * queries, a shard that is there twice or not at all, a record of another shard's query, and units
 * that are missing, unless allowed. */
#ifndef ALLOT_MERGE_H
#define ALLOT_MERGE_H
#include "liballot/err.h"

typedef struct {
    const char *const *dirs; /* [n] the shards, in any order */
    int n;
    const char *output; /* new run directory */
    int partial;        /* units may be missing: 'sample' can make them in the merged run */
} allot_merge_settings;

typedef struct {
    long n_queries, n_records;
    long done, total; /* units */
    int n_torn;       /* shards whose journal ends in half a line */
} allot_merge_result;

ALLOT_MUST_CHECK allot_code allot_merge_run(const allot_merge_settings *s, allot_merge_result *r,
                                            allot_err *err);
#endif
