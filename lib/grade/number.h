/* SPDX-License-Identifier: Apache-2.0 */
/* number.h - a number in plain or LaTeX spelling as an exact rational. Spellings: 12, -3.50, .5,
 * 1,234,567, 3/4, \frac{3}{4}, \frac34, 1 1/2, 1\frac{1}{2}, 1.5e3, 1.5\times10^{3}, 50\%. */
#ifndef ALLOT_NUMBER_H
#define ALLOT_NUMBER_H
#include <gmp.h>

/* Sets q (initialised by the caller) from normalised text (NUL-terminated, no blanks but those of a
 * mixed number) and returns 1, or returns 0. Work is bounded by the length: exponents over 400 are
 * no numbers. */
int allot_number_parse(const char *text, mpq_t q);

#endif
