/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.h - what the rest of a run will take: requests, tokens, seconds, money. Known from the
 * records that the run has already (a pilot), else from a cost table of other queries.
 * Error bars are where 9 of 10 outcomes lie, if the queries seen are a random choice: from the
 * variance between queries, for a finite number of them. Of seconds the bar also holds two doubts:
 * what ran while fewer requests were in flight than the run will have may be as slow among more, or
 * as if it had its share of the servers anyway; and the run's own start and end, when fewer are in
 * flight, may cost as much as they did so far, or nothing. That the servers are as fast then as
 * they are now is taken for granted. */
#ifndef ALLOT_FORECAST_H
#define ALLOT_FORECAST_H
#include "lib/store/costsfile.h"
#include "collect/tally.h"

typedef struct {
    double per_token, per_prompt_token, per_second; /* money; 0 = nothing */
} allot_prices;

typedef struct {
    double mid, low, high; /* NaN: unknown; low and high: no error bar */
} allot_estimate;

typedef struct {
    allot_sample_counts units;
    double requests;              /* at most, retries aside */
    allot_estimate tokens;        /* generated */
    allot_estimate prompt_tokens; /* read, those of the reward model included */
    allot_estimate seconds, price;
    long n_queries;     /* seen */
    const char *source; /* "pilot", "costs", or NULL: no token is known */
} allot_forecast;

/* t: shared out; of the plan. costs may be NULL. Warns of what it does not know. */
ALLOT_MUST_CHECK allot_code allot_forecast_make(const allot_tally *t, const allot_costsfile *costs,
                                                const allot_prices *prices, allot_forecast *f,
                                                allot_err *err);
#endif
