/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - what words mean: "the dog" is dog, "twenty-one" 21, "no solution" the empty set,
 * "m/s" a unit. */
#ifndef ALLOT_WORDS_H
#define ALLOT_WORDS_H
#include <stddef.h>

/* Replaces a whole answer by what it means, in place; never longer than 16 bytes or s. */
void allot_words_replace(char *s);

/* 1 if a word of n bytes behind a number can be its unit: three letters or more, or known. */
int allot_words_unit(const char *word, size_t n);

#endif
