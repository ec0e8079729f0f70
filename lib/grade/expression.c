/* SPDX-License-Identifier: Apache-2.0 */
/* expression.c - a parser that works an expression out while it reads it: each rule of the grammar
 * is a function that returns 0 where the text is no expression, or has no value. */
#include "lib/grade/expression.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
enum { MAX_DEPTH = 40, MAX_LENGTH = 1000 };

typedef struct {
    const char *s, *end;
    unsigned point;
    int depth;
} parser;

static int sum(parser *p, allot_value *v);
static int power(parser *p, allot_value *v);
static int atom(parser *p, allot_value *v);

static void constant(allot_value *v, double complex z)
{
    *v = (allot_value){.z = z};
}

static int peek(parser *p)
{
    while (p->s < p->end && *p->s == ' ')
        p->s++;
    return p->s < p->end ? (unsigned char)*p->s : 0;
}

static int starts(parser *p, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(p->end - p->s) >= n && memcmp(p->s, word, n) == 0;
}

static int take(parser *p, int c)
{
    if (peek(p) != c) return 0;
    p->s++;
    return 1;
}

static int number(parser *p, allot_value *v)
{
    char digits[64];
    size_t n = 0;
    uint64_t below = 1;
    *v = (allot_value){.exact = 1};
    for (; p->s < p->end; p->s++) {
        if (*p->s == ',' && n && p->end - p->s > 3 && isdigit((unsigned char)p->s[1]) &&
            isdigit((unsigned char)p->s[2]) && isdigit((unsigned char)p->s[3]))
            continue;
        if (*p->s == '.' ? v->decimal : !isdigit((unsigned char)*p->s)) break;
        if (n + 1 >= sizeof digits) return 0;
        digits[n++] = *p->s;
        if (*p->s == '.') v->decimal = 1;
        else {
            v->m = (allot_mod_multiply(v->m, 10) + (uint64_t)(*p->s - '0')) % ALLOT_PRIME;
            if (v->decimal) below = allot_mod_multiply(below, 10);
        }
    }
    digits[n] = '\0';
    if (n == 0 || (n == 1 && v->decimal)) return 0;
    v->z = strtod(digits, NULL);
    if (v->decimal) v->m = allot_mod_multiply(v->m, allot_mod_power(below, ALLOT_PRIME - 2));
    return 1;
}

/* A variable's value depends on its name and the point only. */
static void variable(const char *name, size_t n, unsigned point, allot_value *v)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (point * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < n; i++)
        if (name[i] != ' ' && name[i] != '{' && name[i] != '}')
            h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 31;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    h ^= h >> 29;
    double x = 0.3 + 2 * (double)(h >> 11) / 9007199254740992.0;
    int minus = point == ALLOT_POINTS - 1 || (point >= ALLOT_POSITIVE_POINTS && (h & 1));
    *v = (allot_value){.z = minus ? -x : x, .m = h % ALLOT_PRIME, .exact = 1, .variable = 1};
}

/* Past a {group} or one character: a subscript, a bound. */
static int skip_argument(parser *p)
{
    int depth = 0;
    if (!peek(p)) return 0;
    do {
        if (*p->s == '{') depth++;
        if (*p->s == '}') depth--;
        p->s++;
    } while (depth > 0 && p->s < p->end);
    return depth == 0;
}

/* a \over b, n \choose k: what stands between the braces is cut in two. */
static int halves(parser *p, allot_value *v)
{
    allot_value below;
    if (!sum(p, v)) return 0;
    if (starts(p, "\\over") && !isalpha((unsigned char)p->s[5])) {
        p->s += 5;
        if (!sum(p, &below) || !allot_value_divide(v, &below)) return 0;
    } else if (starts(p, "\\choose")) {
        p->s += 7;
        if (!sum(p, &below) || !allot_value_choose(v, &below)) return 0;
    }
    return 1;
}

static int group(parser *p, int close, allot_value *v)
{
    return halves(p, v) && take(p, close);
}

/* A command's argument: {sum}, (sum), one digit or one atom. */
static int argument(parser *p, allot_value *v)
{
    int c = peek(p);
    if (take(p, '{')) return group(p, '}', v);
    if (isdigit(c)) {
        parser one = *p;
        one.end = p->s + 1;
        p->s++;
        return number(&one, v);
    }
    if (isalpha(c)) {
        parser one = *p;
        one.end = p->s + 1;
        p->s++;
        return power(&one, v);
    }
    return power(p, v);
}

/* What a function is of: what its brackets hold (sin(x)^2 is a square), or a number or power (sin
 * 30, log_2 16, ln x^2). */
static int operand(parser *p, allot_value *v)
{
    int c = peek(p);
    return c == '(' || c == '{' || c == '[' ? atom(p, v) : power(p, v);
}

/* TeX takes one digit, unless a blank shows that the writer meant the number. */
static int root(parser *p, allot_value *v)
{
    allot_value k = {.z = 2};
    int apart = p->s < p->end && *p->s == ' ';
    if (take(p, '[') && !group(p, ']', &k)) return 0;
    if (!(apart ? operand(p, v) : argument(p, v)) || k.z == 0) return 0;
    v->branch |= allot_value_is_negative(v);
    int odd_real = creal(k.z) == 3 && cimag(v->z) == 0;
    v->z = odd_real ? cbrt(creal(v->z)) : v->z == 0 ? 0 : cpow(v->z, 1 / k.z);
    v->exact = 0;
    return 1;
}

static int is_hyperbolic(const char *name)
{
    return *name != 'l' && name[3] == 'h';
}

static double complex apply(const char *name, double complex x, double complex base)
{
    if (is_hyperbolic(name)) return *name == 's' ? csinh(x) : *name == 'c' ? ccosh(x) : ctanh(x);
    switch (*name) {
    case 's':
        return name[1] == 'i' ? csin(x) : name[1] == 'e' ? 1 / ccos(x) : 1 / csin(x);
    case 'c':
        return name[1] == 's' ? 1 / csin(x) : name[2] == 's' ? ccos(x) : 1 / ctan(x);
    case 't':
        return ctan(x);
    case 'e':
        return cexp(x);
    case 'a':
        return name[3] == 's' ? casin(x) : name[3] == 'c' ? cacos(x) : catan(x);
    default:
        return name[1] == 'n' ? clog(x) : clog(x) / clog(base);
    }
}

/* sin, log_b and their kin: sin^2 x, sin^{-1} x, an argument in brackets or one product. */
static int function(parser *p, const char *name, allot_value *v)
{
    allot_value base = {.z = 10}, k = {.z = 1};
    if (take(p, '_') && !argument(p, &base)) return 0;
    if (take(p, '^') && !argument(p, &k)) return 0;
    int inverse = creal(k.z) == -1; /* \sin^{-1} is the arcsine */
    if (!operand(p, v)) return 0;
    allot_value more;
    while (isalpha(peek(p)) || (starts(p, "\\pi") && p->s[-1] != ')')) {
        if (!power(p, &more)) return 0;
        allot_value_multiply(v, &more);
    }
    v->branch |= *name == 'l' && allot_value_is_negative(v);
    if (inverse) {
        int sine = strncmp(name, "sin", 3) == 0, cosine = strncmp(name, "cos", 3) == 0;
        if (is_hyperbolic(name) || !(sine || cosine || *name == 't')) return 0;
        v->z = sine ? casin(v->z) : cosine ? cacos(v->z) : catan(v->z);
    } else {
        v->z = cpow(apply(name, v->z, base.z), k.z);
    }
    v->exact = 0;
    return 1;
}

/* Sums and integrals are not worked out: the bounds name a factor of what follows. */
static int bounded(parser *p, const char *name, allot_value *v)
{
    while (peek(p) == '_' || peek(p) == '^') {
        p->s++;
        if (!skip_argument(p)) return 0;
    }
    variable(name, (size_t)(p->s - name), p->point, v);
    return 1;
}

static const char *const functions[] = {"arcsin", "arccos", "arctan", "sinh", "cosh",
                                        "tanh",   "sin",    "cos",    "tan",  "cot",
                                        "sec",    "csc",    "log",    "ln",   "exp"};

static int named_function(parser *p, allot_value *v, int *known)
{
    *known = 1;
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        if (!starts(p, functions[k])) continue;
        p->s += strlen(functions[k]);
        return function(p, functions[k], v);
    }
    *known = 0;
    return 0;
}

/* \lfloor x \rfloor and \lceil x \rceil of what is real. */
static int rounded(parser *p, int down, allot_value *v)
{
    const char *close = down ? "\\rfloor" : "\\rceil";
    if (!sum(p, v) || peek(p) != '\\' || !starts(p, close) || cimag(v->z) != 0) return 0;
    p->s += strlen(close);
    double x = creal(v->z);
    v->z = down ? floor(x) : ceil(x);
    v->exact = 0;
    return 1;
}

static int is_greek(const char *name, size_t n)
{
    static const char *const letters[] = {
        "alpha", "beta",  "gamma", "delta",  "epsilon",    "zeta",     "eta",    "theta",
        "kappa", "mu",    "nu",    "xi",     "rho",        "sigma",    "tau",    "phi",
        "psi",   "omega", "Delta", "lambda", "varepsilon", "vartheta", "varphi", "Gamma",
        "Phi",   "Omega", "Sigma", "Lambda", "Theta",      "Psi",      "ell",    "hbar"};
    for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
        if (n == strlen(letters[k]) && memcmp(name, letters[k], n) == 0) return 1;
    return 0;
}

static int fraction(parser *p, allot_value *v)
{
    allot_value below;
    return argument(p, v) && argument(p, &below) && allot_value_divide(v, &below);
}

static int command(parser *p, allot_value *v)
{
    const char *from = p->s++;
    allot_value below;
    int known, ok = named_function(p, v, &known);
    if (known) return ok;
    const char *name = p->s;
    while (p->s < p->end && isalpha((unsigned char)*p->s))
        p->s++;
    size_t n = (size_t)(p->s - name);
#define IS(word) (n == sizeof(word) - 1 && memcmp(name, word, n) == 0)
    if (IS("frac")) return fraction(p, v);
    if (IS("sqrt")) return root(p, v);
    if (IS("binom")) return argument(p, v) && argument(p, &below) && allot_value_choose(v, &below);
    if (IS("lfloor") || IS("lceil")) return rounded(p, *name == 'l' && name[1] == 'f', v);
    if (IS("sum") || IS("int")) return bounded(p, from, v);
    if (IS("pi")) {
        constant(v, pi);
        return 1;
    }
#undef IS
    if (!is_greek(name, n)) return 0;
    if (take(p, '_') && !skip_argument(p)) return 0;
    variable(name, (size_t)(p->s - name), p->point, v);
    return 1;
}

/* Letters: pi, sqrt, frac and functions by name, e and i, else one variable each, with its
 * subscript. A longer word is text. */
static int letters(parser *p, allot_value *v)
{
    const char *from = p->s;
    int known, ok;
    size_t run = 0;
    while (from + run < p->end && isalpha((unsigned char)from[run]))
        run++;
    if (starts(p, "pi") && run == 2) {
        p->s += 2;
        constant(v, pi);
        return 1;
    }
    if (starts(p, "abs(")) {
        p->s += 4;
        if (!group(p, ')', v)) return 0;
        v->z = cabs(v->z);
        v->exact = 0;
        return 1;
    }
    if (is_greek(from, run)) { /* alpha, without its backslash */
        p->s += run;
        variable(from, run, p->point, v);
        return 1;
    }
    if (starts(p, "sqrt")) {
        p->s += 4;
        return root(p, v);
    }
    if (starts(p, "frac{")) {
        p->s += 4;
        return fraction(p, v);
    }
    ok = named_function(p, v, &known);
    if (known) return ok;
    if (run > 3) return 0;
    p->s++;
    if (peek(p) == '_') {
        p->s++;
        if (!skip_argument(p)) return 0;
    } else if (*from == 'e' || *from == 'i') {
        constant(v, *from == 'e' ? exp(1) : I);
        return 1;
    }
    variable(from, (size_t)(p->s - from), p->point, v);
    return 1;
}

static int atom(parser *p, allot_value *v)
{
    int c = peek(p);
    if (isdigit(c) || c == '.') {
        if (!number(p, v)) return 0;
        int whole = !v->decimal;
        if (whole && starts(p, "\\frac")) { /* a mixed number, or a factor: 2\frac{\pi}{3} */
            allot_value part;
            if (!command(p, &part)) return 0;
            if (part.exact && !part.variable) allot_value_add(v, &part, 0);
            else allot_value_multiply(v, &part);
        }
        return 1;
    }
    if (take(p, '(')) return group(p, ')', v);
    if (take(p, '[')) return group(p, ']', v);
    if (take(p, '{')) return group(p, '}', v);
    if (take(p, '|')) {
        if (!group(p, '|', v)) return 0;
        v->z = cabs(v->z);
        v->exact = 0;
        return 1;
    }
    if (c == '\\') return command(p, v);
    return isalpha(c) ? letters(p, v) : 0;
}

/* Digits are read on, though TeX would print 2^10 otherwise. */
static int exponent(parser *p, allot_value *v)
{
    int c = peek(p);
    if (c == '(' || c == '-') return power(p, v);
    return isdigit(c) ? number(p, v) : argument(p, v);
}

/* A sign behind an atom: 1 if one is read, 0 if there is none, -1 if it has no value there. */
static int suffix(parser *p, allot_value *v)
{
    allot_value k = {.z = 100, .m = 100, .exact = 1};
    if (take(p, '!')) return allot_value_factorial(v) ? 1 : -1;
    if (take(p, '^')) return exponent(p, &k) && allot_value_raise(v, &k) ? 1 : -1;
    if (peek(p) == '%' && !(p->s + 1 < p->end && isalnum((unsigned char)p->s[1]))) {
        p->s++;
        (void)allot_value_divide(v, &k);
        return 1;
    }
    if (peek(p) != 0xc2 || !starts(p, "\xc2\xb0")) return 0;
    p->s += 2;
    constant(&k, pi / 180);
    allot_value_multiply(v, &k);
    return 1;
}

static int power(parser *p, allot_value *v)
{
    if (++p->depth > MAX_DEPTH) return 0;
    int minus = take(p, '-'), read;
    if (!atom(p, v)) return 0;
    while ((read = suffix(p, v)) != 0)
        if (read < 0) return 0;
    if (minus) {
        allot_value zero = {.exact = 1};
        allot_value_add(&zero, v, 1);
        *v = zero;
    }
    p->depth--;
    return 1;
}

/* "1 2" is no product, but "2^5 3" is. The factor before s begins at `factor`. */
static int digit_before(const char *factor, const char *s)
{
    int raised = memchr(factor, '^', (size_t)(s - factor)) != NULL;
    while (s[-1] == ' ')
        s--;
    return !raised && isdigit((unsigned char)s[-1]);
}

/* What ends a product though it looks like a factor. */
static int closes(parser *p)
{
    return starts(p, "\\over") || starts(p, "\\choose") || starts(p, "\\rfloor") ||
           starts(p, "\\rceil");
}

static int product(parser *p, allot_value *v)
{
    allot_value w;
    const char *factor = p->s;
    if (!power(p, v)) return 0;
    for (;;) {
        int c = peek(p);
        if (strchr("*/:", c) && c) p->s++;
        else if (!(isalnum(c) || c == '(' || c == '{' || (c == '\\' && !closes(p)))) return 1;
        if (isdigit(c) && digit_before(factor, p->s)) return 0;
        factor = p->s;
        if (!power(p, &w)) return 0;
        if (c != '/' && c != ':') allot_value_multiply(v, &w);
        else if (!allot_value_divide(v, &w)) return 0;
    }
}

static int sum(parser *p, allot_value *v)
{
    allot_value w;
    int minus = 0;
    if (++p->depth > MAX_DEPTH) return 0;
    *v = (allot_value){.exact = 1};
    if (!take(p, '+')) minus = take(p, '-');
    do {
        if (!product(p, &w)) return 0;
        allot_value_add(v, &w, minus);
        minus = peek(p) == '-';
    } while (take(p, '+') || take(p, '-'));
    p->depth--;
    return 1;
}

int allot_expression_eval(const char *s, size_t n, unsigned point, allot_value *out)
{
    parser p = {s, s + n, point, 0};
    if (n == 0 || n > MAX_LENGTH || !halves(&p, out) || peek(&p)) return 0;
    return out->exact || (isfinite(creal(out->z)) && isfinite(cimag(out->z)));
}
