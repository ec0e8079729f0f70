/* SPDX-License-Identifier: Apache-2.0 */
/* methods.h - what each decoding method means: a row each, made in a file each (method_NAME.c).
 * What is mere data of a method stands in liballot/strategy.c; how it is run, in lib/engine. */
#ifndef ALLOT_METHODS_H
#define ALLOT_METHODS_H
#include "lib/methods/pick.h"
#include "lib/methods/softlabel.h"

typedef struct {
    /* Which candidate is the answer; see allot_pick. */
    int (*pick)(const allot_strategy *s, const allot_generation *gen, int n_gen,
                const allot_grade_options *o);
    /* Pooled methods: accuracy, and variance where pool->n > s->n, of s->n >= 2 samples; see
     * allot_soft_pool. NULL: the label of a search is the share of its runs that are right. */
    allot_code (*expect)(allot_soft *w, const allot_pool *pool, const allot_strategy *s,
                         const allot_soft_stream *stream, allot_soft_label *out, allot_err *err);
    allot_vote vote; /* the paper's label, unless `final` says otherwise */
} allot_method_rule;

/* Has neither pick nor expect for a method that is measured elsewhere. */
const allot_method_rule *allot_method_rule_of(allot_method m);

/* How the paper's label chooses among the candidates of s. */
allot_vote allot_method_vote(const allot_strategy *s);

extern const allot_method_rule allot_rule_single, allot_rule_majority, allot_rule_bon,
    allot_rule_weighted, allot_rule_beam, allot_rule_dvts;
#endif
