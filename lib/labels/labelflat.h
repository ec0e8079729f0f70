/* SPDX-License-Identifier: Apache-2.0 */
/* labelflat.h - labels that are all 0, or all 1: seldom the model's doing, mostly a wrong chat
 * template or answers that are not read. */
#ifndef ALLOT_LABELFLAT_H
#define ALLOT_LABELFLAT_H
#include "lib/store/outcomes.h"
#include "lib/labels/graded.h"

/* 0 or 1 if all labels of a strategy (-1: of the table) are that; else -1. *n (may be NULL): how
 * many cells are there. */
int allot_label_flat(const allot_outcomes *o, int strategy, long *n);
/* Warns of the table, else of strategies that differ from the others so, with a text that shows it;
 * few queries may well be alike. g: of which o was made, maybe with fewer queries, strategies. */
void allot_label_flat_warn(const allot_outcomes *o, const allot_graded *g);
#endif
