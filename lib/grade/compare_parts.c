/* SPDX-License-Identifier: Apache-2.0 */
/* compare_parts.c - answers and their parts: text, numbers, structures, expressions. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/expression.h"
#include "lib/grade/matrixvalue.h"
#include "lib/grade/realset.h"

enum {
    LETTERS_PER_STEP = 24, /* long parts cost more of what is left */
    RENAMED_MAX = 300,
    SURE_PLACES = 6
}; /* a decimal of so many places is a rounding in any case */

static int same_in_order(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    for (int i = 0; i < a->n; i++)
        if (!allot_same(a->part[i], b->part[i], c)) return 0;
    return 1;
}

/* Each part of a is one of b's, and another one if `once`. */
static int covers(const allot_structure *a, const allot_structure *b, int once, allot_comparison *c)
{
    char used[ALLOT_PARTS_MAX] = {0};
    for (int i = 0; i < a->n; i++) {
        int j = 0;
        while (j < b->n && ((once && used[j]) || !allot_same(a->part[i], b->part[j], c)))
            j++;
        if (j == b->n) return 0;
        used[j] = 1;
    }
    return 1;
}

static int same_in_any_order(const allot_structure *a, const allot_structure *b,
                             allot_comparison *c)
{
    return a->n == b->n && covers(a, b, 1, c);
}

/* A set does not count its members twice. */
static int same_members(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    return covers(a, b, 0, c) && covers(b, a, 0, c);
}

/* A row of a matrix, split at &; a row of a column vector has one cell. */
static int same_row(allot_span a, allot_span b, allot_comparison *c)
{
    for (;;) {
        const char *x = memchr(a.s, '&', a.n), *y = memchr(b.s, '&', b.n);
        size_t nx = x ? (size_t)(x - a.s) : a.n, ny = y ? (size_t)(y - b.s) : b.n;
        if (!x != !y || !allot_same((allot_span){a.s, nx}, (allot_span){b.s, ny}, c)) return 0;
        if (!x) return 1;
        a = (allot_span){x + 1, a.n - nx - 1};
        b = (allot_span){y + 1, b.n - ny - 1};
    }
}

static int same_matrix(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    if (a->open != b->open) return 0;
    for (int i = 0; i < a->n; i++)
        if (!same_row(a->part[i], b->part[i], c)) return 0;
    return 1;
}

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

static int is_constant(allot_span t)
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
           allot_same(left, (allot_span){text, right.n}, c);
}

static int same_relation(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    if (a->n != b->n || strcmp(a->op, b->op) != 0) return 0;
    if (same_in_order(a, b, c)) return 1;
    if (a->n != 2) return 0;
    if (a->op[0] != '<' && same_in_any_order(a, b, c)) return 1;
    if (strcmp(a->op, "=") == 0 && same_name(a->part[0], b->part[0], c)) {
        int function = same_function(a, b, c);
        if (function >= 0) return function;
        if (allot_same(a->part[1], b->part[1], c)) return 1;
        if (is_constant(a->part[1]) && is_constant(b->part[1])) return 0;
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
           x.high_closed == y.high_closed && allot_same(x.low, y.low, c) &&
           allot_same(x.high, y.high, c);
}

static int any_order(const allot_structure *s, const allot_comparison *c)
{
    return s->shape == ALLOT_SHAPE_SET || s->shape == ALLOT_SHAPE_UNION ||
           (s->shape == ALLOT_SHAPE_LIST && c->o->order == ALLOT_ORDER_ANY);
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
    if (!v.variable) return allot_same(left, last, c) || same_degrees(&v, left, last);
    return is_asked_for(left) || allot_matrix_evident(last) || allot_same(left, last, c) ||
           allot_expressions_identical(left.s, left.n, last.s, last.n);
}

/* One side is "name = value", or something worked out ("64 + 37 = 101"): its last part counts, if
 * the parts that are values agree. A prediction names what was asked for ("x^2 + y^2 = 5"); a
 * reference "x^2 + y^2 = 5" is an equation. */
static int same_as_value(const allot_structure *r, allot_span value, int predicted,
                         allot_comparison *c)
{
    if (r->shape != ALLOT_SHAPE_RELATION || strcmp(r->op, "=") != 0) return 0;
    allot_span last = r->part[r->n - 1];
    if (r->n == 2 && is_name(last) && !is_name(r->part[0])) return allot_same(r->part[0], value, c);
    for (int i = 0; i + 1 < r->n; i++) {
        allot_span left = r->part[i];
        if (is_name(left) || memmem(last.s, last.n, "mod", 3)) continue; /* "13 = 6 (mod 7)" */
        int asked = predicted && !isdigit((unsigned char)*left.s) &&     /* "3x = 27" is a step, */
                    (last.n != 1 || *last.s != '0' || is_asked_for(left)); /* "x^2 - 3x + 2 = 0" */
        if ((is_constant(left) || (r->n == 2 && !asked)) && !works_out(left, last, c)) return 0;
    }
    return allot_same(last, value, c);
}

/* (1, 2) and [1, 2], not [1, 2). */
static int is_tuple(const allot_structure *group)
{
    return (group->open == '(') == (group->close == ')');
}

/* "2 or 3", "x = 2, x = 3": values of one unknown, no tuple. */
static int are_solutions(const allot_structure *list)
{
    if (list->joined) return 1;
    for (int i = 0; i < list->n; i++) {
        allot_span part = list->part[i];
        if (part.n < 3 || !isalpha((unsigned char)*part.s) || part.s[1] != '=' ||
            *part.s != *list->part[0].s)
            return 0;
    }
    return 1;
}

/* "y = 2, x = 1" is the point (1, 2): letters in a row of the alphabet, each once. Where each is.
 */
static int by_names(const allot_structure *list, int at[ALLOT_PARTS_MAX])
{
    char least = 'z';
    for (int i = 0; i < list->n; i++) {
        allot_span part = list->part[i];
        if (part.n < 3 || !islower((unsigned char)*part.s) || part.s[1] != '=') return 0;
        if (*part.s < least) least = *part.s;
        at[i] = -1;
    }
    for (int i = 0; i < list->n; i++) {
        int k = *list->part[i].s - least;
        if (k >= list->n || at[k] >= 0) return 0;
        at[k] = i;
    }
    return 1;
}

/* A list next to (1, 2) or [1, 2]; one of a and b is it, the other the group. */
static int same_as_tuple(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    const allot_structure *group = a->shape == ALLOT_SHAPE_GROUP ? a : b,
                          *list = group == a ? b : a;
    int at[ALLOT_PARTS_MAX];
    if (!is_tuple(group) || (group == a && are_solutions(list))) return 0;
    if (by_names(list, at)) {
        int i = 0;
        while (i < a->n &&
               allot_same(a->part[group == a ? i : at[i]], b->part[group == a ? at[i] : i], c))
            i++;
        return i == a->n;
    }
    /* in any order if that is the option, unless [1, 2] may be an interval */
    int any = c->o->order == ALLOT_ORDER_ANY && group->open == '[' && (group == b || a->n > 2);
    return same_in_order(a, b, c) || (any && same_in_any_order(a, b, c));
}

static int same_structures(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    int lists = (a->shape == ALLOT_SHAPE_LIST) + (b->shape == ALLOT_SHAPE_LIST),
        sets = (a->shape == ALLOT_SHAPE_SET) + (b->shape == ALLOT_SHAPE_SET);
    if (a->shape == ALLOT_SHAPE_RELATION && b->shape == ALLOT_SHAPE_RELATION &&
        same_relation(a, b, c))
        return 1;
    if (a->shape == ALLOT_SHAPE_RELATION || b->shape == ALLOT_SHAPE_RELATION)
        return same_interval(a, b, c);
    if (sets == 2 || (sets && lists)) return same_members(a, b, c);
    if (lists == 1 && a->n == b->n &&
        (a->shape == ALLOT_SHAPE_GROUP || b->shape == ALLOT_SHAPE_GROUP))
        return same_as_tuple(a, b, c);
    if (a->n != b->n || a->shape != b->shape) return 0;
    if (a->shape == ALLOT_SHAPE_MATRIX) return same_matrix(a, b, c);
    if (a->shape == ALLOT_SHAPE_GROUP && (a->open != b->open || a->close != b->close)) return 0;
    return same_in_order(a, b, c) ||
           ((any_order(a, c) || any_order(b, c)) && same_in_any_order(a, b, c));
}

/* Brackets around one value change nothing, nor do the names in "(x, y) = (1, 2)". */
static allot_span unwrapped(const allot_structure *s, allot_span t)
{
    if (s->shape == ALLOT_SHAPE_RELATION && s->n == 2 && *s->op == '=' &&
        allot_is_point_of_names(s->part[0]))
        return s->part[1];
    if (s->n != 1 || s->shape == ALLOT_SHAPE_SINGLE || s->shape == ALLOT_SHAPE_UNION) return t;
    return s->shape == ALLOT_SHAPE_MATRIX && memchr(s->part[0].s, '&', s->part[0].n) ? t
                                                                                     : s->part[0];
}

/* "1/2 or 0.5": all of them say the same. */
static int same_as_each(const allot_structure *list, allot_span value, allot_comparison *c)
{
    int i = 0;
    while (list->joined && i < list->n && allot_same(list->part[i], value, c))
        i++;
    return list->joined && i == list->n;
}

/* "2x = 28, x = 14" says 14. */
static int same_as_last_step(const allot_structure *steps, allot_span value, allot_comparison *c)
{
    if (steps->shape != ALLOT_SHAPE_LIST) return 0;
    allot_span last = steps->part[steps->n - 1];
    if (last.n < 3 || last.s[1] != '=') return 0;
    for (int i = 0; i + 1 < steps->n; i++) {
        allot_span step = steps->part[i];
        if (!memchr(step.s, *last.s, step.n) || !memchr(step.s, '=', step.n) || step.s[1] == '=')
            return 0;
    }
    return isalpha((unsigned char)*last.s) &&
           allot_same((allot_span){last.s + 2, last.n - 2}, value, c);
}

/* "x = y = z = 0" is (0, 0, 0). */
static int same_all_over(const allot_structure *chain, const allot_structure *point,
                         allot_comparison *c)
{
    if (chain->shape != ALLOT_SHAPE_RELATION || *chain->op != '=' || chain->n != point->n + 1)
        return 0;
    if (point->shape != ALLOT_SHAPE_GROUP && point->shape != ALLOT_SHAPE_LIST) return 0;
    for (int i = 0; i < point->n; i++)
        if (!is_name(chain->part[i]) || !allot_same(chain->part[point->n], point->part[i], c))
            return 0;
    return 1;
}

/* "70,110", elsewhere one number, next to \{70, 110\}: two. */
static int same_as_numbers(const allot_structure *parts, allot_span t, allot_comparison *c)
{
    char text[68];
    allot_structure numbers;
    int set = parts->shape == ALLOT_SHAPE_SET, list = parts->shape == ALLOT_SHAPE_LIST;
    if (!(set || list || (parts->shape == ALLOT_SHAPE_GROUP && is_tuple(parts))) || parts->n < 2)
        return 0;
    if (t.n + 2 > sizeof text || !memchr(t.s, ',', t.n)) return 0;
    for (size_t i = 0; i < t.n; i++) {
        int group = t.s[i] == ',' && i + 1 < t.n && t.s[i + 1] == '0'; /* 1,000 */
        if ((!isdigit((unsigned char)t.s[i]) && t.s[i] != ',') || group) return 0;
    }
    int n = snprintf(text, sizeof text, "(%.*s)", (int)t.n, t.s);
    allot_structure_read((allot_span){text, (size_t)n}, &numbers);
    if (numbers.n != parts->n) return 0;
    return same_in_order(parts, &numbers, c) ||
           ((set || (list && c->o->order == ALLOT_ORDER_ANY)) &&
            same_in_any_order(parts, &numbers, c));
}

/* "P(1, 2)" is a point with its name; otherwise t. */
static allot_span without_label(allot_span t)
{
    int labelled = t.n > 5 && isupper((unsigned char)*t.s) && t.s[1] == '(' &&
                   t.s[t.n - 1] == ')' && memchr(t.s, ',', t.n);
    return labelled ? (allot_span){t.s + 1, t.n - 1} : t;
}

static int same_parts(allot_span a, allot_span b, allot_comparison *c)
{
    allot_structure s, t;
    allot_structure_read(a, &s);
    allot_structure_read(b, &t);
    allot_span x = unwrapped(&s, a), y = unwrapped(&t, b);
    if (s.shape == ALLOT_SHAPE_GROUP && t.shape == ALLOT_SHAPE_SINGLE) y = without_label(b);
    if (t.shape == ALLOT_SHAPE_GROUP && s.shape == ALLOT_SHAPE_SINGLE) x = without_label(a);
    if (x.s != a.s || y.s != b.s) return allot_same(x, y, c);
    if (s.shape == ALLOT_SHAPE_SINGLE && t.shape == ALLOT_SHAPE_SINGLE)
        return !allot_are_words(a, b) &&
               (allot_expressions_equal(a.s, a.n, b.s, b.n) ||
                (!c->from_sentence && (is_constant(a) || is_constant(b)) &&
                 allot_expressions_identical(a.s, a.n, b.s, b.n)));
    if ((s.shape == ALLOT_SHAPE_LIST && t.shape == ALLOT_SHAPE_SINGLE && same_as_each(&s, b, c)) ||
        (t.shape == ALLOT_SHAPE_LIST && s.shape == ALLOT_SHAPE_SINGLE && same_as_each(&t, a, c)))
        return 1;
    if ((t.shape == ALLOT_SHAPE_SINGLE && same_as_numbers(&s, b, c)) ||
        (s.shape == ALLOT_SHAPE_SINGLE && same_as_numbers(&t, a, c)))
        return 1;
    if (s.shape != t.shape &&
        (same_as_value(&s, b, 0, c) || same_as_value(&t, a, c->depth == 1 && c->bare, c) ||
         (c->bare && same_as_last_step(&t, a, c)) || same_all_over(&s, &t, c) ||
         same_all_over(&t, &s, c)))
        return 1;
    if (s.shape == ALLOT_SHAPE_LIST && t.shape == ALLOT_SHAPE_LIST && s.n == t.n) {
        if (same_structures(&s, &t, c)) return 1;
    } else if (s.shape != ALLOT_SHAPE_SINGLE && t.shape != ALLOT_SHAPE_SINGLE) {
        return same_structures(&s, &t, c);
    }
    return s.shape != ALLOT_SHAPE_LIST && t.shape != ALLOT_SHAPE_LIST &&
           s.shape != ALLOT_SHAPE_RELATION && t.shape != ALLOT_SHAPE_RELATION &&
           allot_expressions_equal(a.s, a.n, b.s, b.n);
}

/* 1 equal, 0 not, -1: not two sets of numbers, one of them evidently. */
static int same_sets(allot_span a, allot_span b)
{
    allot_realset x, y;
    if (!allot_realset_evident(a) && !allot_realset_evident(b)) return -1;
    if (!allot_realset_read(a, &x) || !allot_realset_read(b, &y)) return -1;
    return allot_realsets_equal(&x, &y);
}

static int decided(const char *rule, allot_comparison *c)
{
    c->rule = rule;
    return 1;
}

int allot_same(allot_span a, allot_span b, allot_comparison *c)
{
    if (c->depth >= ALLOT_STRUCTURE_DEPTH || c->left-- <= 0) return 0;
    a = allot_without_membership(a);
    b = allot_without_membership(b);
    if (c->depth > 0) { /* of whole answers, units were dropped before */
        a = allot_without_unit(a);
        b = allot_without_unit(b);
    }
    if (a.n == 0 || b.n == 0) return 0;
    if (allot_same_text(a, b)) return decided("the same text", c);
    int numbers = allot_same_numbers(a, b, c->o);
    if (numbers > 0) return decided("the same number", c);
    if (c->o->decimals != ALLOT_DECIMALS_EXACT &&
        allot_same_rounded(a, b, c->o->decimals == ALLOT_DECIMALS_ROUNDED ? 1 : SURE_PLACES))
        return decided("a rounding", c);
    c->left -= (int)((a.n + b.n) / LETTERS_PER_STEP);
    if (numbers == 0 || c->left <= 0) return 0;
    int sets = same_sets(a, b);
    if (sets >= 0) return sets && decided("the same set of numbers", c);
    int left = c->left;
    c->depth++;
    int equal = allot_same_qualified(a, b, c) || same_parts(a, b, c);
    if (equal) c->rule = c->left != left ? "the same parts" : "the same value";
    if (!equal && (allot_matrix_evident(a) || allot_matrix_evident(b)))
        equal = allot_matrices_equal(a, b) && decided("the same matrix", c);
    c->depth--;
    return equal;
}
