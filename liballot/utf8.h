/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - what is valid UTF-8. Not installed. */
#ifndef ALLOT_UTF8_H
#define ALLOT_UTF8_H
#include <stddef.h>

/* Bytes (1..4) of the valid UTF-8 character at the start of text, which has n >= 1 bytes; 0 if it
 * is invalid: overlong, a surrogate, above U+10FFFF, or cut off. */
int allot_utf8_length(const char *text, size_t n);

/* Bytes of text before the first that is not valid UTF-8; n if all is valid. */
size_t allot_utf8_valid(const char *text, size_t n);

#endif
