/* SPDX-License-Identifier: Apache-2.0 */
/* timingstatus.h - how far a timing directory is, and which timings fail, read from its journal;
 * safe while it is being written. */
#ifndef ALLOT_TIMINGSTATUS_H
#define ALLOT_TIMINGSTATUS_H
#include <cjson/cJSON.h>
#include "collect/records.h"
#include "collect/timing_plan.h"
#include "collect/timing_rule.h"

typedef struct {
    char *message; /* owned: of the last try; NULL = it did not fail, or is done since */
    int n_tries;
} allot_timing_failure;

typedef struct {
    allot_runfiles files;
    allot_timing_plan plan;
    allot_timing_rule rule;
    long n_tokens;
    allot_timing_failure *failures; /* owned [queries, units] */
} allot_timingstatus;

ALLOT_MUST_CHECK allot_code allot_timingstatus_read(const char *dir, allot_timingstatus *s,
                                                    allot_err *err);
void allot_timingstatus_clear(allot_timingstatus *s);
/* The caller deletes it. */
cJSON *allot_timingstatus_json(const allot_timingstatus *s, const char *dir);
void allot_timingstatus_print(const allot_timingstatus *s, const char *dir);
#endif
