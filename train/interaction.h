/* SPDX-License-Identifier: Apache-2.0 */
/* interaction.h - the last step of a training: how good each strategy is on average, and how much
 * of the differences that the probe sees from query to query is worth keeping.
 *
 * The raw logits y fall into a part of the query (its mean over strategies), one of the strategy
 * and the interaction, the rest:  y = q(x) + m_s + i_s(x).  Early stopping weighs the three
 * together, and the query's part, which is worth by far the most, decides. With few queries the
 * other two are then poor: m_s has hardly moved from the random start, i_s(x) is noise, and the
 * choice falls below the best strategy for all. So
 *   - offset: each m_s anew, as the logistic intercept that makes the mean prediction q(x) + m_s
 *     equal to the mean label over the training and validation queries (and half a success and half
 * a failure at the mean query, which keeps it finite);
 *   - interaction: the k in [0, 1] of least cross-entropy of q + m_s + k i_s on the validation
 * split. With k = 0 all queries rank the strategies alike, as their mean labels do. */
#ifndef ALLOT_INTERACTION_H
#define ALLOT_INTERACTION_H
#include "train/traindata.h"

/* Sets probe->offset and probe->interaction. y_train, y_validation: raw logits [Q][S] of all cells.
 */
ALLOT_MUST_CHECK allot_code allot_interaction_fit(const allot_cells *train, const float *y_train,
                                                  const allot_cells *validation,
                                                  const float *y_validation, allot_probe *probe,
                                                  allot_err *err);
#endif
