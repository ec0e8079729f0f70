/* SPDX-License-Identifier: Apache-2.0 */
/* cuts.h - texts that the server's context cut: they ended for length with fewer tokens than they
 * were allowed. They are no answers of the model, and would be graded wrong without a word. A
 * sample tells by its tokens, a finished beam by a mark (its last step's tokens are not kept). */
#ifndef ALLOT_CUTS_H
#define ALLOT_CUTS_H
#include <cjson/cJSON.h>
#include "lib/store/record.h"

#define ALLOT_CUTS_MIN_TEXTS 100 /* of a run that goes on, before their share is looked at */

typedef struct {
    long max_tokens; /* of a sample; 0 = not known */
    long least;      /* tokens of a sample that reached it, however its server counts */
    long n_texts;    /* samples and finished beams */
    long n_cut;
} allot_cuts;

/* What the run's settings say of its limit; keeps what was counted. NULL: not known. */
void allot_cuts_settings(allot_cuts *c, const cJSON *fingerprint);
/* A record with its texts noted (allot_record_texts), each unit once. */
void allot_cuts_add(allot_cuts *c, const allot_record *rec);
/* Above 1 % of the texts; at_end: however few they are. */
int allot_cuts_alarm(const allot_cuts *c, int at_end);
/* How many there are, why, and what mends it: for people, without a line break. out[n]. */
void allot_cuts_tell(const allot_cuts *c, const char *dir, char *out, size_t n);
#endif
