/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - inside the engine: its state, and the frame of a job. A job has requests in flight and
 * moves on when the last of them has come back; it reports exactly once and is then freed. One
 * request's failure fails its job only, after its other requests came back. */
#ifndef ALLOT_JOB_H
#define ALLOT_JOB_H
#include "lib/net/endpoint.h"
#include "lib/net/http.h"
#include "lib/engine/engine.h"
#include "lib/engine/generate.h"
#include "lib/engine/prm.h"
#include "lib/engine/profile.h"
#include "lib/engine/render.h"
#include "lib/engine/scorebatch.h"

struct allot_engine {
    allot_engine_config config; /* strings are borrowed */
    allot_http *http;
    allot_endpoint server, prm_server; /* the first of each that answered, and the keys */
    allot_hosts hosts, prm_hosts;      /* where requests go */
    const allot_profile *profile;
    const allot_prm_backend *prm; /* NULL = no reward model */
    void *prm_state;              /* the backend's own */
    allot_prm_call *prm_ready;    /* calls to be delivered */
    allot_scorebatch scores;      /* calls that wait to share a request */
    char *model, *prm_model;      /* owned */
    cJSON *extra;                 /* --extra-body, or NULL */
    cJSON *about;                 /* what the server said of itself, or NULL */
    allot_renderer *renderer;     /* owned; NULL = the server's template is not asked for */
    struct allot_job *jobs;       /* all that are under way */
    long n_texts, n_redraws;      /* asked for; attempts beyond their first */
    uint64_t
        failed_draws[4096]; /* hashes of query and seed; a newer one takes the place of another */
    allot_err stop;         /* why all further requests are in vain; code 0 = they are not */
};

typedef struct allot_job {
    struct allot_job *next, **link; /* in the engine's list */
    struct allot_engine *engine;
    const allot_query *query;
    allot_strategy strategy;
    allot_done_fn done;
    void *user;
    char *salt;        /* owned; NULL = none */
    allot_record rec;  /* becomes the report */
    int timed;         /* report a record of type timed */
    int outstanding;   /* requests in flight */
    allot_err failure; /* of the first request that failed; code 0 = none */
    double ttft_s;     /* sum over the texts that tell... */
    int n_ttft;        /* ...which are so many */
    double sent_s;     /* monotonic: first byte of the job's first request; INFINITY = not yet */
    double phase_sent_s, phase_done_s;    /* of the requests since allot_job_phase */
    void *state;                          /* of the kind of job */
    void (*step)(struct allot_job *job);  /* all requests came back, none failed */
    void (*clear)(struct allot_job *job); /* frees state */
} allot_job;

/* A job without requests, in the engine's list. rec has key, source, run and the base seed. */
ALLOT_MUST_CHECK allot_code allot_job_new(allot_engine *e, const allot_query *q, const char *source,
                                          int run, allot_done_fn f, void *user, allot_job **out,
                                          allot_err *err);
/* Frees it without a report. */
void allot_job_free(allot_job *job);

/* Begins a phase (a round's generation, its scoring): its seconds are phase_done - phase_sent. */
void allot_job_phase(allot_job *job);
/* A request of the job came back; failure may be NULL. Afterwards the job may be gone. */
void allot_job_returned(allot_job *job, const allot_err *failure, int retries, double sent_s,
                        double done_s);
/* After requests were sent: if one of them could not be, the job fails when the others are back. */
void allot_job_sent(allot_job *job, allot_code rc, const allot_err *err);

/* Reports the record (type and gen are set; the answer is picked when timed) and frees the job. */
void allot_job_report(allot_job *job);

/* The seed of a request: hash(seed, key, source, run, slot, step, attempt), 31 bits. */
uint64_t allot_job_seed(const allot_job *job, int slot, int step, int attempt);
/* Those of its attempts, from the query's first one on: seeds [ALLOT_MAX_DRAWS]. */
void allot_job_seeds(const allot_job *job, int slot, int step, uint64_t *seeds);
/* What an answer says of itself goes into the record's sums. */
void allot_job_count(allot_job *job, const allot_generate_reply *reply);

/* The kinds of jobs: they send the first requests. After a failure the job is to be freed. */
ALLOT_MUST_CHECK allot_code allot_score_start(allot_job *job, const char *text, size_t n,
                                              allot_err *err);
ALLOT_MUST_CHECK allot_code allot_parallel_start(allot_job *job, int first_slot, int n,
                                                 allot_err *err);
ALLOT_MUST_CHECK allot_code allot_search_start(allot_job *job, allot_err *err);

#endif
