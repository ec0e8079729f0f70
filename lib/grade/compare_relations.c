/* SPDX-License-Identifier: Apache-2.0 */
/* compare_relations.c - equations and inequalities: next to each other, and next to the value that
 * one of them gives. */
#include <ctype.h>
#include <math.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/expression.h"
#include "lib/grade/matrixvalue.h"
#include "lib/grade/realset.h"

enum { RENAMED_MAX = 300 };

/* The left side of "f(x) = 3" or "AB = 4": letters with subscripts and brackets, no arithmetic. */
static int is_name(allot_span t)
{
    static const char *const functions[] = {"\\ln", "\\log", "\\sqrt", "\\frac", "\\exp"};
    int subscript = 0, seen = 0, brackets = 0;
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
        if (memmem(t.s, t.n, functions[k], strlen(functions[k]))) return 0;
    if (t.n == 2 && isalpha((unsigned char)*t.s) && isdigit((unsigned char)t.s[1]))
        return 1; /* x1 */
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];
        if (c == '_') subscript = 1;
        else if (isalpha((unsigned char)c)) seen = 1;
        else if (c == '^' && t.n - i > 4 && memcmp(t.s + i, "^{-1}", 5) == 0) i += 4;
        else if (isdigit((unsigned char)c) ? !subscript && !brackets : !strchr("\\{}()|:'<>, ", c))
            return 0;
        brackets += (c == '(') - (c == ')');
    }
    return seen && t.n < 64;
}

static allot_relation relation_of(const allot_structure *r)
{
    return (allot_relation){r->part[0].s, r->part[1].s, r->part[0].n, r->part[1].n};
}

static int n_brackets(allot_span t)
{
    int n = 0;
    for (size_t i = 0; i < t.n; i++)
        n += t.s[i] == '(';
    return n;
}

/* "f(x) = 3" and "y = 3" are one answer; among several, x = 1 is not y = 1, but W(n) = 1 is W(x)
 * = 1, and x_1 = 1 is x_2 = 1. */
static int same_name(allot_span a, allot_span b, const allot_comparison *c)
{
    if (!is_name(a) || !is_name(b)) return 0;
    int p = n_brackets(a), q = n_brackets(b);
    if (p && q && p != q) return 0;                                 /* f(x), f(f(x)) */
    if (*a.s == '\\' && *b.s == '\\') return allot_same_text(a, b); /* alpha, beta */
    if (c->depth <= 1) return 1;
    size_t i = 0;
    while (i < a.n && i < b.n && a.s[i] == b.s[i] && isalpha((unsigned char)a.s[i]))
        i++;
    return (i == a.n || strchr("_(", a.s[i])) && (i == b.n || strchr("_(", b.s[i]));
}

int allot_is_constant(allot_span t)
{
    allot_value v;
    return allot_expression_eval(t.s, t.n, 0, &v) && !v.variable;
}

/* The letter of "f(x)"; 0: it is nothing of the kind. */
static char argument_of(allot_span t)
{
    return t.n == 4 && isalpha((unsigned char)*t.s) && t.s[1] == '(' &&
                   isalpha((unsigned char)t.s[2]) && t.s[3] == ')'
               ? t.s[2]
               : '\0';
}

/* "f(n) = n + 1" and "f(x) = x + 1" are one function. -1: not two functions of other letters. */
static int same_function(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    char x = argument_of(a->part[0]), y = argument_of(b->part[0]), text[RENAMED_MAX];
    allot_span left = a->part[1], right = b->part[1];
    if (!x || !y || x == y || (!memchr(left.s, x, left.n) && !memchr(right.s, y, right.n)))
        return -1;
    return right.n <= sizeof text && allot_rename(right, y, x, text) &&
           c->parts(left, (allot_span){text, right.n}, c);
}

static int same_relation(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    if (a->n != b->n || strcmp(a->op, b->op) != 0) return 0;
    if (allot_same_in_order(a, b, c)) return 1;
    if (a->n != 2) return 0;
    if (a->op[0] != '<' && allot_same_in_any_order(a, b, c)) return 1;
    if (strcmp(a->op, "=") == 0 && same_name(a->part[0], b->part[0], c)) {
        int function = same_function(a, b, c);
        if (function >= 0) return function;
        if (c->parts(a->part[1], b->part[1], c)) return 1;
        if (allot_is_constant(a->part[1]) && allot_is_constant(b->part[1])) return 0;
    }
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
    if (s->shape == ALLOT_SHAPE_GROUP && s->n == 2) {
        *out = (interval){s->part[0], s->part[1], s->open == '[', s->close == ']'};
        return 1;
    }
    if (s->shape != ALLOT_SHAPE_RELATION || s->op[0] != '<') return 0;
    int closed = s->op[1] == '=';
    if (s->n == 3 && allot_is_variable(s->part[1])) {
        *out = (interval){s->part[0], s->part[2], closed, closed};
        return 1;
    }
    if (s->n != 2) return 0;
    if (allot_is_variable(s->part[0])) {
        *out = (interval){below, s->part[1], 0, closed};
        return 1;
    }
    *out = (interval){s->part[0], above, closed, 0};
    return allot_is_variable(s->part[1]);
}

static int same_interval(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    interval x, y;
    return interval_of(a, &x) && interval_of(b, &y) && x.low_closed == y.low_closed &&
           x.high_closed == y.high_closed && c->parts(x.low, y.low, c) &&
           c->parts(x.high, y.high, c);
}

int allot_same_relations(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    int both = a->shape == ALLOT_SHAPE_RELATION && b->shape == ALLOT_SHAPE_RELATION;
    return (both && same_relation(a, b, c)) || same_interval(a, b, c);
}

/* The left side of what a text works out, where no value can be had: an integral, a determinant,
 * "x + y"; no equation such as "x^2 = 4". */
static int is_asked_for(allot_span t)
{
    static const char *const signs[] = {"\\int", "\\sum",          "\\prod", "\\lim",
                                        "\\det", "\\gcd",          "\\max",  "\\begin",
                                        "\\min", "\\operatorname", "mod",    "\\frac{d}"};
    int digits = 0;
    for (size_t i = 0; i < t.n; i++)
        digits |= isdigit((unsigned char)t.s[i]) != 0;
    for (size_t k = 0; digits && k < sizeof signs / sizeof *signs; k++)
        if (memmem(t.s, t.n, signs[k], strlen(signs[k]))) return 1;
    return !digits;
}

/* "180\circ - 135\circ" or "\pi/4" next to 45: a whole answer's last sign was dropped. */
static int same_degrees(const allot_value *left, allot_span t, allot_span last)
{
    allot_value v;
    return (memmem(t.s, t.n, "\xc2\xb0", 2) || memmem(t.s, t.n, "\\pi", 3)) &&
           allot_expression_eval(last.s, last.n, 0, &v) &&
           cabs(left->z * 180 / acos(-1) - v.z) <= 1e-9 * cabs(v.z);
}

/* "left = last" works last out, if left is a value, or an expression that is last whatever its
 * variables are, or nothing that an equation is made of: "|\{1,2,3\}| = 3". */
static int works_out(allot_span left, allot_span last, allot_comparison *c)
{
    allot_value v;
    if (!allot_expression_eval(left.s, left.n, 0, &v) || v.branch) return 1;
    if (!v.variable) return c->parts(left, last, c) || same_degrees(&v, left, last);
    return is_asked_for(left) || allot_matrix_evident(last) || c->parts(left, last, c) ||
           allot_expressions_identical(left.s, left.n, last.s, last.n);
}

int allot_same_as_value(const allot_structure *r, allot_span value, int predicted,
                        allot_comparison *c)
{
    if (r->shape != ALLOT_SHAPE_RELATION || strcmp(r->op, "=") != 0) return 0;
    allot_span last = r->part[r->n - 1];
    if (r->n == 2 && is_name(last) && !is_name(r->part[0])) return c->parts(r->part[0], value, c);
    for (int i = 0; i + 1 < r->n; i++) {
        allot_span left = r->part[i];
        if (is_name(left) || memmem(last.s, last.n, "mod", 3)) continue; /* "13 = 6 (mod 7)" */
        int asked = predicted && !isdigit((unsigned char)*left.s) &&     /* "3x = 27" is a step, */
                    (last.n != 1 || *last.s != '0' || is_asked_for(left)); /* "x^2 - 3x + 2 = 0" */
        if ((allot_is_constant(left) || (r->n == 2 && !asked)) && !works_out(left, last, c))
            return 0;
    }
    return c->parts(last, value, c);
}

int allot_same_all_over(const allot_structure *chain, const allot_structure *point,
                        allot_comparison *c)
{
    if (chain->shape != ALLOT_SHAPE_RELATION || *chain->op != '=' || chain->n != point->n + 1)
        return 0;
    if (point->shape != ALLOT_SHAPE_GROUP && point->shape != ALLOT_SHAPE_LIST) return 0;
    for (int i = 0; i < point->n; i++)
        if (!is_name(chain->part[i]) || !c->parts(chain->part[point->n], point->part[i], c))
            return 0;
    return 1;
}
