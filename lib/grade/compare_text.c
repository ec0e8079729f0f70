/* SPDX-License-Identifier: Apache-2.0 */
/* compare_text.c - what stands around a value (names, "(mod 7)", a base, a unit), and texts that
 * are compared letter by letter. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/words.h"

int allot_is_point_of_names(allot_span t)
{
    return t.n > 4 && *t.s == '(' && t.s[t.n - 1] == ')' && memchr(t.s, ',', t.n) &&
           strspn(t.s, "(),abcdefghijklmnopqrstuvwxyz ") >= t.n;
}

allot_span allot_without_membership(allot_span t)
{
    if (t.n > 1 && *t.s == '+') t.s++, t.n--; /* +5, +\infty */
    const char *in = memmem(t.s, t.n, "\\in", 3);
    if (!in || in + 4 >= t.s + t.n || isalpha((unsigned char)in[3])) return t;
    allot_span left = {t.s, (size_t)(in - t.s)};
    while (left.n > 1 && left.s[left.n - 1] == ' ')
        left.n--;
    if ((left.n == 1 && isalpha((unsigned char)*t.s)) || allot_is_point_of_names(left))
        return (allot_span){in + 3, t.n - 3 - (size_t)(in - t.s)};
    return t;
}

/* A modulus or a base without brackets; its number if it is spelled. */
static long qualifier_value(allot_span *t)
{
    char word[12] = "";
    while (t->n > 0 && strchr(" ({", *t->s))
        t->s++, t->n--;
    while (t->n > 0 && strchr(" )}", t->s[t->n - 1]))
        t->n--;
    if (t->n < sizeof word) memcpy(word, t->s, t->n);
    int number = allot_words_spelled(word);
    return number >= 0 ? number : strtol(word, NULL, 10);
}

/* Cuts "(mod 7)" off a residue, and "_8" or "_{two}" off the digits of a number in a base; that is
 * *qualifier. */
static allot_span without_qualifier(allot_span t, allot_span *qualifier)
{
    static const char *const words[] = {"\\pmod", "(\\mod", "\\mod", "\\bmod", "(mod", " mod"};
    *qualifier = (allot_span){t.s, 0};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t m = strlen(words[k]);
        const char *at = t.n > 4 ? memmem(t.s, t.n, words[k], m) : NULL;
        if (!at || at == t.s) continue;
        *qualifier = (allot_span){at + m, t.n - m - (size_t)(at - t.s)};
        return (allot_span){t.s, (size_t)(at - t.s)};
    }
    const char *base = memchr(t.s, '_', t.n);
    if (!base || base == t.s || base + 1 == t.s + t.n) return t;
    allot_span digits = {t.s, (size_t)(base - t.s)};
    if (digits.n > 2 && *digits.s == '(' && base[-1] == ')') digits.s++, digits.n -= 2;
    for (size_t i = 0; i < digits.n; i++)
        if (!isdigit((unsigned char)digits.s[i]) && !(digits.s[i] >= 'A' && digits.s[i] <= 'F'))
            return t;
    if (!isdigit((unsigned char)*digits.s)) return t;
    for (const char *c = base + 1; c < t.s + t.n; c++)
        if (!isalnum((unsigned char)*c) && !strchr("{}() ", *c)) return t;
    allot_span number = {base + 1, t.n - 1 - (size_t)(base - t.s)};
    *qualifier = number;
    if (isdigit((unsigned char)*number.s) && qualifier_value(&number) < 2) { /* 1_000 */
        qualifier->n = 0;
        return t;
    }
    return digits;
}

int allot_same_qualified(allot_span a, allot_span b, allot_comparison *c)
{
    allot_span p, q, x = without_qualifier(a, &p), y = without_qualifier(b, &q);
    if (p.n == q.n && p.n == 0) return 0;
    if (p.n && q.n) {
        long m = qualifier_value(&p), k = qualifier_value(&q);
        if (m > 0 || k > 0 ? m != k : !allot_same_text(p, q)) return 0;
    }
    return c->parts(x, y, c);
}

/* Is the brace at t.s[at] one of a pair around one character or none, which changes nothing? */
static int idle_brace(allot_span t, size_t at)
{
    if ((t.s[at] == '{' && at + 1 < t.n && t.s[at + 1] == '}') ||
        (t.s[at] == '}' && at > 0 && t.s[at - 1] == '{'))
        return 1;
    if (t.s[at] == '{') return at + 2 < t.n && t.s[at + 2] == '}' && t.s[at + 1] != '\\';
    return t.s[at] == '}' && at > 1 && t.s[at - 2] == '{' && t.s[at - 1] != '\\';
}

/* Past such braces and blanks; a blank between two digits counts. */
static int next_character(allot_span t, size_t *at)
{
    int blank = 0, digit = *at > 0 && isdigit((unsigned char)t.s[*at - 1]);
    for (; *at < t.n && (t.s[*at] == ' ' || idle_brace(t, *at)); ++*at)
        blank |= t.s[*at] == ' ';
    if (*at == t.n) return -1;
    int c = (unsigned char)t.s[(*at)++];
    return tolower(c) | (blank && digit && isdigit(c) ? 256 : 0);
}

int allot_same_text(allot_span a, allot_span b)
{
    size_t i = 0, j = 0;
    for (int x, y;;) {
        x = next_character(a, &i);
        y = next_character(b, &j);
        if (x != y) return 0;
        if (x < 0) return 1;
    }
}

int allot_are_words(allot_span a, allot_span b)
{
    int ascending[2] = {1, 1}, capitals = 0;
    for (int k = 0; k < 2; k++) {
        allot_span t = k ? b : a;
        char before = '\0';
        int letters = 0;
        for (size_t i = 0; i < t.n; i++) {
            if (t.s[i] == ' ') continue;
            if (!isalpha((unsigned char)t.s[i])) return 0;
            ascending[k] &= t.s[i] > before;
            capitals |= isupper((unsigned char)t.s[i]);
            before = t.s[i];
            letters++;
        }
        if (letters < 3) return 0;
    }
    return capitals || !(ascending[0] || ascending[1]);
}

allot_span allot_without_unit(allot_span t)
{
    t.n = allot_words_before_unit(t.s, t.n);
    if (t.n > 2 && memcmp(t.s + t.n - 2, "\xc2\xb0", 2) == 0 && !allot_words_angle(t.s, t.n))
        t.n -= 2;
    return t;
}

int allot_rename(allot_span t, char from, char to, char *out)
{
    for (size_t i = 0, run; i < t.n; i += run ? run : 1) {
        int command = t.s[i] == '\\';
        for (run = (size_t)command; i + run < t.n && isalpha((unsigned char)t.s[i + run]);)
            run++;
        if (!run) out[i] = t.s[i];
        for (size_t j = i; j < i + run; j++) {
            int word = command || run > 2;
            if (!word && t.s[j] == to) return 0;
            out[j] = !word && t.s[j] == from ? to : t.s[j];
        }
    }
    return 1;
}
