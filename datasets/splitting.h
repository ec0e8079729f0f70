/* SPDX-License-Identifier: Apache-2.0 */
/* splitting.h - train / validation / calibration / test, by query. A query's place follows from a
 * hash of its key and the seed, so it stays where it is when queries are added. Stratified, the
 * shares hold within each source or level; with near, queries that are worded alike stay together,
 * where the first of them is. Then places may move when queries are added. */
#ifndef ALLOT_SPLITTING_H
#define ALLOT_SPLITTING_H
#include "lib/store/problems.h"
#include "lib/store/splits.h"

typedef struct {
    double fraction[ALLOT_N_SPLITS]; /* each > 0 and <= 1, together 1 */
    int by;                          /* -1, ALLOT_COL_SOURCE or ALLOT_COL_LEVEL */
    double near;                     /* similarity of queries that stay together; 0 = none do */
    long seed;
} allot_split_settings;

void allot_split_defaults(allot_split_settings *s);
/* "0.6,0.1,0.1,0.2" */
ALLOT_MUST_CHECK allot_code allot_split_fractions(const char *text, allot_split_settings *s,
                                                  allot_err *err);
/* Fills *out (the caller clears it), id included. */
ALLOT_MUST_CHECK allot_code allot_split_make(const allot_problems *p, const allot_split_settings *s,
                                             allot_splits *out, allot_err *err);
#endif
