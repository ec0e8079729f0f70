/* SPDX-License-Identifier: Apache-2.0 */
/* servermetrics.h - what /metrics tells, under vLLM's names. One set for each model. */
#ifndef ALLOT_SERVERMETRICS_H
#define ALLOT_SERVERMETRICS_H
#include <pthread.h>
#include <stdint.h>
#include "lib/core/buf.h"
#include "demo/sequence.h"

#define ALLOT_METRIC_BUCKETS 16

typedef struct {
    uint64_t counts[ALLOT_METRIC_BUCKETS + 1]; /* not cumulative; the last is +Inf */
    double sum;                                /* seconds */
} allot_histogram;

typedef struct {
    pthread_mutex_t lock;
    const char *model_name; /* borrowed */
    int running, waiting;
    double kv_usage; /* share of the cache's blocks held by running sequences */
    uint64_t cache_queries, cache_hits, preemptions;
    uint64_t prompt_tokens, generated_tokens;
    uint64_t finished[4]; /* by allot_seq_end */
    uint64_t steps, rows; /* decoding steps and the rows in them */
    allot_histogram first_token, latency;
} allot_metrics;

void allot_metrics_init(allot_metrics *m, const char *model_name);
void allot_metrics_clear(allot_metrics *m);
/* A sequence has ended at time now. */
void allot_metrics_finish(allot_metrics *m, const allot_seq *s, double now);
/* All sets in Prometheus's text form. */
void allot_metrics_print(allot_metrics *const *sets, int n, allot_buf *out);
#endif
