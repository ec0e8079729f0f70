/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - fills a run directory: pool samples, their reward-model scores and beam searches of
 * every query, from a server, in any order of completion. What is in the journal is never asked for
 * again, so that a run can be killed at any moment and goes on, or be extended, by the same call.
 * Source: arXiv:2509.09864, section 3 (data collection). */
#ifndef ALLOT_SAMPLE_H
#define ALLOT_SAMPLE_H
#include "lib/labels/cuts.h"
#include "lib/engine/engine.h"
#include "collect/forecast.h"
#include "collect/queries.h"
#include "collect/sample_plan.h"

typedef struct {
    allot_query_choice queries;
    const char *strategies;     /* strategies.json; required */
    const char *output;         /* run directory; required */
    int pool;                   /* M; 0 = 2 x the largest N */
    int runs;                   /* R of each beam search, >= 1 */
    int shard, n_shards;        /* work on this part of the queries only; 0 of 0 = all */
    allot_engine_config engine; /* engine.seed is the run's seed */
    int allow_cuts;             /* go on where the server's context cuts over 1 % of the texts */
    int dry_run;                /* only foretell what the run takes, see forecast.h */
    long pilot;                 /* dry run: sample so many random queries first, among others that
                                   keep the server as busy as the run will; 0 = none */
    const char *costs;          /* dry run: costs.json, where records do not tell; may be NULL */
    allot_prices prices;        /* dry run */
} allot_sample_config;

typedef struct {
    long n_queries;
    allot_sample_counts units; /* of the run, earlier sessions included */
    long n_errors;             /* error records of this session */
    long n_failed_queries;     /* with something missing at the end */
    allot_cuts cuts;           /* texts, and those cut by the server's context, of the run */
    long n_compared;           /* queries with several long texts, earlier sessions included, ... */
    long n_identical;          /* ... and those whose texts are all the same, see duplicates.h */
    long n_tokens;             /* generated in this session */
    long n_requests;           /* of this session, retries included */
    double seconds;            /* of this session */
    long n_pilot;              /* queries of the pilot */
    allot_forecast forecast;   /* of a dry run */
} allot_sample_result;

void allot_sample_defaults(allot_sample_config *c);
ALLOT_MUST_CHECK allot_code allot_sample_check(const allot_sample_config *c, allot_err *err);
/* Fails with ALLOT_EPARTIAL when single requests failed: *result is then filled as well. */
ALLOT_MUST_CHECK allot_code allot_sample_run(const allot_sample_config *c,
                                             allot_sample_result *result, allot_err *err);
#endif
