/* SPDX-License-Identifier: Apache-2.0 */
/* sample_plan.h - what a run directory needs of each query, and what it has. Units of one query:
 *   [0, M)        pool samples, shared by all pooled strategies
 *   [M, 2 M)      reward-model scores of these samples, if a strategy looks at them
 *   then B x R    searches: B sources x R runs; strategies that differ in `final` only share
 *                 one source
 * Source: arXiv:2509.09864, section 2.1 (one pool for all parallel strategies); M >= 2 N is ours.
 */
#ifndef ALLOT_SAMPLE_PLAN_H
#define ALLOT_SAMPLE_PLAN_H
#include "lib/store/record.h"
#include "lib/store/rundir.h"
#include "collect/unitmap.h"

typedef enum {
    ALLOT_UNIT_SAMPLE,
    ALLOT_UNIT_SCORE,
    ALLOT_UNIT_SEARCH,
    ALLOT_N_UNITS
} allot_unit_kind;

typedef struct {
    int pool;                 /* M, 0 without parallel strategies */
    int scored;               /* 0 or 1 */
    int runs;                 /* R */
    allot_strategy *searches; /* owned [n_searches], final = best, unique */
    int n_searches;           /* B */
    long n_elsewhere; /* queries of other shards, or left out: all their units count as done */
    allot_unitmap map;
} allot_sample_plan;

/* Refuses strategies that cannot be run: named ones, and those that need a reward model when there
 * is none. */
ALLOT_MUST_CHECK allot_code allot_sample_plan_check(const allot_strategies *set, int has_prm,
                                                    allot_err *err);
/* The pool that the strategies need: asked, or 2 x the largest N when asked is 0. Refuses a pool
 * below the largest N; warns below twice that. */
ALLOT_MUST_CHECK allot_code allot_sample_plan_pool(const allot_strategies *set, int asked,
                                                   int *pool, allot_err *err);
/* 1 if a parallel strategy of the set looks at scores. */
int allot_sample_plan_scored(const allot_strategies *set);

/* Nothing done yet; queries of other shards than r's are left to them. keys [n_queries]. */
ALLOT_MUST_CHECK allot_code allot_sample_plan_init(allot_sample_plan *p, const allot_rundir *r,
                                                   const allot_key *keys, long n_queries,
                                                   allot_err *err);
/* Leaves out a query of this shard, once. */
void allot_sample_plan_leave(allot_sample_plan *p, long q);
void allot_sample_plan_clear(allot_sample_plan *p);

allot_unit_kind allot_sample_plan_kind(const allot_sample_plan *p, int unit);
/* The unit that a record (sample, score, beam) fulfils, or -1 if it is not of this plan. */
int allot_sample_plan_unit(const allot_sample_plan *p, const allot_record *rec);
/* The unit whose text an error record is of, or -1. */
int allot_sample_plan_failed(const allot_sample_plan *p, const allot_record *rec);

/* Units of this shard. */
long allot_sample_plan_total(const allot_sample_plan *p);
long allot_sample_plan_done(const allot_sample_plan *p);

/* Units of each kind in this shard, and how many of them are done. */
typedef struct {
    long done[ALLOT_N_UNITS], total[ALLOT_N_UNITS];
} allot_sample_counts;
allot_sample_counts allot_sample_plan_count(const allot_sample_plan *p);

#endif
