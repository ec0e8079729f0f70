/* SPDX-License-Identifier: Apache-2.0 */
#include "calcells.h"
#include "core/embeddings.h"
#include "core/fingerprint.h"
#include "core/splits.h"
#include "core/strategyfile.h"
#include "liballot/mem.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const allot_calcells_source *source;
    const allot_probefile *probe;
    allot_outcomes outcomes;
    allot_embeddings embeddings;
    allot_splits splits;
    long *queries;   /* [n] rows of the outcomes in the calibration split */
    long *embedding; /* [n] and their rows in the embeddings */
    allot_key *keys; /* [n] */
    long n;
} joining;

static allot_code ids_agree(const char *what, const char *a, const char *a_file, const char *b,
                            const char *b_file, allot_err *err)
{
    if (strcmp(a, b) == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%s' and '%s' do not belong together: %s is %s in the "
                      "one and %s in the other (give the file that the probe was trained with, or "
                      "run 'allot-train' again)",
                      a_file, b_file, what, a, b);
}

/* Everything that the probe was trained with must be what it is calibrated with. */
static allot_code check(joining *j, allot_err *err)
{
    const allot_calcells_source *s = j->source;
    const char *remedy = "give the outcomes that the probe was trained on, or run 'allot-train' "
                         "again";
    const allot_probefile *p = j->probe;
    allot_code code = allot_embeddings_agree(&j->embeddings, s->embeddings, p->embedding_model,
                                             p->probe.d, p->embedding_id, s->probe, err);
    if (!code)
        code =
            ids_agree("the split id", j->probe->split_id, s->probe, j->splits.id, s->splits, err);
    if (!code)
        code = ids_agree("the metric", j->probe->metric, s->probe, j->outcomes.metric, s->outcomes,
                         err);
    if (!code)
        code = allot_strategyfile_agree(&j->probe->strategies, s->probe, &j->outcomes.strategies,
                                        s->outcomes, remedy, err);
    if (!code)
        code = allot_fingerprint_agree(j->probe->fingerprint, s->probe, j->outcomes.fingerprint,
                                       s->outcomes, remedy, err);
    return code;
}

static allot_code join(joining *j, allot_err *err)
{
    allot_outcomes *o = &j->outcomes;
    uint8_t *split = allot_mem_array((size_t)o->n, 1, err);
    allot_keyindex index = {0};
    j->queries = allot_mem_array((size_t)o->n, sizeof *j->queries, err);
    j->embedding = allot_mem_array((size_t)o->n, sizeof *j->embedding, err);
    j->keys = allot_mem_array((size_t)o->n, sizeof *j->keys, err);
    allot_code code = split && j->queries && j->embedding && j->keys ? ALLOT_OK : ALLOT_ERUNTIME;
    if (!code)
        code = allot_splits_join(&j->splits, j->source->splits, o->keys, o->n, j->source->outcomes,
                                 split, err);
    for (long q = 0; !code && q < o->n; q++)
        if (split[q] == ALLOT_CALIBRATION) {
            j->keys[j->n] = o->keys[q];
            j->queries[j->n++] = q;
        }
    if (!code && j->n == 0)
        code = allot_fail(err, ALLOT_EINPUT,
                          "no query of '%s' is in the calibration split of '%s' "
                          "(run 'allot-datasets split' with a calibration share)",
                          j->source->outcomes, j->source->splits);
    if (!code)
        code = allot_keyindex_build(&index, j->embeddings.keys, (size_t)j->embeddings.n,
                                    j->source->embeddings, err);
    if (!code)
        code = allot_key_join(j->keys, (size_t)j->n, j->source->outcomes, &index,
                              j->source->embeddings,
                              "embed the missing queries with "
                              "'allot-datasets embed'",
                              j->embedding, err);
    allot_keyindex_clear(&index);
    free(split);
    return code;
}

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

static allot_code add_query(const joining *j, long i, forward *f, allot_calcells *out,
                            allot_err *err)
{
    const allot_outcomes *o = &j->outcomes;
    long q = j->queries[i], n_s = o->strategies.count;
    const float *embedding = j->embeddings.at + j->embedding[i] * j->embeddings.dim;
    allot_code code = allot_probe_logits(&j->probe->probe, embedding, (size_t)o->codepoints[q],
                                         f->v, f->scratch, f->z, err);
    for (long s = 0; !code && s < n_s; s++) {
        long cell = q * n_s + s;
        if (o->n_trials[cell] == 0) out->n_missing++;
        else
            out->at[out->n++] = (allot_platt_cell){f->z[s], o->accuracy[cell],
                                                   j->source->by_n_eff ? o->n_eff[cell] : 1,
                                                   o->strategies.at[s].method};
    }
    return code;
}

static allot_code fill(const joining *j, allot_calcells *out, allot_err *err)
{
    forward f = {0};
    out->n_queries = j->n;
    out->at =
        allot_mem_array((size_t)j->n, (size_t)j->outcomes.strategies.count * sizeof *out->at, err);
    allot_code code = out->at ? forward_init(&f, j->probe, err) : ALLOT_ERUNTIME;
    for (long i = 0; !code && i < j->n; i++)
        code = add_query(j, i, &f, out, err);
    free(f.features);
    free(f.v);
    free(f.scratch);
    free(f.z);
    return code;
}

allot_code allot_calcells_load(const allot_calcells_source *source, const allot_probefile *probe,
                               allot_calcells *out, allot_err *err)
{
    joining j = {.source = source, .probe = probe};
    long dropped_queries;
    int dropped_strategies;
    memset(out, 0, sizeof *out);
    allot_code code = allot_outcomes_load(source->outcomes, &j.outcomes, err);
    if (!code)
        code = allot_outcomes_missing(&j.outcomes, source->missing, source->outcomes,
                                      &dropped_queries, &dropped_strategies, err);
    if (!code) code = allot_embeddings_load(source->embeddings, &j.embeddings, err);
    if (!code) code = allot_splits_load(source->splits, &j.splits, err);
    if (!code) code = check(&j, err);
    if (!code) code = join(&j, err);
    if (!code) code = fill(&j, out, err);
    free(j.queries);
    free(j.embedding);
    free(j.keys);
    allot_outcomes_clear(&j.outcomes);
    allot_embeddings_clear(&j.embeddings);
    allot_splits_clear(&j.splits);
    if (code) allot_calcells_clear(out);
    return code;
}

void allot_calcells_clear(allot_calcells *c)
{
    free(c->at);
    memset(c, 0, sizeof *c);
}
