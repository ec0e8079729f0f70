/* SPDX-License-Identifier: Apache-2.0 */
/* checksum.h - the checksum of a bundle, for its reader and its writer. Not installed.
 * Sixteen hex digits in the header's metadata: the 64-bit FNV-1a of the whole file, with the digits
 * themselves taken as zeros. Each of its steps can be undone, so that no change of a single byte
 * stays unseen. It guards against damage, not against people. */
#ifndef ALLOT_CHECKSUM_H
#define ALLOT_CHECKSUM_H
#include <stddef.h>
#include "err.h"

#define ALLOT_CHECKSUM_NAME "checksum"
#define ALLOT_CHECKSUM_DIGITS 16

/* Where the digits are within the first n bytes, or NULL when there are none. */
const char *allot_checksum_place(const void *bytes, size_t n);
/* What the digits at place have to be. */
void allot_checksum_of(const void *bytes, size_t n, const char *place,
                       char out[ALLOT_CHECKSUM_DIGITS + 1]);
#endif
