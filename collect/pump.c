/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that both share: starts jobs, turns the engine, journals what comes back, shows
 * progress. */
#include "collect/pump.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/log.h"
#include "lib/core/options.h"
#include "liballot/mem.h"

#define POLL_MS 200 /* how late a signal is seen at most */
#define OUTAGE_S 1  /* shorter ones pass unseen */

allot_code allot_pump_open(allot_pump *p, allot_outdir *out, const allot_engine_config *c,
                           allot_err *err)
{
    *p = (allot_pump){.out = out, .max_outage_s = c->max_outage_s};
    allot_code rc = allot_engine_new(c, &p->engine, err);
    if (!rc) rc = allot_serverload_open(&p->server, c, err);
    if (rc) {
        allot_pump_clear(p);
        return rc;
    }
    char text[512];
    allot_engine_describe(p->engine, text, sizeof text);
    allot_log_info("%s", text);
    return ALLOT_OK;
}

allot_code allot_pump_check_prm(allot_pump *p, int scored_before, allot_err *err)
{
    int checked = 0;
    allot_rundir *manifest = &p->out->manifest;
    allot_code rc = allot_engine_check_prm(p->engine, &manifest->strategies, &checked, err);
    if (!rc) manifest->prm_checked = checked && (!scored_before || manifest->prm_checked);
    return rc;
}

void allot_pump_progress(allot_pump *p, const char *what, long done, long total)
{
    p->done = done;
    p->started_s = allot_clock_s();
    p->requests_before = allot_engine_n_requests(p->engine);
    allot_progress_start(&p->progress, what, done, total);
}

/* The engine goes first: if it reports jobs that it drops, their callbacks find them alive. */
void allot_pump_clear(allot_pump *p)
{
    p->closing = 1;
    allot_engine_free(p->engine);
    allot_serverload_close(&p->server);
    while (p->jobs)
        allot_pump_end_task(p, p->jobs);
    allot_buf_clear(&p->line);
    memset(p, 0, sizeof *p);
}

allot_task *allot_pump_task(allot_pump *p, void *owner, long q, int unit)
{
    allot_err err = {0};
    allot_task *job = allot_mem_array(1, sizeof *job, &err);
    if (!job) {
        allot_pump_stop(p, &err);
        return NULL;
    }
    *job = (allot_task){.next = p->jobs, .owner = owner, .q = q, .unit = unit};
    job->query.key = p->out->problems.keys[q];
    job->query.problem =
        allot_strings_at(&p->out->problems.col[ALLOT_COL_PROBLEM], q, &job->query.n);
    if (p->jobs) p->jobs->prev = job;
    p->jobs = job;
    p->n_jobs++;
    return job;
}

void allot_pump_end_task(allot_pump *p, allot_task *job)
{
    if (p->jobs == job) p->jobs = job->next;
    else job->prev->next = job->next;
    if (job->next) job->next->prev = job->prev;
    p->n_jobs--;
    allot_record_clear(&job->kept);
    free(job);
}

void allot_pump_stop(allot_pump *p, const allot_err *why)
{
    if (!p->stop.code) p->stop = *why;
}

void allot_pump_record(allot_pump *p, allot_record *rec)
{
    allot_err err = {0};
    memcpy(rec->cfg, p->out->cfg, sizeof rec->cfg);
    allot_buf_reset(&p->line);
    allot_code rc = allot_record_print(rec, &p->line, &err);
    if (!rc) rc = allot_journal_write(p->out->journal, p->line.at, p->line.n, &err);
    if (rc) {
        allot_pump_stop(p, &err);
        return;
    }
    allot_record_texts(rec, p->line.at, p->line.n);
    p->n_tokens += rec->n_tokens;
    if (rec->type != ALLOT_REC_ERROR) {
        p->done++;
        p->n_failures = 0;
        return;
    }
    p->n_errors++;
    p->n_failures++;
    snprintf(p->last_failure, sizeof p->last_failure, "%s", rec->message ? rec->message : "");
}

#define IS_KEPT "what is done is kept: start the server and run the same command again"

/* A server that refuses single requests is no reason to stop; one that is gone is. */
static void watch_server(allot_pump *p)
{
    if (p->n_failures < ALLOT_PUMP_MAX_FAILURES) return;
    allot_err err;
    if (allot_serverload_alive(&p->server)) {
        p->n_failures = 0;
        return;
    }
    allot_fail(&err, ALLOT_ESERVER,
               "the server is gone, %d requests in a row failed: %s (" IS_KEPT ")", p->n_failures,
               p->last_failure);
    allot_pump_stop(p, &err);
}

static void show_progress(allot_pump *p, int last)
{
    char extra[192], errors[32] = "", away[64] = "";
    double elapsed = fmax(allot_clock_s() - p->started_s, 1e-3);
    double away_s = allot_engine_away_s(p->engine);
    if (p->n_errors) snprintf(errors, sizeof errors, ", %ld errors", p->n_errors);
    if (away_s >= OUTAGE_S && p->max_outage_s > 0)
        snprintf(away, sizeof away, ", server away for %.0f s, waiting up to %.0f s", away_s,
                 p->max_outage_s);
    snprintf(extra, sizeof extra, "%.1f requests/s, %.0f tokens/s%s%s",
             (double)(allot_engine_n_requests(p->engine) - p->requests_before) / elapsed,
             (double)p->n_tokens / elapsed, errors, away);
    if (last) allot_progress_end(&p->progress, p->done, extra);
    else allot_progress_update(&p->progress, p->done, extra);
}

/* The engine cannot go on. */
static void end_engine(allot_pump *p, const allot_err *why)
{
    allot_err err = *why;
    if (allot_engine_away_s(p->engine) > 0)
        allot_fail(&err, why->code, "%s (" IS_KEPT ")", why->msg);
    allot_pump_stop(p, &err);
}

allot_code allot_pump_turn(allot_pump *p, allot_err *err)
{
    allot_err poll_err = {0};
    if (!p->stop.code && allot_engine_poll(p->engine, POLL_MS, &poll_err) && !allot_interrupted())
        end_engine(p, &poll_err);
    watch_server(p);
    show_progress(p, 0);
    if (!p->stop.code && allot_interrupted()) {
        char *command = allot_outdir_command();
        allot_fail(&p->stop, ALLOT_EINTR, "interrupted; what is done is kept, this goes on: %s",
                   command ? command : "the same command");
        free(command);
    }
    if (p->stop.code) *err = p->stop;
    return p->stop.code;
}

allot_code allot_pump_finish(allot_pump *p, allot_err *err)
{
    show_progress(p, 1);
    allot_engine_warn(p->engine);
    return allot_journal_sync(p->out->journal, err);
}
