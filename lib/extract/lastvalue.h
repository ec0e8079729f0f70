/* SPDX-License-Identifier: Apache-2.0 */
/* lastvalue.h - answers that neither a box nor words announce. Each gives a span of text and
 * returns 1, or 0. Linear in the text. */
#ifndef ALLOT_LASTVALUE_H
#define ALLOT_LASTVALUE_H
#include <stddef.h>

/* The text itself if it is a formula, else the last formula, else the last number, else the text
 * itself if it is a few words. */
int allot_last_value(const char *text, size_t n, const char **start, size_t *len);

/* The last capital letter A to J that stands alone and is not behind "not". */
int allot_last_choice(const char *text, size_t n, const char **start, size_t *len);

#endif
