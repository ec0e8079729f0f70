/* SPDX-License-Identifier: Apache-2.0 */
/* liballot's bundle reader on raw bytes. */
#include "tests/fuzz/bundle_checks.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    bundle_read_and_select(data, n);
    return 0;
}
