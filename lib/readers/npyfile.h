/* SPDX-License-Identifier: Apache-2.0 */
/* npyfile.h - a matrix of numbers from numpy.save: versions 1 to 3, '<f2', '<f4' or '<f8', row by
 * row (C order), two dimensions, not a byte more or less than the header says. */
#ifndef ALLOT_NPYFILE_H
#define ALLOT_NPYFILE_H
#include "liballot/err.h"

/* *at [*rows][*columns] is allocated as float32 (the caller frees); columns at most max_columns.
 * Finiteness is not looked at. Errors name the file and how to save it instead. */
ALLOT_MUST_CHECK allot_code allot_npy_load(const char *path, long max_columns, float **at,
                                           long *rows, long *columns, allot_err *err);
#endif
