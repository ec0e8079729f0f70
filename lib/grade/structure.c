/* SPDX-License-Identifier: Apache-2.0 */
/* structure.c - splits an answer into its parts where no bracket is open. */
#include "lib/grade/structure.h"
#include <ctype.h>
#include <string.h>

static allot_span trimmed(allot_span t)
{
    while (t.n && (*t.s == ' ' || *t.s == ','))
        t.s++, t.n--;
    while (t.n && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == ','))
        t.n--;
    return t;
}

static void push(allot_structure *o, allot_span t, size_t from, size_t to)
{
    allot_span part = trimmed((allot_span){t.s + from, to - from});
    if (part.n == 0) return;
    if (o->n < ALLOT_PARTS_MAX) o->part[o->n] = part;
    o->n++;
}

/* The change of depth at t.s[at]; intervals pair any two brackets; \{ and { alike. */
static int nesting(allot_span t, size_t at)
{
    char c = t.s[at];
    if (c == '\\' && allot_span_begins(t, at, "\\begin")) return 1;
    if (c == '\\' && allot_span_begins(t, at, "\\end")) return -1;
    return c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
}

/* A comma between digits that is a thousands separator: 1,234 but not 1, 234 or (1,2345). */
static int thousands(allot_span t, size_t at)
{
    size_t before = at, after = at + 1, run;
    while (before > 0 && isdigit((unsigned char)t.s[before - 1]))
        before--;
    while (after < t.n && isdigit((unsigned char)t.s[after]))
        after++;
    run = at - before;
    int later = before > 0 && t.s[before - 1] == ','; /* not the first group */
    if (t.s[at] != ',' || after - at - 1 != 3 || run < 1 || run > 3) return 0;
    return later ? run == 3 : t.s[before] != '0';
}

/* Length of a separator at `at`: a comma, a semicolon, a word. */
static size_t separator(allot_span t, size_t at, int words, int in_brackets)
{
    if (t.s[at] == ';' || t.s[at] == '&') return 1;
    if (t.s[at] == ',') return in_brackets || !thousands(t, at);
    if (!words || (at > 0 && isalpha((unsigned char)t.s[at - 1]))) return 0;
    size_t n = allot_span_begins(t, at, "and") ? 3 : allot_span_begins(t, at, "or") ? 2 : 0;
    return n && at + n < t.n && isalpha((unsigned char)t.s[at + n]) && at > 0 && t.s[at - 1] == ' '
               ? 0
               : n;
}

static void split_list(allot_span t, int in_brackets, allot_structure *o)
{
    int depth = 0;
    size_t from = 0;
    for (size_t at = 0; at < t.n; at++) {
        depth += nesting(t, at);
        size_t m = depth == 0 ? separator(t, at, !in_brackets, in_brackets) : 0;
        if (!m) continue;
        if (t.s[at] == 'o') o->joined = 1;
        push(o, t, from, at);
        from = at + m;
        at += m - 1;
    }
    push(o, t, from, t.n);
}

/* 1 if the bracket at the start closes at the very end. */
static int wrapped(allot_span t)
{
    int depth = 0;
    if (t.n < 2) return 0;
    for (size_t at = 0; at < t.n; at++) {
        depth += nesting(t, at);
        if (depth <= 0) return at + 1 == t.n && depth == 0;
    }
    return 0;
}

static void push_rows(allot_span t, size_t from, size_t end, allot_structure *o)
{
    for (size_t at = from; at + 1 < end; at++) {
        if (t.s[at] != '\\' || t.s[at + 1] != '\\') continue;
        push(o, t, from, at);
        from = ++at + 1;
    }
    push(o, t, from, end);
}

static const struct {
    const char *name;
    char open; /* the bars of a determinant tell it from a matrix */
    allot_shape shape;
    int columns; /* "{cc}" may follow */
} tables[] = {
    {"{pmatrix}", '(', ALLOT_SHAPE_MATRIX, 0}, {"{bmatrix}", '(', ALLOT_SHAPE_MATRIX, 0},
    {"{matrix}", '(', ALLOT_SHAPE_MATRIX, 0},  {"{vmatrix}", '|', ALLOT_SHAPE_MATRIX, 0},
    {"{array}", '(', ALLOT_SHAPE_MATRIX, 1},   {"{cases}", '(', ALLOT_SHAPE_LIST, 0},
    {"{Bmatrix}", '(', ALLOT_SHAPE_MATRIX, 0}, {"{smallmatrix}", '(', ALLOT_SHAPE_MATRIX, 0}};
enum { N_TABLES = sizeof tables / sizeof *tables };

static int matrix(allot_span t, allot_structure *o)
{
    int system = allot_span_begins(t, 0, "\\{\\begin{array}"), k = 0; /* of equations */
    if (system) t = (allot_span){t.s + 2, t.n - 2 - (t.s[t.n - 1] == '.')};
    if (!allot_span_begins(t, 0, "\\begin")) return 0;
    while (k < N_TABLES && !allot_span_begins(t, 6, tables[k].name))
        k++;
    if (k == N_TABLES) return 0;
    size_t m = strlen(tables[k].name), from = 6 + m, end = t.n - m - 4;
    if (t.n < 2 * m + 10 || !allot_span_begins(t, end, "\\end") ||
        !allot_span_begins(t, end + 4, tables[k].name))
        return 0;
    if (memmem(t.s + from, end - from, tables[k].name, m)) return 0; /* A B = C, three of them */
    if (tables[k].columns && t.s[from] == '{')
        while (from < end && t.s[from++] != '}')
            continue;
    push_rows(t, from, end, o);
    o->open = tables[k].open;
    o->shape = system ? ALLOT_SHAPE_LIST : tables[k].shape;
    return 1;
}

static int split_union(allot_span t, allot_structure *o)
{
    int depth = 0;
    size_t from = 0;
    for (size_t at = 0; at < t.n; at++) {
        depth += nesting(t, at);
        if (depth != 0 || !allot_span_begins(t, at, "\\cup")) continue;
        push(o, t, from, at);
        from = at + 4;
    }
    if (from == 0) return 0;
    push(o, t, from, t.n);
    o->shape = ALLOT_SHAPE_UNION;
    return 1;
}

/* "2 \cdot 3!=12", but "x-2!=0" is what \ne becomes. */
static int is_factorial(allot_span t, size_t at)
{
    if (at == 0 || !isdigit((unsigned char)t.s[at - 1])) return 0;
    for (size_t i = 0; i < t.n; i++) {
        if (isalpha((unsigned char)t.s[i])) return 0;
        if (t.s[i] == '\\')
            while (i + 1 < t.n && isalpha((unsigned char)t.s[i + 1]))
                i++;
    }
    return 1;
}

/* Chains keep all parts: -2<=x<=7 has three, with one operator for all, else it is a SINGLE. */
static int split_relation(allot_span t, allot_structure *o)
{
    int depth = 0;
    size_t from = 0;
    for (size_t at = 0; at < t.n; at++) {
        depth += nesting(t, at);
        if (depth != 0 || !strchr("=<>!", t.s[at])) continue;
        int two = at + 1 < t.n && t.s[at + 1] == '=';
        if (t.s[at] == '!' && (!two || is_factorial(t, at))) continue;
        char op[3] = {t.s[at], two && t.s[at] != '=' ? '=' : '\0', '\0'};
        if (from == 0) memcpy(o->op, op, 3);
        else if (strcmp(op, o->op) != 0) return o->n = 0;
        push(o, t, from, at);
        from = at + 1 + (size_t)two;
        at = from - 1;
    }
    if (from == 0) return 0;
    push(o, t, from, t.n);
    if (o->n < 2 || o->n > 8) return o->n = 0;
    if (o->op[0] == '>') {
        for (int i = 0; i < o->n / 2; i++) {
            allot_span swap = o->part[i];
            o->part[i] = o->part[o->n - 1 - i];
            o->part[o->n - 1 - i] = swap;
        }
        o->op[0] = '<';
    }
    o->shape = ALLOT_SHAPE_RELATION;
    return 1;
}

static void reset(allot_structure *o, allot_span t)
{
    o->shape = ALLOT_SHAPE_SINGLE;
    o->open = o->close = o->op[0] = '\0';
    o->n = 1;
    o->part[0] = t;
}

void allot_structure_read(allot_span text, allot_structure *out)
{
    /* What binds least is split first: commas, then the "=" of an equation, then \\cup, then chains
     * of relations, which unions may hold; brackets are opened last. */
    allot_span t = trimmed(text);
    memset(out, 0, offsetof(allot_structure, part));
    out->part[0] = t;
    if (t.n == 0 || matrix(t, out)) {
        if (out->n == 0 || out->n > ALLOT_PARTS_MAX) reset(out, t);
        return;
    }
    split_list(t, 0, out);
    if (out->n > 1 && out->n <= ALLOT_PARTS_MAX) {
        out->shape = ALLOT_SHAPE_LIST;
        return;
    }
    out->n = out->joined = 0;
    if (split_relation(t, out) && out->op[0] == '=' && out->n == 2) return; /* A = B \cup C */
    reset(out, t);
    out->n = 0;
    if (split_union(t, out) && out->n <= ALLOT_PARTS_MAX) return;
    out->n = 0;
    if (split_relation(t, out)) return;
    size_t escaped = allot_span_begins(t, 0, "\\{") && t.n > 4 && t.s[t.n - 2] == '\\';
    allot_span inner = {t.s + escaped, t.n - escaped};
    if (wrapped(inner)) {
        char open = *inner.s, close = t.s[t.n - 1];
        inner = (allot_span){inner.s + 1, inner.n - 2 - escaped};
        out->n = 0;
        split_list(inner, 1, out);
        out->joined = 0;
        if (out->n >= 1 && out->n <= ALLOT_PARTS_MAX) {
            out->open = open;
            out->close = close;
            out->shape = open == '{' ? ALLOT_SHAPE_SET : ALLOT_SHAPE_GROUP;
            return;
        }
    }
    reset(out, t);
}
