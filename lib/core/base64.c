/* SPDX-License-Identifier: Apache-2.0 */
/* Four digits to three bytes, strictly: no blanks, no missing padding, whole floats only. */
#include "lib/core/base64.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes into out [3 length / 4]; returns the bytes, or -1. */
static long decode(const char *text, size_t length, uint8_t *out)
{
    if (length % 4 != 0) return -1;
    while (length > 0 && text[length - 1] == '=')
        length--;
    if (length % 4 == 1) return -1;
    uint32_t word = 0;
    long n = 0;
    for (size_t i = 0; i < length; i++) {
        int d = digit(text[i]);
        if (d < 0) return -1;
        word = word << 6 | (uint32_t)d;
        if (i % 4 != 0) out[n++] = (uint8_t)(word >> (6 - 2 * (i % 4)));
    }
    return n;
}

allot_code allot_base64_floats(const char *text, size_t length, float **out, size_t *n,
                               allot_err *err)
{
    uint8_t *bytes = allot_mem_array(length / 4 * 3, 1, err);
    if (!bytes) return ALLOT_ERUNTIME;
    long got = decode(text, length, bytes);
    if (got < 0 || got % 4 != 0) {
        free(bytes);
        return allot_fail(err, ALLOT_EINPUT, "not base64 of 4-byte floats");
    }
    *n = (size_t)got / 4;
    *out = allot_mem_array(*n, sizeof **out, err);
    for (size_t i = 0; *out && i < *n; i++) {
        const uint8_t *b = bytes + 4 * i;
        uint32_t word =
            (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        memcpy(*out + i, &word, sizeof word);
    }
    free(bytes);
    return *out ? ALLOT_OK : ALLOT_ERUNTIME;
}
