/* SPDX-License-Identifier: Apache-2.0 */
/* vectorimport.h - embeddings made elsewhere: a matrix and the query of each row. */
#ifndef ALLOT_VECTORIMPORT_H
#define ALLOT_VECTORIMPORT_H
#include "lib/store/embeddings.h"

typedef struct {
    const char *npy;           /* matrix [rows, numbers]; required */
    const char *keys;          /* file of 64 hex digits a line; or */
    const char *order;         /* problems in the order of the rows: JSON lines, or problems.h5 */
    const char *problem_field; /* of JSON lines; NULL = problem, or question */
    const char *model;         /* required */
    const char *pooling;       /* as told */
    const char *prefix;        /* put before each query when they were made */
    int normalized;            /* the vectors must have length 1, within 1e-3 */
} allot_vectorimport;

ALLOT_MUST_CHECK allot_code allot_vectorimport_check(const allot_vectorimport *s, allot_err *err);

/* Fills *out (the caller clears it). As many queries as rows, or it is refused with both counts;
 * *repeated: rows left out because their query had come before. */
ALLOT_MUST_CHECK allot_code allot_vectors_import(const allot_vectorimport *s, allot_embeddings *out,
                                                 long *repeated, allot_err *err);
#endif
