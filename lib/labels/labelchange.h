/* SPDX-License-Identifier: Apache-2.0 */
/* labelchange.h - what labelling a run again changed: other grading rules, more samples, another
 * reference. Cells are compared by key and strategy. */
#ifndef ALLOT_LABELCHANGE_H
#define ALLOT_LABELCHANGE_H
#include <cjson/cJSON.h>
#include "lib/store/outcomes.h"

/* {"queries_gone", "queries_new", "strategies": [{"strategy", "cells" in both, "changed" labels,
 * "largest" change, "before", "after": mean labels of the cells in both}]}; the caller deletes it.
 * NULL when out of memory (err). */
cJSON *allot_label_change(const allot_outcomes *before, const allot_outcomes *after,
                          allot_err *err);
void allot_label_change_print(const cJSON *o);
#endif
