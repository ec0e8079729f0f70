/* SPDX-License-Identifier: Apache-2.0 */
/* beam: of the finished beams the best, or the majority of the first N. */
#include "lib/methods/methods.h"

const allot_method_rule allot_rule_beam = {allot_pick_search, NULL, ALLOT_VOTE_BEST};
