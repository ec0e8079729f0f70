/* SPDX-License-Identifier: Apache-2.0 */
/* h5.h - the only module that speaks HDF5 (the files h5*.c). Files are hostile: rank,
 * shape, type and size are checked before anything is read; HDF5's own printing is off and its top
 * error goes into our message; no object times, so that the same input gives the same bytes.
 * Reading is not thread-safe. */
#ifndef ALLOT_H5_H
#define ALLOT_H5_H
#include <stddef.h>
#include <stdint.h>
#include "lib/core/versions.h"
#include "liballot/err.h"
typedef struct allot_h5 allot_h5;

typedef enum { ALLOT_H5_U8, ALLOT_H5_I32, ALLOT_H5_I64, ALLOT_H5_F32, ALLOT_H5_F64 } allot_h5_type;

#define ALLOT_H5_ANY (-1L) /* a dimension that the file may choose */
#define ALLOT_H5_MAX_RANK 4
#define ALLOT_H5_MAX_BYTES (16L << 30) /* largest array that is read at once */

/* Opens for reading; the attribute "schema" must be this and "version" within the range (schema
 * NULL: anything). */
ALLOT_MUST_CHECK allot_code allot_h5_open(const char *path, const char *schema,
                                          allot_versions range, allot_h5 **out, allot_err *err);
/* Creates under a temporary name; visible under path only after commit. */
ALLOT_MUST_CHECK allot_code allot_h5_create(const char *path, const char *schema, int version,
                                            allot_h5 **out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_commit(allot_h5 **h, allot_err *err); /* also closes */
void allot_h5_close(allot_h5 **h); /* a file being written is thrown away; safe on NULL */
const char *allot_h5_path(const allot_h5 *h);
int allot_h5_version(const allot_h5 *h); /* of a file that was opened with a schema */

int allot_h5_has(const allot_h5 *h, const char *name);

/* Whole arrays. dims[rank]: expected sizes, ALLOT_H5_ANY entries are filled in. *data is allocated
 * (the caller frees), row-major; never NULL. The stored type must be exactly `type`. */
ALLOT_MUST_CHECK allot_code allot_h5_read(allot_h5 *h, const char *name, allot_h5_type type,
                                          int rank, long *dims, void **data, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_write(allot_h5 *h, const char *name, allot_h5_type type,
                                           int rank, const long *dims, const void *data,
                                           allot_err *err);

/* Streaming: rows along the first dimension. The first append creates the (chunked, extendable)
 * array with row shape row_dims[rank - 1]; its size decides the chunks, so give blocks of 256 KB or
 * more where there is as much. */
ALLOT_MUST_CHECK allot_code allot_h5_append(allot_h5 *h, const char *name, allot_h5_type type,
                                            int rank, const long *row_dims, long n_rows,
                                            const void *data, allot_err *err);
/* Shape of an array of this type and rank. */
ALLOT_MUST_CHECK allot_code allot_h5_shape(allot_h5 *h, const char *name, allot_h5_type type,
                                           int rank, long *dims, allot_err *err);
/* Rows [first, first + count) into out. */
ALLOT_MUST_CHECK allot_code allot_h5_read_rows(allot_h5 *h, const char *name, allot_h5_type type,
                                               int rank, long first, long count, void *out,
                                               allot_err *err);

/* A column of strings is a group with "bytes" uint8 [total] and "offsets" int64 [n + 1]. */
typedef struct {
    char *bytes;      /* owned; string i is bytes[offsets[i] .. offsets[i + 1]), no NUL between */
    int64_t *offsets; /* owned [n + 1], ascending, offsets[0] = 0 */
    long n;
} allot_strings;

ALLOT_MUST_CHECK allot_code allot_h5_read_strings(allot_h5 *h, const char *name, long n,
                                                  allot_strings *out, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_write_strings(allot_h5 *h, const char *name,
                                                   const allot_strings *s, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_append_strings(allot_h5 *h, const char *name,
                                                    const allot_strings *s, allot_err *err);
void allot_strings_clear(allot_strings *s);
ALLOT_MUST_CHECK allot_code allot_strings_add(allot_strings *s, size_t *capacity_n,
                                              size_t *capacity_bytes, const char *text, size_t n,
                                              allot_err *err);
/* Borrowed view of string i; *n its bytes (not NUL-terminated). */
const char *allot_strings_at(const allot_strings *s, long i, size_t *n);

/* Attributes of the root group. A string read is allocated; the caller frees. */
ALLOT_MUST_CHECK allot_code allot_h5_set_text(allot_h5 *h, const char *name, const char *value,
                                              allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_get_text(allot_h5 *h, const char *name, char **value,
                                              allot_err *err);
int allot_h5_has_text(const allot_h5 *h, const char *name); /* 1 if there is an attribute */
/* The same into out[size]; longer texts are refused. */
ALLOT_MUST_CHECK allot_code allot_h5_get_short(allot_h5 *h, const char *name, char *out,
                                               size_t size, allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_set_long(allot_h5 *h, const char *name, long value,
                                              allot_err *err);
ALLOT_MUST_CHECK allot_code allot_h5_get_long(allot_h5 *h, const char *name, long min, long max,
                                              long *value, allot_err *err);
#endif
