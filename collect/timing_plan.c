/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers the timings of a directory and draws the order in which a query's are done. */
#include "collect/timing_plan.h"
#include <string.h>
#include "lib/core/rng.h"

enum { STREAM_ORDER = 0x6f726472 }; /* rng stream of the order of timings */

allot_code allot_timing_plan_init(allot_timing_plan *p, const allot_rundir *r, long n_queries,
                                  allot_err *err)
{
    long per_load = (long)r->strategies.count * r->runs;
    *p = (allot_timing_plan){.manifest = r};
    if (per_load * r->n_loads > 1L << 30)
        return allot_fail(err, ALLOT_EUSAGE,
                          "%ld timings of each query are too many (give fewer "
                          "--runs)",
                          per_load * r->n_loads);
    p->per_load = (int)per_load;
    allot_code rc = allot_unitmap_init(&p->map, n_queries, p->per_load * r->n_loads, err);
    return rc ? rc : allot_unitmap_init(&p->failed, n_queries, p->per_load * r->n_loads, err);
}

void allot_timing_plan_clear(allot_timing_plan *p)
{
    allot_unitmap_clear(&p->map);
    allot_unitmap_clear(&p->failed);
    memset(p, 0, sizeof *p);
}

int allot_timing_plan_load(const allot_timing_plan *p, int unit)
{
    return unit / p->per_load;
}

int allot_timing_plan_strategy(const allot_timing_plan *p, int unit)
{
    return unit % p->per_load / p->manifest->runs;
}

int allot_timing_plan_run(const allot_timing_plan *p, int unit)
{
    return unit % p->manifest->runs;
}

int allot_timing_plan_unit(const allot_timing_plan *p, const allot_record *rec)
{
    const allot_rundir *m = p->manifest;
    allot_strategy s;
    int is_timing = rec->type == ALLOT_REC_TIMED || rec->type == ALLOT_REC_ERROR;
    if (!is_timing || rec->run >= m->runs || allot_strategy_parse(rec->source, &s, NULL)) return -1;
    int at = allot_strategies_find(&m->strategies, &s);
    for (int l = 0; l < m->n_loads && at >= 0; l++)
        if (m->loads[l] == rec->load) return l * p->per_load + at * m->runs + rec->run;
    return -1;
}

int allot_timing_plan_is_failed(const allot_timing_plan *p, long q, int unit)
{
    return allot_unitmap_done(&p->failed, q, unit) && !allot_unitmap_done(&p->map, q, unit);
}

long allot_timing_plan_left(const allot_timing_plan *p, int load_index)
{
    long n = 0;
    int first = load_index * p->per_load;
    for (long q = 0; q < p->map.n_queries; q++)
        for (int unit = first; unit < first + p->per_load; unit++)
            n += !allot_unitmap_done(&p->map, q, unit);
    return n;
}

long allot_timing_plan_n_failed(const allot_timing_plan *p, int load_index)
{
    long n = 0;
    int first = load_index * p->per_load;
    for (long q = 0; q < p->map.n_queries; q++)
        for (int unit = first; unit < first + p->per_load; unit++)
            n += allot_timing_plan_is_failed(p, q, unit);
    return n;
}

void allot_timing_plan_order(const allot_timing_plan *p, const allot_key *query, int load_index,
                             int *scratch, int *out)
{
    allot_rng rng = allot_rng_start((uint64_t)p->manifest->seed, STREAM_ORDER, allot_key_u64(query),
                                    (uint64_t)p->manifest->loads[load_index]);
    allot_rng_subset(&rng, p->per_load, p->per_load, scratch, out);
    for (int i = 0; i < p->per_load; i++)
        out[i] += load_index * p->per_load;
}
