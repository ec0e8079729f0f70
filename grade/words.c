/* SPDX-License-Identifier: Apache-2.0 */
#include "grade/words.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *from, *to;
} meanings[] = {{"infinity", "\\infty"},
                {"inf", "\\infty"},
                {"+infinity", "\\infty"},
                {"positive infinity", "\\infty"},
                {"-infinity", "-\\infty"},
                {"-inf", "-\\infty"},
                {"negative infinity", "-\\infty"},
                {"all real numbers", "\\mathbb{R}"},
                {"all real number", "\\mathbb{R}"},
                {"all reals", "\\mathbb{R}"},
                {"real numbers", "\\mathbb{R}"},
                {"all integers", "\\mathbb{Z}"},
                {"no solution", "\\emptyset"},
                {"no solutions", "\\emptyset"},
                {"no real solution", "\\emptyset"},
                {"no real solutions", "\\emptyset"},
                {"there is no solution", "\\emptyset"},
                {"there are no solutions", "\\emptyset"},
                {"empty set", "\\emptyset"},
                {"dne", "undefined"},
                {"does not exist", "undefined"}};

static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"twenty", "thirty",  "forty",  "fifty",
                                   "sixty",  "seventy", "eighty", "ninety"};

/* The number that a text spells, up to ninety-nine; -1: none. */
static int spelled_number(const char *s)
{
    size_t n = sizeof small / sizeof *small;
    for (size_t k = 0; k < n; k++)
        if (strcasecmp(s, small[k]) == 0) return (int)k;
    for (size_t k = 0; k < sizeof tens / sizeof *tens; k++) {
        size_t m = strlen(tens[k]);
        int ten = 20 + 10 * (int)k;
        if (strncasecmp(s, tens[k], m) != 0) continue;
        if (!s[m]) return ten;
        if (!strchr(" -", s[m])) return -1;
        for (int unit = 1; unit < 10; unit++)
            if (strcasecmp(s + m + 1, small[unit]) == 0) return ten + unit;
    }
    return -1;
}

static void cut(char *s, size_t n)
{
    memmove(s, s + n, strlen(s + n) + 1);
}

/* "the dog", "a circle", "USD 5". */
static void drop_prefix(char *s)
{
    static const char *const articles[] = {"the ", "a ", "an "}, *const money[] = {"usd ", "us",
                                                                                   "eur ", "rs ",
                                                                                   "rs."};
    for (size_t k = 0; k < sizeof articles / sizeof *articles; k++) {
        size_t m = strlen(articles[k]);
        if (strncasecmp(s, articles[k], m) == 0 && isalpha((unsigned char)s[m]) &&
            isalpha((unsigned char)s[m + 1]) && isalpha((unsigned char)s[m + 2]))
            cut(s, m);
    }
    for (size_t k = 0; k < sizeof money / sizeof *money; k++) {
        size_t m = strlen(money[k]);
        if (strncasecmp(s, money[k], m) == 0 && isdigit((unsigned char)s[m])) cut(s, m);
    }
}

/* "6.02 x 10^23": the letter stands for times. */
static void read_times(char *s)
{
    for (char *x = s; (x = strchr(x, 'x')); x++) {
        char *from = x, *to = x + 1;
        if (from > s && from[-1] == ' ') from--;
        if (*to == ' ') to++;
        if (from == s || !isdigit((unsigned char)from[-1]) || strncmp(to, "10^", 3) != 0) continue;
        *from = '*';
        memmove(from + 1, to, strlen(to) + 1);
        x = from;
    }
}

void allot_words_replace(char *s)
{
    drop_prefix(s);
    read_times(s);
    if (!isalpha((unsigned char)*s) && !strchr("+-", *s)) return;
    for (size_t k = 0; k < sizeof meanings / sizeof *meanings; k++) {
        if (strcasecmp(s, meanings[k].from) != 0) continue;
        strcpy(s, meanings[k].to);
        return;
    }
    int number = spelled_number(s);
    if (number >= 0) sprintf(s, "%d", number);
}

static int is_unit(const char *word, size_t n)
{
    static const char *const not_units[] = {"and", "or",   "sin", "cos", "tan", "log",
                                            "exp", "sqrt", "mod", "cot", "sec", "csc"};
    static const char *const units[] = {"cm",  "mm", "km", "kg", "ft", "in", "ml", "hr",
                                        "pct", "mg", "dm", "lb", "oz", "yd", "mi", "Hz"};
    for (size_t k = 0; k < sizeof not_units / sizeof *not_units; k++)
        if (n == strlen(not_units[k]) && memcmp(word, not_units[k], n) == 0) return 0;
    if (n >= 3) return 1;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (n == 2 && memcmp(word, units[k], 2) == 0) return 1;
    return 0;
}

size_t allot_words_before_power(const char *s, size_t n)
{
    static const char *const powers[] = {"^2", "^3", "^{2}", "^{3}"};
    for (size_t k = 0; k < sizeof powers / sizeof *powers; k++) {
        size_t m = strlen(powers[k]);
        if (n >= m && memcmp(s + n - m, powers[k], m) == 0) return n - m;
    }
    return n;
}

size_t allot_words_before_unit(const char *s, size_t length)
{
    size_t n = allot_words_before_power(s, length), at = n;
    while (at > 0 && (isalpha((unsigned char)s[at - 1]) || s[at - 1] == ' '))
        at--;
    if (at == 0 || at == n || s[at] != ' ' || !strchr("0123456789})", s[at - 1])) return length;
    for (size_t i = at + 1, end; i < n; i = end + 1) {
        for (end = i; end < n && s[end] != ' ';)
            end++;
        if (i == at + 1 ? !is_unit(s + i, end - i) : end - i == 1) return length;
        if (end - i == 3 && memcmp(s + i, "and", 3) == 0) return length;
        if (end - i == 2 && memcmp(s + i, "or", 2) == 0) return length;
    }
    return at;
}
