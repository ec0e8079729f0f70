/* SPDX-License-Identifier: Apache-2.0 */
/* realset.c - sets of real numbers as pieces in order, so that unions, intersections and
 * complements can be worked out and compared. */
#include "lib/grade/realset.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/grade/expression.h"

enum { MAX_DEPTH = 6, MAX_CHAIN = 3 };

static int read_set(allot_span t, int depth, allot_realset *out);

int allot_realset_evident(allot_span t)
{
    if (t.n > 4 && (*t.s == ']' || t.s[t.n - 1] == '[')) return 1;
    static const char *const signs[] = {"<",     ">",          "!=",         "\\cup",
                                        "\\cap", "\\setminus", "\\mathbb{R}"};
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (memmem(t.s, t.n, signs[k], strlen(signs[k]))) return 1;
    static const char *const gaps[] = {"],[", "],(", "),[", "),("}; /* intervals in a row */
    for (size_t k = 0; memmem(t.s, t.n, "\\infty", 6) && k < 4; k++)
        if (memmem(t.s, t.n, gaps[k], 3)) return 1;
    return 0;
}

/* ---- sets ---- */

static void push(allot_realset *s, double low, int low_closed, double high, int high_closed)
{
    if (s->n == ALLOT_PIECES_MAX || low > high || (low == high && !(low_closed && high_closed)))
        return;
    s->at[s->n++] =
        (allot_piece){low, high, low_closed && isfinite(low), high_closed && isfinite(high)};
}

static int by_low(const void *a, const void *b)
{
    const allot_piece *p = a, *q = b;
    if (p->low != q->low) return p->low < q->low ? -1 : 1;
    return q->low_closed - p->low_closed;
}

static int nearly(double a, double b)
{
    return a == b ||
           (isfinite(a) && isfinite(b) && fabs(a - b) <= 1e-9 * fmax(1, fmax(fabs(a), fabs(b))));
}

/* Pieces in order; those that touch become one. */
static void tidy(allot_realset *s)
{
    int n = 0;
    qsort(s->at, (size_t)s->n, sizeof *s->at, by_low);
    for (int i = 0; i < s->n; i++) {
        allot_piece *last = n ? &s->at[n - 1] : NULL, p = s->at[i];
        int meets = last && (p.low < last->high ||
                             (nearly(p.low, last->high) && (p.low_closed || last->high_closed)));
        if (!meets) {
            s->at[n++] = p;
            continue;
        }
        if (p.high > last->high) last->high = p.high, last->high_closed = p.high_closed;
        else if (p.high == last->high) last->high_closed |= p.high_closed;
    }
    s->n = n;
}

static void complement(const allot_realset *a, allot_realset *out)
{
    double from = -INFINITY;
    int closed = 0;
    out->n = 0;
    for (int i = 0; i < a->n; i++) {
        push(out, from, closed, a->at[i].low, !a->at[i].low_closed);
        from = a->at[i].high;
        closed = !a->at[i].high_closed;
    }
    push(out, from, closed, INFINITY, 0);
}

/* An end belongs to both where each piece that reaches no further has it. */
static void intersect(const allot_realset *a, const allot_realset *b, allot_realset *out)
{
    allot_realset both = {0};
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++) {
            allot_piece p = a->at[i], q = b->at[j];
            double low = fmax(p.low, q.low), high = fmin(p.high, q.high);
            push(&both, low, (p.low < low || p.low_closed) && (q.low < low || q.low_closed), high,
                 (p.high > high || p.high_closed) && (q.high > high || q.high_closed));
        }
    tidy(&both);
    *out = both;
}

/* ---- texts ---- */

static int end_of(allot_span t, double *x)
{
    allot_value v;
    int minus = t.n > 0 && *t.s == '-', sign = t.n > 0 && strchr("+-", *t.s);
    if ((t.n == 6 + (size_t)sign && memcmp(t.s + sign, "\\infty", 6) == 0) ||
        (t.n == 3 + (size_t)sign && memcmp(t.s + sign, "inf", 3) == 0)) {
        *x = minus ? -INFINITY : INFINITY;
        return 1;
    }
    if (!allot_expression_eval(t.s, t.n, 0, &v) || v.variable ||
        fabs(cimag(v.z)) > 1e-12 * fmax(1, cabs(v.z)))
        return 0;
    *x = creal(v.z);
    return isfinite(*x);
}

/* A sign, or a word that is not part of a longer one. */
static int stands(allot_span t, size_t at, const char *word)
{
    size_t m = strlen(word);
    if (!allot_span_begins(t, at, word)) return 0;
    if (isalpha((unsigned char)*word) && at > 0 && isalpha((unsigned char)t.s[at - 1])) return 0;
    return !isalpha((unsigned char)word[m - 1]) || at + m >= t.n ||
           !isalpha((unsigned char)t.s[at + m]);
}

static allot_span trimmed(const char *s, size_t n)
{
    while (n && *s == ' ')
        s++, n--;
    while (n && s[n - 1] == ' ')
        n--;
    return (allot_span){s, n};
}

/* Cuts t at the first of the words outside brackets. */
static int cut(allot_span t, const char *const *words, allot_span *left, allot_span *right)
{
    int depth = 0;
    for (size_t at = 0; at < t.n; at++) {
        if (strchr("([{", t.s[at])) depth++;
        if (strchr(")]}", t.s[at])) depth--;
        for (int k = 0; depth == 0 && words[k]; k++) {
            if (!stands(t, at, words[k])) continue;
            size_t m = strlen(words[k]);
            *left = trimmed(t.s, at);
            *right = trimmed(t.s + at + m, t.n - at - m);
            return 1;
        }
    }
    return 0;
}

int allot_is_variable(allot_span t)
{
    size_t command = t.n > 1 && *t.s == '\\';
    for (size_t k = command; k < t.n; k++)
        if (!isalpha((unsigned char)t.s[k])) return 0;
    if (command) return t.n > 3 || memcmp(t.s, "\\pi", t.n) != 0;
    return t.n == 1 && *t.s != 'e' && *t.s != 'i';
}

/* All x with "x op bound"; for "bound op x" the op is turned round. */
static void half_line(char op, int closed, double bound, allot_realset *out)
{
    allot_realset s = {0};
    if (op == '<') push(&s, -INFINITY, 0, bound, closed);
    else if (op == '>') push(&s, bound, closed, INFINITY, 0);
    else push(&s, bound, 1, bound, 1);
    if (op == '!') complement(&s, out);
    else *out = s;
}

static int is_absolute(allot_span t)
{
    return t.n == 3 && *t.s == '|' && t.s[2] == '|' && allot_is_variable((allot_span){t.s + 1, 1});
}

/* What |x| is in s, as a set of x. */
static void mirror(allot_realset *s)
{
    allot_realset positive = {.n = 1, .at = {{0, INFINITY, 1, 0}}}, half;
    intersect(s, &positive, &half);
    *s = half;
    for (int i = 0; i < half.n; i++)
        push(s, -half.at[i].high, half.at[i].high_closed, -half.at[i].low, half.at[i].low_closed);
    tidy(s);
}

typedef struct {
    allot_span part[MAX_CHAIN];
    char op[MAX_CHAIN]; /* behind the part, but for the last */
    int closed[MAX_CHAIN];
    int n, absolute; /* absolute: the first is |x| */
} chain;

static int split_chain(allot_span t, chain *c)
{
    size_t from = 0;
    c->n = 0;
    for (size_t at = 0; at <= t.n; at++) {
        if (at < t.n && !strchr("<>!=", t.s[at])) continue;
        if (c->n == MAX_CHAIN) return 0;
        c->part[c->n] = trimmed(t.s + from, at - from);
        if (at < t.n) {
            int closed = at + 1 < t.n && t.s[at + 1] == '=';
            if (t.s[at] == '!' && !closed) return 0;
            c->op[c->n] = t.s[at];
            c->closed[c->n] = closed;
            at += (size_t)closed;
        }
        from = at + 1;
        c->n++;
    }
    c->absolute = is_absolute(c->part[0]);
    return 1;
}

/* Which part is the one name; -1: none, or several. */
static int name_in(const chain *c)
{
    int name = -1;
    for (int k = 0; k < c->n; k++) {
        if (!allot_is_variable(c->part[k]) && !(k == 0 && c->absolute)) continue;
        if (name >= 0) return -1;
        name = k;
    }
    return name;
}

/* |x| < 3, x < 3, 3 > x, x != 3, -2 <= x < 7: one name, one or two bounds. */
static int read_relation(allot_span t, allot_realset *out)
{
    chain c;
    if (!split_chain(t, &c)) return 0;
    int name = name_in(&c);
    if (c.n < 2 || name < 0 || (c.n == 3 && name != 1)) return 0;
    *out = (allot_realset){.n = 1, .at = {{-INFINITY, INFINITY, 0, 0}}};
    for (int k = 0; k + 1 < c.n; k++) {
        allot_realset side = {0}, both;
        double bound;
        char op = c.op[k], turned = op == '<' ? '>' : op == '>' ? '<' : op;
        if (!end_of(c.part[k < name ? k : k + 1], &bound)) return 0;
        half_line(k < name ? turned : op, c.closed[k], bound, &side);
        if (c.absolute) mirror(&side);
        intersect(out, &side, &both);
        *out = both;
    }
    out->unknown = c.absolute ? (allot_span){c.part[0].s + 1, 1} : c.part[name];
    return 1;
}

/* ]0,1[ and [0,1[, the other way to leave ends out. */
static int read_turned(allot_span t, allot_realset *out)
{
    double low, high;
    int left = *t.s == ']', right = t.n > 4 && t.s[t.n - 1] == '[';
    if (t.n < 5 || !(left || right) || !strchr("[]", *t.s) || !strchr("[]", t.s[t.n - 1])) return 0;
    const char *comma = memchr(t.s, ';', t.n);
    if (!comma) comma = memchr(t.s, ',', t.n);
    if (!comma || !end_of(trimmed(t.s + 1, (size_t)(comma - t.s) - 1), &low) ||
        !end_of(trimmed(comma + 1, t.n - 2 - (size_t)(comma - t.s)), &high))
        return 0;
    out->n = 0;
    push(out, low, !left, high, !right);
    return 1;
}

static int read_interval(const allot_structure *s, allot_realset *out)
{
    double low, high;
    out->n = 0;
    if (s->shape == ALLOT_SHAPE_SET) {
        for (int i = 0; i < s->n; i++) {
            if (i == ALLOT_PIECES_MAX || !end_of(s->part[i], &low) || !isfinite(low)) return 0;
            push(out, low, 1, low, 1);
        }
        tidy(out);
        return 1;
    }
    if (s->shape != ALLOT_SHAPE_GROUP || s->n != 2 || !end_of(s->part[0], &low) ||
        !end_of(s->part[1], &high) || low > high)
        return 0;
    push(out, low, s->open == '[', high, s->close == ']');
    return 1;
}

/* Two small or Greek letters that are not the same; capitals stand for any. */
static int unknowns_differ(allot_span a, allot_span b)
{
    if (a.n == 0 || b.n == 0 || isupper((unsigned char)*a.s) || isupper((unsigned char)*b.s))
        return 0;
    return a.n != b.n || memcmp(a.s, b.s, a.n) != 0;
}

/* The condition of "\{x \mid x > 3\}"; x may be said to be real. */
static int read_builder(allot_span t, int depth, allot_realset *out)
{
    static const char *const bars[] = {"|", ":", NULL}, *const in[] = {"\\in", NULL};
    allot_span left, right, name, domain;
    size_t m = t.n > 6 && memcmp(t.s, "\\{", 2) == 0 ? 2 : 1;
    if (t.n < 6 || t.s[m - 1] != '{' || t.s[t.n - 1] != '}') return 0;
    if (!cut((allot_span){t.s + m, t.n - 2 * m}, bars, &left, &right)) return 0;
    if (cut(left, in, &name, &domain)) {
        if (domain.n != 10 || memcmp(domain.s, "\\mathbb{R}", 10) != 0) return 0;
        left = name;
    }
    if (!allot_is_variable(left) || !read_set(right, depth, out)) return 0;
    int bound = !unknowns_differ(left, out->unknown);
    out->unknown.n = 0;
    return bound;
}

/* Two sets joined by words of one meaning. */
static int read_joined(allot_span t, int depth, allot_realset *out)
{
    static const char *const unions[] = {"\\cup", "or", "\\lor", NULL},
                             *const meets[] = {"\\cap", "and", "\\land", NULL},
                             *const commas[] = {",", NULL},
                             *const less[] = {"\\setminus", "-\\{", NULL};
    allot_span left, right;
    allot_realset a, b, other;
    int how = cut(t, unions, &left, &right) ? 1 : cut(t, meets, &left, &right) ? 2 : 0;
    int is_less = memmem(t.s, t.n, "\\mathbb{R}", 10) || memmem(t.s, t.n, "\\setminus", 9);
    if (!how && is_less && cut(t, less, &left, &right)) {
        how = 3;
        if (right.s >= t.s + 2 && right.s[-1] == '{' && right.s[-2] == '\\')
            right = (allot_span){right.s - 2, right.n + 2};
    }
    if (!how && allot_realset_evident(t) && cut(t, commas, &left, &right)) how = 4;
    if (!how || !read_set(left, depth, &a) || !read_set(right, depth, &b)) return 0;
    const allot_span unknown = a.unknown.n ? a.unknown : b.unknown;
    if (how == 4) { /* "x > 1, x < 3" means both, "x < 1, x > 3" either */
        intersect(&a, &b, out);
        how = out->n > 0 ? 0 : 1;
    }
    if (how == 1) {
        for (int i = 0; i < b.n; i++)
            push(&a, b.at[i].low, b.at[i].low_closed, b.at[i].high, b.at[i].high_closed);
        tidy(&a);
        *out = a;
    } else if (how == 3) {
        complement(&b, &other);
        intersect(&a, &other, out);
    } else if (how == 2) {
        intersect(&a, &b, out);
    }
    out->unknown = unknown;
    return 1;
}

static int read_set(allot_span t, int depth, allot_realset *out)
{
    allot_structure s;
    if (++depth > MAX_DEPTH || t.n == 0) return 0;
    if (t.n > 4 && allot_is_variable((allot_span){t.s, 1}) && allot_span_begins(t, 1, "\\in") &&
        !isalpha((unsigned char)t.s[4])) {
        if (!read_set(trimmed(t.s + 4, t.n - 4), depth, out)) return 0;
        out->unknown = (allot_span){t.s, 1};
        return 1;
    }
    if (t.n == 10 && memcmp(t.s, "\\mathbb{R}", 10) == 0) {
        *out = (allot_realset){.n = 1, .at = {{-INFINITY, INFINITY, 0, 0}}};
        return 1;
    }
    if (t.n == 9 && memcmp(t.s, "\\emptyset", 9) == 0) {
        *out = (allot_realset){.n = 0};
        return 1;
    }
    if (read_joined(t, depth, out) || read_builder(t, depth, out) || read_relation(t, out))
        return 1;
    out->unknown.n = 0;
    if (read_turned(t, out)) return 1;
    allot_structure_read(t, &s);
    return read_interval(&s, out);
}

/* "a = 2 and b = 0" says something about two unknowns. */
static int has_two_unknowns(allot_span t)
{
    char first = '\0';
    for (size_t i = 0, run; i < t.n; i += run ? run : 1) {
        int command = t.s[i] == '\\';
        for (run = (size_t)command; i + run < t.n && isalpha((unsigned char)t.s[i + run]);)
            run++;
        int set = i > 0 && t.s[i - 1] == '{'; /* \mathbb{R} */
        if (command || run != 1 || set || strchr("ei", t.s[i])) continue;
        if (first && first != t.s[i]) return 1;
        first = t.s[i];
    }
    return 0;
}

int allot_realset_read(allot_span t, allot_realset *out)
{
    return t.n < 400 && !has_two_unknowns(t) && read_set(t, 0, out);
}

int allot_realsets_equal(const allot_realset *a, const allot_realset *b)
{
    if (a->n != b->n || unknowns_differ(a->unknown, b->unknown)) return 0;
    for (int i = 0; i < a->n; i++) {
        const allot_piece *p = &a->at[i], *q = &b->at[i];
        if (!nearly(p->low, q->low) || !nearly(p->high, q->high) ||
            p->low_closed != q->low_closed || p->high_closed != q->high_closed)
            return 0;
    }
    return 1;
}
