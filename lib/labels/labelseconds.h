/* SPDX-License-Identifier: Apache-2.0 */
/* labelseconds.h - the seconds of outcomes, from a timing directory. */
#ifndef ALLOT_LABELSECONDS_H
#define ALLOT_LABELSECONDS_H
#include "lib/labels/label.h"

/* Fills seconds and seconds_kind of all cells that can be known; expects tokens to be filled.
 * longest [Q,S]: expected tokens of the longest sample. Refuses a timing of another fingerprint. */
ALLOT_MUST_CHECK allot_code allot_label_seconds(const allot_label_settings *s, const float *longest,
                                                allot_outcomes *out, allot_label_summary *summary,
                                                allot_err *err);
#endif
