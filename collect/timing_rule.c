/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps sums by (strategy, query) of one load and gives the relative error of the worst strategy.
 */
#include "collect/timing_rule.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

allot_code allot_timing_rule_init(allot_timing_rule *r, long n_queries, const allot_rundir *m,
                                  allot_err *err)
{
    *r = (allot_timing_rule){
        .n_queries = n_queries, .n_loads = m->n_loads, .n_strategies = m->strategies.count};
    size_t loads = (size_t)m->n_loads, cells = loads * (size_t)m->strategies.count;
    r->seconds = allot_mem_array((size_t)n_queries, cells * sizeof *r->seconds, err);
    r->n = allot_mem_array((size_t)n_queries, cells * sizeof *r->n, err);
    r->n_failed = allot_mem_array(cells, sizeof *r->n_failed, err);
    r->client_s = allot_mem_array(loads, sizeof *r->client_s, err);
    r->total_s = allot_mem_array(loads, sizeof *r->total_s, err);
    return r->seconds && r->n && r->n_failed && r->client_s && r->total_s ? ALLOT_OK
                                                                          : ALLOT_ERUNTIME;
}

void allot_timing_rule_clear(allot_timing_rule *r)
{
    free(r->seconds);
    free(r->n);
    free(r->n_failed);
    free(r->client_s);
    free(r->total_s);
    memset(r, 0, sizeof *r);
}

static size_t first_cell(const allot_timing_rule *r, int load, int strategy)
{
    return ((size_t)load * (size_t)r->n_strategies + (size_t)strategy) * (size_t)r->n_queries;
}

void allot_timing_rule_add(allot_timing_rule *r, long q, int load, int strategy, double seconds,
                           double client_s)
{
    if (!isfinite(seconds)) return;
    size_t cell = first_cell(r, load, strategy) + (size_t)q;
    r->seconds[cell] += seconds;
    r->n[cell]++;
    if (!isfinite(client_s)) return;
    r->client_s[load] += client_s;
    r->total_s[load] += seconds;
}

void allot_timing_rule_fail(allot_timing_rule *r, int load, int strategy)
{
    r->n_failed[load * r->n_strategies + strategy]++;
}

/* Standard error over mean of one strategy. */
static double relative_error(const allot_timing_rule *r, int load, int strategy)
{
    size_t first = first_cell(r, load, strategy);
    double mean = 0, squares = 0; /* Welford's */
    long n = 0;
    for (size_t cell = first; cell < first + (size_t)r->n_queries; cell++) {
        if (r->n[cell] == 0) continue;
        double x = r->seconds[cell] / r->n[cell], off = x - mean;
        mean += off / (double)++n;
        squares += off * (x - mean);
    }
    long n_failed = r->n_failed[load * r->n_strategies + strategy];
    if (n == 0 && n_failed >= ALLOT_TIMING_MIN_QUERIES) return NAN;
    if (n < ALLOT_TIMING_MIN_QUERIES) return INFINITY;
    return squares > 0 ? sqrt(squares / (double)(n - 1) / (double)n) / mean : 0;
}

double allot_timing_rule_worst(const allot_timing_rule *r, int load, int *strategy)
{
    double worst = NAN;
    *strategy = 0;
    for (int s = 0; s < r->n_strategies; s++) {
        double error = relative_error(r, load, s);
        if (isnan(worst) || error > worst) worst = error, *strategy = s;
    }
    return worst;
}

double allot_timing_rule_client(const allot_timing_rule *r, int load)
{
    return r->total_s[load] > 0 ? r->client_s[load] / r->total_s[load] : NAN;
}
