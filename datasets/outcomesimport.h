/* SPDX-License-Identifier: Apache-2.0 */
/* outcomesimport.h - outcomes measured elsewhere, from a table with one row per (query, strategy).
 * Fields: query (its text, or its 64-digit key), strategy (text form), tokens, optionally seconds,
 * and one of: correct (0, 1, true, false); trials and successes; accuracy (0 to 1), which counts as
 * `trials` trials, one if they are not told. Variance p(1-p)/n and n_eff = n of n trials. The
 * halves are of every second row of repeated trials, else unknown (NaN). Queries are written in the
 * order of their keys, strategies as they first occur. A pair that does not occur is a missing
 * cell. */
#ifndef ALLOT_OUTCOMESIMPORT_H
#define ALLOT_OUTCOMESIMPORT_H
#include "lib/store/outcomes.h"

typedef struct {
    const char *problems; /* problems.h5 that knows the queries; needed for keys; may be NULL */
    const char *name;     /* for the fingerprint {"imported": name} */
    int trials;           /* several rows of one pair are trials; else they are refused */
    int named;            /* strategies are names: wrapped as named:"..." */
} allot_outcomesimport;

/* Reads path (CSV if it ends in .csv, else JSON lines) into *out (the caller clears it);
 * *missing: cells without a row. Errors name the file, the line and the remedy. */
ALLOT_MUST_CHECK allot_code allot_outcomes_import(const char *path, const allot_outcomesimport *s,
                                                  allot_outcomes *out, long *missing,
                                                  allot_err *err);
#endif
