/* SPDX-License-Identifier: Apache-2.0 */
/* grade.h - takes an answer out of a text and compares two answers. In process, with bounded work:
 * no input may hang it. Exact numbers by GMP.
 * Extraction: behind the last </think>; the last balanced \boxed{} (boxes joined by "and" or a
 * comma are one span, commands included), else after the last "answer is" / "answer:" / "####" /
 * "A:", else (option) the last formula or number. An unterminated or empty box is no answer.
 * Policies: docs/grading.md. */
#ifndef ALLOT_GRADE_H
#define ALLOT_GRADE_H
#include <stddef.h>
#include "liballot/err.h"

#define ALLOT_GRADE_VERSION "3" /* part of the generation fingerprint; changes with behaviour */
#define ALLOT_ANSWER_MAX 4096   /* longer answers are not read */

typedef enum {
    ALLOT_EXTRACT_NONE,
    ALLOT_EXTRACT_BOXED,
    ALLOT_EXTRACT_PHRASE,
    ALLOT_EXTRACT_LAST_NUMBER
} allot_extract_how;

typedef struct {
    int last_number; /* fall back to the last number in the text; default 0 */
} allot_grade_options;

void allot_grade_defaults(allot_grade_options *o);

/* The answer in text of n bytes: *start, *len point into text; NONE if there is none. */
allot_extract_how allot_extract(const char *text, size_t n, const allot_grade_options *o,
                                const char **start, size_t *len);

/* Canonical form of an answer, the name of its class in a vote (an equivalence): out[cap] is
 * NUL-terminated. Returns its length; 0 = not an answer (empty or too long). */
size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap);

/* 1 if the prediction answers as the reference does (tolerances live here, not in classes). */
int allot_answers_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred);

/* The reference answer of a problem: the given answer, else the last balanced box of the solution.
 * Returns 0 if there is none that can be read. */
int allot_reference(const char *answer, size_t n_answer, const char *solution, size_t n_solution,
                    const char **start, size_t *len);
#endif
