/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what a fuzz target defines. It must not crash, hang or leak whatever the bytes are; use
 * assert for what must hold of an accepted input. */
#ifndef ALLOT_FUZZ_H
#define ALLOT_FUZZ_H
#include <stddef.h>
#include <stdint.h>

#define FUZZ_MAX_BYTES (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
#endif
