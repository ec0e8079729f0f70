/* SPDX-License-Identifier: Apache-2.0 */
/* timing.h - times whole strategies as a user would run them: at declared loads (strategies in
 * flight), interleaved in random order, after warm-up, with a cold prefix cache for each, on a
 * server that should have no other load (its metrics are read to see). A retried request spoils its
 * timing, which is then done again. The load is held up by unrecorded strategies while the last
 * recorded ones finish.
 * Source: arXiv:2509.09864, section 2.3 (one query in flight); loads and flags are ours. */
#ifndef ALLOT_TIMING_H
#define ALLOT_TIMING_H
#include "lib/engine/engine.h"
#include "collect/queries.h"
#include "collect/timing_plan.h"

typedef struct {
    allot_query_choice queries;
    const char *strategies; /* strategies.json; required */
    const char *output;     /* timing directory; required */
    int loads[16];          /* strategies in flight, each >= 1 */
    int n_loads;
    int runs;                   /* timings of each (query, strategy, load), >= 1 */
    double precision;           /* stop a load when the standard error of every strategy's mean
                                   seconds is below this share of it; 0 = time all queries */
    int num_warmups;            /* unrecorded strategies before each load */
    const char *hardware;       /* description; NULL = this machine's processor */
    allot_engine_config engine; /* max_concurrency is raised to hold the largest load */
} allot_timing_config;

typedef struct {
    double error; /* largest standard error over mean seconds; INFINITY with few queries,
                            NaN if all failed */
    char least_precise[ALLOT_STRATEGY_TEXT]; /* whose error it is */
    double client_share; /* this program's own part of the strategies' seconds; NaN if unknown */
    long left;           /* timings not done, wanted or not */
} allot_timing_load;

typedef struct {
    long n_queries;
    long done, total;            /* timings of the directory, the most that it can have */
    long n_failed;               /* and not done since, in earlier sessions neither */
    allot_timing_load loads[16]; /* in the order of the directory's loads */
    long n_errors;               /* of this session, as the rest */
    long n_again;                /* spoiled by a retry and done again */
    long n_foreign;              /* timed while the server had other load */
    int foreign_known;           /* the server's metrics could be read */
    long n_tokens;
    double ttft_s; /* sum over the timings that tell the time to a first piece... */
    long n_ttft;   /* ...which are so many */
    double seconds;
    double client_share; /* processor seconds of this process per second of the session */
} allot_timing_result;

/* Load 1, one run, 4 warm-ups, at most 400 queries at random, until 5 % are reached. */
void allot_timing_defaults(allot_timing_config *c);
ALLOT_MUST_CHECK allot_code allot_timing_check(const allot_timing_config *c, allot_err *err);
/* Fails with ALLOT_EPARTIAL when single timings failed: *result is then filled as well. */
ALLOT_MUST_CHECK allot_code allot_timing_run(const allot_timing_config *c,
                                             allot_timing_result *result, allot_err *err);
#endif
