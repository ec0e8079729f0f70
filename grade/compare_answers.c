/* SPDX-License-Identifier: Apache-2.0 */
/* compare_answers.c - the canonical form of an answer and equality with the reference. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "grade/grade.h"
#include "grade/number.h"

/* Spellings that change nothing; the longer ones first. */
static const struct {
    const char *from, *to;
} spellings[] = {
    {"\\displaystyle", ""}, {"\\dfrac", "\\frac"}, {"\\tfrac", "\\frac"}, {"\\cfrac", "\\frac"},
    {"\\times", "*"},       {"\\cdot", "*"},       {"\\left", ""},        {"\\right", ""},
    {"\\!", ""},            {"\\,", ""},           {"\\;", ""},           {"\\:", ""},
    {"\\ ", " "},           {"\\%", "%"},          {"\\$", ""},           {"$", ""},
    {"{,}", ","},           {"\xe2\x88\x92", "-"}, {"\xe2\x80\x93", "-"}, {"\xc3\x97", "*"},
    {"\xc2\xa0", " "},      {"\\{", "{"},          {"\\}", "}"},          {"^{\\circ}", ""},
    {"^\\circ", ""},        {"\\circ", ""},        {"\xc2\xb0", ""},      {"~", " "}};

static size_t respell(const char *s, size_t n, char *out, size_t cap)
{
    size_t m = 0;
    while (n > 0 && m + 8 < cap) {
        size_t k, used = 0;
        for (k = 0; k < sizeof spellings / sizeof *spellings; k++) {
            used = strlen(spellings[k].from);
            if (n >= used && memcmp(s, spellings[k].from, used) == 0) break;
        }
        if (k < sizeof spellings / sizeof *spellings) {
            size_t put = strlen(spellings[k].to);
            memcpy(out + m, spellings[k].to, put);
            m += put;
        } else {
            used = 1;
            out[m++] = *s;
        }
        s += used;
        n -= used;
    }
    out[m] = '\0';
    return m;
}

/* \text{...} and \mathrm{...}: the braces go, the words stay. */
static void open_text(char *s)
{
    static const char *const names[] = {"\\text{", "\\textbf{", "\\mathrm{", "\\mbox{"};
    for (int k = 0; k < 4; k++) {
        size_t m = strlen(names[k]);
        char *at;
        while ((at = strstr(s, names[k]))) {
            char *close = strchr(at + m, '}');
            if (!close) return;
            memmove(close, close + 1, strlen(close));
            memmove(at, at + m, strlen(at + m) + 1);
        }
    }
}

/* Blanks next to anything but two word characters mean nothing; final dots neither. */
static void squeeze(char *s)
{
    size_t m = 0;
    for (size_t i = 0; s[i]; i++) {
        if (isspace((unsigned char)s[i])) {
            size_t j = i;
            while (isspace((unsigned char)s[j])) j++;
            int between = m > 0 && isalnum((unsigned char)s[m - 1]) && isalnum((unsigned char)s[j]);
            i = j - 1;
            if (between) s[m++] = ' ';
        } else {
            s[m++] = s[i];
        }
    }
    while (m > 0 && s[m - 1] == '.') m--;
    s[m] = '\0';
}

/* "x=3" answers "3". */
static const char *without_name(const char *s)
{
    return isalpha((unsigned char)s[0]) && s[1] == '=' && s[2] && !strchr(s + 2, '=') ? s + 2 : s;
}

/* Normalised spelling of an answer in out [ALLOT_ANSWER_MAX + 16]; 0 if there is none. */
static size_t normalise(const char *answer, size_t n, char *out)
{
    if (n == 0 || n > ALLOT_ANSWER_MAX || memchr(answer, '\0', n)) return 0;
    respell(answer, n, out, ALLOT_ANSWER_MAX + 16);
    open_text(out);
    squeeze(out);
    const char *value = without_name(out);
    memmove(out, value, strlen(value) + 1);
    return strlen(out);
}

size_t allot_canonical(const char *answer, size_t n, char *out, size_t cap)
{
    char text[ALLOT_ANSWER_MAX + 16];
    if (cap == 0) return 0;
    out[0] = '\0';
    size_t len = normalise(answer, n, text);
    if (len == 0) return 0;
    mpq_t q;
    mpq_init(q);
    if (allot_number_parse(text, q) &&
        mpz_sizeinbase(mpq_numref(q), 10) + mpz_sizeinbase(mpq_denref(q), 10) + 3 < sizeof text) {
        mpq_get_str(text, 10, q);
        len = strlen(text);
    } else {
        for (char *c = text; *c; c++) *c = (char)tolower((unsigned char)*c);
    }
    mpq_clear(q);
    if (len >= cap) return 0;
    memcpy(out, text, len + 1);
    return len;
}

/* A decimal may be a rounding of the reference: relative 1e-6; a whole number is exact. */
static int nearly(const mpq_t a, const mpq_t b)
{
    if (mpz_cmp_ui(mpq_denref(a), 1) == 0 || mpz_cmp_ui(mpq_denref(b), 1) == 0) return 0;
    mpq_t difference, scale;
    mpq_init(difference);
    mpq_init(scale);
    mpq_sub(difference, a, b);
    mpq_abs(difference, difference);
    mpq_set_ui(scale, 1, 1000000);
    mpq_mul(scale, scale, a);
    mpq_abs(scale, scale);
    int close = mpq_cmp(difference, scale) <= 0;
    mpq_clear(difference);
    mpq_clear(scale);
    return close;
}

int allot_answers_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred)
{
    char a[ALLOT_ANSWER_MAX + 16], b[ALLOT_ANSWER_MAX + 16];
    if (!allot_canonical(reference, n_ref, a, sizeof a) ||
        !allot_canonical(prediction, n_pred, b, sizeof b))
        return 0;
    if (strcmp(a, b) == 0) return 1;
    mpq_t x, y;
    mpq_init(x);
    mpq_init(y);
    int equal = allot_number_parse(a, x) && allot_number_parse(b, y) && nearly(x, y);
    mpq_clear(x);
    mpq_clear(y);
    return equal;
}
