/* SPDX-License-Identifier: Apache-2.0 */
/* spelling.h - one spelling for each sign: LaTeX's dress, Unicode, full-width letters. */
#ifndef ALLOT_SPELLING_H
#define ALLOT_SPELLING_H
#include <stddef.h>
#include "lib/grade/grade.h"

enum { ALLOT_NORMAL_SIZE = 2 * ALLOT_ANSWER_MAX };

/* Respells n bytes into out [ALLOT_NORMAL_SIZE], NUL-terminated. 1, or 0 if they outgrow it. */
int allot_respell(const char *s, size_t n, char *out);

#endif
