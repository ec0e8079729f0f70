/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the cells of a fit: the probe's forward pass over the calibration queries, next to their
 * labels. */
#include "calibrate/calcells.h"
#include "liballot/mem.h"
#include <stdlib.h>
#include <string.h>

/* The work arrays of the forward pass over one set of strategies. */
typedef struct {
    float *features, *v, *scratch, *z;
} forward;

static allot_code forward_init(forward *f, const allot_probefile *p, allot_err *err)
{
    size_t s = (size_t)p->strategies.count;
    int dim = allot_features_strategy_dim(p->probe.layout, &p->strategies);
    if (dim != p->probe.p)
        return allot_fail(err, ALLOT_EINPUT,
                          "the probe has %d strategy features, its strategies "
                          "make %d (run 'allot-train' again)",
                          p->probe.p, dim);
    f->features = allot_mem_array(s, (size_t)dim * sizeof(float), err);
    f->v = allot_mem_array(s, (size_t)p->probe.h1 * sizeof(float), err);
    f->scratch = allot_mem_array(allot_probe_scratch(&p->probe), sizeof(float), err);
    f->z = allot_mem_array(s, sizeof(float), err);
    if (!f->features || !f->v || !f->scratch || !f->z) return ALLOT_ERUNTIME;
    allot_code code = allot_features_strategy(p->probe.layout, &p->strategies, f->features, err);
    if (!code) allot_probe_project(&p->probe, f->features, f->v);
    return code;
}

static allot_code add_query(const allot_joined *j, long q, const allot_probefile *probe, forward *f,
                            int by_n_eff, allot_calcells *out, allot_err *err)
{
    const allot_outcomes *o = &j->outcomes;
    long n_s = o->strategies.count;
    allot_code code = allot_probe_logits(&probe->probe, allot_joined_embedding(j, q),
                                         (size_t)o->codepoints[q], f->v, f->scratch, f->z, err);
    for (long s = 0; !code && s < n_s; s++) {
        long cell = q * n_s + s;
        if (o->n_trials[cell] == 0) out->n_missing++;
        else
            out->at[out->n++] =
                (allot_platt_cell){f->z[s], o->accuracy[cell], by_n_eff ? o->n_eff[cell] : 1,
                                   o->strategies.at[s].method};
    }
    return code;
}

static allot_code fill(const allot_joined *j, const allot_probefile *probe, int by_n_eff,
                       allot_calcells *out, allot_err *err)
{
    forward f = {0};
    out->n_queries = j->n[ALLOT_CALIBRATION];
    out->at = allot_mem_array((size_t)out->n_queries,
                              (size_t)j->outcomes.strategies.count * sizeof *out->at, err);
    allot_code code = out->at ? forward_init(&f, probe, err) : ALLOT_ERUNTIME;
    for (long q = 0; !code && q < j->outcomes.n; q++)
        if (j->split_of[q] == ALLOT_CALIBRATION)
            code = add_query(j, q, probe, &f, by_n_eff, out, err);
    free(f.features);
    free(f.v);
    free(f.scratch);
    free(f.z);
    return code;
}

allot_code allot_calcells_load(const allot_calcells_source *source, const allot_probefile *probe,
                               allot_calcells *out, allot_err *err)
{
    const allot_joined_files *f = &source->files;
    const allot_joined_trained trained = {.file = source->probe,
                                          .strategies = &probe->strategies,
                                          .fingerprint = probe->fingerprint,
                                          .grading = probe->grading,
                                          .embedding_model = probe->embedding_model,
                                          .embedding_id = probe->embedding_id,
                                          .dim = probe->probe.d,
                                          .split_id = probe->split_id,
                                          .metric = probe->metric};
    allot_joined j;
    memset(out, 0, sizeof *out);
    allot_code code = allot_joined_load(f, &trained, &j, err);
    if (!code && j.n[ALLOT_CALIBRATION] == 0)
        code = allot_fail(err, ALLOT_EINPUT,
                          "no query of '%s' is in the calibration split of '%s' "
                          "(run 'allot-datasets split' with a calibration share)",
                          f->outcomes, f->splits);
    if (!code) code = fill(&j, probe, source->by_n_eff, out, err);
    allot_joined_clear(&j);
    if (code) allot_calcells_clear(out);
    return code;
}

void allot_calcells_clear(allot_calcells *c)
{
    free(c->at);
    memset(c, 0, sizeof *c);
}
