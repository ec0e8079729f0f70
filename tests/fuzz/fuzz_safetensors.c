/* SPDX-License-Identifier: Apache-2.0 */
/* The safetensors reader behind its length field, which a fuzzer cannot keep right: the input is
 * a header, a zero byte and the tensors' bytes. */
#include <string.h>
#include "tests/fuzz/bundle_checks.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *zero = n ? memchr(data, 0, n) : NULL;
    uint64_t header = zero ? (uint64_t)(zero - data) : n;
    size_t rest = zero ? n - (size_t)header - 1 : 0;
    uint8_t *file = malloc(8 + n);
    if (!file) return 0;
    memcpy(file, &header, 8);
    if (header) memcpy(file + 8, data, (size_t)header);
    if (rest) memcpy(file + 8 + header, zero + 1, rest);
    bundle_read_and_select(file, 8 + (size_t)header + rest);
    free(file);
    return 0;
}
