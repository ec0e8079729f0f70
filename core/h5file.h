/* SPDX-License-Identifier: Apache-2.0 */
/* h5file.h - what the files behind h5.h share; the only header that includes HDF5's. */
#ifndef ALLOT_H5FILE_H
#define ALLOT_H5FILE_H
#define H5_USE_110_API /* the same calls with newer HDF5 libraries */
#include <hdf5.h>
#include "atomicfile.h"
#include "h5.h"

#define ALLOT_H5_MAX_NAME 256

struct allot_h5 {
    hid_t file;
    char *path;       /* owned */
    int writing;
    allot_atomic out; /* only while writing */
    uint64_t on_disk; /* bytes of the file; only while reading */
};

/* Closes an id of any kind. */
void allot_h5_drop(hid_t id);
/* What HDF5 says about the call that just failed, into err; to be called right after it, as the next
 * one clears its errors. */
allot_code allot_h5_failed(const allot_h5 *h, const char *name, allot_err *err);
/* "cannot read FILE: '/name' what". */
allot_code allot_h5_refuse(const allot_h5 *h, const char *name, const char *what, allot_err *err);
#endif
