/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and saves vectors with the attributes that say which embedding they are of. */
#include "lib/store/embeddings.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/hash.h"
#include "lib/store/keyrows.h"
#include "liballot/mem.h"
#include "liballot/probe.h"
#include "lib/store/provenance.h"

static const allot_versions versions = {1, 1};

void allot_embeddings_id(const char *model, const char *pooling, long dim, int normalized,
                         const char *prefix, char out[17])
{
    allot_buf b = {0};
    allot_buf_printf(&b, "%s\n%s\n%ld\n%d\n%s", model, pooling, dim, normalized, prefix);
    allot_short_id(b.at ? b.at : "", out);
    allot_buf_clear(&b);
}

static allot_code check_rows(const allot_embeddings *e, const char *path, allot_err *err)
{
    if (e->dim < 1 || e->dim > ALLOT_PROBE_MAX_DIM)
        return allot_fail(err, ALLOT_EINPUT, "'%s': the embedding has %ld dimensions, not 1 to %d",
                          path, e->dim, ALLOT_PROBE_MAX_DIM);
    for (long i = 0; i < e->n * e->dim; i++)
        if (!isfinite(e->at[i]))
            return allot_fail(err, ALLOT_EINPUT,
                              "'%s': entry %ld of the embedding in row %ld is not "
                              "finite (embed again, or leave this query out)",
                              path, i % e->dim, i / e->dim);
    return allot_keyrows_check(e->keys, e->n, path, err);
}

static allot_code read_rows(allot_h5 *h, allot_embeddings *e, allot_err *err)
{
    void *p;
    allot_code rc = allot_keyrows_read(h, &e->keys, &e->n, err);
    if (rc) return rc;
    long dims[2] = {e->n, ALLOT_H5_ANY};
    rc = allot_h5_read(h, "embedding", ALLOT_H5_F32, 2, dims, &p, err);
    e->at = p;
    e->dim = dims[1];
    return rc;
}

static allot_code read_attributes(allot_h5 *h, allot_embeddings *e, allot_err *err)
{
    char id[17] = "";
    long normalized = 0;
    allot_code rc = allot_h5_get_text(h, "model", &e->model, err);
    if (!rc) rc = allot_h5_get_text(h, "pooling", &e->pooling, err);
    if (!rc) rc = allot_h5_get_long(h, "normalized", 0, 1, &normalized, err);
    if (!rc) rc = allot_h5_get_text(h, "prefix", &e->prefix, err);
    if (!rc) rc = allot_h5_get_short(h, "embedding_id", e->id, sizeof e->id, err);
    if (rc) return rc;
    e->normalized = (int)normalized;
    allot_embeddings_id(e->model, e->pooling, e->dim, e->normalized, e->prefix, id);
    if (strcmp(id, e->id))
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': embedding_id is '%s', its model, "
                          "pooling, dimension, normalisation and prefix have %s (the file was "
                          "edited; make it again)",
                          allot_h5_path(h), e->id, id);
    return ALLOT_OK;
}

allot_code allot_embeddings_load(const char *path, allot_embeddings *out, allot_err *err)
{
    allot_h5 *h;
    *out = (allot_embeddings){0};
    allot_code rc = allot_h5_open(path, ALLOT_EMBEDDINGS_SCHEMA, versions, &h, err);
    if (rc) return rc;
    rc = read_rows(h, out, err);
    if (!rc) rc = read_attributes(h, out, err);
    allot_h5_close(&h);
    if (!rc) rc = check_rows(out, path, err);
    if (rc) allot_embeddings_clear(out);
    return rc;
}

static allot_code write_attributes(allot_h5 *h, const allot_embeddings *e, allot_err *err)
{
    allot_code rc = allot_h5_set_text(h, "model", e->model, err);
    if (!rc) rc = allot_h5_set_text(h, "pooling", e->pooling, err);
    if (!rc) rc = allot_h5_set_long(h, "normalized", e->normalized, err);
    if (!rc) rc = allot_h5_set_text(h, "prefix", e->prefix, err);
    if (!rc) rc = allot_h5_set_text(h, "embedding_id", e->id, err);
    return rc;
}

allot_code allot_embeddings_save(const char *path, allot_embeddings *e, const char *tool, long seed,
                                 const char *const *inputs, allot_err *err)
{
    allot_h5 *h;
    allot_code rc = check_rows(e, path, err);
    if (rc) return rc;
    allot_embeddings_id(e->model, e->pooling, e->dim, e->normalized, e->prefix, e->id);
    rc = allot_h5_create(path, ALLOT_EMBEDDINGS_SCHEMA, versions.newest, &h, err);
    if (rc) return rc;
    rc = allot_keyrows_write(h, e->keys, e->n, err);
    if (!rc)
        rc = allot_h5_write(h, "embedding", ALLOT_H5_F32, 2, (long[]){e->n, e->dim}, e->at, err);
    if (!rc) rc = write_attributes(h, e, err);
    if (!rc) rc = allot_provenance_to_h5(h, tool, seed, inputs, err);
    if (!rc) rc = allot_h5_commit(&h, err);
    allot_h5_close(&h);
    return rc;
}

void allot_embeddings_clear(allot_embeddings *e)
{
    free(e->keys);
    free(e->at);
    free(e->model);
    free(e->pooling);
    free(e->prefix);
    *e = (allot_embeddings){0};
}

double allot_embeddings_length(const float *x, long dim)
{
    double square = 0;
    for (long d = 0; d < dim; d++)
        square += (double)x[d] * (double)x[d];
    return sqrt(square);
}

void allot_embeddings_scale(float *x, long dim)
{
    double length = allot_embeddings_length(x, dim);
    for (long d = 0; length > 0 && d < dim; d++)
        x[d] = (float)((double)x[d] / length);
}

allot_code allot_embeddings_agree(const allot_embeddings *e, const char *e_file, const char *model,
                                  long dim, const char *id, const char *trained_file,
                                  allot_err *err)
{
    if (strcmp(e->id, id) == 0 && e->dim == dim) return ALLOT_OK;
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%.250s' and '%.250s' do not belong together: the one "
                      "was trained on embeddings of '%.64s' (%ld numbers, id %s), the other holds "
                      "'%.64s' (%ld numbers, id %s) (embed with that model by 'allot-datasets "
                      "embed', or run 'allot-train' on these)",
                      trained_file, e_file, model, dim, id, e->model, e->dim, e->id);
}
