/* SPDX-License-Identifier: Apache-2.0 */
/* lastformula.h - the last formula of a text. Linear in the text. */
#ifndef ALLOT_LASTFORMULA_H
#define ALLOT_LASTFORMULA_H
#include <stddef.h>

/* The last formula, if no digit follows it; "$1$ and $2$" is one answer. 0: there is none. */
int allot_last_formula(const char *text, size_t n, const char **start, size_t *len);

#endif
