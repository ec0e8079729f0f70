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

/* Of many texts with a band in common, each is compared with the first 16 only. */

/* For each text of [n] the first one before it that is like it: near[i] < i, or -1. */
ALLOT_MUST_CHECK allot_code allot_minhash_near(const allot_minhash *text, long n, double threshold,
                                               long *near, allot_err *err);
/* For each text of [n] one of the others [n_other] that is like it: match[n], or -1. */
ALLOT_MUST_CHECK allot_code allot_minhash_match(const allot_minhash *text, long n,
                                                const allot_minhash *other, long n_other,
                                                double threshold, long *match, allot_err *err);
/* Texts that are alike, or both like others, are one group: first[i] = its first text. */
ALLOT_MUST_CHECK allot_code allot_minhash_groups(const allot_minhash *text, long n,
                                                 double threshold, long *first, allot_err *err);
#endif
