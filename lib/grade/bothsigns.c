/* SPDX-License-Identifier: Apache-2.0 */
/* bothsigns.c - plus-minus stands for two values. */
#include <stdio.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/normalize.h"

/* The end of the part of a list that begins at `from`. */
static size_t part_end(const char *s, size_t n, size_t from)
{
    int depth = 0;
    for (; from < n && (depth > 0 || s[from] != ','); from++)
        depth += strchr("([{", s[from]) ? 1 : strchr(")]}", s[from]) ? -1 : 0;
    return from;
}

size_t allot_both_signs(const char *s, size_t n, char *out)
{
    size_t m = 0;
    if (!memmem(s, n, "\\pm", 3)) return 0;
    if (n > 4 && memcmp(s, "\\{", 2) == 0 && memcmp(s + n - 2, "\\}", 2) == 0) {
        s += 2; /* a list is compared with a set as a set */
        n -= 4;
    }
    for (size_t from = 0, to; from < n; from = to + 1) {
        to = part_end(s, n, from);
        if (m + 2 * (to - from) + 8 > ALLOT_NORMAL_SIZE) return 0;
        const char *part = s + from, *sign = memmem(part, to - from, "\\pm", 3);
        const char *tail = sign ? sign + 3 : part;
        int before = sign ? (int)(sign - part) : 0, after = (int)(s + to - tail);
        m += (size_t)(sign ? sprintf(out + m, "%.*s+%.*s or %.*s-%.*s", before, part, after, tail,
                                     before, part, after, tail)
                           : sprintf(out + m, "%.*s", after, tail));
        if (to < n) out[m++] = ',';
    }
    return m;
}
