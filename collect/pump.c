/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/options.h"
#include "liballot/mem.h"

#define POLL_MS 200 /* how late a signal is seen at most */

void allot_pump_start(allot_pump *p, allot_outdir *out, allot_engine *engine, const char *what,
                      long done, long total)
{
    *p = (allot_pump){.out = out, .engine = engine, .done = done, .started_s = allot_clock_s()};
    allot_progress_start(&p->progress, what, done, total);
}

/* The engine goes first: if it reports jobs that it drops, their callbacks find them alive. */
void allot_pump_clear(allot_pump *p)
{
    p->closing = 1;
    allot_engine_free(p->engine);
    while (p->jobs) allot_pump_end_job(p, p->jobs);
    allot_buf_clear(&p->line);
    memset(p, 0, sizeof *p);
}

allot_job *allot_pump_job(allot_pump *p, void *owner, long q, int unit)
{
    allot_err err = {0};
    allot_job *job = allot_mem_array(1, sizeof *job, &err);
    if (!job) {
        allot_pump_stop(p, &err);
        return NULL;
    }
    *job = (allot_job){.next = p->jobs, .owner = owner, .q = q, .unit = unit};
    job->query.key = p->out->problems.keys[q];
    job->query.problem =
        allot_strings_at(&p->out->problems.col[ALLOT_COL_PROBLEM], q, &job->query.n);
    if (p->jobs) p->jobs->prev = job;
    p->jobs = job;
    p->n_jobs++;
    return job;
}

void allot_pump_end_job(allot_pump *p, allot_job *job)
{
    if (job->prev) job->prev->next = job->next;
    else p->jobs = job->next;
    if (job->next) job->next->prev = job->prev;
    p->n_jobs--;
    allot_record_clear(&job->kept);
    free(job);
}

void allot_pump_stop(allot_pump *p, const allot_err *why)
{
    if (!p->stop.code) p->stop = *why;
}

/* A server that refuses single requests is no reason to stop; one that cannot be reached is. */
static void watch_server(allot_pump *p, const allot_record *rec)
{
    if (rec->type != ALLOT_REC_ERROR) p->n_unreachable = 0;
    else if (rec->code == ALLOT_ERUNTIME) p->n_unreachable++;
    if (p->n_unreachable < ALLOT_PUMP_MAX_UNREACHABLE) return;
    allot_err err;
    allot_fail(&err, ALLOT_ESERVER,
               "the server is gone: %d requests in a row failed, the last with: %s (what is done is "
               "kept: start the server and run the same command again)", p->n_unreachable,
               rec->message ? rec->message : "no message");
    allot_pump_stop(p, &err);
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
    watch_server(p, rec);
    p->n_tokens += rec->n_tokens;
    if (rec->type == ALLOT_REC_ERROR) p->n_errors++;
    else p->done++;
}

static void show_progress(allot_pump *p, int last)
{
    char extra[96];
    double elapsed = allot_clock_s() - p->started_s;
    snprintf(extra, sizeof extra, "%.0f tokens/s%s", elapsed > 0 ? (double)p->n_tokens / elapsed : 0,
             p->n_errors ? ", " : "");
    size_t n = strlen(extra);
    if (p->n_errors) snprintf(extra + n, sizeof extra - n, "%ld errors", p->n_errors);
    if (last) allot_progress_end(&p->progress, p->done, extra);
    else allot_progress_update(&p->progress, p->done, extra);
}

allot_code allot_pump_turn(allot_pump *p, allot_err *err)
{
    allot_err poll_err = {0};
    if (!p->stop.code && allot_engine_poll(p->engine, POLL_MS, &poll_err) && !allot_interrupted())
        allot_pump_stop(p, &poll_err);
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
    return allot_journal_sync(p->out->journal, err);
}
