/* SPDX-License-Identifier: Apache-2.0 */
/* graderows.h - rows of two answers, for the tests of what is one answer and what is not. */
#ifndef GRADEROWS_H
#define GRADEROWS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/extract/extract.h"

typedef struct {
    const char *a, *b;
} answers;

/* Are the answers of each row equal, if `want`, and are they not, if not? Both ways. */
static inline void judged(const answers *rows, size_t n, int want)
{
    for (size_t i = 0; i < n; i++) {
        const char *a = rows[i].a, *b = rows[i].b;
        int there = allot_answers_equal(a, strlen(a), b, strlen(b), NULL),
            back = allot_answers_equal(b, strlen(b), a, strlen(a), NULL);
        if (there != want || back != want)
            fail_msg("'%s' and '%s': %d, and back %d", a, b, there, back);
    }
}

#endif
