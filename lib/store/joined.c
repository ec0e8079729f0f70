/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the three files, checks that they agree, and keeps the rows of the wanted splits. */
#include "lib/store/joined.h"
#include <stdlib.h>
#include <string.h>
#include "lib/store/fingerprint.h"
#include "liballot/mem.h"
#include "lib/store/strategyfile.h"

static allot_code ids_agree(const char *what, const char *trained, const char *trained_file,
                            const char *found, const char *found_file, allot_err *err)
{
    if (strcmp(trained, found) == 0) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%s' and '%s' do not belong together: %s is %s in the one and %s in the "
                      "other (give the file that allot-train had, or train again)",
                      trained_file, found_file, what, trained, found);
}

static const char remedy[] = "give the outcomes that allot-train had, or train again";

/* Another split would have trained on the queries that are held back now. */
static allot_code agree(const allot_joined_trained *t, const allot_joined_files *f,
                        const allot_joined *j, allot_err *err)
{
    allot_code rc = allot_embeddings_agree(&j->embeddings, f->embeddings, t->embedding_model,
                                           t->dim, t->embedding_id, t->file, err);
    if (!rc) rc = ids_agree("the split id", t->split_id, t->file, j->splits.id, f->splits, err);
    if (!rc) rc = ids_agree("the metric", t->metric, t->file, j->outcomes.metric, f->outcomes, err);
    if (!rc)
        rc = allot_fingerprint_agree(t->fingerprint, t->file, j->outcomes.fingerprint, f->outcomes,
                                     remedy, err);
    if (!rc) allot_grading_compare(t->grading, t->file, j->outcomes.grading, f->outcomes);
    return rc;
}

static allot_code find_splits(const allot_joined_files *f, allot_joined *j, allot_err *err)
{
    memset(j->n, 0, sizeof j->n);
    allot_code rc = allot_splits_join(&j->splits, f->splits, j->outcomes.keys, j->outcomes.n,
                                      f->outcomes, j->split_of, err);
    for (long q = 0; !rc && q < j->outcomes.n; q++)
        j->n[j->split_of[q]]++;
    return rc;
}

/* Splits are looked up twice: what was dropped is the difference. */
static allot_code drop_missing(const allot_joined_files *f, allot_joined *j, allot_err *err)
{
    long dropped;
    allot_code rc = find_splits(f, j, err);
    memcpy(j->dropped, j->n, sizeof j->n);
    if (!rc)
        rc = allot_outcomes_missing(&j->outcomes, f->missing, f->outcomes, &dropped,
                                    &j->dropped_strategies, err);
    if (!rc) rc = find_splits(f, j, err);
    for (int s = 0; s < ALLOT_N_SPLITS; s++)
        j->dropped[s] -= j->n[s];
    return rc;
}

static allot_code find_rows(const allot_joined_files *f, allot_joined *j, allot_err *err)
{
    allot_keyindex index = {0};
    allot_code rc = allot_keyindex_build(&index, j->embeddings.keys, (size_t)j->embeddings.n,
                                         f->embeddings, err);
    if (!rc)
        rc = allot_key_join(
            j->outcomes.keys, (size_t)j->outcomes.n, f->outcomes, &index, f->embeddings,
            "embed the problems of these outcomes with 'allot-datasets embed'", j->row, err);
    allot_keyindex_clear(&index);
    return rc;
}

static allot_code load(const allot_joined_files *f, const allot_joined_trained *trained,
                       allot_joined *j, allot_err *err)
{
    allot_code rc = allot_outcomes_load(f->outcomes, &j->outcomes, err);
    if (!rc) rc = allot_embeddings_load(f->embeddings, &j->embeddings, err);
    if (!rc) rc = allot_splits_load(f->splits, &j->splits, err);
    if (!rc && trained) rc = agree(trained, f, j, err);
    if (rc) return rc;
    j->row = allot_mem_array((size_t)j->outcomes.n, sizeof *j->row, err);
    j->split_of = allot_mem_array((size_t)j->outcomes.n, sizeof *j->split_of, err);
    if (!j->row || !j->split_of) return ALLOT_ERUNTIME;
    rc = drop_missing(f, j, err);
    if (!rc && trained) /* after the rule for missing cells, which may drop strategies */
        rc = allot_strategyfile_agree(trained->strategies, trained->file, &j->outcomes.strategies,
                                      f->outcomes, remedy, err);
    return rc ? rc : find_rows(f, j, err);
}

allot_code allot_joined_load(const allot_joined_files *files, const allot_joined_trained *trained,
                             allot_joined *out, allot_err *err)
{
    *out = (allot_joined){0};
    allot_code rc = load(files, trained, out, err);
    if (rc) allot_joined_clear(out);
    return rc;
}

void allot_joined_clear(allot_joined *j)
{
    allot_outcomes_clear(&j->outcomes);
    allot_embeddings_clear(&j->embeddings);
    allot_splits_clear(&j->splits);
    free(j->row);
    free(j->split_of);
    *j = (allot_joined){0};
}

const float *allot_joined_embedding(const allot_joined *j, long q)
{
    return j->embeddings.at + j->row[q] * j->embeddings.dim;
}
