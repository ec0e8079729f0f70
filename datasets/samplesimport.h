/* SPDX-License-Identifier: Apache-2.0 */
/* samplesimport.h - samples drawn elsewhere, as a run that 'allot-collect label' reads. One JSON
 * object a line and query, in one of two forms:
 *   {"query": text, "answer": text, "samples": [{"text": .. or "extracted": .., "correct"?: 0 or 1,
 *     "score"?: a number or a list of one for each step, "tokens"?: n, "seconds"?: s}, ...]}
 *   {"problem": text, "answer": text, "completions": [text, ..], "scores"?: [number or list, ..],
 *     "completion_tokens"?: [n, ..]}   (search-and-learn)
 * packed with gzip or zstd, too. "query", "problem", "question" and "prompt" name the same; an
 * "extracted" answer is kept as a boxed one. "seconds" are kept in the run;
 * 'allot-collect label --sample-seconds' makes costs of them.
 * "correct" is said of all samples or of none: the labels then take it as it is, whatever allot's
 * own grader thinks (answers of another kind than mathematics need a judge of their own). */
#ifndef ALLOT_SAMPLESIMPORT_H
#define ALLOT_SAMPLESIMPORT_H
#include <cjson/cJSON.h>
#include "lib/extract/extract.h"
#include "liballot/strategy.h"

typedef struct {
    const char *name;             /* where the samples come from, for the fingerprint */
    const cJSON *fingerprint;     /* how they were generated; NULL: {"imported": name} */
    const allot_strategies *want; /* strategies to label; NULL: single, and majority (with scores
                                     also bon and weighted) at the powers of two that fit */
    allot_grade_options grade;    /* for the comparison with "correct" */
} allot_samplesimport;

typedef struct {
    long queries, samples;
    int pool, least; /* most and fewest samples of a query */
    int scored;
    long without_tokens; /* samples whose tokens are not told: counted as 0 */
    long judged;         /* samples with "correct" */
    long disagreed;      /* of them, those that allot's grader would judge otherwise */
    char example[512];   /* of a disagreement */
} allot_samples_counts;

/* Makes the directory run, which must not exist; nothing is left of it after an error. */
ALLOT_MUST_CHECK allot_code allot_samples_import(const char *path, const char *run,
                                                 const allot_samplesimport *s,
                                                 allot_samples_counts *counts, allot_err *err);
#endif
