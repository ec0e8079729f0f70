/* SPDX-License-Identifier: Apache-2.0 */
/* Counts timings and failures by load, and prints them as text or JSON. */
#include "collect/timingstatus.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "liballot/mem.h"

#define MAX_LISTED 20 /* failed timings shown to people; --json has them all */

static allot_code take_record(allot_record *rec, void *user, allot_err *err)
{
    (void)err;
    allot_timingstatus *s = user;
    allot_timing_plan *p = &s->plan;
    long q = allot_keyindex_find(&s->files.index, &rec->key);
    int unit = allot_timing_plan_unit(p, rec);
    if (q < 0 || unit < 0) return ALLOT_OK;
    s->n_tokens += rec->n_tokens;
    allot_timing_failure *f = &s->failures[q * p->map.per_query + unit];
    if (rec->type == ALLOT_REC_ERROR) {
        allot_unitmap_mark(&p->failed, q, unit);
        free(f->message);
        f->message = rec->message;
        f->n_tries++;
        rec->message = NULL;
    } else if (!allot_unitmap_done(&p->map, q, unit)) {
        allot_unitmap_mark(&p->map, q, unit);
        if (!rec->foreign && !rec->retries)
            allot_timing_rule_add(&s->rule, q, allot_timing_plan_load(p, unit),
                                  allot_timing_plan_strategy(p, unit), rec->seconds, rec->client_s);
    }
    return ALLOT_OK;
}

allot_code allot_timingstatus_read(const char *dir, allot_timingstatus *s, allot_err *err)
{
    *s = (allot_timingstatus){0};
    const allot_rundir *m = &s->files.manifest;
    allot_code rc = allot_runfiles_load(dir, ALLOT_TIMING_SCHEMA, &s->files, err);
    long n = s->files.problems.n;
    if (!rc) rc = allot_timing_plan_init(&s->plan, m, n, err);
    if (!rc) rc = allot_timing_rule_init(&s->rule, n, m, err);
    size_t units = (size_t)s->plan.map.per_query;
    if (!rc && !(s->failures = allot_mem_array((size_t)n, units * sizeof *s->failures, err)))
        rc = ALLOT_ERUNTIME;
    if (!rc) rc = allot_runfiles_skim(dir, &s->files, take_record, s, err);
    if (rc) allot_timingstatus_clear(s);
    return rc;
}

void allot_timingstatus_clear(allot_timingstatus *s)
{
    for (long i = 0; s->failures && i < allot_unitmap_total(&s->plan.map); i++)
        free(s->failures[i].message);
    free(s->failures);
    allot_timing_rule_clear(&s->rule);
    allot_timing_plan_clear(&s->plan);
    allot_runfiles_clear(&s->files);
    memset(s, 0, sizeof *s);
}

/* A failed timing, in words. */
typedef struct {
    char key[65], strategy[ALLOT_STRATEGY_TEXT];
    int load, run;
    const allot_timing_failure *f;
} failed_unit;

/* The next one at or behind place *at of all units, which is moved on; 0 at the end. */
static int next_failed(const allot_timingstatus *s, long *at, failed_unit *out)
{
    const allot_timing_plan *p = &s->plan;
    int per_query = p->map.per_query;
    while (*at < allot_unitmap_total(&p->map)) {
        long q = *at / per_query;
        int unit = (int)(*at % per_query);
        out->f = &s->failures[(*at)++];
        if (!allot_timing_plan_is_failed(p, q, unit)) continue;
        allot_key_hex(&s->files.problems.keys[q], out->key);
        allot_strategy_print(&p->manifest->strategies.at[allot_timing_plan_strategy(p, unit)],
                             out->strategy);
        out->load = p->manifest->loads[allot_timing_plan_load(p, unit)];
        out->run = allot_timing_plan_run(p, unit);
        return 1;
    }
    return 0;
}

static cJSON *loads_json(const allot_timingstatus *s)
{
    const allot_rundir *m = &s->files.manifest;
    cJSON *list = cJSON_CreateArray();
    for (int l = 0; l < m->n_loads; l++) {
        int worst;
        long total = s->plan.map.n_queries * s->plan.per_load;
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "load", m->loads[l]);
        cJSON_AddNumberToObject(o, "done", (double)(total - allot_timing_plan_left(&s->plan, l)));
        cJSON_AddNumberToObject(o, "total", (double)total);
        cJSON_AddNumberToObject(o, "failed", (double)allot_timing_plan_n_failed(&s->plan, l));
        allot_json_add_number(o, "relative_error", allot_timing_rule_worst(&s->rule, l, &worst));
        cJSON_AddItemToArray(list, o);
    }
    return list;
}

cJSON *allot_timingstatus_json(const allot_timingstatus *s, const char *dir)
{
    const allot_rundir *m = &s->files.manifest;
    failed_unit u;
    long at = 0;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "timing", dir);
    cJSON_AddNumberToObject(o, "queries", (double)s->files.problems.n);
    cJSON_AddNumberToObject(o, "runs", m->runs);
    cJSON_AddNumberToObject(o, "tokens", (double)s->n_tokens);
    cJSON_AddItemToObject(o, "loads", loads_json(s));
    cJSON *list = cJSON_AddArrayToObject(o, "failed");
    while (next_failed(s, &at, &u)) {
        cJSON *f = cJSON_CreateObject();
        cJSON_AddStringToObject(f, "key", u.key);
        cJSON_AddStringToObject(f, "strategy", u.strategy);
        cJSON_AddNumberToObject(f, "load", u.load);
        cJSON_AddNumberToObject(f, "run", u.run);
        cJSON_AddNumberToObject(f, "tries", u.f->n_tries);
        cJSON_AddStringToObject(f, "message", u.f->message);
        cJSON_AddItemToArray(list, f);
    }
    return o;
}

static void print_failures(const allot_timingstatus *s, long n_failed)
{
    failed_unit u;
    long at = 0, shown = 0;
    if (n_failed == 0) return;
    printf("%ld timings failed (the 'time' command that made them tries them again):\n", n_failed);
    for (; shown < MAX_LISTED && next_failed(s, &at, &u); shown++)
        printf("  %.12s  %s at load %d, tries: %d, last: %s\n", u.key, u.strategy, u.load,
               u.f->n_tries, u.f->message);
    if (shown < n_failed) printf("  ... and %ld more (--json has all)\n", n_failed - shown);
}

void allot_timingstatus_print(const allot_timingstatus *s, const char *dir)
{
    const allot_rundir *m = &s->files.manifest;
    long n_failed = 0, total = s->plan.map.n_queries * s->plan.per_load;
    printf("%s: timings of %ld queries, %d strategies, runs %d\n", dir, s->files.problems.n,
           m->strategies.count, m->runs);
    for (int l = 0; l < m->n_loads; l++) {
        int worst;
        double error = allot_timing_rule_worst(&s->rule, l, &worst);
        long failed = allot_timing_plan_n_failed(&s->plan, l);
        printf("  load %-3d %ld of at most %ld, %ld failed", m->loads[l],
               total - allot_timing_plan_left(&s->plan, l), total, failed);
        if (isfinite(error)) printf(", mean seconds known to %.1f %% or better", 100 * error);
        printf("\n");
        n_failed += failed;
    }
    printf("  tokens   %ld generated\n", s->n_tokens);
    print_failures(s, n_failed);
}
