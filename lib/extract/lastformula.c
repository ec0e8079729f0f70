/* SPDX-License-Identifier: Apache-2.0 */
/* lastformula.c - the last formula between the signs of TeX, with those before it that belong to
 * the same answer. */
#include "lib/extract/lastformula.h"
#include <ctype.h>
#include <string.h>
#include "lib/extract/announce.h"
#include "lib/extract/lastnumber.h"

/* The formula between dollars, \( \) or \[ \] that ends text of n bytes; its command's or dollar's
 * place in *open. */
static int formula_before(const char *text, size_t n, size_t *open, const char **start, size_t *len)
{
    if (n < 2) return 0;
    char close = text[n - 1];
    if (close != '$' && !(text[n - 2] == '\\' && strchr(")]", close))) return 0;
    size_t to = n - (close == '$' ? 1 : 2), from = to;
    char opener = close == ')' ? '(' : close == ']' ? '[' : '$';
    while (from > 0 &&
           !(text[from - 1] == opener && (opener == '$' || (from > 1 && text[from - 2] == '\\'))))
        from--;
    if (from == 0) return 0;
    *open = from - (opener == '$' ? 1 : 2);
    *start = text + from;
    *len = to - from;
    allot_trim_blanks(start, len);
    return *len > 0 && *len < 300;
}

/* Is the formula that begins at text[open] about the one before it? "$n + 1$ for all $n$", "$9$
 * when $x = 3$", "$9$ cm$^2$". */
static int is_about_another(const char *text, size_t open, const char *formula, size_t n)
{
    static const char *const words[] = {"where ",         "$ when ",          "$ at ",
                                        "$ since ",       "$ because ",       "$, attained at ",
                                        "$ attained at ", "$, attained when "};
    static const char *const conditions[] = {"for some ", "for all ", "for every ", "for any ",
                                             "for each "};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t m = strlen(words[k]);
        if (open >= m && allot_matches(text + open - m, m, words[k])) return 1;
    }
    for (size_t at = open; at > 0 && open - at < 40 && !strchr("$.\n", text[at - 1]); at--)
        for (size_t k = 0; k < sizeof conditions / sizeof *conditions; k++)
            if (allot_matches(text + at - 1, open - at + 1, conditions[k])) return 1;
    return *formula == '^' || allot_matches(formula, n, "\\blacksquare");
}

/* "3x = 27" before "and $x = 9$" is no part of the answer; "x = 1" before "and $y = 2$" is. */
static int is_a_step(const char *formula, size_t n, const char *last, size_t n_last)
{
    const char *equals = memchr(formula, '=', n);
    if (!equals || !memchr(last, '=', n_last)) return 0;
    for (const char *c = formula; c < equals; c++)
        if (strchr("+-*/^", *c) || (c == formula && isdigit((unsigned char)*c))) return 1;
    return 0;
}

int allot_last_formula(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = n, open = n, joint;
    do {
        end = open;
        while (end > 0 && text[end - 1] != '$' &&
               !(end > 1 && text[end - 2] == '\\' && strchr(")]", text[end - 1])))
            if (isdigit((unsigned char)text[--end])) return 0;
        if (!formula_before(text, end, &open, start, len)) return 0;
    } while (is_about_another(text, open, *start, *len));
    const char *last = *start + *len, *before;
    size_t length;
    for (int k = 0; k < 16 && (joint = allot_before_joint(text, open)) < open; k++) {
        if (!formula_before(text, joint, &open, &before, &length) ||
            is_a_step(before, length, *start, *len))
            break;
        *start = before;
        *len = (size_t)(last - before);
    }
    return 1;
}
