/* SPDX-License-Identifier: Apache-2.0 */
/* timing_plan.h - which timings a directory needs and has. Units of one query: loads x S strategies
 * x R runs; at each load the units of a query come in a random order of their own, so that no
 * strategy always meets the server warm or late. */
#ifndef ALLOT_TIMING_PLAN_H
#define ALLOT_TIMING_PLAN_H
#include "lib/store/record.h"
#include "lib/store/rundir.h"
#include "collect/unitmap.h"

typedef struct {
    const allot_rundir *manifest; /* borrowed: strategies, loads, runs, seed */
    int per_load;                 /* units of one query at one load, S x R */
    allot_unitmap map;            /* done */
    allot_unitmap failed;         /* failed once; what is done by now does not count any more */
} allot_timing_plan;

ALLOT_MUST_CHECK allot_code allot_timing_plan_init(allot_timing_plan *p, const allot_rundir *r,
                                                   long n_queries, allot_err *err);
void allot_timing_plan_clear(allot_timing_plan *p);

int allot_timing_plan_load(const allot_timing_plan *p, int unit);     /* index of its load */
int allot_timing_plan_strategy(const allot_timing_plan *p, int unit); /* index of its strategy */
int allot_timing_plan_run(const allot_timing_plan *p, int unit);
/* The unit that a timed record fulfils, or that an error is of; -1 if it is not of this plan. */
int allot_timing_plan_unit(const allot_timing_plan *p, const allot_record *rec);

int allot_timing_plan_is_failed(const allot_timing_plan *p, long q, int unit);
/* Units of a load: not done; failed and not done since. */
long allot_timing_plan_left(const allot_timing_plan *p, int load_index);
long allot_timing_plan_n_failed(const allot_timing_plan *p, int load_index);

/* The units of a query at one load in the order in which they are timed: out[per_load]; scratch
 * [per_load]. A function of seed, query and load alone. */
void allot_timing_plan_order(const allot_timing_plan *p, const allot_key *query, int load_index,
                             int *scratch, int *out);
#endif
