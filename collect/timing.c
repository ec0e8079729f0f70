/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the plan's timings load by load, fillers beside them, until the rule of precision is
 * content. */
#include "collect/timing.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "collect/attempts.h"
#include "lib/core/log.h"
#include "lib/core/rng.h"
#include "lib/store/strategyfile.h"
#include "lib/engine/profile.h"
#include "liballot/mem.h"
#include "collect/pump.h"
#include "collect/records.h"
#include "collect/sample_plan.h"
#include "collect/serverload.h"
#include "collect/timing_rule.h"

#define MAX_TRIES 3     /* of a timing that retries spoil */
#define ASK_EVERY_S 0.5 /* for the server's load, with several strategies in flight */
#define LAG_US 20000    /* metrics are this late at most, thrice */

enum { STREAM_QUERIES = 0x71756572 }; /* rng stream of the order of queries */

typedef struct {
    const allot_timing_config *config;
    allot_timing_result *result;
    allot_outdir out;
    allot_timing_plan plan;
    allot_attempts attempts; /* made in earlier calls */
    allot_timing_rule rule;
    allot_pump pump;
    int load_index;       /* the load being timed */
    long *queries;        /* owned [Q]: rows in the order in which they are timed */
    int *order, *scratch; /* owned [per_load]: units of query queries[order_q] */
    long order_q;
    int next_in_order;
    int only_failed;                       /* of this query: the means are known well enough */
    allot_task *first_again, **last_again; /* spoiled timings, to be done once more */
    long n_recorded;                       /* jobs in flight that will be recorded */
    int fillers_left;                      /* warm-ups still to be started */
    long n_started;                        /* makes salts and fillers differ */
    int cannot_reset;                      /* the server did not empty its cache when asked */
    int in_flight_before;                  /* requests before the last turn */
    int foreign;                           /* what the server's metrics said... */
    double asked_s;                        /* ...then */
} timer;

void allot_timing_defaults(allot_timing_config *c)
{
    *c = (allot_timing_config){
        .loads = {1}, .n_loads = 1, .runs = 1, .num_warmups = 4, .precision = 0.05};
    c->queries.limit = 400;
    c->queries.at_random = 1;
    allot_engine_defaults(&c->engine);
}

allot_code allot_timing_check(const allot_timing_config *c, allot_err *err)
{
    allot_code rc = allot_queries_check(&c->queries, err);
    if (rc) return rc;
    for (int i = 1; i < c->n_loads; i++)
        if (c->loads[i] <= c->loads[i - 1])
            return allot_fail(err, ALLOT_EUSAGE, "the loads are not in ascending order: %d, %d",
                              c->loads[i - 1], c->loads[i]);
    return allot_engine_check(&c->engine, err);
}

static int load(const timer *t)
{
    return t->out.manifest.loads[t->load_index];
}

static long n_in_flight(const timer *t)
{
    long n = t->pump.n_jobs;
    for (const allot_task *job = t->first_again; job; job = job->waiting)
        n--;
    return n;
}

/* Requests that the server has beyond ours. Its metrics may lag: requests of ours that have just
 * ended are still granted to us when other strategies run, and given time to go when none does. */
static int foreign_requests(timer *t, int alone)
{
    int own = allot_engine_in_flight(t->pump.engine), running = 0;
    if (!alone && t->in_flight_before > own) own = t->in_flight_before;
    for (int try = 0; try < (alone ? 3 : 1); try++) {
        if (try > 0) usleep(LAG_US);
        running = allot_serverload_read(&t->pump.server);
        if (running <= own) return 0;
    }
    return running - own;
}

/* 1 if the server works for others. Asking takes time, which only strategies that run alone do not
 * feel: with others in flight the last answer holds for a while. */
static int has_foreign_load(timer *t)
{
    int alone = n_in_flight(t) <= 1;
    double now = allot_clock_s();
    if (!t->result->foreign_known) return 0;
    if (alone || now - t->asked_s > ASK_EVERY_S) {
        t->foreign = foreign_requests(t, alone) > 0;
        t->asked_s = now;
    }
    return t->foreign;
}

/* A timing that needed retries holds waiting, not work: it is done again a few times, then given up
 * as an error. Returns 1 if the job goes on living. */
static int again(timer *t, allot_task *job, allot_record *rec)
{
    if (++job->try < MAX_TRIES) {
        t->result->n_again++;
        job->waiting = NULL;
        *t->last_again = job;
        t->last_again = &job->waiting;
        return 1;
    }
    allot_record error = {.type = ALLOT_REC_ERROR,
                          .key = rec->key,
                          .code = ALLOT_ESERVER,
                          .seed = rec->seed,
                          .draws = rec->draws,
                          .retries = rec->retries,
                          .t_start = rec->t_start,
                          .seconds = rec->seconds,
                          .n_tokens = rec->n_tokens};
    error.message = strdup("requests had to be retried in every try");
    allot_record_clear(rec);
    *rec = error;
    return 0;
}

static double processor_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

/* What this program itself took of a strategy's seconds: the processor time while it ran, shared by
 * the strategies in flight, or the time in which no request was out, whichever is more. */
static double client_s(const timer *t, const allot_task *job, const allot_record *rec)
{
    double prm_s = isfinite(rec->prm_s) ? rec->prm_s : 0;
    double idle_s = rec->seconds - rec->gen_s - prm_s;
    return fmax(fmax(0, idle_s), (processor_s() - job->processor_s) / load(t));
}

static void take_row(timer *t, long q, int unit, const allot_record *rec)
{
    const allot_timing_plan *p = &t->plan;
    allot_unitmap_mark(&t->plan.map, q, unit);
    if (rec->foreign || rec->retries) return;
    allot_timing_rule_add(&t->rule, q, allot_timing_plan_load(p, unit),
                          allot_timing_plan_strategy(p, unit), rec->seconds, rec->client_s);
}

static void record(timer *t, allot_task *job, allot_record *rec)
{
    int s = allot_timing_plan_strategy(&t->plan, job->unit);
    rec->client_s = client_s(t, job, rec);
    allot_strategy_print(&t->out.manifest.strategies.at[s], rec->source);
    rec->run = allot_timing_plan_run(&t->plan, job->unit);
    rec->load = load(t);
    rec->foreign = job->foreign || has_foreign_load(t);
    allot_pump_record(&t->pump, rec);
    if (rec->type == ALLOT_REC_TIMED) {
        t->result->n_foreign += rec->foreign;
        if (isfinite(rec->ttft_s)) t->result->ttft_s += rec->ttft_s, t->result->n_ttft++;
        take_row(t, job->q, job->unit, rec);
    } else {
        allot_unitmap_mark(&t->plan.failed, job->q, job->unit);
        allot_timing_rule_fail(&t->rule, t->load_index, s);
    }
}

static void on_done(allot_done *done, void *user)
{
    allot_task *job = user;
    timer *t = job->owner;
    allot_record *rec = &done->rec;
    int lives = 0;
    if (!t->pump.closing && !job->filler) {
        t->n_recorded--;
        lives = rec->type == ALLOT_REC_TIMED && rec->retries > 0 && again(t, job, rec);
        if (!lives) record(t, job, rec);
    }
    if (!lives) allot_pump_end_task(&t->pump, job);
    allot_record_clear(rec);
}

/* A salt that no earlier session has used, so that the server's prefix cache is cold. */
static void make_salt(timer *t, char out[17])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t words[] = {(uint64_t)now.tv_sec, (uint64_t)now.tv_nsec, (uint64_t)getpid(),
                        (uint64_t)t->n_started};
    snprintf(out, 17, "%016llx", (unsigned long long)allot_rng_mix(words, 4));
}

/* Each timing meets an empty prefix cache, by the salt of its requests and, where nothing else is
 * in flight that would suffer, by the server's own means, which also reach what is not salted. */
static void empty_cache(timer *t)
{
    const char *path = allot_engine_profile(t->pump.engine)->reset_cache;
    if (path && !t->cannot_reset && n_in_flight(t) <= 1)
        t->cannot_reset = !allot_serverload_reset(&t->pump.server, path);
}

static void start(timer *t, allot_task *job)
{
    const allot_timing_plan *p = &t->plan;
    allot_err err = {0};
    char salt[17];
    make_salt(t, salt);
    t->n_started++;
    if (!job->filler) {
        empty_cache(t);
        job->foreign = has_foreign_load(t);
        t->n_recorded++;
    }
    job->query.first_attempt = allot_attempts_next(&t->attempts, job->q, job->unit);
    job->processor_s = processor_s();
    int s = allot_timing_plan_strategy(p, job->unit);
    if (!allot_engine_strategy(t->pump.engine, &job->query, &p->manifest->strategies.at[s],
                               allot_timing_plan_run(p, job->unit), salt, on_done, job, &err))
        return;
    allot_pump_stop(&t->pump, &err);
    allot_pump_end_task(&t->pump, job);
}

static int is_precise(const timer *t)
{
    int strategy;
    return t->config->precision > 0 &&
           !(allot_timing_rule_worst(&t->rule, t->load_index, &strategy) > t->config->precision);
}

/* The next timing of this load, or NULL: query by query, in the query's own order, until the means
 * are known well enough; then what failed before is tried once more. */
static allot_task *next_job(timer *t)
{
    if (t->first_again) {
        allot_task *job = t->first_again;
        t->first_again = job->waiting;
        if (!t->first_again) t->last_again = &t->first_again;
        return job;
    }
    for (; t->order_q < t->plan.map.n_queries; t->order_q++, t->next_in_order = 0) {
        long q = t->queries[t->order_q];
        if (t->next_in_order == 0) {
            t->only_failed = is_precise(t);
            allot_timing_plan_order(&t->plan, &t->out.problems.keys[q], t->load_index, t->scratch,
                                    t->order);
        }
        while (t->next_in_order < t->plan.per_load) {
            int unit = t->order[t->next_in_order++];
            if (t->only_failed ? allot_timing_plan_is_failed(&t->plan, q, unit)
                               : !allot_unitmap_done(&t->plan.map, q, unit))
                return allot_pump_task(&t->pump, t, q, unit);
        }
    }
    return NULL;
}

/* Some strategy of some query, for warming up and for holding the load. */
static allot_task *filler_job(timer *t)
{
    allot_rng rng = allot_rng_start((uint64_t)t->config->engine.seed, 0, 0, (uint64_t)t->n_started);
    long q = (long)allot_rng_below(&rng, (uint64_t)t->plan.map.n_queries);
    int unit = (int)allot_rng_below(&rng, (uint64_t)t->plan.per_load);
    allot_task *job = allot_pump_task(&t->pump, t, q, unit);
    if (job) job->filler = 1;
    return job;
}

/* Starts what the load has room for. */
static void start_jobs(timer *t)
{
    while (!t->pump.stop.code && n_in_flight(t) < load(t)) {
        allot_task *job = NULL;
        if (t->fillers_left > 0) {
            t->fillers_left--;
            job = filler_job(t);
        } else {
            job = next_job(t);
            if (!job && t->n_recorded > 0) job = filler_job(t);
        }
        if (!job) return;
        start(t, job);
    }
}

/* A share near that of the beams' own prefixes is fine; more says that the cache was not cold. */
static void report_cache(timer *t, allot_loadmetrics *before)
{
    allot_loadmetrics now;
    allot_serverload_metrics(&t->pump.server, &now);
    double looked_up = now.cache_queries - before->cache_queries;
    if (before->cache_hits >= 0 && looked_up > 0)
        allot_log_info(
            "load %d: the server found %.0f %% of the prompts' tokens in its prefix cache", load(t),
            100 * (now.cache_hits - before->cache_hits) / looked_up);
}

static allot_code time_load(timer *t, allot_err *err)
{
    allot_loadmetrics before;
    if (is_precise(t) ? allot_timing_plan_n_failed(&t->plan, t->load_index) == 0
                      : allot_timing_plan_left(&t->plan, t->load_index) == 0)
        return ALLOT_OK;
    allot_serverload_metrics(&t->pump.server, &before);
    t->fillers_left = t->config->num_warmups;
    t->order_q = 0;
    t->next_in_order = 0;
    for (;;) {
        start_jobs(t);
        if (t->pump.n_jobs == 0 && !t->pump.stop.code) break;
        t->in_flight_before = allot_engine_in_flight(t->pump.engine);
        allot_code rc = allot_pump_turn(&t->pump, err);
        if (rc) return rc;
    }
    report_cache(t, &before);
    return ALLOT_OK;
}

static allot_code mark_record(allot_record *rec, void *user, allot_err *err)
{
    timer *t = user;
    long q = allot_keyindex_find(&t->out.index, &rec->key);
    int unit = allot_timing_plan_unit(&t->plan, rec);
    if (q < 0 || unit < 0) return ALLOT_OK;
    if (rec->type == ALLOT_REC_ERROR) {
        allot_unitmap_mark(&t->plan.failed, q, unit);
        return allot_attempts_add(&t->attempts, q, unit, rec, err);
    }
    if (!allot_unitmap_done(&t->plan.map, q, unit)) take_row(t, q, unit, rec);
    return ALLOT_OK;
}

/* What came out at this load, and what failed. */
static void report_load(timer *t)
{
    allot_timing_result *r = t->result;
    allot_timing_load *l = &r->loads[t->load_index];
    int strategy = 0;
    l->error = allot_timing_rule_worst(&t->rule, t->load_index, &strategy);
    allot_strategy_print(&t->out.manifest.strategies.at[strategy], l->least_precise);
    l->client_share = allot_timing_rule_client(&t->rule, t->load_index);
    l->left = allot_timing_plan_left(&t->plan, t->load_index);
    r->n_failed += allot_timing_plan_n_failed(&t->plan, t->load_index);
    if (t->config->precision > 0 && !is_precise(t) && isfinite(l->error))
        allot_log_warn("load %d: the mean seconds of '%s' are known to %.1f %%, not %.1f %% (give "
                       "more --queries or --runs)",
                       load(t), l->least_precise, 100 * l->error, 100 * t->config->precision);
}

static allot_code time_all(timer *t, allot_err *err)
{
    allot_timing_result *r = t->result;
    double used_s = processor_s();
    allot_code rc = ALLOT_OK;
    r->foreign_known = allot_serverload_read(&t->pump.server) >= 0;
    if (!r->foreign_known)
        allot_log_warn("the server shows no metrics: other load on it cannot be seen");
    const allot_profile *profile = allot_engine_profile(t->pump.engine);
    if (!profile->salt && !profile->reset_cache)
        allot_log_warn("the prefix cache of a server of kind '%s' cannot be emptied: queries that "
                       "it has met before look cheap",
                       profile->kind);
    for (t->load_index = 0; !rc && t->load_index < t->out.manifest.n_loads; t->load_index++) {
        rc = time_load(t, err);
        if (!rc) report_load(t);
    }
    r->seconds = allot_clock_s() - t->pump.started_s;
    if (r->seconds > 0) r->client_share = (processor_s() - used_s) / r->seconds;
    return rc;
}

static allot_code order_queries(timer *t, allot_err *err)
{
    long n = t->out.problems.n;
    t->queries = allot_mem_array((size_t)n, sizeof *t->queries, err);
    if (!t->queries) return ALLOT_ERUNTIME;
    for (long i = 0; i < n; i++)
        t->queries[i] = i;
    return allot_queries_shuffle(t->out.problems.keys, t->out.manifest.seed, STREAM_QUERIES,
                                 t->queries, n, err);
}

/* With the directory open: what is to be done, what is done. */
static allot_code plan_timings(timer *t, allot_err *err)
{
    allot_code rc = allot_timing_plan_init(&t->plan, &t->out.manifest, t->out.problems.n, err);
    size_t n = (size_t)t->plan.per_load;
    if (!rc && !(t->order = allot_mem_array(n, sizeof *t->order, err))) rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_timing_rule_init(&t->rule, t->out.problems.n, &t->out.manifest, err);
    if (!rc) rc = order_queries(t, err);
    if (!rc && !(t->scratch = allot_mem_array(n, sizeof *t->scratch, err))) rc = ALLOT_ERUNTIME;
    if (rc || !t->out.before) return rc;
    rc = allot_records_skim(t->out.journal_path, t->out.cfg, mark_record, t, err);
    allot_attempts_sort(&t->attempts);
    return rc;
}

/* With the server there: do it, report. */
static allot_code fill_timings(timer *t, allot_err *err)
{
    allot_timing_result *r = t->result;
    r->n_queries = t->out.problems.n;
    r->total = allot_unitmap_total(&t->plan.map);
    allot_pump_progress(&t->pump, "timings", t->plan.map.n_done, r->total);
    allot_code rc = time_all(t, err);
    allot_code sync_rc = allot_pump_finish(&t->pump, rc ? NULL : err);
    r->done = t->plan.map.n_done;
    r->n_errors = t->pump.n_errors;
    r->n_tokens = t->pump.n_tokens;
    if (rc || sync_rc) return rc ? rc : sync_rc;
    if (r->n_foreign > 0)
        allot_log_warn("the server had other load during %ld timings; they are flagged",
                       r->n_foreign);
    if (r->n_failed == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EPARTIAL,
                      "%ld of %ld timings failed ('allot-collect status %s' tells why; the same "
                      "command tries them again)",
                      r->n_failed, r->n_failed + r->done, t->out.dir);
}

static cJSON *describe_hardware(const char *text, const allot_engine *engine)
{
    char model[256] = "unknown processor", line[512], all[320];
    FILE *f = text ? NULL : fopen("/proc/cpuinfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "model name : %255[^\n]", model) == 1) break;
    if (f) fclose(f);
    snprintf(all, sizeof all, "%s, %ld cores", model, sysconf(_SC_NPROCESSORS_ONLN));
    cJSON *o = allot_engine_server(engine);
    cJSON_AddStringToObject(o, "hardware", text ? text : all);
    return o;
}

/* What the timing directory is asked to hold. */
static allot_code want(const allot_timing_config *c, allot_rundir *r, allot_engine_config *engine,
                       allot_err *err)
{
    *r = (allot_rundir){.schema = ALLOT_TIMING_SCHEMA,
                        .runs = c->runs,
                        .seed = c->engine.seed,
                        .n_loads = c->n_loads};
    memcpy(r->loads, c->loads, sizeof r->loads);
    int largest_n = 1;
    allot_code rc = allot_strategyfile_load(c->strategies, &r->strategies, err);
    if (!rc) rc = allot_sample_plan_check(&r->strategies, engine->prm_model != NULL, err);
    for (int i = 0; !rc && i < r->strategies.count; i++)
        if (r->strategies.at[i].n > largest_n) largest_n = r->strategies.at[i].n;
    int need = largest_n * c->loads[c->n_loads - 1];
    if (engine->max_concurrency < need) engine->max_concurrency = need;
    return rc;
}

allot_code allot_timing_run(const allot_timing_config *c, allot_timing_result *result,
                            allot_err *err)
{
    timer t = {.config = c, .result = result};
    t.last_again = &t.first_again;
    allot_rundir wanted = {0};
    allot_engine_config engine = c->engine;
    *result = (allot_timing_result){0};
    allot_code rc = want(c, &wanted, &engine, err);
    if (!rc) rc = allot_outdir_open(&t.out, c->output, &wanted, &c->queries, err);
    if (!rc) rc = plan_timings(&t, err);
    if (!rc) rc = allot_pump_open(&t.pump, &t.out, &engine, err);
    if (!rc) rc = allot_pump_check_prm(&t.pump, t.out.before != NULL, err);
    if (!rc)
        rc = allot_outdir_settle(&t.out, allot_engine_fingerprint(t.pump.engine),
                                 describe_hardware(c->hardware, t.pump.engine), err);
    if (!rc) rc = fill_timings(&t, err);
    allot_pump_clear(&t.pump);
    allot_code close_rc = allot_outdir_close(&t.out, rc ? NULL : err);
    free(t.queries);
    free(t.order);
    free(t.scratch);
    allot_attempts_clear(&t.attempts);
    allot_timing_rule_clear(&t.rule);
    allot_timing_plan_clear(&t.plan);
    allot_rundir_clear(&wanted);
    return rc ? rc : close_rc;
}
