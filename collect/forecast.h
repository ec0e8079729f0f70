/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.h - what the rest of a run will take: requests, tokens, seconds, money. Known from the
 * records that the run has already (a pilot), else from a cost table of other queries. */
#ifndef ALLOT_FORECAST_H
#define ALLOT_FORECAST_H
#include "core/costsfile.h"
#include "sample_plan.h"

/* Sums over records of one kind of unit, or of one beam search. */
typedef struct {
    long n;
    double tokens, prompt_tokens, prm_tokens, rounds;
} allot_tally_row;

typedef struct {
    allot_tally_row sample, score;
    allot_tally_row *beams; /* owned [B] */
    double active_s;        /* time in which records came */
    double last_start_s, tokens;
} allot_tally;

ALLOT_MUST_CHECK allot_code allot_tally_init(allot_tally *t, const allot_sample_plan *p,
                                             allot_err *err);
void allot_tally_clear(allot_tally *t);
/* Counts a record of a unit of the plan. */
void allot_tally_add(allot_tally *t, const allot_sample_plan *p, const allot_record *rec);

typedef struct {
    double per_token, per_prompt_token, per_second; /* money; 0 = nothing */
} allot_prices;

typedef struct {
    allot_sample_counts units;
    double requests;      /* at most, retries aside */
    double tokens;        /* generated; NaN if unknown, as the rest */
    double prompt_tokens; /* read, those of the reward model included */
    double seconds, price;
    const char *source; /* "pilot", "costs", or NULL: no token is known */
} allot_forecast;

/* costs may be NULL. Warns of what it does not know. */
allot_forecast allot_forecast_make(const allot_sample_plan *p, const allot_tally *t,
                                   const allot_costsfile *costs, const allot_prices *prices);
#endif
