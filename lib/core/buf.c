/* SPDX-License-Identifier: Apache-2.0 */
/* Grows by doubling; a shortage of memory is remembered, and later writes do nothing. */
#include "lib/core/buf.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

/* Room for n more bytes and the NUL; 0 when there is none. */
static int make_room(allot_buf *b, size_t n)
{
    void *p = b->at;
    if (b->failed || n > (size_t)-1 - b->n - 1 ||
        allot_mem_grow(&p, &b->capacity, b->n + n + 1, 1, NULL)) {
        b->failed = 1;
        return 0;
    }
    b->at = p;
    return 1;
}

void allot_buf_add(allot_buf *b, const void *bytes, size_t n)
{
    if (!make_room(b, n)) return;
    if (n) memcpy(b->at + b->n, bytes, n);
    b->n += n;
    b->at[b->n] = '\0';
}

void allot_buf_str(allot_buf *b, const char *text)
{
    allot_buf_add(b, text, strlen(text));
}

/* Most fits into the room there is; only else is it printed twice. */
void allot_buf_printf(allot_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t room = b->failed || !b->at ? 0 : b->capacity - b->n;
    int n = vsnprintf(room ? b->at + b->n : NULL, room, fmt, ap);
    va_end(ap);
    if (n >= 0 && ((size_t)n < room || make_room(b, (size_t)n))) {
        if ((size_t)n >= room) vsnprintf(b->at + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    } else {
        b->failed = 1;
        if (room) b->at[b->n] = '\0';
    }
    va_end(again);
}

void allot_buf_json(allot_buf *out, const char *text, size_t n)
{
    static const char *const short_form[32] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    allot_buf_add(out, "\"", 1);
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        allot_buf_add(out, text + from, i - from);
        from = i + 1;
        if (c >= 0x20) allot_buf_printf(out, "\\%c", c);
        else if (short_form[c]) allot_buf_str(out, short_form[c]);
        else allot_buf_printf(out, "\\u%04x", c);
    }
    allot_buf_add(out, text + from, n - from);
    allot_buf_add(out, "\"", 1);
}

allot_code allot_buf_check(const allot_buf *b, allot_err *err)
{
    return b->failed ? allot_fail(err, ALLOT_ERUNTIME, "out of memory for text") : ALLOT_OK;
}

void allot_buf_clear(allot_buf *b)
{
    free(b->at);
    *b = (allot_buf){0};
}

void allot_buf_reset(allot_buf *b)
{
    b->n = 0;
    if (b->at) b->at[0] = '\0';
}
