/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h - vectors as servers pack them: base64 of little-endian float32. */
#ifndef ALLOT_BASE64_H
#define ALLOT_BASE64_H
#include <stddef.h>
#include "liballot/err.h"

/* *out [*n] is allocated, the caller frees. Refuses other characters, wrong padding and bytes that
 * are no whole number of floats. Values may be non-finite: the caller decides. */
ALLOT_MUST_CHECK allot_code allot_base64_floats(const char *text, size_t length, float **out,
                                                size_t *n, allot_err *err);
#endif
