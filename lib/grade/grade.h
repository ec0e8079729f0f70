/* SPDX-License-Identifier: Apache-2.0 */
/* grade.h - compares two answers as they stand, and gives one its canonical form. In process, with
 * bounded work: no input may hang it. Exact numbers by GMP. lib/extract takes answers out of texts.
 * Policies: docs/grading.md. */
#ifndef ALLOT_GRADE_H
#define ALLOT_GRADE_H
#include <stddef.h>
#include "liballot/err.h"

/* Of extraction, too: told in "grading" of outcomes; changes with behaviour. */
#define ALLOT_GRADE_VERSION "8"
#define ALLOT_ANSWER_MAX 4096 /* longer answers are not read */

typedef enum {
    ALLOT_PERCENT_EITHER,
    ALLOT_PERCENT_VALUE,
    ALLOT_PERCENT_LENIENT
} allot_percent_policy;
typedef enum { ALLOT_ORDER_ANY, ALLOT_ORDER_STRICT } allot_order_policy;
typedef enum {
    ALLOT_DECIMALS_CLOSE,
    ALLOT_DECIMALS_EXACT,
    ALLOT_DECIMALS_ROUNDED
} allot_decimals_policy;
typedef enum { ALLOT_UNITS_DROP, ALLOT_UNITS_KEEP } allot_units_policy;

/* Zero is the default of each. */
typedef struct {
    allot_percent_policy percent;
    allot_order_policy order;
    allot_decimals_policy decimals;
    allot_units_policy units;
} allot_grade_policies;

typedef struct {
    int equal;
    const char *rule; /* what made them equal, "" if nothing did */
    char reference[2 * ALLOT_ANSWER_MAX], prediction[2 * ALLOT_ANSWER_MAX]; /* normalised */
} allot_explanation;

/* Canonical form of an answer, the name of its class in a vote (an equivalence): out[cap] is
 * NUL-terminated. Returns its length; 0 = not an answer (empty or too long). */
size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap);

/* 1 if the prediction answers as the reference does (tolerances live here, not in classes), 0 if
 * not, -1 if one of them is no answer. from_sentence: the prediction was taken out of a sentence,
 * so it may have lost a part, and identities such as sin^2 x + cos^2 x = 1 prove nothing. out:
 * NULL, or gets what was compared and why. */
int allot_grade_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred,
                      const allot_grade_policies *o, int from_sentence, allot_explanation *out);
#endif
