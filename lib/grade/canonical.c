/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.c - the canonical form of an answer: numbers as fractions, constants by twelve digits,
 * rational functions by their values modulo a prime, sets sorted, other text in lower case. A form
 * is a function of the text, so sharing one is an equivalence. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/grade/expression.h"
#include "lib/grade/grade.h"
#include "lib/grade/moment.h"
#include "lib/grade/normalize.h"
#include "lib/grade/number.h"
#include "lib/grade/realset.h"
#include "lib/grade/structure.h"

enum { MAX_PARTS = 200 };

typedef struct {
    char *at;
    size_t n, cap; /* n < cap */
    int full;      /* something did not fit, or there is too much */
    int parts, depth;
} writer;

static void put(writer *w, const char *s, size_t n)
{
    if (w->n + n >= w->cap) {
        w->full = 1;
        return;
    }
    memcpy(w->at + w->n, s, n);
    w->n += n;
    w->at[w->n] = '\0';
}

static void put_text(writer *w, const char *s)
{
    put(w, s, strlen(s));
}

static void put_lower(writer *w, allot_span t)
{
    size_t from = w->n;
    put(w, t.s, t.n);
    for (size_t i = from; i < w->n; i++)
        w->at[i] = (char)tolower((unsigned char)w->at[i]);
}

/* Forms that are read no further: a form is its own form. */
static int is_form(allot_span t)
{
    static const char *const names[] = {"poly#", "value#", "set#", "time#"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (t.n > strlen(names[k]) && memcmp(t.s, names[k], strlen(names[k])) == 0) return 1;
    return 0;
}

static int put_number(writer *w, allot_span t)
{
    char text[ALLOT_NORMAL_SIZE];
    mpq_t q;
    if (t.n >= sizeof text || !strchr("+-.0123456789\\", *t.s)) return 0;
    memcpy(text, t.s, t.n);
    text[t.n] = '\0';
    mpq_init(q);
    int ok =
        allot_number_parse(text, q) &&
        mpz_sizeinbase(mpq_numref(q), 10) + mpz_sizeinbase(mpq_denref(q), 10) + 3 < sizeof text;
    if (ok) put_text(w, mpq_get_str(text, 10, q));
    mpq_clear(q);
    return ok;
}

/* A fraction with a small denominator that an exact value is: in floating point and modulo the
 * prime. */
static int put_fraction(writer *w, const allot_value *v)
{
    char text[64];
    double x = creal(v->z);
    for (int below = 1; below <= 1000 && fabs(x) < 1e12; below++) {
        double top = round(x * below);
        allot_value check;
        if (fabs(x * below - top) > 1e-9 * fmax(1, fabs(top))) continue;
        int n = below == 1 ? snprintf(text, sizeof text, "%.0f", top == 0 ? 0.0 : top)
                           : snprintf(text, sizeof text, "%.0f/%d", top, below);
        if (!allot_expression_eval(text, (size_t)n, 0, &check) || check.m != v->m) continue;
        put(w, text, (size_t)n);
        return 1;
    }
    return 0;
}

static double tidy(double x, double size)
{
    return fabs(x) <= 1e-12 * size ? 0 : x;
}

/* Constants and rational functions. Plain words and letters stay text. */
static int put_value(writer *w, allot_span t)
{
    allot_value v[3];
    char text[96];
    size_t letters = 0;
    while (letters < t.n && (isalpha((unsigned char)t.s[letters]) || t.s[letters] == ' '))
        letters++;
    if (letters == t.n) return 0;
    for (unsigned point = 0; point < 3; point++)
        if (!allot_expression_eval(t.s, t.n, point, &v[point])) return 0;
    if (v[0].variable && !v[0].exact) return 0;
    if (v[0].variable) {
        snprintf(text, sizeof text, "poly#%016llx%016llx%016llx", (unsigned long long)v[0].m,
                 (unsigned long long)v[1].m, (unsigned long long)v[2].m);
    } else {
        double size = cabs(v[0].z), re = tidy(creal(v[0].z), size), im = tidy(cimag(v[0].z), size);
        if (v[0].exact && put_fraction(w, &v[0])) return 1;
        if (im == 0) snprintf(text, sizeof text, "value#%.12g", re);
        else snprintf(text, sizeof text, "value#%.12g_%.12g", re, im);
    }
    put_text(w, text);
    return 1;
}

/* Ends within 1e-9 are equal; nine digits would cut between some of them, twelve keep classes
 * inside equality. */
static int put_realset(writer *w, allot_span t)
{
    allot_realset s;
    char text[96];
    if (!allot_realset_evident(t) || !allot_realset_read(t, &s)) return 0;
    put_text(w, "set#");
    for (int i = 0; i < s.n; i++) {
        snprintf(text, sizeof text, "%s%c%.12g_%.12g%c", i ? "_" : "",
                 s.at[i].low_closed ? 'c' : 'o', s.at[i].low + 0.0, s.at[i].high + 0.0,
                 s.at[i].high_closed ? 'c' : 'o');
        put_text(w, text);
    }
    return 1;
}

static void put_part(writer *w, allot_span t);

static void put_parts(writer *w, const allot_structure *s, const char *between)
{
    for (int i = 0; i < s->n; i++) {
        if (i) put_text(w, between);
        put_part(w, s->part[i]);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The parts in order, each once; braces around one member change nothing. */
static void put_sorted(writer *w, const allot_structure *s)
{
    const char *between = s->shape == ALLOT_SHAPE_SET ? "," : "\\cup";
    char room[ALLOT_ANSWER_MAX];
    char *form[ALLOT_PARTS_MAX];
    writer inner = {room, 0, sizeof room, 0, w->parts, w->depth};
    for (int i = 0; i < s->n && !inner.full; i++) {
        form[i] = room + inner.n;
        put_part(&inner, s->part[i]);
        put(&inner, "", 1);
    }
    w->parts = inner.parts;
    w->full |= inner.full;
    if (inner.full) return;
    qsort(form, (size_t)s->n, sizeof *form, by_text);
    int n = s->n > 0;
    for (int i = 1; i < s->n; i++)
        if (strcmp(form[i], form[n - 1]) != 0) form[n++] = form[i];
    int braces = s->shape == ALLOT_SHAPE_SET && n > 1;
    if (braces) put_text(w, "\\{");
    for (int i = 0; i < n; i++) {
        if (i) put_text(w, between);
        put_text(w, form[i]);
    }
    if (braces) put_text(w, "\\}");
}

static void put_rows(writer *w, const allot_structure *s)
{
    put_text(w, s->open == '|' ? "\\begin{vmatrix}" : "\\begin{pmatrix}");
    for (int i = 0; i < s->n; i++) {
        allot_span row = s->part[i];
        if (i) put_text(w, "\\\\");
        for (;;) {
            const char *cut = memchr(row.s, '&', row.n);
            size_t n = cut ? (size_t)(cut - row.s) : row.n;
            put_part(w, (allot_span){row.s, n});
            if (!cut) break;
            put_text(w, "&");
            row = (allot_span){cut + 1, row.n - n - 1};
        }
    }
    put_text(w, s->open == '|' ? "\\end{vmatrix}" : "\\end{pmatrix}");
}

static void put_structure(writer *w, allot_span t, const allot_structure *s)
{
    char open[2] = {s->open, '\0'}, close[2] = {s->close, '\0'};
    switch (s->shape) {
    case ALLOT_SHAPE_LIST:
        put_parts(w, s, s->joined ? " or " : ",");
        return;
    case ALLOT_SHAPE_GROUP:
        put_text(w, open);
        put_parts(w, s, ",");
        put_text(w, close);
        return;
    case ALLOT_SHAPE_SET:
    case ALLOT_SHAPE_UNION:
        put_sorted(w, s);
        return;
    case ALLOT_SHAPE_MATRIX:
        put_rows(w, s);
        return;
    case ALLOT_SHAPE_RELATION:
        put_parts(w, s, s->op);
        return;
    case ALLOT_SHAPE_SINGLE:
        put_lower(w, t);
    }
}

static void put_part(writer *w, allot_span t)
{
    allot_structure s;
    if (++w->parts > MAX_PARTS || ++w->depth > ALLOT_STRUCTURE_DEPTH) {
        w->full = 1;
        return;
    }
    if (t.n > 0 && is_form(t)) {
        put(w, t.s, t.n);
    } else if (t.n > 0 && !put_number(w, t) && !put_realset(w, t)) {
        allot_structure_read(t, &s);
        if (s.n == 1 && (s.shape == ALLOT_SHAPE_GROUP || s.shape == ALLOT_SHAPE_SET))
            put_part(w, s.part[0]);
        else if (s.shape != ALLOT_SHAPE_SINGLE || !put_value(w, t)) put_structure(w, t, &s);
    }
    w->depth--;
}

static int put_moment(writer *w, const char *answer, size_t n)
{
    allot_moment m;
    char text[96];
    if (!allot_moment_read(answer, n, &m)) return 0;
    snprintf(text, sizeof text, "time#%d_%d_%d_%d_%d_%d_%d", m.year, m.month, m.day, m.hour,
             m.minute, m.second, m.half);
    put_text(w, text);
    return 1;
}

size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap)
{
    char text[ALLOT_NORMAL_SIZE], unit[ALLOT_UNIT_SIZE];
    writer w = {.at = out, .cap = cap};
    if (cap == 0) return 0;
    out[0] = '\0';
    allot_span t = {text, allot_normalise(answer, n, text, unit)};
    if (t.n == 0) return 0;
    if (!put_moment(&w, answer, n)) put_part(&w, t);
    if (w.full || w.n == 0) {
        w = (writer){.at = out, .cap = cap};
        put_lower(&w, t);
    }
    return w.full ? 0 : w.n;
}
