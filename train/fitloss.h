/* SPDX-License-Identifier: Apache-2.0 */
/* fitloss.h - how good are logits on a split, and what was learned: the probe against baselines
 * that know less. */
#ifndef ALLOT_FITLOSS_H
#define ALLOT_FITLOSS_H
#include "train/fit.h"

/* Mean cross-entropy of the cells that are not missing; logits [Q][S]. */
double allot_fit_log_loss(const allot_cells *c, const float *logits);

/* All of allot_fit_losses for logits [Q][S] of the validation cells. */
ALLOT_MUST_CHECK allot_code allot_fit_losses_of(const allot_cells *train,
                                                const allot_cells *validation, const float *logits,
                                                allot_fit_losses *out, allot_err *err);
#endif
