/* SPDX-License-Identifier: Apache-2.0 */
/* ngram.h - the built-in embedding: hashed character n-grams, no model and no server needed.
 *
 * Bytes are lower-cased (ASCII), runs of white space become one blank, blanks at the ends are left
 * out, digits are kept. Every n-gram of n = 1..4 bytes is hashed (FNV-1a, mixed); the hash picks a
 * dimension and a sign; the signed counts c are damped to sign(c) log(1 + |c|) and the vector is
 * scaled to length 1 (all zero for empty text). Training and serving share this one function. */
#ifndef ALLOT_NGRAM_H
#define ALLOT_NGRAM_H
#include <stddef.h>
#include "err.h"

#define ALLOT_NGRAM_MODEL "allot-ngram-1" /* the embedding model's name in files */
#define ALLOT_NGRAM_DIM 256               /* default dimension */
#define ALLOT_NGRAM_MAX_DIM 65536

/* out[dim], 1 <= dim <= ALLOT_NGRAM_MAX_DIM; text of n bytes. Never allocates. */
void allot_ngram_embed(const char *text, size_t n, int dim, float *out);

#endif
