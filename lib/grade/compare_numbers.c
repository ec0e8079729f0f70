/* SPDX-License-Identifier: Apache-2.0 */
/* compare_numbers.c - exact rationals, and what the options make of percent signs and roundings. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/expression.h"
#include "lib/grade/normalize.h"
#include "lib/grade/number.h"

/* Two fractions, or two decimals of one, two or three places (16386.20 and 16386.21), are nobody's
 * roundings. */
static int are_exact(allot_span a, allot_span b)
{
    const char *p = memchr(a.s, '.', a.n), *q = memchr(b.s, '.', b.n);
    if (!p && !q) return !memchr(a.s, ',', a.n) && !memchr(b.s, ',', b.n);
    return p && q && a.s + a.n - p == b.s + b.n - q && a.s + a.n - p <= 4;
}

/* A decimal may be a rounding of the reference: relative 1e-6, next to a whole number also
 * absolute; two whole numbers are the same or not. */
static int nearly(const mpq_t a, const mpq_t b)
{
    int whole = (mpz_cmp_ui(mpq_denref(a), 1) == 0) + (mpz_cmp_ui(mpq_denref(b), 1) == 0);
    if (whole == 2) return 0;
    mpq_t difference, scale;
    mpq_init(difference);
    mpq_init(scale);
    mpq_sub(difference, a, b);
    mpq_abs(difference, difference);
    mpq_set_ui(scale, 1, 1000000);
    int close = !whole || mpq_cmp(difference, scale) <= 0;
    mpq_mul(scale, scale, a);
    mpq_abs(scale, scale);
    close = close && mpq_cmp(difference, scale) <= 0;
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

/* "1000,99" or "1 000,99" next to a decimal: the comma is the point of other countries. */
static int decimal_comma(allot_span t, mpq_t q)
{
    char text[32];
    char *comma;
    size_t n = 0;
    if (t.n == 0 || t.n >= sizeof text) return 0;
    for (size_t i = 0; i < t.n; i++)
        if (t.s[i] != ' ' || i + 4 >= t.n || t.s[i + 4] != ',') text[n++] = t.s[i];
    text[n] = '\0';
    if (strspn(text, "-0123456789,") != n || !(comma = strchr(text, ','))) return 0;
    *comma = '.';
    return !strchr(comma, ',') && comma[1] && allot_number_parse(text, q);
}

static int percent_of(allot_span t)
{
    return t.n > 1 && t.s[t.n - 1] == '%';
}

static void hundredth(mpq_t q)
{
    mpq_t hundred;
    mpq_init(hundred);
    mpq_set_ui(hundred, 100, 1);
    mpq_div(q, q, hundred);
    mpq_clear(hundred);
}

static int equal_values(const mpq_t x, const mpq_t y, const allot_grade_policies *o)
{
    return mpq_equal(x, y) || (o->decimals != ALLOT_DECIMALS_EXACT && nearly(x, y));
}

/* x and y are the numbers without their signs; changed. */
static int equal_percent(mpq_t x, mpq_t y, int x_sign, int y_sign, const allot_grade_policies *o)
{
    if (o->percent == ALLOT_PERCENT_VALUE) {
        if (x_sign) hundredth(x);
        if (y_sign) hundredth(y);
        return equal_values(x, y, o);
    }
    if (equal_values(x, y, o)) return 1;
    if (x_sign == y_sign && (x_sign || o->percent != ALLOT_PERCENT_LENIENT)) return 0;
    if (x_sign || (!y_sign && mpq_cmp(x, y) > 0)) hundredth(x);
    else hundredth(y);
    return equal_values(x, y, o);
}

/* "1e-3", "1 000" and "0.1%" are no expressions; next to one they count as what they are. */
static int same_constant(allot_span number, mpq_t q, allot_span other,
                         const allot_grade_policies *o)
{
    allot_value v;
    int sign = percent_of(number);
    if (!sign && !memchr(number.s, 'e', number.n) && !memchr(number.s, 'E', number.n) &&
        !memchr(number.s, ' ', number.n))
        return 0;
    if (!allot_expression_eval(other.s, other.n, 0, &v) || v.variable || !(cabs(v.z) < 1e200))
        return 0;
    double x = mpq_get_d(q), tolerance = 1e-9 * cabs(v.z);
    return (cabs(v.z - x / (sign ? 100 : 1)) <= tolerance) ||
           (sign && o->percent != ALLOT_PERCENT_VALUE && cabs(v.z - x) <= tolerance);
}

int allot_same_numbers(allot_span a, allot_span b, const allot_grade_policies *o)
{
    mpq_t x, y;
    mpq_init(x);
    mpq_init(y);
    int result = -1, is_x = number_of(a, x), is_y = number_of(b, y);
    allot_grade_policies exactly = *o;
    if (are_exact(a, b)) exactly.decimals = ALLOT_DECIMALS_EXACT;
    if (is_x && !is_y && mpz_cmp_ui(mpq_denref(x), 1) != 0) is_y = decimal_comma(b, y);
    if (is_y && !is_x && mpz_cmp_ui(mpq_denref(y), 1) != 0) is_x = decimal_comma(a, x);
    if (is_x && is_y) result = equal_percent(x, y, percent_of(a), percent_of(b), &exactly);
    else if (is_x && same_constant(a, x, b, o)) result = 1;
    else if (is_y && same_constant(b, y, a, o)) result = 1;
    mpq_clear(x);
    mpq_clear(y);
    return result;
}

/* The places behind the point of a plain decimal of three digits or more from its first that is not
 * 0; 0 if it is none. */
static int places_of(allot_span t)
{
    int digits = 0, places = -1;
    for (size_t i = 0; i < t.n; i++) {
        if (isdigit((unsigned char)t.s[i])) {
            digits += digits > 0 || t.s[i] != '0';
            places += places >= 0;
        } else if (t.s[i] == '.' && places < 0) {
            places = 0;
        } else if (i > 0 || t.s[i] != '-') {
            return 0;
        }
    }
    return digits >= 3 && digits <= 15 && places > 0 ? places : 0;
}

int allot_rounds_to(allot_span exact, allot_span decimal, int least)
{
    allot_value x, y;
    int places = places_of(decimal), finer = places_of(exact); /* 0: no decimal */
    if (places < least || (finer && finer <= places) ||
        !allot_expression_eval(exact.s, exact.n, 0, &x) || x.variable ||
        !allot_expression_eval(decimal.s, decimal.n, 0, &y))
        return 0;
    return cabs(x.z - y.z) <= 0.5 * pow(10, -places) * (1 + 1e-9);
}

int allot_same_rounded(allot_span a, allot_span b, int places)
{
    return allot_rounds_to(a, b, places) || allot_rounds_to(b, a, places);
}
