/* SPDX-License-Identifier: Apache-2.0 */
/* normalize.h - one spelling for answers that differ in LaTeX dress, Unicode signs, blanks, units
 * behind a number, quotes and final dots. Linear in the length. */
#ifndef ALLOT_NORMALIZE_H
#define ALLOT_NORMALIZE_H
#include <stddef.h>
#include "lib/grade/spelling.h"

enum { ALLOT_UNIT_SIZE = 32 };

/* out [ALLOT_NORMAL_SIZE] is NUL-terminated; unit [ALLOT_UNIT_SIZE] gets the unit that was dropped
 * behind a number, in lower case ("" if none). Returns out's length, 0 if there is no answer
 * (empty, too long, a NUL byte). */
size_t allot_normalise(const char *answer, size_t n, char *out, char *unit);

#endif
