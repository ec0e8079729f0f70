/* SPDX-License-Identifier: Apache-2.0 */
/* graderubbish.h - hostile answers for the tests of grading, and the clock that judges them. */
#ifndef GRADERUBBISH_H
#define GRADERUBBISH_H
#include <time.h>
#include "lib/core/buf.h"
#include "lib/core/rng.h"

static inline double thread_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Pieces of answers thrown together; now and then very many, or one of them again and again. */
static inline void rubbish(allot_rng *r, allot_buf *b)
{
    static const char *const pieces[] = {"\\frac",
                                         "\\sqrt",
                                         "{",
                                         "}",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "^",
                                         "_",
                                         "9",
                                         "9**",
                                         "10^{",
                                         "12",
                                         ",",
                                         ".",
                                         "-",
                                         "+",
                                         "\\pm",
                                         "/",
                                         "=",
                                         "<",
                                         "\\le",
                                         "x",
                                         "\\sin",
                                         "!",
                                         "e",
                                         "i",
                                         "|",
                                         "\\cup",
                                         "\\in",
                                         "\\boxed{",
                                         "\\boxed 7",
                                         "\\text{",
                                         "\\begin{pmatrix}",
                                         "\\\\",
                                         "&",
                                         "\\end{pmatrix}",
                                         "%",
                                         "\xe2\x88\x92",
                                         "\xc2\xb2",
                                         "\xff",
                                         " ",
                                         "and",
                                         "answer is ",
                                         "\\binom",
                                         "\\log_",
                                         "$",
                                         ";",
                                         ":",
                                         "\\infty",
                                         "\\begin",
                                         "0.",
                                         "\\left",
                                         "\\right",
                                         "\\{",
                                         "\\}",
                                         "\\",
                                         "##",
                                         "</think>"};
    long n = (long)allot_rng_below(r, 40);
    if (allot_rng_below(r, 50) == 0) n = 900;
    allot_buf_reset(b);
    allot_buf_str(b, "");
    for (long i = 0; i < n; i++) {
        const char *piece = pieces[allot_rng_below(r, sizeof pieces / sizeof *pieces)];
        long times = allot_rng_below(r, 100) == 0 ? 60 : 1;
        while (times-- > 0)
            allot_buf_str(b, piece);
    }
}

#endif
