/* SPDX-License-Identifier: Apache-2.0 */
/* dvts: of the finished texts of all subtrees the best, or the majority of the first N. */
#include "lib/methods/methods.h"

const allot_method_rule allot_rule_dvts = {allot_pick_search, NULL, ALLOT_VOTE_BEST};
