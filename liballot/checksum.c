/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and computes the checksum of a bundle. */
#include "checksum.h"
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "strategy.h"

const char *allot_checksum_place(const void *bytes, size_t n)
{
    static const char key[] = "\"" ALLOT_CHECKSUM_NAME "\":\"";
    const char *at = memmem(bytes, n, key, sizeof key - 1);
    if (!at) return NULL;
    at += sizeof key - 1;
    return (const char *)bytes + n - at >= ALLOT_CHECKSUM_DIGITS ? at : NULL;
}

void allot_checksum_of(const void *bytes, size_t n, const char *place,
                       char out[ALLOT_CHECKSUM_DIGITS + 1])
{
    size_t before = (size_t)(place - (const char *)bytes), after = before + ALLOT_CHECKSUM_DIGITS;
    uint64_t sum = allot_fnv1a(ALLOT_FNV_START, bytes, before);
    sum = allot_fnv1a(sum, "0000000000000000", ALLOT_CHECKSUM_DIGITS);
    sum = allot_fnv1a(sum, (const char *)bytes + after, n - after);
    snprintf(out, ALLOT_CHECKSUM_DIGITS + 1, "%016" PRIx64, sum);
}
