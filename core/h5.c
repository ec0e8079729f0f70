/* SPDX-License-Identifier: Apache-2.0 */
#define H5_USE_110_API /* the same calls with newer HDF5 libraries */
#include "h5.h"
#include <errno.h>
#include <hdf5.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "atomicfile.h"
#include "liballot/mem.h"

#define MAX_NAME 256
#define MAX_ATTRIBUTE 60000            /* object headers hold 64 KiB a message; longer texts are arrays */
#define MAX_TEXT (16L << 20)
#define MAX_CHUNK_BYTES (256L << 20)   /* a reader needs this much memory for one chunk */
#define MIN_NEW_CHUNK 4096
#define MAX_NEW_CHUNK (256L << 10)
#define MAX_DEFLATE_RATIO 1100         /* zlib packs at most 1032 to 1 */

struct allot_h5 {
    hid_t file;
    char *path;       /* owned */
    int writing;
    allot_atomic out; /* only while writing */
    uint64_t on_disk; /* bytes of the file; only while reading */
};

/* An array that was found, checked and opened. */
typedef struct {
    const char *name;  /* borrowed */
    allot_h5_type type;
    int rank;
    hid_t id;
    hsize_t dims[ALLOT_H5_MAX_RANK];
    uint64_t n_bytes;
} array;

static const char *const type_names[] = {"uint8", "int32", "int64", "float32", "float64"};
static const size_t type_sizes[] = {1, 4, 8, 4, 8};

static hid_t stored_type(allot_h5_type t)
{
    switch (t) {
    case ALLOT_H5_U8: return H5T_STD_U8LE;
    case ALLOT_H5_I32: return H5T_STD_I32LE;
    case ALLOT_H5_I64: return H5T_STD_I64LE;
    case ALLOT_H5_F32: return H5T_IEEE_F32LE;
    case ALLOT_H5_F64: return H5T_IEEE_F64LE;
    }
    return -1;
}

static hid_t memory_type(allot_h5_type t)
{
    switch (t) {
    case ALLOT_H5_U8: return H5T_NATIVE_UINT8;
    case ALLOT_H5_I32: return H5T_NATIVE_INT32;
    case ALLOT_H5_I64: return H5T_NATIVE_INT64;
    case ALLOT_H5_F32: return H5T_NATIVE_FLOAT;
    case ALLOT_H5_F64: return H5T_NATIVE_DOUBLE;
    }
    return -1;
}

/* Closes an id of any kind. */
static void drop(hid_t id)
{
    if (id >= 0) H5Idec_ref(id);
}

static herr_t take_deepest(unsigned n, const H5E_error2_t *e, void *user)
{
    char *text = user;
    if (n == 0 && e->desc) snprintf(text, 300, "%s", e->desc);
    return 0;
}

/* What HDF5 says about the call that just failed. Its system errors carry times and addresses, of
 * which only the message in quotes is of use. */
static void last_complaint(char text[300])
{
    static const char mark[] = "error message = '";
    snprintf(text, 300, "HDF5 gives no reason");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_deepest, text);
    const char *inner = strstr(text, mark);
    if (inner) {
        size_t n = strcspn(inner + strlen(mark), "'");
        memmove(text, inner + strlen(mark), n);
        text[n] = 0;
    }
}

/* To be called right after the failed HDF5 call: the next one clears its errors. */
static allot_code hdf5_failed(const allot_h5 *h, const char *name, allot_err *err)
{
    char why[300];
    last_complaint(why);
    if (h->writing)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': '/%s': %s (see whether the disk "
                          "is full)", h->path, name, why);
    return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': '/%s': %s (the file is damaged; make it "
                      "again)", h->path, name, why);
}

static allot_code refuse(const allot_h5 *h, const char *name, const char *what, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': '/%s' %s (docs/formats.md says what "
                      "belongs there)", h->path, name, what);
}

/* ---- files ---- */

/* HDF5's own words for these three are unreadable. */
static allot_code check_regular(const char *path, uint64_t *size, allot_err *err)
{
    struct stat st;
    if (stat(path, &st))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s, not a file", path,
                          S_ISDIR(st.st_mode) ? "it is a directory" : "it is a device or pipe");
    if (st.st_size == 0)
        return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': the file is empty (the step that "
                          "makes it did not finish; run it again)", path);
    *size = (uint64_t)st.st_size;
    return ALLOT_OK;
}

/* Locks are of no use: a file is complete before it has its name. */
static hid_t access_list(void)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(fapl, 0, 1);
#endif
    return fapl;
}

/* HDF5's clean-up at exit crashes over a file that could not be written (disk full); we close every
 * file ourselves. Both calls are harmless when repeated. */
static allot_h5 *new_handle(const char *path, allot_err *err)
{
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    allot_h5 *h = allot_mem_array(1, sizeof *h, err);
    if (!h) return NULL;
    h->file = -1;
    h->path = allot_mem_text(path, strlen(path), err);
    if (!h->path) {
        free(h);
        return NULL;
    }
    return h;
}

static allot_code check_schema(allot_h5 *h, const char *schema, int version, allot_err *err)
{
    char *found = NULL;
    long v;
    if (H5Aexists(h->file, "schema") <= 0)
        return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': it is an HDF5 file without the "
                          "attribute 'schema', not '%s'", h->path, schema);
    allot_code rc = allot_h5_get_text(h, "schema", &found, err);
    if (rc) return rc;
    if (strcmp(found, schema))
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': its schema is '%.64s', expected '%s'",
                        h->path, found, schema);
    free(found);
    if (rc) return rc;
    rc = allot_h5_get_long(h, "version", 0, INT_MAX, &v, err);
    if (!rc && v != version)
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': version %ld of '%s', this program "
                        "reads version %d (%s)", h->path, v, schema, version,
                        v > version ? "install a newer allot" : "make the file again");
    return rc;
}

allot_code allot_h5_open(const char *path, const char *schema, int version, allot_h5 **out,
                         allot_err *err)
{
    char why[300];
    uint64_t size = 0;
    *out = NULL;
    allot_code rc = check_regular(path, &size, err);
    if (rc) return rc;
    allot_h5 *h = new_handle(path, err);
    if (!h) return ALLOT_ERUNTIME;
    h->on_disk = size;
    hid_t fapl = access_list();
    h->file = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    if (h->file < 0) {
        last_complaint(why);
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': %s (not an HDF5 file, or cut off; make "
                        "it again)", path, why);
    } else {
        rc = schema ? check_schema(h, schema, version, err) : ALLOT_OK;
    }
    drop(fapl);
    if (rc) allot_h5_close(&h);
    *out = h;
    return rc;
}

allot_code allot_h5_create(const char *path, const char *schema, int version, allot_h5 **out,
                           allot_err *err)
{
    char why[300];
    *out = NULL;
    allot_h5 *h = new_handle(path, err);
    if (!h) return ALLOT_ERUNTIME;
    allot_code rc = allot_atomic_path(&h->out, path, err);
    if (rc) {
        allot_h5_close(&h);
        return rc;
    }
    h->writing = 1;
    hid_t fapl = access_list(), fcpl = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(fcpl, 0);
    /* The oldest format that holds our data, so that any HDF5 since 1.8 can read it. */
    H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
    h->file = H5Fcreate(h->out.tmp, H5F_ACC_TRUNC, fcpl, fapl);
    if (h->file < 0) {
        last_complaint(why);
        rc = allot_fail(err, ALLOT_ERUNTIME, "cannot write '%s': %s", path, why);
    }
    drop(fapl);
    drop(fcpl);
    if (!rc) rc = allot_h5_set_text(h, "schema", schema, err);
    if (!rc) rc = allot_h5_set_long(h, "version", version, err);
    if (rc) allot_h5_close(&h);
    *out = h;
    return rc;
}

allot_code allot_h5_commit(allot_h5 **hp, allot_err *err)
{
    allot_h5 *h = *hp;
    allot_code rc = ALLOT_OK;
    if (H5Fflush(h->file, H5F_SCOPE_GLOBAL) < 0) rc = hdf5_failed(h, "", err);
    herr_t closed = H5Fclose(h->file);
    h->file = -1;
    if (!rc && closed < 0) rc = hdf5_failed(h, "", err);
    if (!rc) rc = allot_atomic_commit(&h->out, err);
    allot_h5_close(hp);
    return rc;
}

void allot_h5_close(allot_h5 **hp)
{
    allot_h5 *h = *hp;
    if (!h) return;
    if (h->file >= 0) H5Fclose(h->file);
    if (h->writing) allot_atomic_abort(&h->out);
    free(h->path);
    free(h);
    *hp = NULL;
}

const char *allot_h5_path(const allot_h5 *h)
{
    return h->path;
}

/* ---- reading arrays ---- */

/* 1 when every link on the way to name is a hard one, 0 when there is nothing of that name, -1 when
 * a soft or external link is met: those lead elsewhere, even into other files. */
static int find(const allot_h5 *h, const char *name)
{
    char part[MAX_NAME];
    H5L_info_t info;
    size_t n = strlen(name);
    if (n >= sizeof part) return 0;
    for (size_t i = 1; i <= n; i++) {
        if (name[i] != '/' && name[i] != 0) continue;
        memcpy(part, name, i);
        part[i] = 0;
        if (H5Lexists(h->file, part, H5P_DEFAULT) <= 0) return 0;
        if (H5Lget_info(h->file, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
            return -1;
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
    if (dcpl < 0) return hdf5_failed(h, a->name, err);
    const char *fault = storage_fault(dcpl, a, &packed);
    drop(dcpl);
    if (fault) return refuse(h, a->name, fault, err);
    uint64_t stored = H5Dget_storage_size(a->id);
    if (h->writing) return ALLOT_OK;
    if (stored > h->on_disk || a->n_bytes / (packed ? MAX_DEFLATE_RATIO : 1) > stored)
        return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': '/%s' is declared with %llu bytes, "
                          "the file holds %llu (the step that makes it did not finish; run it "
                          "again)", h->path, a->name, (unsigned long long)a->n_bytes,
                          (unsigned long long)stored);
    return ALLOT_OK;
}

static allot_code check_shape(const allot_h5 *h, array *a, allot_err *err)
{
    char what[96];
    hid_t t = H5Dget_type(a->id), space = H5Dget_space(a->id);
    int same = t >= 0 && H5Tequal(t, stored_type(a->type)) > 0;
    int simple = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SIMPLE;
    int rank = simple ? H5Sget_simple_extent_ndims(space) : 0;
    if (rank == a->rank) H5Sget_simple_extent_dims(space, a->dims, NULL);
    drop(t);
    drop(space);
    if (!same) {
        snprintf(what, sizeof what, "is not little-endian %s", type_names[a->type]);
        return refuse(h, a->name, what, err);
    }
    if (rank != a->rank) {
        snprintf(what, sizeof what, "has rank %d, not %d", rank, a->rank);
        return refuse(h, a->name, what, err);
    }
    a->n_bytes = type_sizes[a->type];
    for (int i = 0; i < rank; i++)
        if (a->dims[i] > LONG_MAX || __builtin_mul_overflow(a->n_bytes, a->dims[i], &a->n_bytes))
            return refuse(h, a->name, "has an impossible size", err);
    return ALLOT_OK;
}

/* a: name, type and rank are given, the rest is filled in. The caller drops a->id. */
static allot_code open_array(const allot_h5 *h, array *a, allot_err *err)
{
    int found = find(h, a->name);
    if (found <= 0) return refuse(h, a->name, found ? "is a link, not data" : "is missing", err);
    a->id = H5Dopen2(h->file, a->name, H5P_DEFAULT);
    if (a->id < 0) return hdf5_failed(h, a->name, err);
    allot_code rc = check_shape(h, a, err);
    if (!rc) rc = check_storage(h, a, err);
    if (rc) drop(a->id);
    return rc;
}

/* Compares the sizes with those expected and fills in those that the file may choose. */
static allot_code match_dims(const allot_h5 *h, const array *a, long *dims, allot_err *err)
{
    for (int i = 0; i < a->rank; i++) {
        if (dims[i] != ALLOT_H5_ANY && (hsize_t)dims[i] != a->dims[i])
            return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': '/%s' has %llu %s, expected %ld "
                              "(the file was edited or is damaged; make it again)", h->path,
                              a->name, (unsigned long long)a->dims[i], i ? "columns" : "rows",
                              dims[i]);
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
    drop(a.id);
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
    if (!rc && a.n_bytes > ALLOT_H5_MAX_BYTES) rc = refuse(h, name, "is larger than 16 GiB", err);
    if (!rc && !(*data = allot_mem_array((size_t)a.n_bytes, 1, err))) rc = ALLOT_ERUNTIME;
    if (!rc && a.n_bytes &&
        H5Dread(a.id, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) < 0) {
        rc = hdf5_failed(h, name, err);
        free(*data);
        *data = NULL;
    }
    drop(a.id);
    return rc;
}

/* Moves rows [first, first + count) of an open array: into `in`, or from `from` if that is given. */
static allot_code move_rows(const allot_h5 *h, const array *a, long first, long count, void *in,
                            const void *from, allot_err *err)
{
    hsize_t start[ALLOT_H5_MAX_RANK] = {(hsize_t)first}, block[ALLOT_H5_MAX_RANK];
    memcpy(block, a->dims, sizeof block);
    block[0] = (hsize_t)count;
    hid_t file = H5Dget_space(a->id), mem = H5Screate_simple(a->rank, block, NULL);
    herr_t rc = H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, block, NULL);
    if (rc >= 0 && from)
        rc = H5Dwrite(a->id, memory_type(a->type), mem, file, H5P_DEFAULT, from);
    else if (rc >= 0)
        rc = H5Dread(a->id, memory_type(a->type), mem, file, H5P_DEFAULT, in);
    allot_code code = rc < 0 ? hdf5_failed(h, a->name, err) : ALLOT_OK;
    drop(file);
    drop(mem);
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
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': rows %ld to %ld of '/%s' were asked "
                        "for, it has %llu", h->path, first, first + count, name,
                        (unsigned long long)a.dims[0]);
    else if (count > 0)
        rc = move_rows(h, &a, first, count, out, NULL, err);
    drop(a.id);
    return rc;
}

/* ---- writing arrays ---- */

/* dims[0] rows in one piece; with chunk_rows > 0 in chunks of so many, and rows can be added. */
static allot_code create_array(const allot_h5 *h, array *a, long chunk_rows, allot_err *err)
{
    hsize_t max[ALLOT_H5_MAX_RANK], chunk[ALLOT_H5_MAX_RANK];
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(lcpl, 1);
    H5Pset_obj_track_times(dcpl, 0);
    memcpy(max, a->dims, sizeof max);
    memcpy(chunk, a->dims, sizeof chunk);
    if (chunk_rows > 0) {
        max[0] = H5S_UNLIMITED;
        chunk[0] = (hsize_t)chunk_rows;
        H5Pset_chunk(dcpl, a->rank, chunk);
    }
    hid_t space = H5Screate_simple(a->rank, a->dims, max);
    a->id = H5Dcreate2(h->file, a->name, stored_type(a->type), space, lcpl, dcpl, H5P_DEFAULT);
    allot_code rc = a->id < 0 ? hdf5_failed(h, a->name, err) : ALLOT_OK;
    drop(space);
    drop(dcpl);
    drop(lcpl);
    return rc;
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
    if (!empty &&
        H5Dwrite(a.id, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        rc = hdf5_failed(h, name, err);
    drop(a.id);
    return rc;
}

/* The first block tells the size: chunks no larger than a small file needs, no smaller than pays. */
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
    allot_code rc = find(h, name) ? open_array(h, &a, err)
                                  : create_growing(h, &a, row_dims, n_rows, err);
    if (rc) return rc;
    long first = (long)a.dims[0];
    a.dims[0] += (hsize_t)n_rows;
    if (n_rows > 0 && H5Dset_extent(a.id, a.dims) < 0)
        rc = hdf5_failed(h, name, err);
    else if (n_rows > 0)
        rc = move_rows(h, &a, first, n_rows, NULL, data, err);
    drop(a.id);
    return rc;
}

/* ---- attributes ---- */

static allot_code write_attribute(const allot_h5 *h, const char *name, hid_t stored, hid_t memory,
                                  const void *value, allot_err *err)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(h->file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t done = id < 0 ? -1 : H5Awrite(id, memory, value);
    allot_code rc = done < 0 ? hdf5_failed(h, name, err) : ALLOT_OK;
    drop(id);
    drop(space);
    return rc;
}

/* Reads a scalar; want < 0 means a string, whose type goes to *found and whose size is bounded. */
static allot_code open_attribute(const allot_h5 *h, const char *name, hid_t want, hid_t *id,
                                 hid_t *found, allot_err *err)
{
    const char *fault = NULL;
    *id = *found = -1;
    if (H5Aexists(h->file, name) <= 0)
        return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': attribute '%s' is missing "
                          "(docs/formats.md says what belongs there)", h->path, name);
    *id = H5Aopen(h->file, name, H5P_DEFAULT);
    hid_t space = *id < 0 ? -1 : H5Aget_space(*id);
    *found = *id < 0 ? -1 : H5Aget_type(*id);
    if (space < 0 || *found < 0 || H5Sget_simple_extent_type(space) != H5S_SCALAR)
        fault = "is not a single value";
    else if (want >= 0 && H5Tequal(*found, want) <= 0)
        fault = "is not a little-endian number of 64 bits of its kind";
    else if (want < 0 && (H5Tget_class(*found) != H5T_STRING || H5Tis_variable_str(*found) != 0 ||
                          H5Tget_size(*found) > MAX_TEXT))
        fault = "is not a string of fixed size (in Python: numpy.bytes_)";
    drop(space);
    if (!fault) return ALLOT_OK;
    drop(*id);
    drop(*found);
    return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': attribute '%s' %s", h->path, name,
                      fault);
}

static allot_code read_number(allot_h5 *h, const char *name, hid_t stored, hid_t memory, void *out,
                              allot_err *err)
{
    hid_t id, found;
    allot_code rc = open_attribute(h, name, stored, &id, &found, err);
    if (rc) return rc;
    if (H5Aread(id, memory, out) < 0) rc = hdf5_failed(h, name, err);
    drop(found);
    drop(id);
    return rc;
}

/* A text too long for an attribute lives in an array of bytes, "text/NAME". */
static void text_array_name(const char *name, char out[MAX_NAME])
{
    snprintf(out, MAX_NAME, "text/%s", name);
}

allot_code allot_h5_set_text(allot_h5 *h, const char *name, const char *value, allot_err *err)
{
    char long_name[MAX_NAME];
    long n = (long)strlen(value);
    if (n > MAX_ATTRIBUTE) {
        text_array_name(name, long_name);
        return allot_h5_write(h, long_name, ALLOT_H5_U8, 1, &n, value, err);
    }
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, (size_t)n + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    allot_code rc = write_attribute(h, name, type, type, value, err);
    drop(type);
    return rc;
}

static allot_code get_long_text(allot_h5 *h, const char *name, char **value, allot_err *err)
{
    void *bytes = NULL;
    long n;
    allot_code rc = allot_h5_shape(h, name, ALLOT_H5_U8, 1, &n, err);
    if (!rc && n > MAX_TEXT) rc = refuse(h, name, "is longer than 16 MiB", err);
    if (!rc) rc = allot_h5_read(h, name, ALLOT_H5_U8, 1, &n, &bytes, err);
    if (!rc && memchr(bytes, 0, (size_t)n)) rc = refuse(h, name, "has a zero byte", err);
    if (!rc && !(*value = allot_mem_text(bytes, (size_t)n, err))) rc = ALLOT_ERUNTIME;
    free(bytes);
    return rc;
}

allot_code allot_h5_get_text(allot_h5 *h, const char *name, char **value, allot_err *err)
{
    char long_name[MAX_NAME];
    hid_t id, found;
    *value = NULL;
    text_array_name(name, long_name);
    if (H5Aexists(h->file, name) <= 0 && find(h, long_name))
        return get_long_text(h, long_name, value, err);
    allot_code rc = open_attribute(h, name, -1, &id, &found, err);
    if (rc) return rc;
    hid_t type = H5Tcopy(H5T_C_S1);
    size_t size = H5Tget_size(found) + 1;
    H5Tset_size(type, size);
    H5Tset_cset(type, H5Tget_cset(found));
    *value = allot_mem_array(size, 1, err);
    if (!*value) {
        rc = ALLOT_ERUNTIME;
    } else if (H5Aread(id, type, *value) < 0) {
        rc = hdf5_failed(h, name, err);
        free(*value);
        *value = NULL;
    }
    drop(type);
    drop(found);
    drop(id);
    return rc;
}

allot_code allot_h5_set_long(allot_h5 *h, const char *name, long value, allot_err *err)
{
    int64_t v = value;
    return write_attribute(h, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &v, err);
}

allot_code allot_h5_get_long(allot_h5 *h, const char *name, long min, long max, long *value,
                             allot_err *err)
{
    int64_t v = 0;
    allot_code rc = read_number(h, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &v, err);
    if (!rc && (v < min || v > max))
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': attribute '%s' is %lld, not from %ld "
                        "to %ld", h->path, name, (long long)v, min, max);
    if (!rc) *value = (long)v;
    return rc;
}

allot_code allot_h5_set_double(allot_h5 *h, const char *name, double value, allot_err *err)
{
    return write_attribute(h, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, err);
}

allot_code allot_h5_get_double(allot_h5 *h, const char *name, double *value, allot_err *err)
{
    double v = 0;
    allot_code rc = read_number(h, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &v, err);
    if (!rc && !isfinite(v))
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': attribute '%s' is not finite",
                        h->path, name);
    if (!rc) *value = v;
    return rc;
}
