/* SPDX-License-Identifier: Apache-2.0 */
/* lastnumber.h - the last number of a text and what it is a part of. */
#ifndef ALLOT_LASTNUMBER_H
#define ALLOT_LASTNUMBER_H
#include <stddef.h>

/* The last number with all that belongs to it: "3\sqrt{2}", "1, 2 and 3", "[0, 1)", a matrix.
 * Linear in the text; at most 200 bytes to either side are a part of the formula. 0: no digit. */
int allot_last_number(const char *text, size_t n, const char **start, size_t *len);

/* Behind the last digit that is not the exponent of a unit: "14 cm^2"; 0: none. */
size_t allot_last_digit(const char *text, size_t n);

/* The end of what is before the joint ("and", "or", a comma) at the end of n bytes; n if none. */
size_t allot_before_joint(const char *text, size_t n);

/* Letters that stand in formulas: names of functions, of environments, and what joins values. */
int allot_is_formula_word(const char *s, size_t n);

/* Signs of formulas beyond ASCII: degrees, powers, Greek, roots, fractions, operators; the bytes of
 * the one that begins here, 0 if it is another. */
size_t allot_sign_bytes(const char *s, size_t n);

#endif
