/* SPDX-License-Identifier: Apache-2.0 */
/* Plans a run's units against its journal, starts the missing ones, and journals texts and
 * scores. */
#include "collect/sample.h"
#include <string.h>
#include "collect/attempts.h"
#include "lib/core/log.h"
#include "lib/store/strategyfile.h"
#include "collect/duplicates.h"
#include "collect/pilot.h"
#include "collect/pump.h"
#include "collect/records.h"

typedef struct {
    allot_outdir out;
    allot_sample_plan plan;
    allot_attempts attempts; /* made in earlier calls */
    allot_tally tally;
    allot_duplicates duplicates;
    int told_duplicates;
    allot_cuts cuts;
    int allow_cuts;
    double temperature;
    allot_pilot pilot;  /* zero = work on all queries in their order */
    long n_pilot_tasks; /* of the pilot's queries, not ended yet */
    allot_pump pump;
    int max_concurrency;
    allot_task *first_unscored, **last_unscored; /* samples to be scored, in order of arrival */
    long next_q;                                 /* place in the order of the next unit */
    int next_unit;
} sampler;

void allot_sample_defaults(allot_sample_config *c)
{
    *c = (allot_sample_config){.runs = 8};
    allot_engine_defaults(&c->engine);
}

allot_code allot_sample_check(const allot_sample_config *c, allot_err *err)
{
    allot_code rc = allot_queries_check(&c->queries, err);
    if (rc) return rc;
    return allot_engine_check(&c->engine, err);
}

static void await_score(sampler *s, allot_task *job, allot_record *sample)
{
    job->kept = *sample;
    memset(sample, 0, sizeof *sample);
    job->unit = s->plan.pool + job->kept.slot;
    *s->last_unscored = job;
    s->last_unscored = &job->waiting;
}

static int is_pilot(const sampler *s, long q)
{
    return s->pilot.chosen && s->pilot.chosen[q];
}

static allot_task *new_task(sampler *s, long q, int unit)
{
    allot_task *job = allot_pump_task(&s->pump, s, q, unit);
    if (job) s->n_pilot_tasks += is_pilot(s, q);
    return job;
}

static void end_task(sampler *s, allot_task *job)
{
    s->n_pilot_tasks -= is_pilot(s, job->q);
    allot_pump_end_task(&s->pump, job);
}

/* A new unit of the run, of the journal or fresh. */
static allot_code count_record(sampler *s, long q, int unit, const allot_record *rec,
                               allot_err *err)
{
    allot_unitmap_mark(&s->plan.map, q, unit);
    allot_cuts_add(&s->cuts, rec);
    if (s->temperature > 0) allot_duplicates_add(&s->duplicates, q, rec);
    return allot_tally_add(&s->tally, q, unit, rec, err);
}

/* Once, as soon as it is seen: a week of such samples would be worth nothing. */
static void warn_of_duplicates(sampler *s)
{
    if (s->told_duplicates || !allot_duplicates_alarm(&s->duplicates)) return;
    s->told_duplicates = 1;
    allot_log_warn("on %ld of %ld queries with long texts all samples in '%s' are one and the same "
                   "text: the server takes no notice of seeds or temperature, or repeats stored "
                   "answers, and votes of such samples measure nothing (mend the server, or switch "
                   "off its store of answers, then sample into another --output)",
                   s->duplicates.n_identical, s->duplicates.n_compared, s->out.dir);
}

/* Texts that the server's context cut look like wrong answers: more of them are worth nothing. */
static allot_code check_cuts(const sampler *s, int at_end, allot_err *err)
{
    char text[800];
    if (s->allow_cuts || !allot_cuts_alarm(&s->cuts, at_end)) return ALLOT_OK;
    allot_cuts_tell(&s->cuts, s->out.dir, text, sizeof text);
    return allot_fail(err, ALLOT_ESERVER, "%s; --allow-context-cuts goes on with them", text);
}

static void stop_for_cuts(sampler *s)
{
    allot_err err = {0};
    if (check_cuts(s, 0, &err)) allot_pump_stop(&s->pump, &err);
}

/* The few, or those that were allowed. */
static void warn_of_cuts(const sampler *s)
{
    char text[800];
    if (!s->cuts.n_cut) return;
    allot_cuts_tell(&s->cuts, s->out.dir, text, sizeof text);
    allot_log_warn("%s", text);
}

static void on_done(allot_done *done, void *user)
{
    allot_task *job = user;
    sampler *s = job->owner;
    allot_record *rec = &done->rec;
    if (!s->pump.closing) allot_pump_record(&s->pump, rec);
    if (s->pump.closing || rec->type == ALLOT_REC_ERROR) {
        end_task(s, job);
    } else {
        allot_err err = {0};
        if (count_record(s, job->q, job->unit, rec, &err)) allot_pump_stop(&s->pump, &err);
        warn_of_duplicates(s);
        stop_for_cuts(s);
        if (rec->type == ALLOT_REC_SAMPLE && s->plan.scored) await_score(s, job, rec);
        else end_task(s, job);
    }
    allot_record_clear(rec);
}

static void start(sampler *s, allot_task *job)
{
    allot_err err = {0};
    allot_code rc;
    const allot_sample_plan *p = &s->plan;
    job->query.first_attempt = allot_attempts_next(&s->attempts, job->q, job->unit);
    if (allot_sample_plan_kind(p, job->unit) == ALLOT_UNIT_SAMPLE) {
        rc = allot_engine_sample(s->pump.engine, &job->query, job->unit, on_done, job, &err);
    } else if (allot_sample_plan_kind(p, job->unit) == ALLOT_UNIT_SCORE) {
        const allot_generation *g = &job->kept.gen[0];
        rc = allot_engine_score(s->pump.engine, &job->query, job->unit - p->pool, g->text, g->n,
                                on_done, job, &err);
    } else {
        int beam = job->unit - p->pool * (1 + p->scored);
        rc = allot_engine_search(s->pump.engine, &job->query, &p->searches[beam / p->runs],
                                 beam % p->runs, on_done, job, &err);
    }
    if (!rc) return;
    allot_pump_stop(&s->pump, &err);
    end_task(s, job);
}

static int has_room(const sampler *s)
{
    return !s->pump.stop.code && allot_engine_in_flight(s->pump.engine) < s->max_concurrency;
}

static void start_scores(sampler *s)
{
    while (s->first_unscored && has_room(s)) {
        allot_task *job = s->first_unscored;
        s->first_unscored = job->waiting;
        if (!s->first_unscored) s->last_unscored = &s->first_unscored;
        start(s, job);
    }
}

/* The row of the next query to work on; -1 at the end. A pilot goes on with other queries of the
 * run until its own are done, so that these run among as many requests as the run will have. */
static long next_query(const sampler *s)
{
    if (!s->pilot.order) return s->next_q < s->plan.map.n_queries ? s->next_q : -1;
    if (s->next_q >= s->pilot.n_chosen && s->n_pilot_tasks == 0) return -1;
    return s->next_q < s->pilot.n ? s->pilot.order[s->next_q] : -1;
}

/* Query by query, so that what belongs together is done at about the same time. Scores are not
 * looked for: they follow their samples. Returns 0 at the end. */
static int start_next(sampler *s)
{
    const allot_unitmap *map = &s->plan.map;
    for (long q; (q = next_query(s)) >= 0; s->next_q++, s->next_unit = 0)
        while (s->next_unit < map->per_query) {
            int unit = s->next_unit++;
            if (allot_sample_plan_kind(&s->plan, unit) == ALLOT_UNIT_SCORE ||
                allot_unitmap_done(map, q, unit))
                continue;
            allot_task *job = new_task(s, q, unit);
            if (job) start(s, job);
            return job != NULL;
        }
    return 0;
}

static allot_code work(sampler *s, allot_err *err)
{
    for (;;) {
        start_scores(s);
        while (has_room(s) && start_next(s))
            start_scores(s);
        if (s->pump.n_jobs == 0 && !s->pump.stop.code) return ALLOT_OK;
        allot_code rc = allot_pump_turn(&s->pump, err);
        if (rc) return rc;
    }
}

static allot_code mark_record(allot_record *rec, void *user, allot_err *err)
{
    sampler *s = user;
    int failed = rec->type == ALLOT_REC_ERROR;
    long q = allot_keyindex_find(&s->out.index, &rec->key);
    int unit =
        failed ? allot_sample_plan_failed(&s->plan, rec) : allot_sample_plan_unit(&s->plan, rec);
    if (failed)
        return q < 0 || unit < 0 ? ALLOT_OK : allot_attempts_add(&s->attempts, q, unit, rec, err);
    if (q < 0 || unit < 0 || allot_unitmap_done(&s->plan.map, q, unit)) return ALLOT_OK;
    return count_record(s, q, unit, rec, err);
}

/* Scores a sample of the journal that has none, waiting for room: only the texts in flight are in
 * memory. */
static allot_code score_record(allot_record *rec, void *user, allot_err *err)
{
    sampler *s = user;
    long q = allot_keyindex_find(&s->out.index, &rec->key);
    int unit = allot_sample_plan_unit(&s->plan, rec);
    if (rec->type != ALLOT_REC_SAMPLE || q < 0 || unit < 0 || (s->pilot.order && !is_pilot(s, q)) ||
        allot_unitmap_done(&s->plan.map, q, s->plan.pool + unit))
        return ALLOT_OK;
    allot_task *job = new_task(s, q, unit);
    if (job) await_score(s, job, rec);
    start_scores(s);
    allot_code rc = s->pump.stop.code;
    if (rc) *err = s->pump.stop;
    while (!rc && s->first_unscored) {
        rc = allot_pump_turn(&s->pump, err);
        start_scores(s);
    }
    return rc;
}

static allot_code score_old_samples(sampler *s, allot_err *err)
{
    allot_sample_counts n = allot_sample_plan_count(&s->plan);
    if (!s->plan.scored || n.done[ALLOT_UNIT_SCORE] >= n.done[ALLOT_UNIT_SAMPLE]) return ALLOT_OK;
    return allot_records_read(s->out.journal_path, s->out.cfg, score_record, s, err);
}

static void summarise(const sampler *s, allot_sample_result *r)
{
    const allot_unitmap *map = &s->plan.map;
    r->n_queries = map->n_queries - s->plan.n_elsewhere;
    r->units = allot_sample_plan_count(&s->plan);
    r->n_errors = s->pump.n_errors;
    r->n_tokens = s->pump.n_tokens;
    r->cuts = s->cuts;
    r->n_compared = s->duplicates.n_compared;
    r->n_identical = s->duplicates.n_identical;
    r->n_requests = allot_engine_n_requests(s->pump.engine) - s->pump.requests_before;
    r->seconds = allot_clock_s() - s->pump.started_s;
    for (long q = 0; q < map->n_queries; q++) {
        int missing = 0;
        for (int unit = 0; unit < map->per_query; unit++)
            missing |= !allot_unitmap_done(map, q, unit);
        r->n_failed_queries += missing;
    }
}

/* What the run has beyond the queries that are asked for stays as it is. */
static void leave_others(sampler *s)
{
    long n = 0;
    for (long q = 0; q < s->out.problems.n; q++) {
        if (s->out.asked[q] || !allot_rundir_has(&s->out.manifest, &s->out.problems.keys[q]))
            continue;
        allot_sample_plan_leave(&s->plan, q);
        n++;
    }
    if (n > 0)
        allot_log_info("%ld queries of '%s' are not asked for now: they are left as they are", n,
                       s->out.dir);
}

/* Its records belong to the run, nothing of it is wasted. */
static allot_code choose_pilot(const allot_sample_config *c, sampler *s, allot_err *err)
{
    allot_code rc = allot_pilot_choose(&s->out.problems, &s->out.manifest, s->out.asked, c->pilot,
                                       &s->pilot, err);
    for (long i = 0; !rc && i < s->pilot.n_chosen; i++)
        rc = allot_tally_choose(&s->tally, s->pilot.order[i], err);
    return rc;
}

/* With the directory open: what is to be done, what is done. */
static allot_code plan_run(const allot_sample_config *c, sampler *s, allot_err *err)
{
    allot_code rc = allot_sample_plan_init(&s->plan, &s->out.manifest, s->out.problems.keys,
                                           s->out.problems.n, err);
    if (!rc) leave_others(s);
    if (!rc && c->dry_run) rc = allot_tally_init(&s->tally, &s->plan, err);
    if (!rc && c->dry_run && c->pilot) rc = choose_pilot(c, s, err);
    if (!rc) rc = allot_duplicates_init(&s->duplicates, s->out.problems.n, err);
    if (rc || !s->out.before) return rc;
    allot_cuts_settings(&s->cuts, s->out.before);
    rc = allot_records_skim(s->out.journal_path, s->out.cfg, mark_record, s, err);
    allot_attempts_sort(&s->attempts);
    return rc;
}

/* With the server there: do it, report. */
static allot_code fill_run(sampler *s, allot_sample_result *result, allot_err *err)
{
    long total = allot_sample_plan_total(&s->plan), done = allot_sample_plan_done(&s->plan);
    allot_pump_progress(&s->pump, "units", done, total);
    if (done > 0)
        allot_log_info("going on in '%s': %ld of %ld units are done", s->out.dir, done, total);
    warn_of_duplicates(s);
    allot_cuts_settings(&s->cuts, s->out.manifest.fingerprint);
    allot_code rc = check_cuts(s, 0, err);
    if (!rc) rc = score_old_samples(s, err);
    if (!rc) rc = work(s, err);
    allot_code sync_rc = allot_pump_finish(&s->pump, rc ? NULL : err);
    if (rc || sync_rc) return rc ? rc : sync_rc;
    if ((rc = check_cuts(s, 1, err))) return rc;
    warn_of_cuts(s);
    summarise(s, result);
    done = allot_sample_plan_done(&s->plan);
    if (done == total || s->pilot.order) return ALLOT_OK;
    return allot_fail(
        err, ALLOT_EPARTIAL,
        "%ld of %ld units are missing, on %ld queries ('allot-collect status %s' tells "
        "why; the same command tries them again)",
        total - done, total, result->n_failed_queries, s->out.dir);
}

static allot_code foretell(const allot_sample_config *c, sampler *s, allot_sample_result *result,
                           allot_err *err)
{
    allot_costsfile costs = {0};
    allot_code rc = c->costs ? allot_costsfile_load(c->costs, &costs, err) : ALLOT_OK;
    result->n_queries = s->out.problems.n - s->plan.n_elsewhere;
    result->n_pilot = s->pilot.n_chosen;
    if (result->n_errors)
        allot_log_warn(
            "%ld requests of the pilot failed ('allot-collect status %s' tells why): they "
            "are foretold as if they had not",
            result->n_errors, s->out.dir);
    if (!rc) rc = allot_tally_share(&s->tally, c->engine.max_concurrency, err);
    if (!rc)
        rc = allot_forecast_make(&s->tally, c->costs ? &costs : NULL, &c->prices, &result->forecast,
                                 err);
    allot_costsfile_clear(&costs);
    return rc;
}

/* Asks the server, and takes what it says of itself into the run's settings. */
static allot_code meet_server(const allot_sample_config *c, sampler *s, allot_err *err)
{
    allot_sample_counts n = allot_sample_plan_count(&s->plan);
    long scored = n.done[ALLOT_UNIT_SCORE] + n.done[ALLOT_UNIT_SEARCH];
    int to_score = scored < n.total[ALLOT_UNIT_SCORE] + n.total[ALLOT_UNIT_SEARCH];
    allot_code rc = allot_pump_open(&s->pump, &s->out, &c->engine, err);
    if (!rc && to_score) rc = allot_pump_check_prm(&s->pump, scored > 0, err);
    if (rc) return rc;
    return allot_outdir_settle(&s->out, allot_engine_fingerprint(s->pump.engine),
                               allot_engine_server(s->pump.engine), err);
}

/* What the run directory is asked to hold. */
static allot_code want(const allot_sample_config *c, allot_rundir *r, allot_err *err)
{
    *r = (allot_rundir){.schema = ALLOT_RUN_SCHEMA,
                        .runs = c->runs,
                        .shard = c->shard,
                        .n_shards = c->n_shards,
                        .seed = c->engine.seed};
    allot_code rc = allot_strategyfile_load(c->strategies, &r->strategies, err);
    if (!rc) rc = allot_sample_plan_check(&r->strategies, c->engine.prm_model != NULL, err);
    if (!rc) rc = allot_sample_plan_pool(&r->strategies, c->pool, &r->pool, err);
    r->scored = allot_sample_plan_scored(&r->strategies);
    return rc;
}

allot_code allot_sample_run(const allot_sample_config *c, allot_sample_result *result,
                            allot_err *err)
{
    sampler s = {.max_concurrency = c->engine.max_concurrency,
                 .temperature = c->engine.temperature,
                 .allow_cuts = c->allow_cuts};
    s.last_unscored = &s.first_unscored;
    allot_rundir wanted = {0};
    *result = (allot_sample_result){0};
    allot_code rc = want(c, &wanted, err);
    if (!rc) rc = allot_outdir_open(&s.out, c->output, &wanted, &c->queries, err);
    if (!rc) rc = plan_run(c, &s, err);
    int works = !c->dry_run || c->pilot;
    if (!rc && works) rc = meet_server(c, &s, err);
    if (!rc && works) rc = fill_run(&s, result, err);
    if (!rc && c->dry_run) rc = foretell(c, &s, result, err);
    allot_pump_clear(&s.pump);
    allot_code close_rc = allot_outdir_close(&s.out, rc ? NULL : err);
    allot_tally_clear(&s.tally);
    allot_attempts_clear(&s.attempts);
    allot_duplicates_clear(&s.duplicates);
    allot_sample_plan_clear(&s.plan);
    allot_pilot_clear(&s.pilot);
    allot_rundir_clear(&wanted);
    return rc ? rc : close_rc;
}
