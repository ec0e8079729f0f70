/* SPDX-License-Identifier: Apache-2.0 */
/* graded.h - a run's journal read once and graded at once: a few numbers per sample stay, never a
 * text. Records of a query may lie anywhere in the file; of duplicates the first counts (a resumed
 * run may hold both). Symbols: Q queries with a usable reference, M pool slots, S strategies,
 * B distinct searches among them, R runs of each. */
#ifndef ALLOT_GRADED_H
#define ALLOT_GRADED_H
#include <stdio.h>
#include "lib/store/problems.h"
#include "lib/store/rundir.h"
#include "lib/extract/extract.h"
#include "lib/labels/cuts.h"
#include "lib/methods/softlabel.h"

enum { ALLOT_N_AGGS = ALLOT_AGG_MEAN + 1 };

typedef struct {
    uint64_t answer;            /* hash of the extracted text; 0 = no answer */
    uint64_t cls;               /* hash of its canonical form */
    double score[ALLOT_N_AGGS]; /* by aggregation; only if scored */
    double n_tokens, seconds;   /* seconds: NaN if unknown */
    unsigned char present, scored, right;
} allot_graded_sample;

typedef struct {
    double n_tokens;
    unsigned char present;
} allot_graded_run;

typedef struct {
    long n_lines, n_duplicates, n_errors;
    long n_outside;                   /* records of no query, slot or strategy that is labelled */
    long n_no_reference;              /* queries left out */
    long how[ALLOT_N_EXTRACT];        /* pool samples by way of extraction */
    long n_samples, n_cut, n_prm_cut; /* pool samples; cut by length; seen cut by the PRM */
    allot_cuts cuts;                  /* of samples and finished beams */
    long n_timed;                     /* pool samples that tell their seconds */
    int torn;
} allot_graded_counts;

typedef struct {
    long n;                       /* Q */
    int pool;                     /* M */
    int runs;                     /* R */
    int n_searches;               /* B */
    const allot_strategies *set;  /* borrowed */
    long *row;                    /* owned [Q]: row in the problems */
    int *search_of;               /* owned [S]: search of a strategy that searches, else -1 */
    allot_graded_sample *samples; /* owned [Q,M] */
    allot_graded_run *searches;   /* owned [Q,B,R] */
    char **examples; /* owned [S + 1, 2]: for people, one text of such a strategy, in the last row
                        of the pool, that was wrong, right; NULL = there was none */
    unsigned char *search_right; /* owned [Q,S,R]: the strategy's answer of that run is correct */
    float *search_paper;         /* owned [Q,S]: the paper's label from run 0, NaN if missing */
    allot_graded_counts counts;
} allot_graded;

typedef struct {
    allot_grade_options grade;
    int paper;     /* fill search_paper */
    uint64_t seed; /* of the paper's bootstraps */
    FILE *answers; /* borrowed, NULL = none: what was read in each text, a line of JSON each */
} allot_graded_options;

/* Reads the journal of run_dir. Records of another fingerprint than the manifest's are refused. */
ALLOT_MUST_CHECK allot_code allot_graded_load(const char *run_dir, const allot_rundir *manifest,
                                              const allot_problems *problems,
                                              const allot_strategies *set,
                                              const allot_graded_options *options,
                                              allot_graded *out, allot_err *err);
void allot_graded_clear(allot_graded *g);

static inline const allot_graded_sample *allot_graded_pool(const allot_graded *g, long q)
{
    return g->samples + (size_t)q * (size_t)g->pool;
}

static inline const allot_graded_run *allot_graded_runs(const allot_graded *g, long q, int search)
{
    return g->searches + ((size_t)q * (size_t)g->n_searches + (size_t)search) * (size_t)g->runs;
}

static inline const unsigned char *allot_graded_right(const allot_graded *g, long q, int strategy)
{
    return g->search_right +
           ((size_t)q * (size_t)g->set->count + (size_t)strategy) * (size_t)g->runs;
}

#endif
