/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - searches guided by a process reward model, which grow texts step by step. Each round:
 * every branch grows by one step, in parallel; the complete ones (end of sequence, length, an empty
 * step) leave and are finished; all are scored in one go; the rule of the method says which go on.
 * Over when N are finished, when no branch is left, or after D rounds, the last of which has no
 * stop string. A new method is one rule, in a file of its own, and its row in search.c. */
#ifndef ALLOT_SEARCH_H
#define ALLOT_SEARCH_H
#include "lib/core/buf.h"
#include "lib/engine/job.h"

typedef struct {
    allot_job *job; /* the way from an answer back to its branch */
    int live;       /* grows in this round */
    allot_buf text; /* completion so far */
    long n_tokens;  /* along its own path */
    double *scores; /* owned [n_scores], of text */
    int n_scores, truncated;
    int complete;
    allot_finish finish; /* when complete... */
    int cut;             /* ...by the server's context, before its last step had all its tokens */
} allot_branch;

typedef struct {
    const char *name; /* for messages: "beam search" */
    /* After a round: at [N], of which those that are live were scored and are not complete, the
     * others are empty. Makes those live that grow in the next round, none if it is over. */
    allot_code (*next)(const allot_strategy *s, allot_branch *at, allot_err *err);
} allot_search_rule;

/* NULL for methods that do not search. */
const allot_search_rule *allot_search_rule_of(allot_method m);

extern const allot_search_rule allot_search_beam, allot_search_dvts;

/* For rules: a branch's score; `from` goes to `to` and is empty; `to` becomes live with the text of
 * `from`; b is empty. */
double allot_branch_score(const allot_branch *b, allot_agg agg);
void allot_branch_move(allot_branch *to, allot_branch *from);
ALLOT_MUST_CHECK allot_code allot_branch_copy(allot_branch *to, const allot_branch *from,
                                              allot_err *err);
void allot_branch_clear(allot_branch *b);
#endif
