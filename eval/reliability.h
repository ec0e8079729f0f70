/* SPDX-License-Identifier: Apache-2.0 */
/* reliability.h - is a predicted 0.7 right 70 % of the time? Log loss, Brier, AUC and ECE on the
 * test cells, before and after Platt scaling, and beside each ECE what a perfectly calibrated model
 * would show on the same cells (labels drawn from its predictions with n_eff trials each): with few
 * queries even that one has an ECE above 0. */
#ifndef ALLOT_RELIABILITY_H
#define ALLOT_RELIABILITY_H
#include <cjson/cJSON.h>
#include "lib/core/buf.h"
#include "eval/evaldata.h"

ALLOT_MUST_CHECK allot_code allot_reliability_json(const allot_evaldata *d, long seed, cJSON **out,
                                                   allot_err *err);
/* kind ("calibrated" or "raw"),bin,predicted,observed,cells: 15 equal-mass bins. */
ALLOT_MUST_CHECK allot_code allot_reliability_csv(const allot_evaldata *d, allot_buf *out,
                                                  allot_err *err);
/* Two lines for people, from the JSON. */
void allot_reliability_summary(const cJSON *calibration, allot_buf *out);
#endif
