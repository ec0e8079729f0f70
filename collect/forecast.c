/* SPDX-License-Identifier: Apache-2.0 */
#include "forecast.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/log.h"
#include "liballot/mem.h"

#define PAUSE_S 60.0 /* a longer silence is a pause, not work */

allot_code allot_tally_init(allot_tally *t, const allot_sample_plan *p, allot_err *err)
{
    *t = (allot_tally){0};
    t->beams = allot_mem_array((size_t)p->n_beams, sizeof *t->beams, err);
    return t->beams ? ALLOT_OK : ALLOT_ERUNTIME;
}

void allot_tally_clear(allot_tally *t)
{
    free(t->beams);
    memset(t, 0, sizeof *t);
}

static allot_tally_row *row_of(allot_tally *t, const allot_sample_plan *p, int unit)
{
    allot_unit_kind kind = allot_sample_plan_kind(p, unit);
    if (kind == ALLOT_UNIT_SAMPLE) return &t->sample;
    if (kind == ALLOT_UNIT_SCORE) return &t->score;
    return &t->beams[(unit - p->pool * (1 + p->scored)) / p->runs];
}

void allot_tally_add(allot_tally *t, const allot_sample_plan *p, const allot_record *rec)
{
    int unit = allot_sample_plan_unit(p, rec);
    if (unit < 0) return;
    allot_tally_row *row = row_of(t, p, unit);
    row->n++;
    row->tokens += (double)rec->n_tokens;
    row->prompt_tokens += (double)rec->prompt_tokens;
    row->prm_tokens += (double)rec->prm_tokens;
    row->rounds += rec->n_rounds;
    t->tokens += (double)rec->n_tokens;
    if (!isfinite(rec->t_start)) return;
    double gap = rec->t_start - t->last_start_s;
    if (gap > 0 && gap < PAUSE_S) t->active_s += gap;
    if (gap > 0) t->last_start_s = rec->t_start;
}

/* Adds n units as the records of this row were. */
static void add_as_seen(allot_forecast *f, const allot_tally_row *row, double n)
{
    f->tokens += n * row->tokens / (double)row->n;
    f->prompt_tokens += n * (row->prompt_tokens + row->prm_tokens) / (double)row->n;
}

/* Generated tokens of one sample by the table: those of its smallest parallel strategy. */
static double sample_tokens(const allot_costsfile *c)
{
    int best = -1;
    for (int s = 0; s < c->strategies.count; s++) {
        const allot_strategy *at = &c->strategies.at[s];
        if (at->method <= ALLOT_WEIGHTED && (best < 0 || at->n < c->strategies.at[best].n))
            best = s;
    }
    return best < 0 ? NAN : c->loads[0].at[best].tokens.mean / c->strategies.at[best].n;
}

static double beam_tokens(const allot_costsfile *c, const allot_strategy *beam)
{
    allot_strategy s = *beam;
    int at = allot_strategies_find(&c->strategies, &s);
    s.final = ALLOT_FINAL_VOTE;
    if (at < 0) at = allot_strategies_find(&c->strategies, &s);
    return at < 0 ? NAN : c->loads[0].at[at].tokens.mean;
}

/* Most tokens per second that any strategy reached at any load of the table; 0 if unknown. */
static double table_rate(const allot_costsfile *c)
{
    double best = 0;
    for (int l = 0; l < c->n_loads; l++)
        for (int s = 0; c->loads[l].has_seconds && s < c->strategies.count; s++) {
            const allot_cost *at = &c->loads[l].at[s];
            if (at->seconds.mean > 0)
                best = fmax(best, c->loads[l].load * at->tokens.mean / at->seconds.mean);
        }
    return best;
}

/* Units of one beam search that are left. */
static double beams_left(const allot_sample_plan *p, int beam)
{
    double n = 0;
    int first = p->pool * (1 + p->scored) + beam * p->runs;
    for (long q = 0; q < p->map.n_queries; q++)
        for (int run = 0; run < p->runs; run++)
            n += !allot_unitmap_done(&p->map, q, first + run);
    return n;
}

/* A search asks for every beam and for one scoring in every round. */
static void add_beams(allot_forecast *f, const allot_sample_plan *p, const allot_tally *t,
                      const allot_costsfile *costs)
{
    for (int b = 0; b < p->n_beams; b++) {
        double n = beams_left(p, b), rounds = p->beams[b].depth;
        const allot_tally_row *row = &t->beams[b];
        if (n == 0) continue;
        if (row->n && row->rounds > 0) rounds = row->rounds / (double)row->n;
        f->requests += n * rounds * (p->beams[b].n + 1);
        if (row->n) {
            add_as_seen(f, row, n);
        } else {
            f->tokens += costs ? n * beam_tokens(costs, &p->beams[b]) : NAN;
            f->prompt_tokens = NAN;
        }
    }
}

allot_forecast allot_forecast_make(const allot_sample_plan *p, const allot_tally *t,
                                   const allot_costsfile *costs, const allot_prices *prices)
{
    allot_forecast f = {.units = allot_sample_plan_count(p)};
    double left[ALLOT_N_UNITS];
    for (int k = 0; k < ALLOT_N_UNITS; k++)
        left[k] = (double)(f.units.total[k] - f.units.done[k]);
    f.requests = left[ALLOT_UNIT_SAMPLE] + left[ALLOT_UNIT_SCORE];
    if (left[ALLOT_UNIT_SAMPLE] > 0) {
        if (t->sample.n) {
            add_as_seen(&f, &t->sample, left[ALLOT_UNIT_SAMPLE]);
        } else {
            f.tokens += costs ? left[ALLOT_UNIT_SAMPLE] * sample_tokens(costs) : NAN;
            f.prompt_tokens = NAN;
        }
    }
    if (left[ALLOT_UNIT_SCORE] > 0) {
        if (t->score.n) add_as_seen(&f, &t->score, left[ALLOT_UNIT_SCORE]);
        else f.prompt_tokens = NAN;
    }
    add_beams(&f, p, t, costs);
    double rate = t->tokens > 0 && t->active_s > 0 ? t->tokens / t->active_s : 0;
    if (rate == 0 && costs) rate = table_rate(costs);
    f.seconds = rate > 0 ? f.tokens / rate : f.tokens == 0 ? 0 : NAN;
    f.price = (prices->per_token > 0 ? prices->per_token * f.tokens : 0) +
              (prices->per_prompt_token > 0 ? prices->per_prompt_token * f.prompt_tokens : 0) +
              (prices->per_second > 0 ? prices->per_second * f.seconds : 0);
    f.source = t->tokens > 0 ? "pilot" : costs ? "costs" : NULL;
    if (!isfinite(f.tokens))
        allot_log_warn("%s", f.source ? "not every strategy is known: tokens and seconds cannot be "
                                        "foretold (give a --pilot)"
                                      : "tokens and seconds cannot be foretold without records of "
                                        "this run (give --pilot 4, or --costs)");
    return f;
}
