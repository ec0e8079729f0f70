/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h - the CSV files and JSON parts of a report that are plain tables. */
#ifndef ALLOT_TABLES_H
#define ALLOT_TABLES_H
#include "lib/core/buf.h"
#include "eval/report.h"

/* strategy,accuracy,accuracy_low,accuracy_high,tokens,seconds,predicted_accuracy,on_hull_tokens */
typedef struct {
    double accuracy, low, high; /* 95 % bootstrap interval over queries */
    double tokens, seconds;     /* realised means; seconds 0 when there are none */
    double predicted;           /* mean predicted accuracy */
} allot_static_row;

/* rows [S]. */
ALLOT_MUST_CHECK allot_code allot_tables_statics(const allot_evaldata *d, int resamples, long seed,
                                                 allot_static_row *rows, allot_err *err);
void allot_tables_statics_csv(const allot_evaldata *d, const allot_static_row *rows,
                              allot_buf *out);
cJSON *allot_tables_statics_json(const allot_evaldata *d, const allot_static_row *rows);

/* cost,rule,hull,difference,low,high,oracle */
void allot_tables_band_csv(const allot_band *b, allot_buf *out);
cJSON *allot_tables_axis_json(const allot_axis_result *a);

/* The exact curve: lambda,cost,accuracy at each lambda of the trajectory. */
void allot_tables_exact_csv(const allot_trajectory *t, allot_buf *out);

/* Both lambdas > 0: adaptive utility against the best static's, over the paper's pairs.
 * {pairs, n_not_below, worst:{...}, rows:[...]}; intervals by the same resamples. */
ALLOT_MUST_CHECK allot_code allot_tables_both_json(const allot_evaldata *d, int resamples,
                                                   long seed, cJSON **out, allot_err *err);

/* Shares as one column per strategy, for pictures: lambda,<strategy>,... ; and the names as a
 * gnuplot word list. */
void allot_tables_shares_wide(const allot_evaldata *d, int by_seconds, allot_buf *csv,
                              allot_buf *names);

/* Share of queries at lambda 0 that get the highest predicted accuracy, and at a huge lambda that
 * get the least predicted cost: both must be 1. */
double allot_tables_limit(const allot_evaldata *d, int by_seconds, int huge);

/* {value, low, high} under name. */
void allot_tables_interval(cJSON *object, const char *name, double value, double low, double high);

/* Writes dir/name, atomically. */
ALLOT_MUST_CHECK allot_code allot_tables_save(const char *dir, const char *name,
                                              const allot_buf *text, allot_err *err);
#endif
