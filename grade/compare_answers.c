/* SPDX-License-Identifier: Apache-2.0 */
/* compare_answers.c - the canonical form of an answer and equality with the reference. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "grade/expression.h"
#include "grade/grade.h"
#include "grade/normalize.h"
#include "grade/number.h"
#include "grade/structure.h"

size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap)
{
    char text[ALLOT_NORMAL_SIZE];
    if (cap == 0) return 0;
    out[0] = '\0';
    size_t len = allot_normalise(answer, n, text);
    if (len == 0) return 0;
    mpq_t q;
    mpq_init(q);
    if (allot_number_parse(text, q) &&
        mpz_sizeinbase(mpq_numref(q), 10) + mpz_sizeinbase(mpq_denref(q), 10) + 3 < sizeof text) {
        mpq_get_str(text, 10, q);
        len = strlen(text);
    } else {
        for (char *c = text; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    }
    mpq_clear(q);
    if (len >= cap) return 0;
    memcpy(out, text, len + 1);
    return len;
}

/* A decimal may be a rounding of the reference: relative 1e-6, 1e-7 next to a whole number; two
 * whole numbers are the same or not. */
static int nearly(const mpq_t a, const mpq_t b)
{
    int whole = (mpz_cmp_ui(mpq_denref(a), 1) == 0) + (mpz_cmp_ui(mpq_denref(b), 1) == 0);
    if (whole == 2) return 0;
    mpq_t difference, scale;
    mpq_init(difference);
    mpq_init(scale);
    mpq_sub(difference, a, b);
    mpq_abs(difference, difference);
    mpq_set_ui(scale, 1, whole ? 10000000 : 1000000);
    mpq_mul(scale, scale, a);
    mpq_abs(scale, scale);
    int close = mpq_cmp(difference, scale) <= 0;
    mpq_clear(difference);
    mpq_clear(scale);
    return close;
}

static int number_of(allot_span t, mpq_t q)
{
    char text[ALLOT_NORMAL_SIZE];
    if (t.n == 0 || t.n >= sizeof text || !strchr("+-.0123456789\\", *t.s)) return 0;
    memcpy(text, t.s, t.n);
    text[t.n] = '\0';
    return allot_number_parse(text, q);
}

/* "1000,99" next to a decimal: the comma is the point of other countries. */
static int decimal_comma(allot_span t, mpq_t q)
{
    char text[32];
    char *comma;
    if (t.n == 0 || t.n >= sizeof text) return 0;
    memcpy(text, t.s, t.n);
    text[t.n] = '\0';
    if (strspn(text, "-0123456789,") != t.n || !(comma = strchr(text, ','))) return 0;
    *comma = '.';
    return !strchr(comma, ',') && comma[1] && allot_number_parse(text, q);
}

static int percent_of(allot_span t)
{
    return t.n > 1 && t.s[t.n - 1] == '%';
}

/* 1 equal, 0 not, -1: not two numbers. With a percent sign on one side only, both readings pass. */
static int compare_numbers(allot_span a, allot_span b)
{
    mpq_t x, y, hundred;
    mpq_init(x);
    mpq_init(y);
    int result = -1, is_x = number_of(a, x), is_y = number_of(b, y);
    if (is_x && !is_y && mpz_cmp_ui(mpq_denref(x), 1) != 0) is_y = decimal_comma(b, y);
    if (is_y && !is_x && mpz_cmp_ui(mpq_denref(y), 1) != 0) is_x = decimal_comma(a, x);
    if (is_x && is_y) {
        result = mpq_equal(x, y) || nearly(x, y);
        if (!result && percent_of(a) != percent_of(b)) {
            mpq_init(hundred);
            mpq_set_ui(hundred, 100, 1);
            if (percent_of(a)) mpq_div(x, x, hundred);
            else mpq_div(y, y, hundred);
            result = mpq_equal(x, y);
            mpq_clear(hundred);
        }
    }
    mpq_clear(x);
    mpq_clear(y);
    return result;
}

typedef struct {
    int depth, left; /* left: comparisons still allowed */
} budget;

static int same(allot_span a, allot_span b, budget *work);

static int same_in_order(const allot_structure *a, const allot_structure *b, budget *work)
{
    for (int i = 0; i < a->n; i++)
        if (!same(a->part[i], b->part[i], work)) return 0;
    return 1;
}

static int same_in_any_order(const allot_structure *a, const allot_structure *b, budget *work)
{
    char used[ALLOT_PARTS_MAX] = {0};
    for (int i = 0; i < a->n; i++) {
        int j = 0;
        while (j < b->n && (used[j] || !same(a->part[i], b->part[j], work)))
            j++;
        if (j == b->n) return 0;
        used[j] = 1;
    }
    return 1;
}

/* A row of a matrix, split at &; a row of a column vector has one cell. */
static int same_row(allot_span a, allot_span b, budget *work)
{
    for (;;) {
        const char *x = memchr(a.s, '&', a.n), *y = memchr(b.s, '&', b.n);
        size_t nx = x ? (size_t)(x - a.s) : a.n, ny = y ? (size_t)(y - b.s) : b.n;
        if (!x != !y || !same((allot_span){a.s, nx}, (allot_span){b.s, ny}, work)) return 0;
        if (!x) return 1;
        a = (allot_span){x + 1, a.n - nx - 1};
        b = (allot_span){y + 1, b.n - ny - 1};
    }
}

static int same_matrix(const allot_structure *a, const allot_structure *b, budget *work)
{
    if (a->open != b->open) return 0;
    for (int i = 0; i < a->n; i++)
        if (!same_row(a->part[i], b->part[i], work)) return 0;
    return 1;
}

/* The left side of "f(x) = 3" or "AB = 4": letters with subscripts and brackets, no arithmetic. */
static int is_name(allot_span t)
{
    int subscript = 0, seen = 0;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];
        if (c == '_') subscript = 1;
        else if (isalpha((unsigned char)c)) seen = 1;
        else if (isdigit((unsigned char)c) ? !subscript : !strchr("\\{}()|:' ", c)) return 0;
    }
    return seen && t.n < 64;
}

static allot_relation relation_of(const allot_structure *r)
{
    return (allot_relation){r->part[0].s, r->part[1].s, r->part[0].n, r->part[1].n};
}

static int same_relation(const allot_structure *a, const allot_structure *b, budget *work)
{
    if (a->n != b->n || strcmp(a->op, b->op) != 0) return 0;
    if (same_in_order(a, b, work)) return 1;
    if (a->n != 2) return 0;
    if (a->op[0] != '<' && same_in_any_order(a, b, work)) return 1;
    if (strcmp(a->op, "=") == 0 && is_name(a->part[0]) && is_name(b->part[0]) &&
        same(a->part[1], b->part[1], work))
        return 1; /* f(x) = 3 and y = 3 */
    allot_relation x = relation_of(a), y = relation_of(b);
    return allot_relations_equal(&x, &y, a->op[0] == '<');
}

typedef struct {
    allot_span low, high;
    int low_closed, high_closed;
} interval;

/* -2 <= x <= 7, x < 3, 3 < x: as an interval of the one variable x. */
static int interval_of(const allot_structure *s, interval *out)
{
    static const allot_span below = {"-\\infty", 7}, above = {"\\infty", 6};
    if (s->shape == ALLOT_GROUP && s->n == 2) {
        *out = (interval){s->part[0], s->part[1], s->open == '[', s->close == ']'};
        return 1;
    }
    if (s->shape != ALLOT_RELATION || s->op[0] != '<') return 0;
    int closed = s->op[1] == '=';
    if (s->n == 3 && s->part[1].n == 1) {
        *out = (interval){s->part[0], s->part[2], closed, closed};
        return 1;
    }
    if (s->n != 2) return 0;
    if (s->part[0].n == 1 && isalpha((unsigned char)*s->part[0].s)) {
        *out = (interval){below, s->part[1], 0, closed};
        return 1;
    }
    *out = (interval){s->part[0], above, closed, 0};
    return s->part[1].n == 1 && isalpha((unsigned char)*s->part[1].s);
}

static int same_interval(const allot_structure *a, const allot_structure *b, budget *work)
{
    interval x, y;
    return interval_of(a, &x) && interval_of(b, &y) && x.low_closed == y.low_closed &&
           x.high_closed == y.high_closed && same(x.low, y.low, work) && same(x.high, y.high, work);
}

static int any_order(const allot_structure *s)
{
    if (s->joined || s->shape == ALLOT_SET || s->shape == ALLOT_UNION) return 1;
    for (int i = 0; s->shape == ALLOT_LIST && i < s->n; i++)
        if (!strchr("([{\\", *s->part[i].s) && !memchr(s->part[i].s, '=', s->part[i].n)) return 0;
    return s->shape == ALLOT_LIST; /* points and equations, not plain numbers */
}

/* One side is "name = value", or a sum worked out ("64 + 37 = 101"): its last part counts. */
static int same_as_value(const allot_structure *r, allot_span value, budget *work)
{
    if (r->shape != ALLOT_RELATION || strcmp(r->op, "=") != 0) return 0;
    allot_span last = r->part[r->n - 1];
    for (int i = 0; i + 1 < r->n; i++) {
        allot_value v;
        if (i == 0 && is_name(r->part[i])) continue;
        if (!allot_expression_eval(r->part[i].s, r->part[i].n, 0, &v) || v.variable) return 0;
        if (!same(r->part[i], last, work)) return 0;
    }
    return same(last, value, work);
}

static int same_structures(const allot_structure *a, const allot_structure *b, budget *work)
{
    int sets = (a->shape == ALLOT_SET && b->shape == ALLOT_LIST) ||
               (a->shape == ALLOT_LIST && b->shape == ALLOT_SET);
    if (a->shape == ALLOT_RELATION && b->shape == ALLOT_RELATION && same_relation(a, b, work))
        return 1;
    if (a->shape == ALLOT_RELATION || b->shape == ALLOT_RELATION) return same_interval(a, b, work);
    if (a->n != b->n || (a->shape != b->shape && !sets)) return 0;
    if (a->shape == ALLOT_MATRIX) return same_matrix(a, b, work);
    if (a->shape == ALLOT_GROUP && (a->open != b->open || a->close != b->close)) return 0;
    return same_in_order(a, b, work) ||
           ((sets || any_order(a) || any_order(b)) && same_in_any_order(a, b, work));
}

/* "x \in A" answers "A". */
static allot_span without_membership(allot_span t)
{
    if (t.n > 5 && isalpha((unsigned char)*t.s) && memcmp(t.s + 1, "\\in", 3) == 0 &&
        !isalpha((unsigned char)t.s[4]))
        return (allot_span){t.s + 4, t.n - 4};
    return t;
}

static int same_text(allot_span a, allot_span b)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a.n && strchr(" {}", a.s[i]))
            i++;
        while (j < b.n && strchr(" {}", b.s[j]))
            j++;
        if (i == a.n || j == b.n) return i == a.n && j == b.n;
        if (tolower((unsigned char)a.s[i]) != tolower((unsigned char)b.s[j])) return 0;
    }
}

/* Brackets around one value change nothing. */
static allot_span unwrapped(const allot_structure *s, allot_span t)
{
    return s->n == 1 && (s->shape == ALLOT_GROUP || s->shape == ALLOT_SET) ? s->part[0] : t;
}

static int same_parts(allot_span a, allot_span b, budget *work)
{
    allot_structure s, t;
    allot_structure_read(a, &s);
    allot_structure_read(b, &t);
    allot_span x = unwrapped(&s, a), y = unwrapped(&t, b);
    if (x.s != a.s || y.s != b.s) return same(x, y, work);
    if (s.shape == ALLOT_SINGLE && t.shape == ALLOT_SINGLE)
        return allot_expressions_equal(a.s, a.n, b.s, b.n);
    if (s.shape != t.shape && (same_as_value(&s, b, work) || same_as_value(&t, a, work))) return 1;
    if (s.shape == ALLOT_LIST && t.shape == ALLOT_LIST && s.n == t.n) {
        if (same_structures(&s, &t, work)) return 1;
    } else if (s.shape != ALLOT_SINGLE && t.shape != ALLOT_SINGLE) {
        return same_structures(&s, &t, work);
    }
    return s.shape != ALLOT_LIST && t.shape != ALLOT_LIST && s.shape != ALLOT_RELATION &&
           t.shape != ALLOT_RELATION && allot_expressions_equal(a.s, a.n, b.s, b.n);
}

static int same(allot_span a, allot_span b, budget *work)
{
    if (work->depth >= ALLOT_STRUCTURE_DEPTH || work->left-- <= 0) return 0;
    a = without_membership(a);
    b = without_membership(b);
    if (a.n == 0 || b.n == 0) return 0;
    if (same_text(a, b)) return 1;
    int numbers = compare_numbers(a, b);
    if (numbers >= 0) return numbers;
    work->depth++;
    int equal = same_parts(a, b, work);
    work->depth--;
    return equal;
}

/* A prediction of four words or more is a sentence: its answer is taken out of it. */
static int is_sentence(const char *s, size_t n)
{
    int words = 0;
    for (size_t i = 0, run = 0; i < n && words < 4; i++) {
        int letter = isalpha((unsigned char)s[i]) || s[i] == '\'';
        if (letter) run++;
        else {
            words += run >= 2 && (s[i] == ' ' || s[i] == ',');
            run = 0;
        }
        if (s[i] == '\\')
            while (i + 1 < n && isalpha((unsigned char)s[i + 1]))
                i++;
    }
    return words >= 4;
}

static int degrees(const char *s, size_t n)
{
    return memmem(s, n, "\\circ", 5) || memmem(s, n, "\xc2\xb0", 2);
}

/* 30 degrees are pi/6: only where one side has the sign and the other has pi. */
static int same_angle(const char *degree, size_t n, const char *radian, size_t m)
{
    char text[300];
    if (n + 10 >= sizeof text) return 0;
    text[0] = '(';
    memcpy(text + 1, degree, n);
    memcpy(text + 1 + n, ")\\pi/180", 9);
    return memmem(radian, m, "\\pi", 3) && allot_expressions_equal(text, n + 9, radian, m);
}

/* The end of the part of a list that begins at `from`. */
static size_t part_end(const char *s, size_t n, size_t from)
{
    int depth = 0;
    for (; from < n && (depth > 0 || s[from] != ','); from++)
        depth += strchr("([{", s[from]) ? 1 : strchr(")]}", s[from]) ? -1 : 0;
    return from;
}

/* "2\pm\sqrt{3}, 5" is "2+\sqrt{3} or 2-\sqrt{3}, 5". out [ALLOT_NORMAL_SIZE]; returns its length,
 * 0 if there is no plus-minus, or too much. */
static size_t both_signs(const char *s, size_t n, char *out)
{
    size_t m = 0;
    if (!memmem(s, n, "\\pm", 3)) return 0;
    for (size_t from = 0, to; from < n; from = to + 1) {
        to = part_end(s, n, from);
        if (m + 2 * (to - from) + 8 > ALLOT_NORMAL_SIZE) return 0;
        const char *part = s + from, *sign = memmem(part, to - from, "\\pm", 3);
        const char *tail = sign ? sign + 3 : part;
        int before = sign ? (int)(sign - part) : 0, after = (int)(s + to - tail);
        m += (size_t)(sign ? sprintf(out + m, "%.*s+%.*s or %.*s-%.*s", before, part, after, tail,
                                     before, part, after, tail)
                           : sprintf(out + m, "%.*s", after, tail));
        if (to < n) out[m++] = ',';
    }
    return m;
}

static int same_with_signs(allot_span a, allot_span b)
{
    char x[ALLOT_NORMAL_SIZE], y[ALLOT_NORMAL_SIZE];
    budget work = {0, 2000};
    size_t nx = both_signs(a.s, a.n, x), ny = both_signs(b.s, b.n, y);
    if (nx) a = (allot_span){x, nx};
    if (ny) b = (allot_span){y, ny};
    return (nx || ny) && same(a, b, &work);
}

/* "(B) 12" chooses B. */
static int same_choice(const char *reference, size_t n, const char *prediction)
{
    if (n != 1 || *reference < 'A' || *reference > 'J') return 0;
    prediction += *prediction == '(';
    return *prediction == *reference && (prediction[1] == ')' || prediction[1] == '.');
}

int allot_answers_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred)
{
    char a[ALLOT_NORMAL_SIZE], b[ALLOT_NORMAL_SIZE];
    size_t na = allot_normalise(reference, n_ref, a), nb = allot_normalise(prediction, n_pred, b);
    const allot_span x = {a, na}, y = {b, nb};
    budget work = {0, 2000};
    if (!na || !nb) return 0;
    if (same(x, y, &work) || same_with_signs(x, y) || same_choice(a, na, b)) return 1;
    if (degrees(reference, n_ref) && same_angle(a, na, b, nb)) return 1;
    if (degrees(prediction, n_pred) && same_angle(b, nb, a, na)) return 1;
    if (!is_sentence(prediction, n_pred)) return 0;
    const allot_grade_options options = {.last_number = 1};
    const char *start;
    size_t len;
    allot_extract_how how = allot_extract(prediction, n_pred, &options, &start, &len);
    return how != ALLOT_EXTRACT_NONE && len < n_pred &&
           allot_answers_equal(reference, n_ref, start, len);
}
