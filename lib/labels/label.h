/* SPDX-License-Identifier: Apache-2.0 */
/* label.h - a run directory becomes outcomes: soft label, its variance, tokens and seconds of every
 * (query, strategy).
 * Tokens of a parallel strategy: N times the pool's mean; of a beam search: the mean of its runs.
 * Seconds: measured where the cell was timed at the chosen load, else modelled
 * (lib/store/secondsmodel.h); or, of samples drawn elsewhere, their own (allot_sample_seconds).
 * Source: arXiv:2509.09864, section 2.4. */
#ifndef ALLOT_LABEL_H
#define ALLOT_LABEL_H
#include "lib/store/outcomes.h"
#include "lib/labels/graded.h"
#include "lib/store/secondsmodel.h"

/* What the seconds of imported samples say of N of them. Reward models are in no sample's seconds:
 * strategies that ask one get none. */
typedef enum {
    ALLOT_SAMPLES_UNTIMED,
    ALLOT_SAMPLES_ONE_BY_ONE, /* N times the mean: measured, as tokens are */
    ALLOT_SAMPLES_AT_ONCE     /* expected longest of N: measured for one; modelled for more, since
                                 nobody saw whether N at once slow each other down */
} allot_sample_seconds;
ALLOT_MUST_CHECK allot_code allot_sample_seconds_parse(const char *text, allot_sample_seconds *out,
                                                       allot_err *err);

typedef struct {
    const char *run_dir;    /* required */
    const char *timing_dir; /* NULL: no seconds */
    const char *problems;   /* references; NULL = the run's own problems.h5 */
    const char *strategies; /* strategies.json; NULL = those of the run */
    int load;               /* of the timed rows, >= 1 */
    allot_sample_seconds sample_seconds;
    int paper;                 /* the paper's bootstrap labels */
    allot_grade_options grade; /* how answers are found and compared */
    allot_missing missing;
    const char *answers; /* file of what was read in each text; NULL: none */
    long seed;           /* of random subsets and bootstraps */
} allot_label_settings;

#define ALLOT_LABEL_DEFAULTS                                                                       \
    {                                                                                              \
        .load = 1, .missing = ALLOT_MISSING_REFUSE, .seed = 1                                      \
    }
ALLOT_MUST_CHECK allot_code allot_label_check(const allot_label_settings *s, allot_err *err);

/* Why a cell is missing. */
enum { ALLOT_LACKS_SAMPLES, ALLOT_LACKS_SCORES, ALLOT_LACKS_RUNS, ALLOT_N_LACKS };

typedef struct {
    allot_graded_counts graded;
    long n_queries; /* with a reference, before any is dropped */
    long n_missing[ALLOT_N_LACKS];
    long dropped_queries;
    int dropped_strategies;
    long n_short_pools;              /* pools with fewer samples than the manifest asks for */
    long n_short_runs;               /* cells of a beam search with fewer runs than asked for */
    long n_pools, n_always, n_never; /* pools seen; with all samples right; with none */
    int pool, largest_n;             /* M, and the largest N that is drawn from it */
    long n_timed, n_measured, n_modelled; /* timed rows; cells */
    int prm_checked;                      /* as the manifest says; -1: no strategy was scored */
    int told_seconds;                     /* imported samples tell theirs, and nothing was asked */
    allot_seconds_error held_out;         /* of modelled seconds, on timed rows */
} allot_label_summary;

/* Fills *out (the caller clears it). */
ALLOT_MUST_CHECK allot_code allot_label_run(const allot_label_settings *s, allot_outcomes *out,
                                            allot_label_summary *summary, allot_err *err);
#endif
