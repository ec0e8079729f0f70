/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays: everything about one is checked before its numbers are read. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/h5file.h"
#include "liballot/mem.h"

#define MAX_CHUNK_BYTES (256L << 20) /* a reader needs this much memory for one chunk */
#define MIN_NEW_CHUNK 4096
#define MAX_NEW_CHUNK (256L << 10)
#define MAX_DEFLATE_RATIO 1100 /* zlib packs at most 1032 to 1 */

/* An array that was found, checked and opened. */
typedef struct {
    const char *name; /* borrowed */
    allot_h5_type type;
    int rank;
    hid_t id;
    hsize_t dims[ALLOT_H5_MAX_RANK];
    uint64_t n_bytes;
} array;

static const char *const type_names[] = {"uint8", "int32", "int64", "float32", "float64"};
static const size_t type_sizes[] = {1, 4, 8, 4, 8};

size_t allot_h5_size(allot_h5_type t)
{
    return type_sizes[t];
}

static hid_t stored_type(allot_h5_type t)
{
    switch (t) {
    case ALLOT_H5_U8:
        return H5T_STD_U8LE;
    case ALLOT_H5_I32:
        return H5T_STD_I32LE;
    case ALLOT_H5_I64:
        return H5T_STD_I64LE;
    case ALLOT_H5_F32:
        return H5T_IEEE_F32LE;
    case ALLOT_H5_F64:
        return H5T_IEEE_F64LE;
    }
    return -1;
}

static hid_t memory_type(allot_h5_type t)
{
    switch (t) {
    case ALLOT_H5_U8:
        return H5T_NATIVE_UINT8;
    case ALLOT_H5_I32:
        return H5T_NATIVE_INT32;
    case ALLOT_H5_I64:
        return H5T_NATIVE_INT64;
    case ALLOT_H5_F32:
        return H5T_NATIVE_FLOAT;
    case ALLOT_H5_F64:
        return H5T_NATIVE_DOUBLE;
    }
    return -1;
}

/* ---- reading arrays ---- */

/* 1 when every link on the way to name is a hard one, 0 when there is nothing of that name, -1 when
 * a soft or external link is met: those lead elsewhere, even into other files; -2 when HDF5 failed.
 */
static int find(const allot_h5 *h, const char *name)
{
    char part[ALLOT_H5_MAX_NAME];
    H5L_info_t info;
    size_t n = strlen(name);
    if (n >= sizeof part) return 0;
    for (size_t i = 1; i <= n; i++) {
        if (name[i] != '/' && name[i] != 0) continue;
        memcpy(part, name, i);
        part[i] = 0;
        htri_t there = H5Lexists(h->file, part, H5P_DEFAULT);
        if (there == 0) return 0;
        if (there < 0 || H5Lget_info(h->file, part, &info, H5P_DEFAULT) < 0) return -2;
        if (info.type != H5L_TYPE_HARD) return -1;
    }
    return 1;
}

int allot_h5_has(const allot_h5 *h, const char *name)
{
    return find(h, name) != 0;
}

/* A reason to mistrust where the numbers are, or NULL: in this file, in chunks of bearable size, by
 * known filters only. *packed: the file may hold fewer bytes than the array. */
static const char *storage_fault(hid_t dcpl, const array *a, int *packed)
{
    H5D_layout_t layout = H5Pget_layout(dcpl);
    int n_filters = H5Pget_nfilters(dcpl);
    if (n_filters < 0 || layout == H5D_LAYOUT_ERROR || layout == H5D_VIRTUAL ||
        (layout == H5D_CONTIGUOUS && H5Pget_external_count(dcpl) != 0))
        return "is not stored in this file";
    for (int i = 0; i < n_filters; i++) {
        unsigned flags;
        size_t none = 0;
        H5Z_filter_t f = H5Pget_filter2(dcpl, (unsigned)i, &flags, &none, NULL, 0, NULL, NULL);
        if (f != H5Z_FILTER_DEFLATE && f != H5Z_FILTER_SHUFFLE)
            return "is packed with a filter other than gzip and shuffle";
        *packed |= f == H5Z_FILTER_DEFLATE;
    }
    hsize_t chunk[ALLOT_H5_MAX_RANK];
    uint64_t n = type_sizes[a->type];
    if (layout != H5D_CHUNKED) return NULL;
    if (H5Pget_chunk(dcpl, a->rank, chunk) != a->rank) return "has impossible chunks";
    for (int i = 0; i < a->rank; i++)
        if (__builtin_mul_overflow(n, chunk[i], &n) || n > MAX_CHUNK_BYTES)
            return "is cut into chunks larger than 256 MiB";
    return NULL;
}

/* The declared size is compared with what the file really holds before anyone allocates it. */
static allot_code check_storage(const allot_h5 *h, const array *a, allot_err *err)
{
    int packed = 0;
    hid_t dcpl = H5Dget_create_plist(a->id);
    if (dcpl < 0) return allot_h5_failed(h, a->name, err);
    const char *fault = storage_fault(dcpl, a, &packed);
    allot_h5_drop(dcpl);
    if (fault) return allot_h5_refuse(h, a->name, fault, err);
    uint64_t stored = H5Dget_storage_size(a->id);
    if (h->writing) return ALLOT_OK;
    if (stored > h->on_disk || a->n_bytes / (packed ? MAX_DEFLATE_RATIO : 1) > stored)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': '/%s' is declared with %llu bytes, "
                          "the file holds %llu (the step that makes it did not finish; run it "
                          "again)",
                          h->path, a->name, (unsigned long long)a->n_bytes,
                          (unsigned long long)stored);
    return ALLOT_OK;
}

static allot_code check_shape(const allot_h5 *h, array *a, allot_err *err)
{
    char what[96];
    hid_t t = H5Dget_type(a->id), space = t < 0 ? -1 : H5Dget_space(a->id);
    htri_t same = space < 0 ? -1 : H5Tequal(t, stored_type(a->type));
    if (same < 0) {
        allot_code rc = allot_h5_failed(h, a->name, err);
        allot_h5_drop(t);
        allot_h5_drop(space);
        return rc;
    }
    int simple = H5Sget_simple_extent_type(space) == H5S_SIMPLE;
    int rank = simple ? H5Sget_simple_extent_ndims(space) : 0;
    if (rank == a->rank) H5Sget_simple_extent_dims(space, a->dims, NULL);
    allot_h5_drop(t);
    allot_h5_drop(space);
    if (!same) {
        snprintf(what, sizeof what, "is not little-endian %s", type_names[a->type]);
        return allot_h5_refuse(h, a->name, what, err);
    }
    if (rank != a->rank) {
        snprintf(what, sizeof what, "has rank %d, not %d", rank, a->rank);
        return allot_h5_refuse(h, a->name, what, err);
    }
    a->n_bytes = type_sizes[a->type];
    for (int i = 0; i < rank; i++)
        if (a->dims[i] > LONG_MAX || __builtin_mul_overflow(a->n_bytes, a->dims[i], &a->n_bytes))
            return allot_h5_refuse(h, a->name, "has an impossible size", err);
    return ALLOT_OK;
}

/* a: name, type and rank are given, the rest is filled in. The caller drops a->id. */
static allot_code open_array(const allot_h5 *h, array *a, allot_err *err)
{
    int found = find(h, a->name);
    if (found == -2) return allot_h5_failed(h, a->name, err);
    if (found <= 0)
        return allot_h5_refuse(h, a->name, found ? "is a link, not data" : "is missing", err);
    a->id = H5Dopen2(h->file, a->name, H5P_DEFAULT);
    if (a->id < 0) return allot_h5_failed(h, a->name, err);
    allot_code rc = check_shape(h, a, err);
    if (!rc) rc = check_storage(h, a, err);
    if (rc) allot_h5_drop(a->id);
    return rc;
}

/* Compares the sizes with those expected and fills in those that the file may choose. */
static allot_code match_dims(const allot_h5 *h, const array *a, long *dims, allot_err *err)
{
    for (int i = 0; i < a->rank; i++) {
        if (dims[i] != ALLOT_H5_ANY && (hsize_t)dims[i] != a->dims[i])
            return allot_fail(err, ALLOT_EINPUT,
                              "cannot read '%s': '/%s' has %llu %s, expected %ld "
                              "(the file was edited or is damaged; make it again)",
                              h->path, a->name, (unsigned long long)a->dims[i],
                              i ? "columns" : "rows", dims[i]);
        dims[i] = (long)a->dims[i];
    }
    return ALLOT_OK;
}

allot_code allot_h5_shape(allot_h5 *h, const char *name, allot_h5_type type, int rank, long *dims,
                          allot_err *err)
{
    array a = {.name = name, .type = type, .rank = rank};
    allot_code rc = open_array(h, &a, err);
    if (rc) return rc;
    for (int i = 0; i < rank; i++)
        dims[i] = (long)a.dims[i];
    allot_h5_drop(a.id);
    return ALLOT_OK;
}

allot_code allot_h5_read(allot_h5 *h, const char *name, allot_h5_type type, int rank, long *dims,
                         void **data, allot_err *err)
{
    array a = {.name = name, .type = type, .rank = rank};
    *data = NULL;
    allot_code rc = open_array(h, &a, err);
    if (rc) return rc;
    rc = match_dims(h, &a, dims, err);
    if (!rc && a.n_bytes > ALLOT_H5_MAX_BYTES)
        rc = allot_h5_refuse(h, name, "is larger than 16 GiB", err);
    if (!rc && !(*data = allot_mem_array((size_t)a.n_bytes, 1, err))) rc = ALLOT_ERUNTIME;
    if (!rc && a.n_bytes &&
        H5Dread(a.id, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) < 0) {
        rc = allot_h5_failed(h, name, err);
        free(*data);
        *data = NULL;
    }
    allot_h5_drop(a.id);
    return rc;
}

/* Moves rows [first, first + count) of an open array: into `in`, or from `from` if that is given.
 */
static allot_code move_rows(const allot_h5 *h, const array *a, long first, long count, void *in,
                            const void *from, allot_err *err)
{
    hsize_t start[ALLOT_H5_MAX_RANK] = {(hsize_t)first}, block[ALLOT_H5_MAX_RANK];
    memcpy(block, a->dims, sizeof block);
    block[0] = (hsize_t)count;
    hid_t file = H5Dget_space(a->id), mem = H5Screate_simple(a->rank, block, NULL);
    herr_t rc = H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, block, NULL);
    if (rc >= 0 && from) rc = H5Dwrite(a->id, memory_type(a->type), mem, file, H5P_DEFAULT, from);
    else if (rc >= 0) rc = H5Dread(a->id, memory_type(a->type), mem, file, H5P_DEFAULT, in);
    allot_code code = rc < 0 ? allot_h5_failed(h, a->name, err) : ALLOT_OK;
    allot_h5_drop(file);
    allot_h5_drop(mem);
    return code;
}

allot_code allot_h5_read_rows(allot_h5 *h, const char *name, allot_h5_type type, int rank,
                              long first, long count, void *out, allot_err *err)
{
    array a = {.name = name, .type = type, .rank = rank};
    allot_code rc = open_array(h, &a, err);
    if (rc) return rc;
    if (first < 0 || count < 0 || (hsize_t)first > a.dims[0] ||
        (hsize_t)count > a.dims[0] - (hsize_t)first)
        rc = allot_fail(err, ALLOT_EINPUT,
                        "cannot read '%s': rows %ld to %ld of '/%s' were asked "
                        "for, it has %llu",
                        h->path, first, first + count, name, (unsigned long long)a.dims[0]);
    else if (count > 0) rc = move_rows(h, &a, first, count, out, NULL, err);
    allot_h5_drop(a.id);
    return rc;
}

/* ---- writing arrays ---- */

/* dims[0] rows in one piece; with chunk_rows > 0 in chunks of so many, and rows can be added. */
static allot_code create_array(const allot_h5 *h, array *a, long chunk_rows, allot_err *err)
{
    hsize_t max[ALLOT_H5_MAX_RANK], chunk[ALLOT_H5_MAX_RANK];
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    memcpy(max, a->dims, sizeof max);
    memcpy(chunk, a->dims, sizeof chunk);
    if (chunk_rows > 0) {
        max[0] = H5S_UNLIMITED;
        chunk[0] = (hsize_t)chunk_rows;
    }
    hid_t space = H5Screate_simple(a->rank, a->dims, max);
    int bad = H5Pset_create_intermediate_group(lcpl, 1) < 0 ||
              H5Pset_obj_track_times(dcpl, 0) < 0 || space < 0 ||
              (chunk_rows > 0 && H5Pset_chunk(dcpl, a->rank, chunk) < 0);
    a->id =
        bad ? -1
            : H5Dcreate2(h->file, a->name, stored_type(a->type), space, lcpl, dcpl, H5P_DEFAULT);
    allot_code rc = allot_h5_made(h, a->name, a->id, err);
    allot_h5_drop(space);
    allot_h5_drop(dcpl);
    allot_h5_drop(lcpl);
    return rc;
}

/* a->dims: the whole array; data: the n_rows rows that were written last. */
static allot_code note_array(allot_h5 *h, const array *a, long n_rows, const void *data,
                             allot_err *err)
{
    allot_h5_written w = {.type = a->type, .rank = a->rank};
    size_t n = type_sizes[a->type] * (size_t)n_rows;
    snprintf(w.name, sizeof w.name, "%s", a->name);
    for (int i = 0; i < a->rank; i++) {
        w.dims[i] = a->dims[i];
        if (i > 0) n *= (size_t)a->dims[i];
    }
    return allot_h5_note(h, &w, data, n, err);
}

allot_code allot_h5_write(allot_h5 *h, const char *name, allot_h5_type type, int rank,
                          const long *dims, const void *data, allot_err *err)
{
    array a = {.name = name, .type = type, .rank = rank};
    int empty = 0;
    for (int i = 0; i < rank; i++) {
        a.dims[i] = (hsize_t)dims[i];
        empty |= dims[i] == 0;
    }
    allot_code rc = create_array(h, &a, 0, err);
    if (rc) return rc;
    if (!empty && H5Dwrite(a.id, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        rc = allot_h5_failed(h, name, err);
    rc = allot_h5_shut(h, name, a.id, rc, err);
    return rc ? rc : note_array(h, &a, dims[0], data, err);
}

/* The first block tells the size: chunks no larger than a small file needs, no smaller than pays.
 */
static allot_code create_growing(const allot_h5 *h, array *a, const long *row_dims, long n_rows,
                                 allot_err *err)
{
    uint64_t row = type_sizes[a->type];
    for (int i = 1; i < a->rank; i++) {
        a->dims[i] = (hsize_t)row_dims[i - 1];
        row *= a->dims[i];
    }
    uint64_t want = row * (uint64_t)n_rows;
    want = want < MIN_NEW_CHUNK ? MIN_NEW_CHUNK : want > MAX_NEW_CHUNK ? MAX_NEW_CHUNK : want;
    if (row == 0 || row > MAX_CHUNK_BYTES)
        return allot_fail(err, ALLOT_EINPUT, "cannot write '%s': a row of '/%s' has %llu bytes",
                          h->path, a->name, (unsigned long long)row);
    return create_array(h, a, row < want ? (long)(want / row) : 1, err);
}

allot_code allot_h5_append(allot_h5 *h, const char *name, allot_h5_type type, int rank,
                           const long *row_dims, long n_rows, const void *data, allot_err *err)
{
    array a = {.name = name, .type = type, .rank = rank};
    allot_code rc =
        find(h, name) ? open_array(h, &a, err) : create_growing(h, &a, row_dims, n_rows, err);
    if (rc) return rc;
    long first = (long)a.dims[0];
    a.dims[0] += (hsize_t)n_rows;
    if (n_rows > 0 && H5Dset_extent(a.id, a.dims) < 0) rc = allot_h5_failed(h, name, err);
    else if (n_rows > 0) rc = move_rows(h, &a, first, n_rows, NULL, data, err);
    rc = allot_h5_shut(h, name, a.id, rc, err);
    return rc ? rc : note_array(h, &a, n_rows, data, err);
}
