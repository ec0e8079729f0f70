/* SPDX-License-Identifier: Apache-2.0 */
/* rundir.h - a run directory: manifest.json, problems.h5 (the queries of this run), journal.jsonl.
 * run/ (schema allot-run) holds raw generations; timing/ (schema allot-timing) holds timed whole
 * strategies. */
#ifndef ALLOT_RUNDIR_H
#define ALLOT_RUNDIR_H
#include <cjson/cJSON.h>
#include "liballot/strategy.h"
#include "lib/store/querykey.h"

#define ALLOT_RUN_SCHEMA "allot-run"
#define ALLOT_TIMING_SCHEMA "allot-timing"
#define ALLOT_MAX_SHARDS 100000

typedef struct {
    const char *schema; /* one of the two above */
    allot_strategies strategies;
    int pool;            /* samples per query, M */
    int runs;            /* repeated runs of each beam strategy (or timing), R */
    int scored;          /* pool samples are scored by a reward model */
    int judged;          /* imported samples, judged where they were drawn: not graded */
    int imported;        /* samples drawn elsewhere, whose seconds may be what they say;
                            ours are drawn many at once */
    int prm_checked;     /* whenever something was scored, the reward model had been seen to
                            score a text alone as among others (lib/engine/prmprobe.h) */
    int shard, n_shards; /* 1..n_shards: the part of the queries that this run works on, see
                            allot_rundir_has; 0 of 0 = all */
    long seed;
    int loads[16]; /* timing: declared loads */
    int n_loads;
    cJSON *fingerprint; /* owned */
    char cfg[17];       /* what its records carry, see allot_rundir_cfg; "" = not told */
    cJSON *hardware;    /* owned: {"hardware": text, "server": {...}}; never refused */
} allot_rundir;

/* dir/name; the caller frees. */
char *allot_rundir_path(const char *dir, const char *name, allot_err *err);
/* Refuses a directory of another schema; NULL = either, out->schema tells. */
ALLOT_MUST_CHECK allot_code allot_rundir_load(const char *dir, const char *schema,
                                              allot_rundir *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_rundir_save(const char *dir, const allot_rundir *r,
                                              allot_err *err);
void allot_rundir_clear(allot_rundir *r);
/* The id that every record of the run carries: a run keeps the one that it began with, which is its
 * fingerprint's, or, in a run of before grading was apart, that of the fingerprint with grader. */
void allot_rundir_cfg(const allot_rundir *r, char out[17]);
/* 1 if the run works on this query: its key's hash modulo the number of shards says in which of
 * them a query is, so that it stays there whatever other queries there are. */
int allot_rundir_has(const allot_rundir *r, const allot_key *key);
#endif
