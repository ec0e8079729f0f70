/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/labels/labelseconds.h"
#include "lib/store/fingerprint.h"
#include "lib/store/secondsmodel.h"
#include "liballot/mem.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    const allot_timedrows *rows;
    const float *longest;
    allot_outcomes *out;
    int *timed; /* [S] index in the timing's manifest, -1 = not timed */
    allot_keyindex index;
    int load;
} filling;

/* The cells' means over runs. Rows are sorted, but two strategies may share a timed one. */
static allot_code fill_measured(const filling *f, allot_label_summary *sum, allot_err *err)
{
    allot_outcomes *o = f->out;
    int n_s = o->strategies.count;
    int *runs = allot_mem_array((size_t)o->n, (size_t)n_s * sizeof *runs, err);
    if (!runs) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < f->rows->n; i++) {
        const allot_timed *row = &f->rows->at[i];
        long q = row->load == f->load ? allot_keyindex_find(&f->index, &row->key) : -1;
        for (int s = 0; q >= 0 && s < n_s; s++)
            if (f->timed[s] == row->strategy && o->n_trials[q * n_s + s] > 0) {
                long cell = q * n_s + s;
                o->seconds[cell] += (float)((row->seconds - o->seconds[cell]) / ++runs[cell]);
                o->seconds_kind[cell] = ALLOT_SECONDS_MEASURED;
            }
    }
    for (long cell = 0; cell < o->n * n_s; cell++)
        sum->n_measured += runs[cell] > 0;
    free(runs);
    return ALLOT_OK;
}

static double predict(const filling *f, const allot_secondsmodel *m, long q, int s)
{
    long cell = q * f->out->strategies.count + s;
    return allot_secondsmodel_predict(m, &f->out->strategies.at[s], f->timed[s], f->longest[cell],
                                      f->out->tokens[cell]);
}

static allot_code fill_modelled(const filling *f, allot_label_summary *sum, allot_err *err)
{
    allot_outcomes *o = f->out;
    int n_s = o->strategies.count;
    allot_secondsmodel m;
    allot_code code = allot_secondsmodel_fit(f->rows, f->load, -1, &m, err);
    if (code) return code;
    for (long cell = 0; cell < o->n * n_s; cell++) {
        if (o->seconds_kind[cell] != ALLOT_SECONDS_ABSENT || o->n_trials[cell] == 0) continue;
        double seconds = predict(f, &m, cell / n_s, (int)(cell % n_s));
        if (isfinite(seconds)) {
            o->seconds[cell] = (float)seconds;
            o->seconds_kind[cell] = ALLOT_SECONDS_MODELLED;
            sum->n_modelled++;
        }
    }
    allot_secondsmodel_clear(&m);
    return ALLOT_OK;
}

/* A timed row predicted as a cell without timing would be: from the tokens of the pool. */
static double guess_as_cell(const allot_secondsmodel *m, const allot_timed *row, void *user)
{
    const filling *f = user;
    int s = 0, n_s = f->out->strategies.count;
    long q = allot_keyindex_find(&f->index, &row->key);
    while (s < n_s && f->timed[s] != row->strategy)
        s++;
    return q >= 0 && s < n_s && f->out->n_trials[q * n_s + s] > 0 ? predict(f, m, q, s) : NAN;
}

static allot_code fill(filling *f, allot_label_summary *sum, allot_err *err)
{
    const allot_strategies *set = &f->out->strategies;
    f->timed = allot_mem_array((size_t)set->count, sizeof *f->timed, err);
    if (!f->timed) return ALLOT_ERUNTIME;
    for (int s = 0; s < set->count; s++)
        f->timed[s] = allot_seconds_find(&f->rows->manifest.strategies, &set->at[s]);
    for (size_t i = 0; i < f->rows->n; i++)
        sum->n_timed += f->rows->at[i].load == f->load;
    allot_code code = fill_measured(f, sum, err);
    if (!code) code = fill_modelled(f, sum, err);
    if (!code)
        code = allot_secondsmodel_held_out(f->rows, f->load, guess_as_cell, f, &sum->held_out, err);
    return code;
}

allot_code allot_label_seconds(const allot_label_settings *s, const float *longest,
                               allot_outcomes *out, allot_label_summary *summary, allot_err *err)
{
    allot_timedrows rows;
    filling f = {.rows = &rows, .longest = longest, .out = out, .load = s->load};
    allot_code code = allot_timedrows_load(s->timing_dir, &rows, err);
    if (code) return code;
    code = allot_fingerprint_agree(out->fingerprint, s->run_dir, rows.manifest.fingerprint,
                                   s->timing_dir,
                                   "time the strategies with the settings of the "
                                   "run: 'allot-collect time'",
                                   err);
    if (!code) code = allot_keyindex_build(&f.index, out->keys, (size_t)out->n, s->run_dir, err);
    if (!code) code = fill(&f, summary, err);
    if (!code && summary->n_timed == 0)
        code = allot_fail(err, ALLOT_EMISMATCH, "'%s' has no rows at load %d (see --load)",
                          s->timing_dir, s->load);
    free(f.timed);
    allot_keyindex_clear(&f.index);
    allot_timedrows_clear(&rows);
    return code;
}
