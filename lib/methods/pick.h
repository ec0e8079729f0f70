/* SPDX-License-Identifier: Apache-2.0 */
/* pick.h - the answer of a strategy, given its candidates. Pure; used live and when labels are made
 * from a journal. Rules: a failed extraction is no class and gets no vote; if it has the top score
 * of best-of-N the answer is wrong (picked, but without answer). Classes are formed by canonical
 * form. Ties go to the class (or candidate) with the lowest index. No class at all: no answer. */
#ifndef ALLOT_PICK_H
#define ALLOT_PICK_H
#include "lib/store/record.h"
#include "lib/extract/extract.h"
#include "liballot/strategy.h"

/* One number from step scores [n], n >= 1. */
double allot_aggregate(const double *scores, int n, allot_agg agg);

/* Index of the picked candidate among gen[n_gen], or -1. */
int allot_pick(const allot_strategy *s, const allot_generation *gen, int n_gen,
               const allot_grade_options *o);

/* For the methods (methods.h). The candidate of the highest score; and the first of the class with
 * the largest sum of weights: of scores, or of ones. */
int allot_pick_best(const allot_strategy *s, const allot_generation *gen, int n);
int allot_pick_vote(const allot_strategy *s, const allot_generation *gen, int n, int weighted,
                    const allot_grade_options *o);
/* Of what a search has finished: the best, or the majority of the first N. */
int allot_pick_search(const allot_strategy *s, const allot_generation *gen, int n_gen,
                      const allot_grade_options *o);
#endif
