/* SPDX-License-Identifier: Apache-2.0 */
/* matrixvalue.c - reads matrices with the values of their cells at a random point, and works out
 * sums, products and powers of them. */
#include "lib/grade/matrixvalue.h"
#include <complex.h>
#include <ctype.h>
#include <math.h>
#include <string.h>
#include "lib/grade/expression.h"

enum { MAX_CELLS = 64, MAX_DEPTH = 5, MAX_POWER = 10, MAX_WORK = 100, CHECKED_POINTS = 3 };

typedef struct {
    int rows, cols;
    int tuple; /* written as (1,2): a row or a column */
    double complex at[MAX_CELLS];
} matrix;

typedef struct {
    unsigned point;
    int depth, left; /* left: cells and factors that may still be read */
} reading;

static int read_sum(allot_span t, reading *r, matrix *out);

int allot_matrix_evident(allot_span t)
{
    return t.n > 20 && (memmem(t.s, t.n, "matrix}", 7) || memmem(t.s, t.n, "{array}", 7));
}

/* ---- arithmetic ---- */

static int is_scalar(const matrix *m)
{
    return m->rows == 1 && m->cols == 1;
}

static int add(matrix *a, const matrix *b, int minus)
{
    if (a->rows != b->rows || a->cols != b->cols) return 0;
    for (int i = 0; i < a->rows * a->cols; i++)
        a->at[i] += minus ? -b->at[i] : b->at[i];
    return 1;
}

static int multiply(matrix *a, const matrix *b)
{
    const matrix x = *a;
    if (is_scalar(a) || is_scalar(b)) {
        const matrix *m = is_scalar(a) ? b : &x;
        double complex k = is_scalar(a) ? x.at[0] : b->at[0];
        *a = *m;
        for (int i = 0; i < a->rows * a->cols; i++)
            a->at[i] *= k;
        return 1;
    }
    if (x.cols != b->rows || x.rows * b->cols > MAX_CELLS) return 0;
    a->cols = b->cols;
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < b->cols; j++) {
            double complex sum = 0;
            for (int k = 0; k < x.cols; k++)
                sum += x.at[i * x.cols + k] * b->at[k * b->cols + j];
            a->at[i * a->cols + j] = sum;
        }
    return 1;
}

static void transpose(matrix *a)
{
    const matrix x = *a;
    a->rows = x.cols;
    a->cols = x.rows;
    for (int i = 0; i < x.rows; i++)
        for (int j = 0; j < x.cols; j++)
            a->at[j * x.rows + i] = x.at[i * x.cols + j];
}

/* Gauss and Jordan with row exchanges: a becomes its inverse. Returns the determinant, 0 if there
 * is no inverse. */
static double complex invert(matrix *a)
{
    int n = a->rows;
    matrix x = *a;
    double complex determinant = 1;
    if (n != a->cols) return 0;
    for (int i = 0; i < n * n; i++)
        a->at[i] = i % (n + 1) == 0;
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (cabs(x.at[i * n + k]) > cabs(x.at[best * n + k])) best = i;
        double complex pivot = x.at[best * n + k];
        if (cabs(pivot) < 1e-12) return 0;
        determinant *= best == k ? pivot : -pivot;
        for (int j = 0; j < n; j++) {
            double complex p = x.at[best * n + j], q = a->at[best * n + j];
            x.at[best * n + j] = x.at[k * n + j];
            a->at[best * n + j] = a->at[k * n + j];
            x.at[k * n + j] = p / pivot;
            a->at[k * n + j] = q / pivot;
        }
        for (int i = 0; i < n; i++) {
            double complex f = x.at[i * n + k];
            for (int j = 0; i != k && j < n; j++) {
                x.at[i * n + j] -= f * x.at[k * n + j];
                a->at[i * n + j] -= f * a->at[k * n + j];
            }
        }
    }
    return determinant;
}

static void to_determinant(matrix *a)
{
    double complex determinant = invert(a);
    *a = (matrix){.rows = 1, .cols = 1, .at = {determinant}};
}

static int raise_to(matrix *a, int k)
{
    if (a->rows != a->cols || k > MAX_POWER || k < -1) return 0;
    if (k < 0) return invert(a) != 0;
    matrix result = *a, base = *a;
    for (int i = 0; i < a->rows * a->rows; i++)
        result.at[i] = i % (a->rows + 1) == 0;
    while (k-- > 0)
        if (!multiply(&result, &base)) return 0;
    *a = result;
    return 1;
}

/* ---- texts ---- */

static int read_scalar(allot_span t, reading *r, double complex *z)
{
    allot_value v;
    if (r->left-- <= 0 || !allot_expression_eval(t.s, t.n, r->point, &v)) return 0;
    *z = v.z;
    return isfinite(creal(v.z)) && isfinite(cimag(v.z));
}

/* Cells of one row, split at `sign`; all rows have as many. */
static int read_row(allot_span row, char sign, reading *r, matrix *out)
{
    int cols = 0;
    for (const char *from = row.s, *end = row.s + row.n, *to; from <= end; from = to + 1) {
        to = memchr(from, sign, (size_t)(end - from));
        if (!to) to = end;
        int at = out->rows * out->cols + cols;
        if (out->rows == 0) out->cols = cols + 1, at = cols;
        if (at >= MAX_CELLS || cols >= out->cols ||
            !read_scalar((allot_span){from, (size_t)(to - from)}, r, &out->at[at]))
            return 0;
        cols++;
    }
    out->rows++;
    return cols == out->cols;
}

static int read_literal(allot_span t, reading *r, matrix *out)
{
    allot_structure s;
    allot_structure_read(t, &s);
    out->rows = out->cols = out->tuple = 0;
    if (s.shape != ALLOT_SHAPE_MATRIX) return 0;
    for (int i = 0; i < s.n; i++)
        if (!read_row(s.part[i], '&', r, out)) return 0;
    if (s.open == '|') to_determinant(out);
    return 1;
}

/* (1, 2), or [[1, 2], [3, 4]]. */
static int read_tuple(allot_span t, reading *r, matrix *out)
{
    allot_structure s;
    allot_structure_read(t, &s);
    out->rows = out->cols = 0;
    if (s.shape != ALLOT_SHAPE_GROUP || s.n < 2 || (s.open == '(') != (s.close == ')')) return 0;
    int nested = *s.part[0].s == '[' || *s.part[0].s == '(';
    out->tuple = !nested;
    for (int i = 0; i < s.n; i++) {
        allot_span row = s.part[i];
        if (nested && (row.n < 3 || !strchr("[(", *row.s))) return 0;
        if (nested) row = (allot_span){row.s + 1, row.n - 2};
        if (!read_row(row, ',', r, out)) return 0;
    }
    return 1;
}

/* The end of the group that opens at t.s[at]: a bracket, or \begin up to its \end{...}. */
static size_t group_end(allot_span t, size_t at)
{
    int depth = 0;
    for (; at < t.n; at++) {
        size_t rest = t.n - at;
        char c = t.s[at];
        if (c == '\\' && rest > 5 && memcmp(t.s + at, "\\begin", 6) == 0) {
            depth++;
            at += 5;
        } else if (c == '\\' && rest > 3 && memcmp(t.s + at, "\\end", 4) == 0) {
            const char *close = memchr(t.s + at, '}', rest);
            if (!close) return t.n;
            at = (size_t)(close - t.s);
            depth--;
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if (c == ')' || c == ']' || c == '}') {
            depth--;
        }
        if (depth == 0) return at + 1;
    }
    return t.n;
}

/* ^T, ^{-1}, ^2 behind a matrix; *at moves behind it. */
static int read_power(allot_span t, size_t *at, matrix *m)
{
    static const char *const transposes[] = {"T", "\\top", "t", "\\intercal"};
    if (*at >= t.n || t.s[*at] != '^') return 1;
    size_t from = *at + 1, to;
    if (from < t.n && t.s[from] == '{') {
        to = group_end(t, from++);
        *at = to--;
    } else {
        to = from + 1;
        while (to < t.n && from < to && t.s[from] == '\\' && isalpha((unsigned char)t.s[to]))
            to++;
        *at = to;
    }
    if (to > t.n || to <= from) return 0;
    for (size_t k = 0; k < sizeof transposes / sizeof *transposes; k++) {
        if (to - from != strlen(transposes[k]) || memcmp(t.s + from, transposes[k], to - from) != 0)
            continue;
        transpose(m);
        return 1;
    }
    if (to - from == 2 && memcmp(t.s + from, "-1", 2) == 0) return raise_to(m, -1);
    return to - from == 1 && isdigit((unsigned char)t.s[from]) && raise_to(m, t.s[from] - '0');
}

/* The next factor: a literal, a bracket that holds a matrix, or all up to one of these. */
static int read_factor(allot_span t, size_t *at, reading *r, matrix *out)
{
    size_t from = *at, end = group_end(t, from);
    allot_span piece = {t.s + from, end - from};
    int determinant = t.n - from > 4 && memcmp(t.s + from, "\\det", 4) == 0;
    if (determinant) {
        *at += 4;
        if (!read_factor(t, at, r, out) || out->rows != out->cols) return 0;
        to_determinant(out);
        return 1;
    }
    if (piece.n > 6 && memcmp(piece.s, "\\begin", 6) == 0) {
        *at = end;
        return read_literal(piece, r, out) && read_power(t, at, out);
    }
    if (strchr("([", *piece.s) && allot_matrix_evident(piece)) {
        *at = end;
        return read_sum((allot_span){piece.s + 1, piece.n - 2}, r, out) && read_power(t, at, out);
    }
    for (size_t next = from; (end = next) < t.n;) {
        next = group_end(t, end);
        piece = (allot_span){t.s + end, next - end};
        if (allot_matrix_evident(piece) || (t.n - end > 4 && !memcmp(t.s + end, "\\det", 4))) break;
    }
    piece = (allot_span){t.s + from, end - from};
    int over = *piece.s == '/';
    while (piece.n && strchr("*/ ", *piece.s))
        piece.s++, piece.n--;
    while (piece.n && strchr("* ", piece.s[piece.n - 1]))
        piece.n--;
    *at = end;
    out->rows = out->cols = 1;
    out->tuple = 0;
    if (piece.n == 0) out->at[0] = 1;
    else if (!read_scalar(piece, r, &out->at[0])) return 0;
    if (over) out->at[0] = 1 / out->at[0];
    return 1;
}

static int read_product(allot_span t, reading *r, matrix *out)
{
    matrix factor;
    size_t at = 0;
    *out = (matrix){.rows = 1, .cols = 1, .at = {1}};
    while (at < t.n)
        if (r->left-- <= 0 || !read_factor(t, &at, r, &factor) || !multiply(out, &factor)) return 0;
    return t.n > 0;
}

static int read_sum(allot_span t, reading *r, matrix *out)
{
    int minus = 0, terms = 0;
    matrix term;
    if (++r->depth > MAX_DEPTH) return 0;
    for (size_t from = 0, at = 0; at <= t.n;) {
        int sign = at < t.n && strchr("+-", t.s[at]) && (at == 0 || !strchr("^*/", t.s[at - 1]));
        if (at < t.n && !sign) {
            at = group_end(t, at);
            if (at < t.n) continue;
        }
        if (at > from) {
            if (!read_product((allot_span){t.s + from, at - from}, r, &term)) return 0;
            if (terms++ == 0) {
                *out = (matrix){.rows = term.rows, .cols = term.cols};
                out->tuple = term.tuple;
            }
            if (!add(out, &term, minus)) return 0;
        }
        if (at == t.n) break;
        minus = t.s[at] == '-';
        from = ++at;
    }
    r->depth--;
    return terms > 0;
}

static int read_matrix(allot_span t, unsigned point, matrix *out)
{
    reading r = {.point = point, .left = MAX_WORK};
    if (t.n > 600) return 0;
    return allot_matrix_evident(t) ? read_sum(t, &r, out)
                                   : read_tuple(t, &r, out) || read_sum(t, &r, out);
}

static int same_shape(const matrix *a, const matrix *b)
{
    if (a->rows == b->rows && a->cols == b->cols) return 1;
    return (a->tuple || b->tuple) && a->rows == b->cols && a->cols == b->rows &&
           (a->rows == 1 || a->cols == 1);
}

int allot_matrices_equal(allot_span a, allot_span b)
{
    matrix x, y;
    for (unsigned point = 0; point < CHECKED_POINTS; point++) {
        if (!read_matrix(a, point, &x) || !read_matrix(b, point, &y) || !same_shape(&x, &y))
            return 0;
        for (int i = 0; i < x.rows * x.cols; i++) {
            double size = fmax(cabs(x.at[i]), cabs(y.at[i]));
            if (!(cabs(x.at[i] - y.at[i]) <= 1e-9 * fmax(size, 1e-3))) return 0;
        }
    }
    return 1;
}
