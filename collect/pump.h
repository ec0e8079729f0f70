/* SPDX-License-Identifier: Apache-2.0 */
/* pump.h - what sampling and timing share while they run: jobs in flight on the engine, their
 * records going into the journal, counts, progress, and the reasons to stop early. One thread. */
#ifndef ALLOT_PUMP_H
#define ALLOT_PUMP_H
#include "lib/core/buf.h"
#include "lib/core/progress.h"
#include "lib/engine/engine.h"
#include "collect/outdir.h"
#include "collect/serverload.h"

/* After so many failures in a row the server is asked whether it is there at all. */
#define ALLOT_PUMP_MAX_FAILURES 20

typedef struct allot_task {
    struct allot_task *prev, *next; /* in the pump's list */
    void *owner;                    /* the sampler or timer, for callbacks */
    allot_query query;              /* borrows from the run's problems */
    long q;                         /* row of the query in the run */
    int unit;                       /* unit of the query, see the plans */
    int try;                        /* timing: tries before this one */
    int load;                       /* timing: index of the load */
    int filler;                     /* timing: holds the load up, is not recorded */
    int foreign;                    /* timing: the server had other load at the start */
    double processor_s;             /* timing: of this process, at the start */
    allot_record kept;              /* sampling: the sample whose text is being scored */
    struct allot_task *waiting;     /* next in the owner's queue */
} allot_task;

typedef struct {
    allot_outdir *out;       /* borrowed */
    allot_engine *engine;    /* owned */
    allot_serverload server; /* owned */
    allot_task *jobs;        /* owned list: started, or in the owner's queue */
    long n_jobs;
    double max_outage_s; /* the engine's */
    int closing;         /* callbacks only clean up */
    allot_progress progress;
    double started_s;
    long requests_before; /* of the engine, when the clock was started */
    long done;            /* units, those of earlier runs included */
    long n_errors;        /* error records of this run */
    long n_tokens;        /* generated in this run */
    int n_failures;       /* since the last success, or sign of life */
    char last_failure[300];
    allot_buf line;
    allot_err stop; /* why to stop; code 0 = go on */
} allot_pump;

/* Connects. out (opened before the first job) and the strings of c are borrowed. */
ALLOT_MUST_CHECK allot_code allot_pump_open(allot_pump *p, allot_outdir *out,
                                            const allot_engine_config *c, allot_err *err);
/* Asks whether the reward model can be trusted (allot_engine_check_prm) and notes it in the
 * manifest, which is settled afterwards. scored_before: the run has scores of earlier sessions. */
ALLOT_MUST_CHECK allot_code allot_pump_check_prm(allot_pump *p, int scored_before, allot_err *err);
/* Starts the clock and the progress line. */
void allot_pump_progress(allot_pump *p, const char *what, long done, long total);
/* Frees engine and jobs; safe on zero. */
void allot_pump_clear(allot_pump *p);

/* A new job for query q, in the list. NULL when out of memory (p->stop says so). */
allot_task *allot_pump_task(allot_pump *p, void *owner, long q, int unit);
/* Takes the job out of the list and frees it. */
void allot_pump_end_task(allot_pump *p, allot_task *job);

/* Journals a record, notes its texts (allot_record_texts) and counts it as a unit done, or as an
 * error. A failure to write stops the pump. */
void allot_pump_record(allot_pump *p, allot_record *rec);
/* Notes the first reason to stop. */
void allot_pump_stop(allot_pump *p, const allot_err *why);
/* Waits for events once. Returns the reason to stop: interrupted, server gone, disk full, ... */
ALLOT_MUST_CHECK allot_code allot_pump_turn(allot_pump *p, allot_err *err);
/* Ends the progress line and syncs the journal. */
ALLOT_MUST_CHECK allot_code allot_pump_finish(allot_pump *p, allot_err *err);

#endif
