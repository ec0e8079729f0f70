/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - a growable byte string, always NUL-terminated once written to. Out of memory is kept in
 * the buffer and reported once, by allot_buf_check. */
#ifndef ALLOT_BUF_H
#define ALLOT_BUF_H
#include <stddef.h>
#include "liballot/err.h"

typedef struct {
    char *at; /* owned; NULL while empty */
    size_t n; /* bytes without the NUL */
    size_t capacity;
    int failed; /* out of memory: later writes do nothing */
} allot_buf;

void allot_buf_add(allot_buf *b, const void *bytes, size_t n);
void allot_buf_str(allot_buf *b, const char *text);
void allot_buf_printf(allot_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As a JSON string, in quotes. */
void allot_buf_json(allot_buf *b, const char *text, size_t n);
ALLOT_MUST_CHECK allot_code allot_buf_check(const allot_buf *b, allot_err *err);
void allot_buf_clear(allot_buf *b); /* frees; safe on zero and twice */
void allot_buf_reset(allot_buf *b); /* n = 0, keeps the memory */

#endif
