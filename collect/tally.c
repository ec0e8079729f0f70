/* SPDX-License-Identifier: Apache-2.0 */
/* Adds up tokens by kind of unit, and gives each record its share of the servers while it ran. */
#include "collect/tally.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

/* Where a span begins or ends. */
typedef struct {
    double at_s;
    long span;
    int ends;
} event;

allot_code allot_tally_init(allot_tally *t, const allot_sample_plan *plan, allot_err *err)
{
    *t = (allot_tally){.plan = plan, .n_kinds = ALLOT_UNIT_SEARCH + plan->n_searches};
    t->row_of = allot_mem_array((size_t)plan->map.n_queries, sizeof *t->row_of, err);
    return t->row_of ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_tally_clear(allot_tally *t)
{
    free(t->row_of);
    free(t->seen);
    free(t->spans);
    memset(t, 0, sizeof *t);
}

static allot_code add_row(allot_tally *t, long q, allot_err *err)
{
    if (t->n_rows == ALLOT_TALLY_MAX_ROWS) return ALLOT_OK;
    size_t width = (size_t)t->n_kinds, n = ((size_t)t->n_rows + 1) * width;
    allot_code rc = allot_mem_grow((void **)&t->seen, &t->row_capacity, n, sizeof *t->seen, err);
    if (rc) return rc;
    memset(t->seen + n - width, 0, width * sizeof *t->seen);
    t->row_of[q] = ++t->n_rows;
    return ALLOT_OK;
}

allot_code allot_tally_choose(allot_tally *t, long q, allot_err *err)
{
    t->chosen = 1;
    return add_row(t, q, err);
}

static int kind_of(const allot_sample_plan *p, int unit)
{
    allot_unit_kind kind = allot_sample_plan_kind(p, unit);
    if (kind != ALLOT_UNIT_SEARCH) return (int)kind;
    return ALLOT_UNIT_SEARCH + (unit - p->pool * (1 + p->scored)) / p->runs;
}

/* A search has all its beams in flight, or one scoring. */
static double requests_of(const allot_tally *t, int kind, const allot_record *rec)
{
    if (kind < ALLOT_UNIT_SEARCH) return 1;
    int beams = t->plan->searches[kind - ALLOT_UNIT_SEARCH].n;
    return fmax((beams * rec->gen_s + rec->prm_s) / rec->seconds, 1);
}

/* The latest spans are kept. */
static allot_code add_span(allot_tally *t, long at, int kind, const allot_record *rec,
                           allot_err *err)
{
    double to_s = rec->t_start + rec->seconds;
    if (!isfinite(to_s) || !(to_s > rec->t_start)) return ALLOT_OK;
    long place = t->n_records++ % ALLOT_TALLY_MAX_SPANS;
    if (place == t->n_spans) {
        allot_code rc = allot_mem_grow((void **)&t->spans, &t->span_capacity,
                                       (size_t)t->n_spans + 1, sizeof *t->spans, err);
        if (rc) return rc;
        t->n_spans++;
    }
    t->spans[place] = (allot_span){
        .from_s = rec->t_start, .to_s = to_s, .requests = requests_of(t, kind, rec), .at = at};
    return ALLOT_OK;
}

allot_code allot_tally_add(allot_tally *t, long q, int unit, const allot_record *rec,
                           allot_err *err)
{
    if (!t->row_of) return ALLOT_OK;
    int kind = kind_of(t->plan, unit);
    allot_code rc = t->row_of[q] || t->chosen ? ALLOT_OK : add_row(t, q, err);
    if (rc) return rc;
    long at = t->row_of[q] ? (t->row_of[q] - 1) * t->n_kinds + kind : -1;
    if (at >= 0) {
        allot_seen *s = &t->seen[at];
        s->n++;
        s->tokens += (double)rec->n_tokens;
        s->read += (double)rec->prompt_tokens + (double)rec->prm_tokens;
        s->rounds += rec->n_rounds;
    }
    return add_span(t, at, kind, rec, err);
}

static int by_time(const void *a, const void *b)
{
    const event *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    return y->ends - x->ends;
}

/* Walks through the time: what a request that runs all along would have got of the servers so far
 * (share_s), and at least (least_s). A span gets what was added between its two ends. */
static void walk(allot_tally *t, const event *events, double max_requests)
{
    double running = 0, share_s = 0, least_s = 0;
    long n_running = 0;
    for (long i = 0; i < 2 * t->n_spans; i++) {
        allot_span *s = &t->spans[events[i].span];
        double passed_s = i ? events[i].at_s - events[i - 1].at_s : 0;
        if (n_running > 0) {
            share_s += passed_s / running;
            least_s += passed_s / fmax(running, max_requests);
            t->busy_s += passed_s;
            t->excess_s += passed_s * (1 - fmin(1, running / max_requests));
        }
        int way = events[i].ends ? -1 : 1;
        s->server_s -= way * s->requests * share_s;
        s->least_s -= way * s->requests * least_s;
        n_running += way;
        running = n_running ? running + way * s->requests : 0;
    }
}

allot_code allot_tally_share(allot_tally *t, int max_requests, allot_err *err)
{
    event *events = allot_mem_array(2 * (size_t)t->n_spans, sizeof *events, err);
    if (!events) return ALLOT_ERUNTIME;
    for (long i = 0; i < t->n_spans; i++) {
        events[2 * i] = (event){t->spans[i].from_s, i, 0};
        events[2 * i + 1] = (event){t->spans[i].to_s, i, 1};
    }
    qsort(events, 2 * (size_t)t->n_spans, sizeof *events, by_time);
    walk(t, events, max_requests);
    free(events);
    for (long i = 0; i < t->n_spans; i++) {
        const allot_span *s = &t->spans[i];
        if (s->at < 0) continue;
        t->seen[s->at].n_timed++;
        t->seen[s->at].server_s += s->server_s;
        t->seen[s->at].least_s += s->least_s;
    }
    return ALLOT_OK;
}
