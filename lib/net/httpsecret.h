/* SPDX-License-Identifier: Apache-2.0 */
/* httpsecret.h - what a client sends as a secret and a server repeats is not told on: it becomes
 * "***". Not for use outside core/http*. */
#ifndef ALLOT_HTTPSECRET_H
#define ALLOT_HTTPSECRET_H
#include <stddef.h>

/* Where the answer stands. In data (texts, names) a word of letters below 8 bytes, like EMPTY,
 * stays: it stands for itself, and says nothing. Below 4 bytes nothing is hidden. */
typedef enum { ALLOT_IN_ERROR, ALLOT_IN_DATA } allot_secret_place;

/* Hides it in text[n], which has a byte behind it, and returns the new length; also where JSON
 * spells it with escapes. */
size_t allot_secret_hide(const char *secret, allot_secret_place where, char *text, size_t n);
/* The same for the value of a header line, whole and in words, if it is a secret: its name says so
 * (key, token, auth, ...), or it looks like one (16 bytes, letters and digits, no blanks). */
size_t allot_secret_hide_header(const char *line, allot_secret_place where, char *text, size_t n);
#endif
