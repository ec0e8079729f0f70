/* SPDX-License-Identifier: Apache-2.0 */
/* h5file.h - what the files behind h5.h share; the only header that includes HDF5's. */
#ifndef ALLOT_H5FILE_H
#define ALLOT_H5FILE_H
#define H5_USE_110_API /* the same calls with newer HDF5 libraries */
#include <hdf5.h>
#include "lib/core/atomicfile.h"
#include "lib/store/h5.h"

#define ALLOT_H5_MAX_NAME 256

/* What was written under one name, to be read back before the file gets its name. */
typedef struct {
    char name[ALLOT_H5_MAX_NAME];
    int is_attribute;
    allot_h5_type type;
    int rank;
    hsize_t dims[ALLOT_H5_MAX_RANK];
    uint64_t hash; /* FNV-1a of the bytes in memory */
} allot_h5_written;

struct allot_h5 {
    hid_t file;
    char *path; /* owned */
    int version;
    int writing;
    allot_atomic out;          /* only while writing */
    uint64_t on_disk;          /* bytes of the file; only while reading */
    allot_h5_written *written; /* owned [n_written]; only while writing */
    size_t n_written, written_capacity;
};

/* Closes an id of any kind that nothing was written through. */
void allot_h5_drop(hid_t id);
/* Closes an id that something was written through, which HDF5 may do only now; rc when that is not
 * ok already. */
allot_code allot_h5_shut(const allot_h5 *h, const char *name, hid_t id, allot_code rc,
                         allot_err *err);
/* What HDF5 says of the call that just failed, into text; 1 when it was memory that failed. */
int allot_h5_complaint(char text[300]);
/* Notes n bytes written under name (an array's are added to those before); a->hash is set here. */
ALLOT_MUST_CHECK allot_code allot_h5_note(allot_h5 *h, const allot_h5_written *a, const void *bytes,
                                          size_t n, allot_err *err);
/* Reads everything that was noted in h from the finished file, opened as `in`. */
ALLOT_MUST_CHECK allot_code allot_h5_verify(const allot_h5 *h, allot_h5 *in, allot_err *err);
/* As allot_h5_open, for files of our own: does not count as reading an input. */
ALLOT_MUST_CHECK allot_code allot_h5_reopen(const char *path, const char *schema,
                                            allot_versions range, allot_h5 **out, allot_err *err);
/* Bytes of one element. */
size_t allot_h5_size(allot_h5_type type);
/* Refuses ids that could not be made (out of memory), before they are used. */
ALLOT_MUST_CHECK allot_code allot_h5_made(const allot_h5 *h, const char *name, hid_t id,
                                          allot_err *err);
/* What HDF5 says about the call that just failed, into err; to be called right after it, as the
 * next one clears its errors. */
allot_code allot_h5_failed(const allot_h5 *h, const char *name, allot_err *err);
/* "cannot read FILE: '/name' what". */
allot_code allot_h5_refuse(const allot_h5 *h, const char *name, const char *what, allot_err *err);
#endif
