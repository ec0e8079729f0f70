/* SPDX-License-Identifier: Apache-2.0 */
/* number.c - reads exact rationals; what is left over is no number. */
#include "lib/grade/number.h"
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "lib/grade/grade.h"

enum { MAX_EXPONENT = 400 };

/* What repeats: 0.\overline{6}, 0.\dot{6}, 0.(6). The opener's length, 0 if there is none. */
static size_t repeats(const char *s)
{
    static const char *const openers[] = {"\\overline{", "\\dot{", "\\bar{", "("};
    for (size_t k = 0; k < sizeof openers / sizeof *openers; k++)
        if (strncmp(s, openers[k], strlen(openers[k])) == 0) return strlen(openers[k]);
    return 0;
}

/* What repeats, behind the n digits of a decimal, `places` of them behind the point: with all
 * digits once, less those that do not repeat, over 10^places (10^k - 1). digits has room. */
static int repeating(const char **p, char *digits, size_t n, size_t places, mpq_t q)
{
    const char *s = *p + repeats(*p);
    size_t k = strspn(s, "0123456789");
    if (k == 0 || n + k > ALLOT_ANSWER_MAX || s[k] != (s[-1] == '(' ? ')' : '}')) return 0;
    digits[n] = '\0';
    mpz_set_str(mpq_denref(q), digits, 10);
    memcpy(digits + n, s, k);
    digits[n + k] = '\0';
    mpz_set_str(mpq_numref(q), digits, 10);
    mpz_sub(mpq_numref(q), mpq_numref(q), mpq_denref(q));
    memset(digits, '9', k);
    memset(digits + k, '0', places);
    digits[k + places] = '\0';
    mpz_set_str(mpq_denref(q), digits, 10);
    mpq_canonicalize(q);
    *p = s + k + 1;
    return 1;
}

/* A comma, or a blank before three digits and no fraction ("1 000"; "1 250/3" is a mixed number).
 */
static int separates(const char *s)
{
    if (*s == ',') return isdigit((unsigned char)s[1]);
    if (*s != ' ') return 0;
    size_t n = strspn(s + 1, "0123456789");
    return n == 3 && s[4] != '/';
}

/* Digits with thousands separators ("1,234", "1 234") and a fraction part; *p moves behind them. */
static int decimal(const char **p, mpq_t q)
{
    char digits[ALLOT_ANSWER_MAX + 2];
    size_t n = 0, group = 0, places = 0;
    char separated = 0;
    const char *s = *p;
    while (n < ALLOT_ANSWER_MAX) {
        if (isdigit((unsigned char)*s)) {
            digits[n++] = *s++;
            group++;
        } else if ((separated ? *s == separated && group == 3 : group <= 3) && n > 0 &&
                   digits[0] != '0' && separates(s)) {
            separated = *s;
            group = 0;
            s++;
        } else {
            break;
        }
    }
    if (separated && group != 3) return 0;
    if (*s == '.' && (isdigit((unsigned char)s[1]) || n > 0)) {
        s++;
        while (isdigit((unsigned char)*s) && n < ALLOT_ANSWER_MAX) {
            digits[n++] = *s++;
            places++;
        }
    }
    if (n == 0) return 0;
    if (s > *p && s[-1 - (ptrdiff_t)places] == '.' && repeats(s)) {
        *p = s;
        return repeating(p, digits, n, places, q);
    }
    digits[n] = '\0';
    mpz_set_str(mpq_numref(q), digits, 10);
    mpz_ui_pow_ui(mpq_denref(q), 10, places);
    mpq_canonicalize(q);
    *p = s;
    return 1;
}

/* x10^{k} or e k behind a decimal. */
static int exponent(const char **p, mpq_t q)
{
    const char *s = *p;
    int braced = 0;
    if ((*s == 'e' || *s == 'E') && (isdigit((unsigned char)s[1]) || s[1] == '-' || s[1] == '+'))
        s++;
    else if (strncmp(s, "*10^", 4) == 0) s += 4;
    else return 1;
    if (*s == '{') braced = 1, s++;
    char *end;
    long k = strtol(s, &end, 10);
    if (end == s || k > MAX_EXPONENT || k < -MAX_EXPONENT || (braced && *end++ != '}')) return 0;
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)labs(k));
    mpz_ptr part = k < 0 ? mpq_denref(q) : mpq_numref(q);
    mpz_mul(part, part, power);
    mpq_canonicalize(q);
    mpz_clear(power);
    *p = end;
    return 1;
}

static int divide(mpq_t q, const mpq_t by)
{
    if (mpq_sgn(by) == 0) return 0;
    mpq_div(q, q, by);
    return 1;
}

/* One argument of \frac: {decimal} or a single digit. */
static int argument(const char **p, mpq_t q)
{
    if (isdigit((unsigned char)**p)) {
        mpq_set_si(q, *(*p)++ - '0', 1);
        return 1;
    }
    if (*(*p)++ != '{') return 0;
    int negative = **p == '-';
    if (negative) (*p)++;
    if (!decimal(p, q) || *(*p)++ != '}') return 0;
    if (negative) mpq_neg(q, q);
    return 1;
}

static int latex_fraction(const char **p, mpq_t q)
{
    mpq_t below;
    mpq_init(below);
    *p += strlen("\\frac");
    int ok = argument(p, q) && argument(p, below) && divide(q, below);
    mpq_clear(below);
    return ok;
}

/* The fraction behind a whole number: " 1/2" or "\frac{1}{2}" of a mixed number. */
static int mixed_part(const char **p, mpq_t q)
{
    if (mpz_cmp_ui(mpq_denref(q), 1) != 0) return 0;
    mpq_t part, below;
    mpq_init(part);
    mpq_init(below);
    int ok;
    if (**p == ' ') {
        (*p)++;
        ok = decimal(p, part) && *(*p)++ == '/' && decimal(p, below) && divide(part, below);
    } else {
        ok = latex_fraction(p, part);
    }
    if (ok) mpq_add(q, q, part);
    mpq_clear(part);
    mpq_clear(below);
    return ok;
}

static int unsigned_number(const char **p, mpq_t q)
{
    if (strncmp(*p, "\\frac", 5) == 0) return latex_fraction(p, q);
    if (!decimal(p, q) || !exponent(p, q)) return 0;
    if (**p == ' ' || strncmp(*p, "\\frac", 5) == 0) return mixed_part(p, q);
    if (**p != '/') return 1;
    (*p)++;
    mpq_t below;
    mpq_init(below);
    int ok = decimal(p, below) && divide(q, below);
    mpq_clear(below);
    return ok;
}

int allot_number_parse(const char *text, mpq_t q)
{
    const char *p = text;
    int negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    if (!unsigned_number(&p, q)) return 0;
    if (*p == '%') p++; /* "50%" and "50" are one answer: the question says which is meant */
    if (*p) return 0;
    if (negative) mpq_neg(q, q);
    return 1;
}
