/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - SHA-256 (OpenSSL) of bytes and files, and hex. */
#ifndef ALLOT_HASH_H
#define ALLOT_HASH_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

/* Fails only for want of memory. */
ALLOT_MUST_CHECK allot_code allot_sha256(const void *bytes, size_t n, uint8_t out[32],
                                         allot_err *err);
/* Lower-case hex of the file's SHA-256. */
ALLOT_MUST_CHECK allot_code allot_sha256_file(const char *path, char out[65], allot_err *err);
void allot_hex(const uint8_t *bytes, size_t n, char *out); /* out [2 n + 1] */
/* The first 16 hex digits of the SHA-256 of text: short ids. Want of memory is counted (mem.h). */
void allot_short_id(const char *text, char out[17]);

#endif
