/* SPDX-License-Identifier: Apache-2.0 */
/* outdir.h - the directory that 'sample' or 'time' fills: opened or created, locked, checked
 * against what is wanted now, and extended. A run only grows: more queries, samples, runs, loads
 * and strategies are taken in, anything that would mix different answers is refused. */
#ifndef ALLOT_OUTDIR_H
#define ALLOT_OUTDIR_H
#include "lib/store/journal.h"
#include "lib/store/rundir.h"
#include "collect/queries.h"

typedef struct {
    const char *dir;       /* borrowed */
    allot_rundir manifest; /* what is wanted now; the fingerprint comes with allot_outdir_settle */
    allot_problems problems; /* of the run, without solutions */
    allot_keyindex index;    /* of problems.keys */
    unsigned char *asked;    /* owned [problems.n]: the queries that are chosen now */
    char *journal_path;      /* owned */
    allot_journal *journal;  /* owned, locked while open */
    char cfg[17];  /* the run's (allot_rundir_cfg), carried by every record; "" in a new run until
                      it is settled */
    cJSON *before; /* owned: fingerprint that the run was made with; NULL = a new run */
    int settled;
} allot_outdir;

/* Creates dir or opens it, reads and checks what is in it. `wanted` is what this command line asks
 * for, without fingerprint and hardware, which only the server knows; its strategies, pool, runs
 * and loads may be more than the directory has, not less. On success o->manifest is `wanted` (which
 * is left zeroed). Nothing of the run is changed yet. */
ALLOT_MUST_CHECK allot_code allot_outdir_open(allot_outdir *o, const char *dir,
                                              allot_rundir *wanted, const allot_query_choice *c,
                                              allot_err *err);
/* Refuses settings that the run was not made with, else writes queries and manifest. Takes both
 * objects in any case. */
ALLOT_MUST_CHECK allot_code allot_outdir_settle(allot_outdir *o, cJSON *fingerprint,
                                                cJSON *hardware, allot_err *err);
/* Syncs and closes the journal, frees everything; of a directory in which nothing was begun nothing
 * is left behind. Safe on zero. */
ALLOT_MUST_CHECK allot_code allot_outdir_close(allot_outdir *o, allot_err *err);

/* Refuses a wanted manifest that `have` cannot grow into, naming the first difference; fingerprint
 * and hardware aside. */
ALLOT_MUST_CHECK allot_code allot_outdir_agree(const allot_rundir *have, const allot_rundir *wanted,
                                               const char *dir, allot_err *err);

/* This process's command line, quoted for a shell; the caller frees. */
char *allot_outdir_command(void);
#endif
