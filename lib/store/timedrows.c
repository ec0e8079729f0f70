/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a timing journal into rows, leaves out what failed, and sorts and counts the rest. */
#include "lib/store/timedrows.h"
#include "lib/store/fingerprint.h"
#include "lib/store/journal.h"
#include "liballot/mem.h"
#include "lib/store/record.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    allot_timedrows *t;
    size_t capacity;
    const char *path;
    char cfg[17];
} reading;

/* A timed search may be stored under either of its final rules: both cost the same. */
static int find_strategy(const allot_strategies *set, const char *source, const char *where,
                         int *out, allot_err *err)
{
    allot_strategy s;
    if (allot_strategy_parse(source, &s, err)) return allot_fail_in(err, "%s", where);
    *out = allot_strategies_find_source(set, &s);
    if (*out >= 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH, "%s: strategy '%s' is not in the manifest", where,
                      source);
}

static allot_code add_row(reading *in, const allot_record *r, const char *where, allot_err *err)
{
    allot_timedrows *t = in->t;
    allot_timed row = {.key = r->key,
                       .load = r->load,
                       .run = r->run,
                       .seconds = r->seconds,
                       .ttft_s = r->ttft_s,
                       .tokens = (double)r->n_tokens};
    if (r->retries > 0 || r->foreign) {
        ++*(r->retries > 0 ? &t->n_retried : &t->n_foreign);
        return ALLOT_OK;
    }
    if (!isfinite(r->seconds) || r->load < 1)
        return allot_fail(err, ALLOT_EINPUT, "%s: a timed record without seconds or load", where);
    allot_code code = find_strategy(&t->manifest.strategies, r->source, where, &row.strategy, err);
    if (code) return code;
    row.prm_s = isfinite(r->prm_s) ? r->prm_s : 0;
    row.gen_s = isfinite(r->gen_s) ? r->gen_s : fmax(0, r->seconds - row.prm_s);
    for (int i = 0; i < r->n_gen; i++)
        row.longest = fmax(row.longest, (double)r->gen[i].n_tokens);
    code = allot_mem_grow((void **)&t->at, &in->capacity, t->n + 1, sizeof *t->at, err);
    if (!code) t->at[t->n++] = row;
    return code;
}

static allot_code read_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    reading *in = user;
    char where[512];
    allot_record r = {0};
    snprintf(where, sizeof where, "line %ld of '%.400s'", number, in->path);
    allot_code code = allot_record_parse(line, n, where, &r, err);
    if (code) return code;
    if (strcmp(r.cfg, in->cfg) != 0)
        code = allot_fail(err, ALLOT_EMISMATCH,
                          "%s: made with other settings than the manifest's "
                          "(fingerprint %s, not %s)",
                          where, r.cfg, in->cfg);
    else if (r.type == ALLOT_REC_TIMED) code = add_row(in, &r, where, err);
    else if (r.type == ALLOT_REC_ERROR) in->t->n_errors++;
    allot_record_clear(&r);
    return code;
}

static int compare(const void *a, const void *b)
{
    const allot_timed *x = a, *y = b;
    int by_key = allot_key_compare(&x->key, &y->key);
    if (by_key) return by_key;
    if (x->strategy != y->strategy) return x->strategy < y->strategy ? -1 : 1;
    if (x->load != y->load) return x->load < y->load ? -1 : 1;
    return (x->run > y->run) - (x->run < y->run);
}

/* Keeps the first of each (key, strategy, load, run). glibc's qsort may swap equals; mergesort's
 * promise is made here by comparing addresses of an index. */
static int compare_indirect(const void *a, const void *b)
{
    const allot_timed *x = *(const allot_timed *const *)a, *y = *(const allot_timed *const *)b;
    int c = compare(x, y);
    return c ? c : (x > y) - (x < y);
}

static allot_code sort_and_count(allot_timedrows *t, allot_err *err)
{
    const allot_timed **order = allot_mem_array(t->n, sizeof *order, err);
    allot_timed *sorted = allot_mem_array(t->n, sizeof *sorted, err);
    size_t kept = 0;
    if (order && sorted) {
        for (size_t i = 0; i < t->n; i++)
            order[i] = &t->at[i];
        qsort(order, t->n, sizeof *order, compare_indirect);
        for (size_t i = 0; i < t->n; i++)
            if (kept == 0 || compare(&sorted[kept - 1], order[i]) != 0) sorted[kept++] = *order[i];
        t->n_duplicates = (long)(t->n - kept);
        free(t->at);
        t->at = sorted;
        t->n = kept;
        free(order);
        return ALLOT_OK;
    }
    free(order);
    free(sorted);
    return ALLOT_ERUNTIME;
}

allot_code allot_timedrows_load(const char *dir, allot_timedrows *out, allot_err *err)
{
    memset(out, 0, sizeof *out);
    reading in = {.t = out};
    char *path = NULL;
    allot_code code = allot_rundir_load(dir, ALLOT_TIMING_SCHEMA, &out->manifest, err);
    if (!code) {
        allot_rundir_cfg(&out->manifest, in.cfg);
        in.path = path = allot_rundir_path(dir, "journal.jsonl", err);
        code = path ? allot_journal_read(path, read_line, &in, &out->torn, err) : ALLOT_ERUNTIME;
    }
    free(path);
    if (!code) code = sort_and_count(out, err);
    if (!code && out->n == 0)
        code = allot_fail(err, ALLOT_EINPUT,
                          "cannot use '%s': no timed rows (%ld retried, %ld "
                          "under foreign load, %ld errors; run 'allot-collect time' again)",
                          dir, out->n_retried, out->n_foreign, out->n_errors);
    if (code) allot_timedrows_clear(out);
    return code;
}

void allot_timedrows_clear(allot_timedrows *t)
{
    allot_rundir_clear(&t->manifest);
    free(t->at);
    memset(t, 0, sizeof *t);
}
