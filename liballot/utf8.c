/* SPDX-License-Identifier: Apache-2.0 */
/* Strict by the table of well-formed byte sequences of the Unicode standard. */
#include "utf8.h"
#include <stdint.h>
#include <string.h>

int allot_utf8_length(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) return 1;
    int bytes = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < (size_t)bytes) return 0;
    for (int i = 1; i < bytes; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return bytes;
}

/* Most texts are ASCII: eight bytes at a time. */
size_t allot_utf8_valid(const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t eight = UINT64_MAX;
        if (n - i >= sizeof eight) memcpy(&eight, text + i, sizeof eight);
        int bytes = (eight & 0x8080808080808080u) == 0 ? (int)sizeof eight
                                                       : allot_utf8_length(text + i, n - i);
        if (bytes == 0) return i;
        i += (size_t)bytes;
    }
    return n;
}
