/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what the methods mean, by method. */
#include "lib/methods/methods.h"

static const allot_method_rule elsewhere = {0};

static const allot_method_rule *const rules[ALLOT_N_METHODS] = {
    [ALLOT_SINGLE] = &allot_rule_single, [ALLOT_MAJORITY] = &allot_rule_majority,
    [ALLOT_BON] = &allot_rule_bon,       [ALLOT_WEIGHTED] = &allot_rule_weighted,
    [ALLOT_BEAM] = &allot_rule_beam,     [ALLOT_DVTS] = &allot_rule_dvts,
};

const allot_method_rule *allot_method_rule_of(allot_method m)
{
    return rules[m] ? rules[m] : &elsewhere;
}

allot_vote allot_method_vote(const allot_strategy *s)
{
    return s->final == ALLOT_FINAL_VOTE ? ALLOT_VOTE_COUNT : allot_method_rule_of(s->method)->vote;
}

int allot_pick(const allot_strategy *s, const allot_generation *gen, int n_gen,
               const allot_grade_options *o)
{
    const allot_method_rule *rule = allot_method_rule_of(s->method);
    return rule->pick ? rule->pick(s, gen, n_gen, o) : -1;
}
