/* SPDX-License-Identifier: Apache-2.0 */
/* embedpartial.h - vectors as they arrive, so that an interrupted 'embed' goes on where it was: a
 * file beside the output, OUTPUT.partial, that is removed when all is there. It holds one line that
 * names the settings, then rows of int32 dim, key [32], float32 [dim]; a torn last row is cut off.
 */
#ifndef ALLOT_EMBEDPARTIAL_H
#define ALLOT_EMBEDPARTIAL_H
#include <stdio.h>
#include "lib/store/embeddings.h"

typedef struct {
    char *path; /* owned */
    FILE *file; /* at the end, for appending */
    int empty;  /* made by this call, nothing written yet */
} allot_embedpartial;

/* Opens the partial file of `output`, or makes it. Rows of e's keys are read into e->at, e->dim
 * (allocated here if there are any); have[e->n] tells which. A file of another model, pooling or
 * prefix is refused. */
ALLOT_MUST_CHECK allot_code allot_embedpartial_open(allot_embedpartial *p, const char *output,
                                                    allot_embeddings *e, unsigned char *have,
                                                    allot_err *err);
ALLOT_MUST_CHECK allot_code allot_embedpartial_add(allot_embedpartial *p, const allot_key *key,
                                                   const float *row, long dim, allot_err *err);
/* Frees; removes the file when `finished`, or when it holds nothing. Safe on zero. */
void allot_embedpartial_close(allot_embedpartial *p, int finished);
#endif
