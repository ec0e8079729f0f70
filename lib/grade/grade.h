/* SPDX-License-Identifier: Apache-2.0 */
/* grade.h - takes an answer out of a text and compares two answers. In process, with bounded work:
 * no input may hang it. Exact numbers by GMP.
 * Extraction: behind the last </think>; the last balanced \boxed{} (boxes joined by "and" or a
 * comma are one span, commands included), else after the last "answer is" / "answer:" / "####" /
 * "A:", else (option) the last formula or number. An unterminated box is none; an empty one that
 * is the last is an answer left open: NONE.
 * Policies: docs/grading.md. */
#ifndef ALLOT_GRADE_H
#define ALLOT_GRADE_H
#include <stddef.h>
#include "liballot/err.h"

#define ALLOT_GRADE_VERSION "8" /* part of the generation fingerprint; changes with behaviour */
#define ALLOT_ANSWER_MAX 4096   /* longer answers are not read */

typedef enum {
    ALLOT_EXTRACT_NONE,
    ALLOT_EXTRACT_BOXED,
    ALLOT_EXTRACT_PHRASE,
    ALLOT_EXTRACT_LAST_NUMBER, /* the last number or formula, or a text that is a formula */
    ALLOT_EXTRACT_CHOICE,      /* the last letter that chooses */
    ALLOT_N_EXTRACT
} allot_extract_how;

/* Which ways are tried, in this order. */
typedef enum {
    ALLOT_PRESET_MATH,  /* box, phrase */
    ALLOT_PRESET_BOXED, /* box */
    ALLOT_PRESET_GSM8K, /* box, phrase, last number */
    ALLOT_PRESET_CHOICE /* box, phrase, letter */
} allot_extract_preset;

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
    allot_extract_preset extract;
    allot_percent_policy percent;
    allot_order_policy order;
    allot_decimals_policy decimals;
    allot_units_policy units;
    int last_number; /* fall back to the last number in the text */
} allot_grade_options;

void allot_grade_defaults(allot_grade_options *o);

/* The answer in text of n bytes: *start, *len point into text; NONE if there is none. */
allot_extract_how allot_extract(const char *text, size_t n, const allot_grade_options *o,
                                const char **start, size_t *len);

/* Canonical form of an answer, the name of its class in a vote (an equivalence): out[cap] is
 * NUL-terminated. Returns its length; 0 = not an answer (empty or too long). */
size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap);

/* 1 if the prediction answers as the reference does (tolerances live here, not in classes).
 * o: NULL for the defaults. */
int allot_answers_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred,
                        const allot_grade_options *o);

/* The reference answer of a problem: the given answer, else the last balanced box of the solution.
 * Returns 0 if there is none that can be read. */
int allot_reference(const char *answer, size_t n_answer, const char *solution, size_t n_solution,
                    const char **start, size_t *len);
#endif
