/* SPDX-License-Identifier: Apache-2.0 */
/* minhash.h - near-duplicates among many texts: MinHash signatures over runs of 5 words (Broder
 * 1997) and candidates by locality-sensitive hashing, 25 bands of 5 (Leskovec, Rajaraman and
 * Ullman, Mining of Massive Datasets, chapter 3). The similarity is the Jaccard index of the two
 * sets of runs, estimated with a standard error of at most 0.045. A pair of similarity 0.8 is
 * missed once in 20,000, one of 0.6 once in 8. */
#ifndef ALLOT_MINHASH_H
#define ALLOT_MINHASH_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

enum { ALLOT_MINHASH_N = 125, ALLOT_MINHASH_WORDS = 5 };

typedef struct {
    uint16_t at[ALLOT_MINHASH_N];
} allot_minhash;

/* Words are runs of letters, digits and other than ASCII characters, in lower case, and the signs
 * + - * / ^ = < > |; other signs and the dress of LaTeX do not count. A text of fewer than 5 words
 * is one run. */
void allot_minhash_make(const char *text, size_t n, allot_minhash *out);
double allot_minhash_similarity(const allot_minhash *a, const allot_minhash *b); /* [0, 1] */

/* For each text of [n] one that is like it: near[i] = its number, or -1. With group (or NULL) only
 * texts of different groups are compared; without, near[i] is the first such text and
 * < i. Among very many texts with a band in common, only the first 16 are looked at. */
ALLOT_MUST_CHECK allot_code allot_minhash_near(const allot_minhash *text, long n,
                                               const uint8_t *group, double threshold, long *near,
                                               allot_err *err);
#endif
