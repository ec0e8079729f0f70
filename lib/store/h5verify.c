/* SPDX-License-Identifier: Apache-2.0 */
/* A finished file is read back before it gets its name: HDF5 keeps parts of a file in memory and
 * writes them when an object or the file closes, and not each failure on that way is told. What was
 * handed over is remembered as a hash and compared with what the file gives back. */
#include <stdlib.h>
#include <string.h>
#include "lib/store/h5file.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"

#define BLOCK_BYTES (1L << 20)

static allot_code verify_array(allot_h5 *in, const allot_h5_written *w, uint64_t *hash,
                               allot_err *err)
{
    size_t row = allot_h5_size(w->type);
    long rows = (long)w->dims[0], dims[ALLOT_H5_MAX_RANK];
    allot_code rc = allot_h5_shape(in, w->name, w->type, w->rank, dims, err);
    for (int i = 0; i < w->rank && !rc; i++) {
        if ((hsize_t)dims[i] != w->dims[i])
            rc = allot_h5_refuse(in, w->name, "lost its shape", err);
        if (i > 0) row *= (size_t)dims[i];
    }
    if (rc || row == 0) return rc;
    long step = (size_t)BLOCK_BYTES > row ? (long)((size_t)BLOCK_BYTES / row) : 1;
    void *block = allot_mem_array((size_t)step, row, err);
    if (!block) return ALLOT_ERUNTIME;
    for (long first = 0; first < rows && !rc; first += step) {
        long n = rows - first < step ? rows - first : step;
        rc = allot_h5_read_rows(in, w->name, w->type, w->rank, first, n, block, err);
        if (!rc) *hash = allot_fnv1a(*hash, block, (size_t)n * row);
    }
    free(block);
    return rc;
}

/* The bytes as they are stored: texts with their NUL, numbers of 64 bits. */
static allot_code verify_attribute(const allot_h5 *in, const allot_h5_written *w, uint64_t *hash,
                                   allot_err *err)
{
    hid_t id = H5Aopen(in->file, w->name, H5P_DEFAULT), type = id < 0 ? -1 : H5Aget_type(id);
    size_t n = type < 0 ? 0 : H5Tget_size(type);
    allot_code rc = n ? ALLOT_OK : allot_h5_failed(in, w->name, err);
    void *value = rc ? NULL : allot_mem_array(n, 1, err);
    if (!rc && !value) rc = ALLOT_ERUNTIME;
    if (!rc && H5Aread(id, type, value) < 0) rc = allot_h5_failed(in, w->name, err);
    if (!rc) *hash = allot_fnv1a(*hash, value, n);
    free(value);
    allot_h5_drop(type);
    allot_h5_drop(id);
    return rc;
}

allot_code allot_h5_verify(const allot_h5 *h, allot_h5 *in, allot_err *err)
{
    allot_code rc = ALLOT_OK;
    for (size_t i = 0; i < h->n_written && !rc; i++) {
        const allot_h5_written *w = &h->written[i];
        uint64_t hash = ALLOT_FNV_START;
        rc =
            w->is_attribute ? verify_attribute(in, w, &hash, err) : verify_array(in, w, &hash, err);
        if (!rc && hash != w->hash)
            rc = allot_fail(err, ALLOT_ERUNTIME, "'/%s' is not what was written", w->name);
    }
    return rc;
}
