/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.h - continuous batching: one engine thread runs steps, in each of which every running
 * sequence of every model gets one token further, or a chunk of its prompt read. New sequences join
 * between steps. The rows of a step are cut into tiles that the worker threads share. */
#ifndef ALLOT_SCHEDULER_H
#define ALLOT_SCHEDULER_H
#include "demo/sequence.h"
#include "demo/servermetrics.h"
#include "demo/tokenizer.h"
#include "demo/transformer.h"

#define ALLOT_MAX_MODELS 2

typedef struct {
    int threads;      /* >= 1, the engine's own included */
    int max_num_seqs; /* running at once, of each model; 1 .. 1024 */
    int kv_cache_mib; /* of each model */
} allot_scheduler_options;

/* A served model; borrowed by the scheduler. */
typedef struct {
    const char *name;
    allot_transformer transformer;
    allot_tokenizer tokenizer;
    allot_metrics metrics;
} allot_served;

ALLOT_MUST_CHECK allot_code allot_served_load(const char *path, const char *name, allot_served *s,
                                              allot_err *err);
void allot_served_clear(allot_served *s);

typedef struct allot_scheduler allot_scheduler;

ALLOT_MUST_CHECK allot_code allot_scheduler_new(allot_served *const *models, int n_models,
                                                const allot_scheduler_options *o,
                                                allot_scheduler **out, allot_err *err);
/* Ends all sequences with ALLOT_END_ABORT and joins the engine. New ones end at once. */
void allot_scheduler_stop(allot_scheduler *s);
void allot_scheduler_free(allot_scheduler *s); /* stops first */

/* Queues n sequences for a model; they are the engine's until their end is reported. */
void allot_scheduler_submit(allot_scheduler *s, int model, allot_seq *const *seqs, int n);
/* Forgets all cached prefixes, before the next step. */
void allot_scheduler_reset_cache(allot_scheduler *s);
#endif
