/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers the units of a query (pool slots, scores, beam runs) and marks those that have records.
 */
#include "collect/sample_plan.h"
#include <stdlib.h>
#include <string.h>
#include "lib/core/log.h"
#include "liballot/mem.h"

static int is_pooled(const allot_strategy *s)
{
    return allot_strategy_kind(s) == ALLOT_POOLED;
}

allot_code allot_sample_plan_check(const allot_strategies *set, int has_prm, allot_err *err)
{
    for (int i = 0; i < set->count; i++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&set->at[i], text);
        if (allot_strategy_kind(&set->at[i]) == ALLOT_ELSEWHERE)
            return allot_fail(err, ALLOT_EINPUT,
                              "strategy '%s' was measured elsewhere and cannot be run (import its "
                              "outcomes instead)",
                              text);
        if (!has_prm && allot_strategy_uses_prm(&set->at[i]))
            return allot_fail(err, ALLOT_EUSAGE,
                              "strategy '%s' needs a reward model (give --prm-model)", text);
    }
    return ALLOT_OK;
}

allot_code allot_sample_plan_pool(const allot_strategies *set, int asked, int *pool, allot_err *err)
{
    const allot_strategy *largest = NULL;
    for (int i = 0; i < set->count; i++)
        if (is_pooled(&set->at[i]) && (!largest || set->at[i].n > largest->n))
            largest = &set->at[i];
    *pool = 0;
    if (!largest) return ALLOT_OK;
    *pool = asked ? asked : 2 * largest->n;
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(largest, text);
    if (*pool < largest->n)
        return allot_fail(err, ALLOT_EUSAGE,
                          "a pool of %d samples is too small for '%s' (give --pool %d or more)",
                          *pool, text, 2 * largest->n);
    if (*pool < 2 * largest->n)
        allot_log_warn("a pool of %d samples makes noisy labels for '%s': --pool %d is better",
                       *pool, text, 2 * largest->n);
    return ALLOT_OK;
}

int allot_sample_plan_scored(const allot_strategies *set)
{
    for (int i = 0; i < set->count; i++)
        if (is_pooled(&set->at[i]) && allot_strategy_uses_prm(&set->at[i])) return 1;
    return 0;
}

/* The final answer is chosen when labels are made. */
static void add_search(allot_sample_plan *p, const allot_strategy *s)
{
    const allot_strategy source = allot_strategy_source(s);
    for (int i = 0; i < p->n_searches; i++)
        if (allot_strategy_same(&p->searches[i], &source)) return;
    p->searches[p->n_searches++] = source;
}

void allot_sample_plan_leave(allot_sample_plan *p, long q)
{
    p->n_elsewhere++;
    for (int unit = 0; unit < p->map.per_query; unit++)
        allot_unitmap_mark(&p->map, q, unit);
}

static void leave_to_others(allot_sample_plan *p, const allot_rundir *r, const allot_key *keys)
{
    for (long q = 0; q < p->map.n_queries; q++)
        if (!allot_rundir_has(r, &keys[q])) allot_sample_plan_leave(p, q);
}

allot_code allot_sample_plan_init(allot_sample_plan *p, const allot_rundir *r,
                                  const allot_key *keys, long n_queries, allot_err *err)
{
    *p = (allot_sample_plan){.pool = r->pool, .scored = r->scored, .runs = r->runs};
    p->searches = allot_mem_array((size_t)r->strategies.count, sizeof *p->searches, err);
    if (!p->searches) return ALLOT_ERUNTIME;
    for (int i = 0; i < r->strategies.count; i++)
        if (allot_strategy_kind(&r->strategies.at[i]) == ALLOT_SEARCH)
            add_search(p, &r->strategies.at[i]);
    long per_query = (long)p->pool * (1 + p->scored) + (long)p->n_searches * p->runs;
    allot_code rc = per_query > 1L << 30
                        ? allot_fail(err, ALLOT_EUSAGE,
                                     "%ld units of work for each query are too "
                                     "many (give a smaller --pool or --runs)",
                                     per_query)
                        : allot_unitmap_init(&p->map, n_queries, (int)per_query, err);
    if (rc) allot_sample_plan_clear(p);
    else leave_to_others(p, r, keys);
    return rc;
}

void allot_sample_plan_clear(allot_sample_plan *p)
{
    free(p->searches);
    allot_unitmap_clear(&p->map);
    memset(p, 0, sizeof *p);
}

allot_unit_kind allot_sample_plan_kind(const allot_sample_plan *p, int unit)
{
    if (unit < p->pool) return ALLOT_UNIT_SAMPLE;
    return unit < p->pool * (1 + p->scored) ? ALLOT_UNIT_SCORE : ALLOT_UNIT_SEARCH;
}

static int search_unit(const allot_sample_plan *p, const allot_record *rec)
{
    for (int i = 0; i < p->n_searches && rec->run < p->runs; i++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_strategy_print(&p->searches[i], text);
        if (strcmp(text, rec->source) == 0)
            return p->pool * (1 + p->scored) + i * p->runs + rec->run;
    }
    return -1;
}

int allot_sample_plan_unit(const allot_sample_plan *p, const allot_record *rec)
{
    if (rec->type == ALLOT_REC_BEAM) return search_unit(p, rec);
    if (strcmp(rec->source, "pool") != 0 || rec->slot >= p->pool) return -1;
    if (rec->type == ALLOT_REC_SAMPLE) return rec->slot;
    return rec->type == ALLOT_REC_SCORE && p->scored ? p->pool + rec->slot : -1;
}

int allot_sample_plan_failed(const allot_sample_plan *p, const allot_record *rec)
{
    if (strcmp(rec->source, "pool") != 0) return search_unit(p, rec);
    return rec->slot < p->pool ? rec->slot : -1;
}

long allot_sample_plan_total(const allot_sample_plan *p)
{
    return allot_unitmap_total(&p->map) - p->n_elsewhere * p->map.per_query;
}

long allot_sample_plan_done(const allot_sample_plan *p)
{
    return p->map.n_done - p->n_elsewhere * p->map.per_query;
}

allot_sample_counts allot_sample_plan_count(const allot_sample_plan *p)
{
    allot_sample_counts c = {0};
    for (int unit = 0; unit < p->map.per_query; unit++) {
        allot_unit_kind kind = allot_sample_plan_kind(p, unit);
        c.total[kind] += p->map.n_queries - p->n_elsewhere;
        c.done[kind] -= p->n_elsewhere;
        for (long q = 0; q < p->map.n_queries; q++)
            c.done[kind] += allot_unitmap_done(&p->map, q, unit);
    }
    return c;
}
