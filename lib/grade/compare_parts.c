/* SPDX-License-Identifier: Apache-2.0 */
/* compare_parts.c - answers and their parts: text, numbers, structures, expressions. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/expression.h"
#include "lib/grade/matrixvalue.h"
#include "lib/grade/realset.h"

enum {
    LETTERS_PER_STEP = 24, /* long parts cost more of what is left */
    SURE_PLACES = 6
}; /* a decimal of so many places is a rounding in any case */

/* A set does not count its members twice. */
static int same_members(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    return allot_parts_cover(a, b, 0, c) && allot_parts_cover(b, a, 0, c);
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

static int any_order(const allot_structure *s, const allot_comparison *c)
{
    return s->shape == ALLOT_SHAPE_SET || s->shape == ALLOT_SHAPE_UNION ||
           (s->shape == ALLOT_SHAPE_LIST && c->o->order == ALLOT_ORDER_ANY);
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
    return allot_same_in_order(a, b, c) || (any && allot_same_in_any_order(a, b, c));
}

static int same_structures(const allot_structure *a, const allot_structure *b, allot_comparison *c)
{
    int lists = (a->shape == ALLOT_SHAPE_LIST) + (b->shape == ALLOT_SHAPE_LIST),
        sets = (a->shape == ALLOT_SHAPE_SET) + (b->shape == ALLOT_SHAPE_SET);
    if (a->shape == ALLOT_SHAPE_RELATION || b->shape == ALLOT_SHAPE_RELATION)
        return allot_same_relations(a, b, c);
    if (sets == 2 || (sets && lists)) return same_members(a, b, c);
    if (lists == 1 && a->n == b->n &&
        (a->shape == ALLOT_SHAPE_GROUP || b->shape == ALLOT_SHAPE_GROUP))
        return same_as_tuple(a, b, c);
    if (a->n != b->n || a->shape != b->shape) return 0;
    if (a->shape == ALLOT_SHAPE_MATRIX) return same_matrix(a, b, c);
    if (a->shape == ALLOT_SHAPE_GROUP && (a->open != b->open || a->close != b->close)) return 0;
    return allot_same_in_order(a, b, c) ||
           ((any_order(a, c) || any_order(b, c)) && allot_same_in_any_order(a, b, c));
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
    return allot_same_in_order(parts, &numbers, c) ||
           ((set || (list && c->o->order == ALLOT_ORDER_ANY)) &&
            allot_same_in_any_order(parts, &numbers, c));
}

/* "P(1, 2)" is a point with its name; otherwise t. */
static allot_span without_label(allot_span t)
{
    int labelled = t.n > 5 && isupper((unsigned char)*t.s) && t.s[1] == '(' &&
                   t.s[t.n - 1] == ')' && memchr(t.s, ',', t.n);
    return labelled ? (allot_span){t.s + 1, t.n - 1} : t;
}

/* What needs no list of parts to be equal: values, and identities next to a constant. */
static int same_singles(allot_span a, allot_span b, const allot_comparison *c)
{
    if (allot_are_words(a, b)) return 0;
    return allot_expressions_equal(a.s, a.n, b.s, b.n) ||
           (!c->from_sentence && (allot_is_constant(a) || allot_is_constant(b)) &&
            allot_expressions_identical(a.s, a.n, b.s, b.n));
}

static int same_as_single(const allot_structure *parts, allot_span single, allot_comparison *c)
{
    return same_as_each(parts, single, c) || same_as_numbers(parts, single, c);
}

/* Two shapes of one answer. */
static int same_across(const allot_structure *s, allot_span a, const allot_structure *t,
                       allot_span b, allot_comparison *c)
{
    return allot_same_as_value(s, b, 0, c) ||
           allot_same_as_value(t, a, c->depth == 1 && c->bare, c) ||
           (c->bare && same_as_last_step(t, a, c)) || allot_same_all_over(s, t, c) ||
           allot_same_all_over(t, s, c);
}

/* What may be read as one expression: "(1+x)" and "\{1\}", no list and no relation. */
static int is_closed(const allot_structure *s)
{
    return s->shape != ALLOT_SHAPE_LIST && s->shape != ALLOT_SHAPE_RELATION;
}

static int same_parts(allot_span a, allot_span b, allot_comparison *c)
{
    allot_structure s, t;
    allot_structure_read(a, &s);
    allot_structure_read(b, &t);
    allot_span x = unwrapped(&s, a), y = unwrapped(&t, b);
    int single_a = s.shape == ALLOT_SHAPE_SINGLE, single_b = t.shape == ALLOT_SHAPE_SINGLE;
    if (s.shape == ALLOT_SHAPE_GROUP && single_b) y = without_label(b);
    if (t.shape == ALLOT_SHAPE_GROUP && single_a) x = without_label(a);
    if (x.s != a.s || y.s != b.s) return allot_same(x, y, c);
    if (single_a && single_b) return same_singles(a, b, c);
    if (single_b && same_as_single(&s, b, c)) return 1;
    if (single_a && same_as_single(&t, a, c)) return 1;
    if (s.shape != t.shape && same_across(&s, a, &t, b, c)) return 1;
    if (!single_a && !single_b) return same_structures(&s, &t, c);
    return is_closed(&s) && is_closed(&t) && allot_expressions_equal(a.s, a.n, b.s, b.n);
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
