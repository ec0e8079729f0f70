/* SPDX-License-Identifier: Apache-2.0 */
/* Rates by kind of unit, from a cost table or from records of the run, times what is left of
 * each. */
#include "collect/forecast.h"
#include <math.h>
#include <stdlib.h>
#include "lib/core/log.h"
#include "lib/core/stats.h"
#include "liballot/mem.h"

#define WIDE 0.3 /* a bar of more than this, either way, is worth a larger pilot */

/* What is foretold, per query seen: for all that is left, if all queries were as this one. */
enum { TOKENS, READ, SERVER_S, LEAST_S, PRICE, N_QUANTITIES };

/* Generated tokens of one sample by the table: those of its smallest parallel strategy. */
static double sample_tokens(const allot_costsfile *c)
{
    int best = -1;
    for (int s = 0; s < c->strategies.count; s++) {
        const allot_strategy *at = &c->strategies.at[s];
        if (allot_strategy_kind(at) == ALLOT_POOLED &&
            (best < 0 || at->n < c->strategies.at[best].n))
            best = s;
    }
    return best < 0 ? NAN : c->loads[0].at[best].tokens.mean / c->strategies.at[best].n;
}

static double search_tokens(const allot_costsfile *c, const allot_strategy *search)
{
    int at = allot_strategies_find_source(&c->strategies, search);
    return at < 0 ? NAN : c->loads[0].at[at].tokens.mean;
}

/* Tokens of one unit of a kind of which no record is there. */
static double unseen_tokens(const allot_tally *t, const allot_costsfile *costs, int kind)
{
    if (kind == ALLOT_UNIT_SCORE) return 0;
    if (!costs) return NAN;
    if (kind == ALLOT_UNIT_SAMPLE) return sample_tokens(costs);
    return search_tokens(costs, &t->plan->searches[kind - ALLOT_UNIT_SEARCH]);
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

/* Units that are left of one kind, and of one beam search. */
static double units_left(const allot_sample_plan *p, const allot_sample_counts *c, int kind)
{
    if (kind < ALLOT_UNIT_SEARCH) return (double)(c->total[kind] - c->done[kind]);
    double n = 0;
    int first = p->pool * (1 + p->scored) + (kind - ALLOT_UNIT_SEARCH) * p->runs;
    for (long q = 0; q < p->map.n_queries; q++)
        for (int run = 0; run < p->runs; run++)
            n += !allot_unitmap_done(&p->map, q, first + run);
    return n;
}

static long queries_left(const allot_sample_plan *p)
{
    long n = 0;
    for (long q = 0; q < p->map.n_queries; q++) {
        int left = 0;
        for (int unit = 0; !left && unit < p->map.per_query; unit++)
            left = !allot_unitmap_done(&p->map, q, unit);
        n += left;
    }
    return n;
}

/* A search asks for every beam and for one scoring in every round. */
static double requests_of(const allot_tally *t, int kind)
{
    if (kind < ALLOT_UNIT_SEARCH) return 1;
    const allot_strategy *s = &t->plan->searches[kind - ALLOT_UNIT_SEARCH];
    double n = 0, rounds = 0;
    for (long r = 0; r < t->n_rows; r++) {
        n += t->seen[r * t->n_kinds + kind].n;
        rounds += t->seen[r * t->n_kinds + kind].rounds;
    }
    return (rounds > 0 ? rounds / n : s->depth) * (s->n + 1);
}

/* One unit of a kind, as seen on one query; NaN if it was not. */
static double seen_of(const allot_seen *s, int quantity)
{
    if (quantity == TOKENS) return s->n > 0 ? s->tokens / s->n : NAN;
    if (quantity == READ) return s->n > 0 ? s->read / s->n : NAN;
    if (!(s->n_timed > 0)) return NAN;
    return (quantity == SERVER_S ? s->server_s : s->least_s) / s->n_timed;
}

/* Adds what is left of one kind to every row; a query that lacks it is as the others are on
 * average. Returns 0 if no query has it. */
static int add_kind(const allot_tally *t, int kind, double left, int quantity, double *rows)
{
    double sum = 0;
    long n = 0;
    for (long r = 0; r < t->n_rows; r++) {
        double x = seen_of(&t->seen[r * t->n_kinds + kind], quantity);
        if (isfinite(x)) sum += x, n++;
    }
    for (long r = 0; n && r < t->n_rows; r++) {
        double x = seen_of(&t->seen[r * t->n_kinds + kind], quantity);
        rows[r] += left * (isfinite(x) ? x : sum / (double)n);
    }
    return n > 0;
}

/* Half the width that holds 90 % of Student's distribution. */
static double student_90(double df)
{
    static const double few[] = {6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83};
    if (df < 10) return few[df < 2 ? 0 : (int)df - 1];
    return 1.645 + 1.53 / df;
}

/* The total of `left` queries by those of rows [n], which are such totals each. A random choice was
 * made along the length of the problems (pilot.h): then what neighbours differ by is the variance,
 * with two thirds of the degrees of freedom (Wolter, Introduction to Variance Estimation, ch. 8).
 */
static allot_estimate estimate(const double *rows, long n, int chosen, long left)
{
    allot_estimate e = {allot_mean(rows, (size_t)n), NAN, NAN};
    if (n < 2) return e;
    double variance = allot_variance(rows, (size_t)n), df = (double)n - 1;
    if (chosen) {
        variance = 0;
        for (long r = 1; r < n; r++)
            variance += (rows[r] - rows[r - 1]) * (rows[r] - rows[r - 1]) / (2 * df);
        df *= 2.0 / 3;
    }
    double half = student_90(df) * sqrt(variance * (1 / (double)n + 1 / fmax((double)left, 1)));
    e.low = fmax(e.mid - half, 0);
    e.high = e.mid + half;
    return e;
}

typedef struct {
    const allot_tally *t;
    const allot_costsfile *costs; /* may be NULL */
    double *rows;                 /* owned [N_QUANTITIES][n_rows] */
    double constant;              /* tokens of what only the table knows */
    int known[N_QUANTITIES];
    long left; /* queries */
} sums;

static double *rows_of(const sums *s, int quantity)
{
    return s->rows + quantity * s->t->n_rows;
}

static void add_left(sums *s, int kind, double left)
{
    for (int quantity = TOKENS; quantity <= LEAST_S; quantity++) {
        if (add_kind(s->t, kind, left, quantity, rows_of(s, quantity))) continue;
        if (quantity == TOKENS) s->constant += left * unseen_tokens(s->t, s->costs, kind);
        else s->known[quantity] = 0;
    }
}

static void add_prices(sums *s, const allot_prices *p)
{
    const double per[] = {
        [TOKENS] = p->per_token, [READ] = p->per_prompt_token, [SERVER_S] = p->per_second};
    for (int quantity = TOKENS; quantity <= SERVER_S; quantity++) {
        if (!(per[quantity] > 0)) continue;
        s->known[PRICE] &= s->known[quantity];
        for (long r = 0; r < s->t->n_rows; r++)
            rows_of(s, PRICE)[r] += per[quantity] * rows_of(s, quantity)[r];
    }
}

static allot_estimate estimate_of(const sums *s, int quantity)
{
    if (!s->known[quantity]) return (allot_estimate){NAN, NAN, NAN};
    return estimate(rows_of(s, quantity), s->t->n_rows, s->t->chosen, s->left);
}

static void shift(allot_estimate *e, double low, double mid, double high)
{
    e->low += low;
    if (e->low < 0) e->low = 0;
    e->mid += mid;
    e->high += high;
}

/* The doubts about seconds, see the header, in seconds and in money. */
static void add_doubts(const sums *s, const allot_prices *prices, allot_forecast *f)
{
    double excess = s->t->excess_s, less = estimate_of(s, LEAST_S).mid - f->seconds.mid;
    shift(&f->seconds, less, excess / 2, excess);
    if (!(prices->per_second > 0)) return;
    shift(&f->price, prices->per_second * less, prices->per_second * excess / 2,
          prices->per_second * excess);
}

/* What records do not tell, by the table; without an error bar. */
static void use_table(const sums *s, const allot_prices *p, allot_forecast *f)
{
    double rate = s->costs ? table_rate(s->costs) : 0;
    if (!isfinite(f->seconds.mid) && rate > 0)
        f->seconds = (allot_estimate){f->tokens.mid / rate, NAN, NAN};
    if (isfinite(f->price.mid)) return;
    f->price = (allot_estimate){0, NAN, NAN};
    if (p->per_token > 0) f->price.mid += p->per_token * f->tokens.mid;
    if (p->per_prompt_token > 0) f->price.mid += p->per_prompt_token * f->prompt_tokens.mid;
    if (p->per_second > 0) f->price.mid += p->per_second * f->seconds.mid;
}

static void warn_of(const allot_forecast *f, int chosen)
{
    if (!isfinite(f->tokens.mid))
        allot_log_warn("%s", chosen ? "not every strategy got through: tokens and seconds cannot "
                                      "be foretold"
                             : f->source
                                 ? "not every strategy is known: tokens and seconds cannot be "
                                   "foretold (give a --pilot)"
                                 : "tokens and seconds cannot be foretold without records of "
                                   "this run (give --pilot 8, or --costs)");
    else if (chosen && f->n_queries == 1)
        allot_log_warn("one query tells no error bar (give --pilot 8)");
    else if (chosen && f->tokens.high - f->tokens.mid > WIDE * f->tokens.mid)
        allot_log_warn("%ld queries differ too much for a narrow error bar (give --pilot %ld)",
                       f->n_queries, 4 * f->n_queries);
}

static void fill(sums *s, const allot_prices *prices, allot_forecast *f)
{
    const allot_tally *t = s->t;
    for (int kind = 0; kind < t->n_kinds; kind++) {
        double left = units_left(t->plan, &f->units, kind);
        if (left == 0) continue;
        f->requests += left * requests_of(t, kind);
        add_left(s, kind, left);
    }
    add_prices(s, prices);
    f->tokens = estimate_of(s, TOKENS);
    if (!t->n_rows) f->tokens.mid = 0;
    shift(&f->tokens, s->constant, s->constant, s->constant);
    f->prompt_tokens = estimate_of(s, READ);
    f->seconds = estimate_of(s, SERVER_S);
    f->price = estimate_of(s, PRICE);
    shift(&f->price, prices->per_token * s->constant, prices->per_token * s->constant,
          prices->per_token * s->constant);
    if (isfinite(f->seconds.mid)) add_doubts(s, prices, f);
    use_table(s, prices, f);
}

allot_code allot_forecast_make(const allot_tally *t, const allot_costsfile *costs,
                               const allot_prices *prices, allot_forecast *f, allot_err *err)
{
    *f = (allot_forecast){.units = allot_sample_plan_count(t->plan), .n_queries = t->n_rows};
    f->source = t->n_rows ? "pilot" : costs ? "costs" : NULL;
    if (allot_sample_plan_done(t->plan) == allot_sample_plan_total(t->plan)) return ALLOT_OK;
    sums s = {.t = t, .costs = costs, .known = {1, 1, 1, 1, 1}, .left = queries_left(t->plan)};
    s.rows = allot_mem_array(N_QUANTITIES * (size_t)t->n_rows, sizeof *s.rows, err);
    if (!s.rows) return ALLOT_ERUNTIME;
    fill(&s, prices, f);
    free(s.rows);
    warn_of(f, t->chosen);
    return ALLOT_OK;
}
