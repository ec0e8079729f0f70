/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the evaluation of one bundle on its test queries: static table, hull, adaptive curves
 * with their band, random, oracle, oracle costs, calibration; as eval.json, CSV files, pictures and
 * a summary for people. Source: arXiv:2509.09864, section 3; the statistics are explained in
 * docs/evaluation.md. */
#ifndef ALLOT_REPORT_H
#define ALLOT_REPORT_H
#include "eval/band.h"
#include <cjson/cJSON.h>
#include "eval/evaldata.h"

typedef struct {
    int resamples;           /* bootstrap, 100..100000 */
    int max_lambdas;         /* of a rule's trajectory, 10..5000 */
    double overhead_seconds; /* embedding and selection per query, added to the adaptive rule */
    int pictures;            /* draw with gnuplot */
    long seed;
} allot_report_settings;

void allot_report_defaults(allot_report_settings *s);
ALLOT_MUST_CHECK allot_code allot_report_check(const allot_report_settings *s, allot_err *err);

/* One axis (tokens at lambda_L = 0, or seconds at lambda_T = 0) of the comparison with the hull. */
typedef struct {
    const char *unit;              /* "tokens" or "seconds" */
    const double *realised;        /* [n][S], borrowed */
    allot_trajectory rule, oracle; /* oracle: k = 0 without halves */
    allot_band band;
} allot_axis_result;

ALLOT_MUST_CHECK allot_code allot_axis_make(const allot_evaldata *d, int by_seconds,
                                            const allot_report_settings *s, allot_axis_result *out,
                                            allot_err *err);
void allot_axis_clear(allot_axis_result *a);

/* "never significantly below the hull, above it at 12 of 50 costs", ... */
void allot_axis_verdict(const allot_axis_result *a, char *out, size_t room);

/* Writes the whole report into dir (made if missing); eval.json last. *summary (owned by the
 * caller) is the text of summary.txt, *json the value of eval.json. */
ALLOT_MUST_CHECK allot_code allot_report_write(const allot_evaldata *d,
                                               const allot_report_settings *s, const char *dir,
                                               const char *const *inputs, char **summary,
                                               cJSON **json, allot_err *err);
#endif
