/* SPDX-License-Identifier: Apache-2.0 */
/* problemstats.h - what problems.h5 holds: counts, lengths, sources, levels, kinds of answers, the
 * first queries, what the import left out; on request splits and near-duplicates. */
#ifndef ALLOT_PROBLEMSTATS_H
#define ALLOT_PROBLEMSTATS_H
#include <cjson/cJSON.h>
#include "lib/store/problems.h"

/* Adds fields to out. splits: a splits.h5 whose shares are counted, too; NULL = none. near: the
 * similarity from which on problems are counted as near-duplicates; 0 = not looked for. */
ALLOT_MUST_CHECK allot_code allot_problemstats_add(const char *path, const char *splits,
                                                   double near, cJSON *out, allot_err *err);
#endif
