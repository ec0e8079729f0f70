/* SPDX-License-Identifier: Apache-2.0 */
/* answerkind.c - what the grader reads in an answer: a number, a set, words, nothing. */
#include "lib/grade/answerkind.h"
#include <ctype.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/expression.h"
#include "lib/grade/matrixvalue.h"
#include "lib/grade/moment.h"
#include "lib/grade/normalize.h"
#include "lib/grade/realset.h"

enum { MOST_WORDS = 6 };

static int is_words(allot_span t)
{
    int words = 1;
    for (size_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.s[i];
        if (!isalnum(c) && c < 0x80 && !strchr(" -'.,&()", c)) return 0;
        words += c == ' ';
    }
    return words <= MOST_WORDS && t.n > 0 && isalpha((unsigned char)*t.s);
}

static allot_answer_kind kind_of_part(allot_span t, int depth);

/* A matrix's rows are split at &. */
static int all_read(const allot_structure *s, int depth)
{
    for (int i = 0; i < s->n; i++) {
        allot_span row = s->part[i];
        for (;;) {
            const char *cut = s->shape == ALLOT_SHAPE_MATRIX ? memchr(row.s, '&', row.n) : NULL;
            size_t n = cut ? (size_t)(cut - row.s) : row.n;
            if (kind_of_part((allot_span){row.s, n}, depth) <= ALLOT_KIND_UNREAD) return 0;
            if (!cut) break;
            row = (allot_span){cut + 1, row.n - n - 1};
        }
    }
    return 1;
}

static allot_answer_kind kind_of_single(allot_span t)
{
    allot_value v;
    if (allot_same_numbers(t, t, &(allot_grade_policies){0}) > 0) return ALLOT_KIND_NUMBER;
    if (t.n == 1 && *t.s >= 'A' && *t.s <= 'J') return ALLOT_KIND_CHOICE;
    if (allot_expression_eval(t.s, t.n, 0, &v))
        return v.variable ? ALLOT_KIND_FUNCTION : ALLOT_KIND_CONSTANT;
    if (allot_matrix_evident(t) && allot_matrices_equal(t, t)) return ALLOT_KIND_MATRIX;
    if (t.n >= 6 && memcmp(t.s + t.n - 6, "\\infty", 6) == 0 && t.n <= 7)
        return ALLOT_KIND_CONSTANT;
    if (t.n == 9 && memcmp(t.s, "\\emptyset", 9) == 0) return ALLOT_KIND_SET;
    return is_words(t) ? ALLOT_KIND_WORDS : ALLOT_KIND_UNREAD;
}

static allot_answer_kind kind_of_part(allot_span t, int depth)
{
    static const allot_answer_kind kinds[] = {
        [ALLOT_SHAPE_LIST] = ALLOT_KIND_LIST,     [ALLOT_SHAPE_GROUP] = ALLOT_KIND_TUPLE,
        [ALLOT_SHAPE_SET] = ALLOT_KIND_SET,       [ALLOT_SHAPE_UNION] = ALLOT_KIND_SET,
        [ALLOT_SHAPE_MATRIX] = ALLOT_KIND_MATRIX, [ALLOT_SHAPE_RELATION] = ALLOT_KIND_EQUATION};
    allot_structure s;
    allot_realset set;
    if (t.n == 0 || depth >= ALLOT_STRUCTURE_DEPTH) return ALLOT_KIND_UNREAD;
    if (allot_realset_evident(t) && allot_realset_read(t, &set)) return ALLOT_KIND_SET;
    allot_answer_kind single = kind_of_single(t);
    if (single != ALLOT_KIND_WORDS && single != ALLOT_KIND_UNREAD) return single;
    allot_structure_read(t, &s);
    if (s.shape == ALLOT_SHAPE_SINGLE) return single;
    return all_read(&s, depth + 1) ? kinds[s.shape] : single;
}

allot_answer_kind allot_answer_kind_of(const char *answer, size_t n)
{
    char text[ALLOT_NORMAL_SIZE], both[ALLOT_NORMAL_SIZE], unit[ALLOT_UNIT_SIZE];
    allot_moment moment;
    size_t m = allot_normalise(answer, n, text, unit);
    if (m == 0) return ALLOT_KIND_NONE;
    if (allot_moment_read(answer, n, &moment)) return ALLOT_KIND_MOMENT;
    size_t n_both = allot_both_signs(text, m, both);
    return kind_of_part(n_both ? (allot_span){both, n_both} : (allot_span){text, m}, 0);
}

const char *allot_answer_kind_name(allot_answer_kind kind)
{
    static const char *const names[ALLOT_N_KINDS] = {
        "none",  "not read", "number",   "constant",     "function", "set",  "list",
        "tuple", "matrix",   "equation", "date or time", "choice",   "words"};
    return names[kind];
}
