/* SPDX-License-Identifier: Apache-2.0 */
/* A parser of one line that keeps the wanted values, and checks all the rest as well. */
#include "lib/readers/jsonrow.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "liballot/jsontext.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"
#include "liballot/utf8.h"

typedef struct {
    allot_jsonrow *shared;
    char *start, *at, *end;
    const char *const *names;
    int n_names;
    allot_rowvalue *out;
    allot_err *err;
} scan;

static allot_code refuse(const scan *s, const char *what)
{
    return allot_fail(s->err, ALLOT_EINPUT, "is not valid JSON at byte %td: %s",
                      s->at - s->start + 1, what);
}

static void skip_blanks(scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
        s->at++;
}

static int take(scan *s, char c)
{
    if (s->at >= s->end || *s->at != c) return 0;
    s->at++;
    return 1;
}

/* ---- strings ---- */

/* Nonzero if one of eight bytes is a quote, a backslash or a control character: the classic test
 * for a zero byte, (v - 0x01..) & ~v & 0x80.., of v with that byte taken out. */
static uint64_t has_special(uint64_t v)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = v ^ (ones * '"'), slash = v ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((v - ones * 0x20) & ~v)) &
           high;
}

/* Steps over bytes that stand for themselves. */
static void skip_plain(scan *s)
{
    const char *at = s->at, *end = s->end;
    uint64_t eight;
    while (end - at >= (long)sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        if (has_special(eight)) break;
        at += sizeof eight;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    s->at += at - s->at;
}

static int hex4(const scan *s, const char *at, uint32_t *out)
{
    *out = 0;
    if (s->end - at < 4) return 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i], low = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0) return 0;
        *out = *out << 4 | (uint32_t)digit;
    }
    return 1;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 63));
        }
        *to++ = (char)(0x80 | (c >> 6 & 63));
    }
    *to++ = (char)(0x80 | (c & 63));
    return to;
}

/* \uXXXX, at the X; two of them for what lies beyond 16 bits. */
static allot_code unicode_escape(scan *s, char **to)
{
    uint32_t c, low;
    if (!hex4(s, s->at, &c)) return refuse(s, "\\u without four hex digits");
    if (c == 0) return allot_fail(s->err, ALLOT_EINPUT, "holds a NUL byte (as \\u0000)");
    s->at += 4;
    if (c >= 0xd800 && c < 0xe000) {
        if (c >= 0xdc00 || s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u' ||
            !hex4(s, s->at + 2, &low) || low < 0xdc00 || low > 0xdfff)
            return refuse(s, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        s->at += 6;
    }
    *to = put_utf8(*to, c);
    return ALLOT_OK;
}

static allot_code escape(scan *s, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    s->at++;
    if (take(s, 'u')) return unicode_escape(s, to);
    const char *found = s->at < s->end && *s->at ? strchr(from, *s->at) : NULL;
    if (!found) return refuse(s, "an unknown escape");
    *(*to)++ = into[found - from];
    s->at++;
    return ALLOT_OK;
}

/* Behind the opening quote; decodes in place, which never makes a text longer. */
static allot_code string(scan *s, const char **text, size_t *n)
{
    char *first = s->at, *to = first;
    for (;;) {
        char *from = s->at;
        skip_plain(s);
        size_t plain = (size_t)(s->at - from);
        if (to != from) memmove(to, from, plain);
        to += plain;
        if (s->at >= s->end) return refuse(s, "a string is not closed");
        if (*s->at == '"') break;
        if (*s->at == '\0') return allot_fail(s->err, ALLOT_EINPUT, "holds a NUL byte");
        if (*s->at != '\\') return refuse(s, "a control character in a string");
        allot_code rc = escape(s, &to);
        if (rc) return rc;
    }
    s->at++;
    *text = first;
    *n = (size_t)(to - first);
    return ALLOT_OK;
}

/* ---- values ---- */

static void digits(scan *s)
{
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
}

static allot_code number(scan *s)
{
    char *first = s->at;
    take(s, '-');
    char *whole = s->at, *part;
    digits(s);
    int good = s->at > whole && (*whole != '0' || s->at == whole + 1);
    if (good && take(s, '.')) {
        part = s->at;
        digits(s);
        good = s->at > part;
    }
    if (good && (take(s, 'e') || take(s, 'E'))) {
        if (!take(s, '-')) take(s, '+');
        part = s->at;
        digits(s);
        good = s->at > part;
    }
    if (!good && s->at == whole && s->at < s->end && (*s->at == 'N' || *s->at == 'I'))
        return refuse(s, "NaN and Infinity are no JSON (write null)");
    if (!good) return refuse(s, s->at == whole ? "no value" : "not a number");
    if (s->at - first > 300 || !isfinite(strtod(first, NULL))) /* the line ends in NUL */
        return allot_fail(s->err, ALLOT_EINPUT, "a number is not finite");
    return ALLOT_OK;
}

static allot_code word(scan *s, const char *w)
{
    size_t n = strlen(w);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, w, n) != 0) return refuse(s, "no value");
    s->at += n;
    return ALLOT_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Which of two fields of one name is meant is not ours to guess. */
static allot_code check_names(scan *s, size_t first)
{
    uint64_t *names = s->shared->names + first;
    size_t n = s->shared->n - first;
    s->shared->n = first;
    if (n < 2) return ALLOT_OK;
    qsort(names, n, sizeof *names, by_value);
    for (size_t i = 1; i < n; i++)
        if (names[i - 1] == names[i])
            return allot_fail(s->err, ALLOT_EINPUT, "a field occurs twice in an object");
    return ALLOT_OK;
}

static allot_code value(scan *s, int depth, allot_rowvalue *out);

static allot_code name(scan *s, int depth, allot_rowvalue **wanted)
{
    const char *text;
    size_t n;
    skip_blanks(s);
    if (!take(s, '"')) return refuse(s, "no field name");
    allot_code rc = string(s, &text, &n);
    if (rc) return rc;
    *wanted = NULL;
    if (depth == 1 && s->shared->n_fields < ALLOT_JSONROW_FIELDS)
        s->shared->field[s->shared->n_fields++] = (allot_rowvalue){ALLOT_ROW_TEXT, text, n};
    for (int i = 0; depth == 1 && i < s->n_names; i++)
        if (strlen(s->names[i]) == n && memcmp(s->names[i], text, n) == 0) *wanted = &s->out[i];
    void *grown = s->shared->names;
    rc = allot_mem_grow(&grown, &s->shared->capacity, s->shared->n + 1, sizeof(uint64_t), s->err);
    s->shared->names = grown;
    if (rc) return rc;
    s->shared->names[s->shared->n++] = allot_fnv1a(ALLOT_FNV_START, text, n);
    skip_blanks(s);
    return take(s, ':') ? ALLOT_OK : refuse(s, "no colon behind a field name");
}

/* Adds an array's item to what its first ones gave, in place: the quotes and the comma between two
 * strings take more room than ", ". */
static void join(scan *s, allot_rowvalue *list, const allot_rowvalue *item)
{
    int scalar = item->kind == ALLOT_ROW_TEXT || item->kind == ALLOT_ROW_NUMBER;
    if (list->kind == ALLOT_ROW_ABSENT && scalar) {
        *list = *item;
        list->kind = ALLOT_ROW_LIST;
    } else if (list->kind == ALLOT_ROW_LIST && item->kind == ALLOT_ROW_TEXT) {
        char *to = s->start + (list->text - s->start) + list->n;
        memcpy(to, ", ", 2);
        memmove(to + 2, item->text, item->n);
        list->n += 2 + item->n;
    } else {
        list->kind = ALLOT_ROW_OTHER;
    }
}

/* Behind '{' or '['; an array's items go to *list. */
static allot_code members(scan *s, int depth, char close, allot_rowvalue *list)
{
    size_t first = s->shared->n;
    allot_rowvalue *wanted = NULL, unwanted;
    skip_blanks(s);
    if (take(s, close)) return ALLOT_OK;
    do {
        allot_code rc = close == '}' ? name(s, depth, &wanted) : ALLOT_OK;
        if (!rc) rc = value(s, depth, wanted ? wanted : &unwanted);
        if (rc) return rc;
        if (close == ']') join(s, list, &unwanted);
        skip_blanks(s);
    } while (take(s, ','));
    if (!take(s, close)) return refuse(s, "no comma, or an end is missing");
    return check_names(s, first);
}

static allot_code value(scan *s, int depth, allot_rowvalue *out)
{
    skip_blanks(s);
    char c = s->at < s->end ? *s->at : ' ';
    if (c == '{' || c == '[') {
        if (depth >= ALLOT_JSON_MAX_DEPTH)
            return allot_fail(s->err, ALLOT_EINPUT, "nested deeper than %d levels",
                              ALLOT_JSON_MAX_DEPTH);
        *out = (allot_rowvalue){c == '{' ? ALLOT_ROW_OTHER : ALLOT_ROW_ABSENT, "", 0};
        s->at++;
        return members(s, depth + 1, c == '{' ? '}' : ']', out);
    }
    if (take(s, '"')) {
        out->kind = ALLOT_ROW_TEXT;
        return string(s, &out->text, &out->n);
    }
    out->kind = c == 'n' ? ALLOT_ROW_ABSENT : ALLOT_ROW_OTHER;
    if (c == 'n' || c == 't' || c == 'f')
        return word(s, c == 'n' ? "null" : c == 't' ? "true" : "false");
    char *first = s->at;
    allot_code rc = number(s);
    *out = (allot_rowvalue){ALLOT_ROW_NUMBER, first, (size_t)(s->at - first)};
    return rc;
}

allot_code allot_jsonrow_read(allot_jsonrow *j, char *line, size_t n, const char *const *names,
                              int n_names, allot_rowvalue *out, allot_err *err)
{
    scan s = {j, line, line, line + n, names, n_names, out, err};
    allot_rowvalue whole;
    j->n = 0;
    j->n_fields = 0;
    for (int i = 0; i < n_names; i++)
        out[i] = (allot_rowvalue){ALLOT_ROW_ABSENT, "", 0};
    allot_code rc = ALLOT_OK;
    size_t valid = allot_utf8_valid(line, n);
    if (valid < n)
        rc = allot_fail(err, ALLOT_EINPUT, "is not UTF-8 at byte %zu (convert it with iconv)",
                        valid + 1);
    skip_blanks(&s);
    if (!rc && (s.at == s.end || *s.at != '{'))
        rc = allot_fail(err, ALLOT_EINPUT, "not a JSON object");
    if (!rc) rc = value(&s, 0, &whole);
    skip_blanks(&s);
    if (!rc && s.at < s.end) rc = allot_fail(err, ALLOT_EINPUT, "something follows the JSON value");
    return rc;
}

void allot_jsonrow_clear(allot_jsonrow *j)
{
    free(j->names);
    *j = (allot_jsonrow){0};
}
