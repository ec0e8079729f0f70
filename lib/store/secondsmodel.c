/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios of sums over the timed rows of each N, lines in log N between them, and how well half
 * of the rows foretells the other. */
#include "lib/store/secondsmodel.h"
#include "liballot/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums over the timed rows of one N. */
typedef struct {
    double gen_s, longest, prm_s, prm_tokens, rest_s;
    long n, n_prm;
} sums;

int allot_seconds_half(const allot_key *key)
{
    return key->b[31] & 1;
}

int allot_seconds_find(const allot_strategies *timed, const allot_strategy *s)
{
    return allot_strategies_find_source(timed, s);
}

static void add_row(sums *t, const allot_timed *row, int uses_prm)
{
    t->n++;
    t->gen_s += row->gen_s;
    t->longest += row->longest;
    t->rest_s += fmax(0, row->seconds - row->gen_s - row->prm_s);
    if (uses_prm) {
        t->n_prm++;
        t->prm_s += row->prm_s;
        t->prm_tokens += row->tokens;
    }
}

static int is_used(const allot_timed *row, int load, int half)
{
    return row->load == load && (half < 0 || allot_seconds_half(&row->key) == half);
}

/* Place of N in m->at, made if new; -1 if there is no room. */
static int place_of(allot_secondsmodel *m, sums *t, int n)
{
    int i = 0;
    while (i < m->n_at && m->at[i].n < n)
        i++;
    if (i < m->n_at && m->at[i].n == n) return i;
    if (m->n_at == ALLOT_SECONDS_MAX_N) return -1;
    memmove(&m->at[i + 1], &m->at[i], (size_t)(m->n_at - i) * sizeof *m->at);
    memmove(&t[i + 1], &t[i], (size_t)(m->n_at++ - i) * sizeof *t);
    m->at[i] = (allot_seconds_at){n, NAN, NAN, NAN};
    t[i] = (sums){0};
    return i;
}

/* A ratio of sums, not a mean of ratios: short rows are mostly overhead. */
static allot_code fit_searches(const allot_timedrows *rows, int load, int half,
                               allot_secondsmodel *m, allot_err *err)
{
    int count = rows->manifest.strategies.count;
    double *tokens = allot_mem_array((size_t)count, sizeof *tokens, err);
    if (!tokens) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < rows->n; i++)
        if (is_used(&rows->at[i], load, half)) {
            m->search[rows->at[i].strategy] += rows->at[i].seconds;
            tokens[rows->at[i].strategy] += rows->at[i].tokens;
        }
    for (int s = 0; s < count; s++)
        m->search[s] = tokens[s] > 0 ? m->search[s] / tokens[s] : NAN;
    free(tokens);
    return ALLOT_OK;
}

allot_code allot_secondsmodel_fit(const allot_timedrows *rows, int load, int half,
                                  allot_secondsmodel *out, allot_err *err)
{
    sums t[ALLOT_SECONDS_MAX_N + 1];
    const allot_strategies *set = &rows->manifest.strategies;
    memset(out, 0, sizeof *out);
    out->search = allot_mem_array((size_t)set->count, sizeof *out->search, err);
    if (!out->search) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < rows->n; i++) {
        const allot_strategy *s = &set->at[rows->at[i].strategy];
        if (allot_strategy_kind(s) != ALLOT_POOLED || !is_used(&rows->at[i], load, half)) continue;
        int k = place_of(out, t, s->n);
        if (k >= 0) add_row(&t[k], &rows->at[i], allot_strategy_uses_prm(s));
    }
    for (int k = 0; k < out->n_at; k++) {
        out->at[k].g = t[k].longest > 0 ? t[k].gen_s / t[k].longest : NAN;
        out->at[k].r = t[k].prm_tokens > 0 ? t[k].prm_s / t[k].prm_tokens : NAN;
        out->at[k].o = t[k].rest_s / (double)t[k].n;
    }
    allot_code code = fit_searches(rows, load, half, out, err);
    if (code) allot_secondsmodel_clear(out);
    return code;
}

void allot_secondsmodel_clear(allot_secondsmodel *m)
{
    free(m->search);
    memset(m, 0, sizeof *m);
}

/* A coefficient at N: between the nearest timed N that know it, linear in log N; beyond the ends
 * the end's. offset: of the coefficient in allot_seconds_at. */
static double coefficient(const allot_secondsmodel *m, size_t offset, int n)
{
    double below = NAN, above = NAN;
    int n_below = 0, n_above = 0;
    for (int i = 0; i < m->n_at; i++) {
        double value = *(const double *)((const char *)&m->at[i] + offset);
        if (!isfinite(value)) continue;
        if (m->at[i].n <= n) below = value, n_below = m->at[i].n;
        else if (!n_above) above = value, n_above = m->at[i].n;
    }
    if (!n_below || !n_above) return n_below ? below : above;
    double weight = log((double)n / n_below) / log((double)n_above / n_below);
    return below + weight * (above - below);
}

double allot_secondsmodel_predict(const allot_secondsmodel *m, const allot_strategy *s, int timed,
                                  double longest, double tokens)
{
    allot_method_kind kind = allot_strategy_kind(s);
    if (kind == ALLOT_SEARCH) return timed < 0 ? NAN : m->search[timed] * tokens;
    if (kind != ALLOT_POOLED) return NAN;
    double seconds = coefficient(m, offsetof(allot_seconds_at, g), s->n) * longest +
                     coefficient(m, offsetof(allot_seconds_at, o), s->n);
    if (allot_strategy_uses_prm(s))
        seconds += coefficient(m, offsetof(allot_seconds_at, r), s->n) * tokens;
    return seconds;
}

static double by_own_tokens(const allot_secondsmodel *m, const allot_timed *row,
                            const allot_timedrows *rows)
{
    return allot_secondsmodel_predict(m, &rows->manifest.strategies.at[row->strategy],
                                      row->strategy, row->longest, row->tokens);
}

allot_code allot_secondsmodel_held_out(const allot_timedrows *rows, int load,
                                       allot_seconds_guess guess, void *user,
                                       allot_seconds_error *out, allot_err *err)
{
    double wrong = 0, bias = 0, total = 0;
    *out = (allot_seconds_error){0};
    for (int half = 0; half < 2; half++) {
        allot_secondsmodel m;
        allot_code rc = allot_secondsmodel_fit(rows, load, 1 - half, &m, err);
        if (rc) return rc;
        for (size_t i = 0; i < rows->n; i++) {
            const allot_timed *row = &rows->at[i];
            if (!is_used(row, load, half)) continue;
            double seconds = guess ? guess(&m, row, user) : by_own_tokens(&m, row, rows);
            if (!isfinite(seconds)) continue;
            wrong += fabs(seconds - row->seconds);
            bias += seconds - row->seconds;
            total += row->seconds;
            out->n++;
        }
        allot_secondsmodel_clear(&m);
    }
    out->error = total > 0 ? wrong / total : NAN;
    out->bias = total > 0 ? bias / total : NAN;
    return ALLOT_OK;
}
