/* SPDX-License-Identifier: Apache-2.0 */
/* agreement.c - two expressions, or two relations, are the same if they agree at random points. */
#include <math.h>
#include <string.h>
#include "lib/grade/expression.h"

/* Of tiny values one may be what rounding left of 0, unless it is exact; two that are further apart
 * than a thousandth differ. */
static int close_to(const allot_value *x, const allot_value *y, double tolerance)
{
    double a = cabs(x->z), b = cabs(y->z), apart = cabs(x->z - y->z);
    double size = fmax(a, b), least = fmin(a, b);
    if (!isfinite(a) || !isfinite(b)) return 0;
    if (size < 1e-9 && (a > b ? x : y)->exact) return apart <= 1e-3 * size;
    if (size < 1e-9)
        return apart <= 1e-3 * size || size < 1e-15 || (size < 1e-12 && least < 1e-3 * size);
    return size < 1e200 && apart <= fmax(tolerance * size, 1e-12);
}

/* A rounding may be off by 1e-6 of the value; where one side is a whole number, by 1e-6. */
static double tolerance_of(const allot_value *a, const allot_value *b)
{
    if (a->variable || b->variable || !(a->decimal || b->decimal)) return 1e-9;
    int whole = creal(a->z) == floor(creal(a->z)) || creal(b->z) == floor(creal(b->z));
    return whole ? 1e-6 / fmax(1, cabs(a->z)) : 1e-6;
}

/* 2^64 has the residue of 8; what is too large for floating point has no other witness. */
static int same_size(const allot_value *x, const allot_value *y)
{
    double a = cabs(x->z), b = cabs(y->z), apart = cabs(x->z - y->z);
    return !isfinite(a) || !isfinite(b) || apart <= 1e-3 * fmax(1, fmax(a, b));
}

static int agree(const char *a, size_t na, const char *b, size_t nb, int worked_out)
{
    int seen = 0;
    for (unsigned point = 0; point < ALLOT_POINTS; point++) {
        allot_value x, y;
        if (!allot_expression_eval(a, na, point, &x) || !allot_expression_eval(b, nb, point, &y)) {
            if (point == 0) return 0;
            continue;
        }
        if (worked_out && x.variable != y.variable) return 0;
        if (point >= ALLOT_POSITIVE_POINTS && (x.branch || y.branch)) continue;
        if (x.exact && y.exact && x.m == y.m && same_size(&x, &y)) seen++;
        else if (x.exact && y.exact && !x.decimal && !y.decimal) return 0;
        else if (close_to(&x, &y, tolerance_of(&x, &y))) seen++;
        else return 0;
        if (!x.variable && !y.variable) return seen;
    }
    return seen >= 2;
}

/* The text with natural logarithms for those that name no base; 0: there is none. */
static size_t with_natural_logs(const char *s, size_t n, char *out, size_t cap)
{
    size_t m = 0;
    int seen = 0;
    if (n >= cap || memmem(s, n, "ln", 2)) return 0;
    for (size_t i = 0; i < n; i++) {
        int log = n - i > 3 && memcmp(s + i, "log", 3) == 0 && s[i + 3] != '_';
        seen |= log;
        out[m++] = s[i];
        if (log) out[m++] = 'n', i += 2;
    }
    return seen ? m : 0;
}

int allot_expressions_equal(const char *a, size_t na, const char *b, size_t nb)
{
    char text[1024]; /* longer ones are no expressions */
    size_t n;
    if (agree(a, na, b, nb, 1)) return 1;
    /* next to \ln, \log is meant so */
    if (memmem(b, nb, "ln", 2) && (n = with_natural_logs(a, na, text, sizeof text)))
        return agree(text, n, b, nb, 1);
    if (memmem(a, na, "ln", 2) && (n = with_natural_logs(b, nb, text, sizeof text)))
        return agree(a, na, text, n, 1);
    return 0;
}

int allot_expressions_identical(const char *a, size_t na, const char *b, size_t nb)
{
    return agree(a, na, b, nb, 0);
}

static int difference(const allot_relation *r, unsigned point, allot_value *out)
{
    allot_value right;
    if (!allot_expression_eval(r->left, r->n_left, point, out) ||
        !allot_expression_eval(r->right, r->n_right, point, &right))
        return 0;
    out->z -= right.z;
    out->variable |= right.variable;
    return 1;
}

int allot_relations_equal(const allot_relation *a, const allot_relation *b, int positive)
{
    double complex ratio = 0;
    int seen = 0;
    for (unsigned point = 0; point < ALLOT_POINTS; point++) {
        allot_value x, y;
        if (!difference(a, point, &x) || !difference(b, point, &y)) continue;
        if (!x.variable || !y.variable || cabs(x.z) < 1e-6 || cabs(y.z) < 1e-6) return 0;
        double complex r = x.z / y.z;
        if (seen++ && !(cabs(r - ratio) <= 1e-9 * cabs(ratio))) return 0;
        ratio = r;
    }
    return seen >= 3 && (!positive || creal(ratio) > 0);
}
