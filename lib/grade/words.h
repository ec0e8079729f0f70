/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - what words mean: "the dog" is dog, "twenty-one" 21, "no solution" the empty set,
 * "m/s" a unit. */
#ifndef ALLOT_WORDS_H
#define ALLOT_WORDS_H
#include <stddef.h>

/* Replaces a whole answer by what it means, in place; never longer than 16 bytes or s. */
void allot_words_replace(char *s);

/* Numbers with words in them, in place: "2.5 million" is 2.5*10^{6}, "6.02 x 10^23" a product. s
 * has room for 8 bytes more. */
void allot_words_numbers(char *s);

/* The number that a text spells, up to ninety-nine; -1: none. */
int allot_words_spelled(const char *s);

/* 1 if n bytes say by what to multiply the number before them: " million", "percent". */
int allot_words_factor(const char *s, size_t n);

/* The length of n bytes without a unit behind a number: "10 meters", "12 square units", "5 cm^2";
 * the unit's words have three letters or more, or are known. n if there is none. */
size_t allot_words_before_unit(const char *s, size_t n);

/* 1 if two units, in lower case without blanks and a final s, are known and measure with other
 * steps: "feet" and "inche", not "feet" and "foot". */
int allot_words_units_differ(const char *a, const char *b);

/* 1 if a sine or its kin is in n bytes: the sine of 30 degrees needs the sign. */
int allot_words_angle(const char *s, size_t n);

/* The length of n bytes without a final second or third power. */
size_t allot_words_before_power(const char *s, size_t n);

#endif
