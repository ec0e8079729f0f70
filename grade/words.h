/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - what words mean: "the dog" is dog, "twenty-one" 21, "no solution" the empty set,
 * "m/s" a unit. */
#ifndef ALLOT_WORDS_H
#define ALLOT_WORDS_H
#include <stddef.h>

/* Replaces a whole answer by what it means, in place; never longer than 16 bytes or s. */
void allot_words_replace(char *s);

/* The length of n bytes without a unit behind a number: "10 meters", "12 square units", "5 cm^2";
 * the unit's words have three letters or more, or are known. n if there is none. */
size_t allot_words_before_unit(const char *s, size_t n);

/* The length of n bytes without a final second or third power. */
size_t allot_words_before_power(const char *s, size_t n);

#endif
