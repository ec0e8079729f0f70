/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/labels/labelflat.h"
#include "lib/core/log.h"
#include <string.h>

/* Cells of a strategy from which its labels are worth a word: all wrong, all right. */
static const long LEAST[2] = {5, 20};

int allot_label_flat(const allot_outcomes *o, int strategy, long *n)
{
    long count = 0, of[2] = {0, 0};
    for (long cell = 0; cell < o->n * o->strategies.count; cell++) {
        if ((strategy >= 0 && cell % o->strategies.count != strategy) || !o->n_trials[cell])
            continue;
        count++;
        of[0] += o->accuracy[cell] == 0;
        of[1] += o->accuracy[cell] == 1;
    }
    if (n) *n = count;
    return count == 0 ? -1 : of[0] == count ? 0 : of[1] == count ? 1 : -1;
}

/* The row of examples for this strategy of the table. */
static int example_row(const allot_graded *g, const allot_strategy *s)
{
    char wanted[ALLOT_STRATEGY_TEXT], text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(s, wanted);
    for (int i = 0; i < g->set->count; i++) {
        allot_strategy_print(&g->set->at[i], text);
        if (strcmp(text, wanted) == 0 && g->search_of[i] >= 0) return i;
    }
    return g->set->count;
}

static void show(const allot_graded *g, const allot_strategy *s, int right)
{
    const char *text = g->examples[2 * example_row(g, s) + right];
    if (text) allot_log_warn("for example: %s", text);
}

#define WHAT_TO_CHECK                                                                              \
    "check the prompts of 'allot-collect sample' (--prompt-template, --system-prompt), how "       \
    "answers "                                                                                     \
    "are read (--extract here; --answers FILE shows all), and the reference answers"

void allot_label_flat_warn(const allot_outcomes *o, const allot_graded *g)
{
    long n;
    int flat = allot_label_flat(o, -1, &n);
    if (flat >= 0) {
        allot_log_warn("ALL LABELS ARE %d: on %ld queries %s, and nothing can be "
                       "learned from that (" WHAT_TO_CHECK ")",
                       flat, o->n,
                       flat ? "every strategy is always right" : "no strategy is ever right");
        show(g, &o->strategies.at[0], flat);
    }
    for (int s = 0; flat < 0 && s < o->strategies.count; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        int one = allot_label_flat(o, s, &n);
        if (one < 0 || n < LEAST[one]) continue;
        allot_strategy_print(&o->strategies.at[s], text);
        allot_log_warn(
            "all labels of '%s' are %d, on %ld queries, those of others are not (if that "
            "is not plausible, " WHAT_TO_CHECK ")",
            text, one, n);
        show(g, &o->strategies.at[s], one);
    }
}
