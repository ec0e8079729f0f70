/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - the input of the probe: query part [D + 1] and strategy part [P], kept apart.
 *
 * The probe's first layer is  h = W_q q + W_s f + b,  q once per query, f once per strategy.
 * Query part:    embedding [D] (standardised unless paper layout), then the length feature:
 *                log(1 + code points), or the plain number of characters in the paper layout.
 * Strategy part: log2 max(1, .) of N, M, D (plain numbers in the paper layout), then a one-hot over
 *                methods (default: single, majority, bon, weighted, beam; paper: beam, majority,
 *                bon, weighted; behind these, those that came later and occur in the set), then a
 *                one-hot over the named strategies of the set, if any, then one 0/1 for each option
 * (agg min, prod, mean; final vote) that occurs in the set. Source: arXiv:2509.09864, appendix A.1.
 */
#ifndef ALLOT_FEATURES_H
#define ALLOT_FEATURES_H
#include <stddef.h>
#include "strategy.h"

typedef enum { ALLOT_FEATURES_DEFAULT = 1, ALLOT_FEATURES_PAPER = 2 } allot_feature_layout;

/* Unicode code points of n bytes of UTF-8 (invalid bytes count one each). */
size_t allot_features_codepoints(const char *text, size_t n);

/* The length feature of a query of so many code points. */
float allot_features_length(allot_feature_layout layout, size_t codepoints);

/* Numbers in the strategy part for this set. */
int allot_features_strategy_dim(allot_feature_layout layout, const allot_strategies *set);

/* Has the method a place for every set? Of others, features and calibrations speak only where a set
 * uses them, so that a method can come later and files stay as they are. */
int allot_features_always(allot_method m);

/* Fills out[S][P], row-major, S = set->count, P = allot_features_strategy_dim. The paper layout has
 * no place for some methods: refused. */
ALLOT_MUST_CHECK allot_code allot_features_strategy(allot_feature_layout layout,
                                                    const allot_strategies *set, float *out,
                                                    allot_err *err);
#endif
