/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - one step of the engine for one model: which tokens of which sequences are computed, in
 * which cache blocks, and what became of them. Used by the engine's thread only. */
#ifndef ALLOT_BATCH_H
#define ALLOT_BATCH_H
#include "demo/kvcache.h"
#include "demo/scheduler.h"

#define ALLOT_STEP_ROWS 1024   /* most rows of a model in a step: its running sequences */
#define ALLOT_READING_ROWS 512 /* no more prompt tokens are read once a step has this many rows */

/* A model with its sequences. */
typedef struct {
    allot_served *served;
    allot_kv kv;
    allot_seq *waiting, *last_waiting; /* first come, first served */
    int n_waiting;
    allot_seq **running; /* owned [max_running]; in the order of admission */
    int n_running, max_running;
    int rows_now; /* rows of the current step */
    allot_row rows[ALLOT_STEP_ROWS];
    allot_seq *row_seq[ALLOT_STEP_ROWS];
    int row_score[ALLOT_STEP_ROWS]; /* index of the scores this row yields */
    int planned[ALLOT_STEP_ROWS];   /* first rows of the chunks in this step */
    int n_planned;
} allot_lane;

ALLOT_MUST_CHECK allot_code allot_lane_init(allot_lane *l, allot_served *served, int max_running,
                                            int kv_cache_mib, allot_err *err);
void allot_lane_clear(allot_lane *l);
void allot_lane_queue(allot_lane *l, allot_seq *s);
/* Admits waiting sequences and lays out the rows of the next step. */
void allot_lane_plan(allot_lane *l, uint64_t step);
/* Computes a tile: rows [first, first + n) of the step. Any thread. */
void allot_lane_compute(allot_lane *l, int first, int n, allot_scratch *scratch);
/* Takes the results of the step to the sequences and reports progress. */
void allot_lane_finish_step(allot_lane *l);
/* Ends everything. */
void allot_lane_abort(allot_lane *l);
#endif
