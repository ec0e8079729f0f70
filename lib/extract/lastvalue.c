/* SPDX-License-Identifier: Apache-2.0 */
/* lastvalue.c - the value, or the choice, that a text without box and announcement ends with: what
 * the last formula, the last sentence or the last number says. */
#include "lib/extract/lastvalue.h"
#include <ctype.h>
#include <string.h>
#include "lib/extract/announce.h"
#include "lib/extract/lastformula.h"
#include "lib/extract/lastnumber.h"
#include "lib/extract/verdict.h"
#include "lib/grade/moment.h"

/* How many of the n characters are among these. */
static size_t n_of(const char *s, size_t n, const char *these)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += s[i] && strchr(these, s[i]);
    return count;
}

/* Letters of s[from..to) that stand alone, as variables do, of subscripts (x1), too; no article, no
 * sign of a product. */
static int n_variables(const char *s, size_t from, size_t to)
{
    int n = 0;
    for (size_t i = from; i < to; i++)
        n += isalpha((unsigned char)s[i]) && (i == 0 || !isalpha((unsigned char)s[i - 1])) &&
             (i + 1 >= to || !isalpha((unsigned char)s[i + 1])) &&
             !(strchr("xaAI", s[i]) && (i == 0 || s[i - 1] == ' ') && i + 1 < to &&
               s[i + 1] == ' ' && (i > 0 || s[i] != 'x'));
    return n;
}

/* "By [1]", "see [2]", "Step [1]: ..." refer to something. */
static int refers(const char *text, size_t open, size_t close, size_t n)
{
    static const char *const words[] = {"by ",       "from ",      "in ",     "see ",  "step ",
                                        "equation ", "eq. ",       "using ",  "line ", "section ",
                                        "theorem ",  "reference ", "problem "};
    if (close + 1 < n && text[close + 1] == ':') return 1;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t m = strlen(words[k]);
        if (open > m && allot_matches(text + open - 1 - m, m, words[k])) return 1;
    }
    return 0;
}

/* "[45]", a way to mark an answer: the last value in square brackets, if it is alone. */
static int last_bracketed(const char *text, size_t n, const char **start, size_t *len)
{
    for (size_t close = n; close-- > 0;) {
        if (text[close] != ']') continue;
        size_t open = close, before;
        while (open > 0 && text[open - 1] != '[' && !strchr("],\n", text[open - 1]))
            open--;
        if (open == 0 || text[open - 1] != '[') return 0;
        if (refers(text, open, close, n)) continue;
        *start = text + open;
        *len = close - open;
        allot_undress(start, len);
        for (before = open - 1; before > 0 && text[before - 1] == ' ';)
            before--;
        int alone = before == 0 || text[open - 2] == '\n' ||
                    (text[open - 2] == ' ' && !strchr("+-*/^=(<>", text[before - 1]));
        return alone && *len > 0 &&
               (allot_last_digit(*start, *len) > 0 || n_variables(*start, 0, *len) > 0);
    }
    return 0;
}

/* Is the "=" at s[at] one of a relation, not of a sum worked out? "x = 3", "x != 3", "2x - 1 = 0",
 * "x^2 + 2 = 3x", "x1 = 3"; not "4 x 3 = 12". */
static int relates(const char *s, size_t n, size_t at)
{
    size_t before = at, digits;
    while (before > 0 && s[before - 1] == ' ')
        before--;
    if (before == 0) return 0;
    if (isalpha((unsigned char)s[before - 1]) || s[before - 1] < 0 || strchr("<>)}", s[before - 1]))
        return 1;
    if (s[at - 1] == '!') return before < 2 || !isdigit((unsigned char)s[before - 2]);
    for (digits = before; digits > 0 && isdigit((unsigned char)s[digits - 1]);)
        digits--;
    digits -= digits > 1 && s[digits - 1] == '_';
    if (digits > 0 && digits < before && n_variables(s, digits - 1, digits)) return 1;
    int only = !memchr(s, '=', at) && !memchr(s + at + 1, '=', n - at - 1);
    return only && (n_variables(s, 0, before) > 0 || n_variables(s, at + 1, n) > 0);
}

/* "AB = 5": n letters of the m that are left. */
static int is_segment(const char *s, size_t n, size_t m)
{
    if (n < 4 && n < m && s[n] == '^') return 1; /* xy^2 */
    for (size_t i = 0; i < n; i++)
        if (!isupper((unsigned char)s[i])) return 0;
    return n < 4 && (allot_matches(s + n, m - n, "=") || allot_matches(s + n, m - n, " ="));
}

static const char exception[] = "all real numbers except ";

/* What a text says without dress, and without a bracket at its start that nothing closes. */
static void undress_all(const char **s, size_t *n)
{
    allot_undress(s, n);
    if (*n > 1 && memcmp(*s + *n - 2, "]!", 2) == 0) --*n;
    if (*n > 1 && **s == '[' && n_of(*s, *n, "]),") == 0) ++*s, --*n;
}

/* Are the letters s[at..at + run) a word of a language, no name or function in a formula? */
static int is_word(const char *s, size_t n, size_t at, size_t run)
{
    return run > 1 && (at == 0 || s[at - 1] != '\\') && !allot_is_formula_word(s + at, run) &&
           !is_segment(s + at, run, n - at);
}

/* Does the word at s[at] make a sentence of what stands before it? "So ...", "... is prime", "$5$,
 * which", "[60] no, [45]" */
static int makes_sentence(const char *s, size_t n, size_t at)
{
    return n_of(s, at, ". ") == at || allot_matches(s + at - 1, n - at + 1, " is ") ||
           (at > 2 && memcmp(s + at - 3, "$, ", 3) == 0) ||
           (*s == '[' && memchr(s + at, '[', n - at));
}

/* Does the sign at s[at] end a formula? "2 + 2 = 4", "5. ", "result: 5" */
static int ends_formula(const char *s, size_t n, size_t at)
{
    switch (s[at]) {
    case '=':
        return !relates(s, n, at);
    case '.':
        return at + 1 < n && s[at + 1] == ' ';
    case ':':
        return at > 0 && (isalpha((unsigned char)s[at - 1]) || s[at - 1] < 0);
    default:
        return 0;
    }
}

/* The bytes of a word in another script at s[at]; 0: what stands there is ASCII, or a sign of
 * formulas, whose bytes are in *sign. */
static size_t script_word(const char *s, size_t n, size_t at, size_t *sign)
{
    size_t run = 0;
    *sign = s[at] < 0 ? allot_sign_bytes(s + at, n - at) : 0;
    while (*sign == 0 && at + run < n && s[at + run] < 0)
        run++;
    return run;
}

/* "I got 7"; Chinese, Japanese and Korean write sentences without blanks. */
static int begins_sentence(const char *s, size_t n)
{
    size_t sign;
    unsigned char c = (unsigned char)*s;
    if (c == 'I') return allot_letters_after(s, n, 0) == 1;
    return c >= 0xe3 && c < 0xef && script_word(s, n, 0, &sign) > 0;
}

/* A line that is a formula, with a word behind it at most: "x = 3", "[45]", "28 percent". Where it
 * works something out ("2 + 2 = 4"), the end of it is the answer. */
static int whole_text(const char *text, size_t n, const char **start, size_t *len)
{
    int words = 0, verb = 0;
    *start = text;
    *len = n;
    undress_all(start, len);
    const char *s = *start;
    n = *len;
    if (n == 0 || n > 200 || memchr(s, '\n', n)) return 0;
    if (allot_matches(s, n, exception)) return 1;
    if (begins_sentence(s, n)) return 0;
    for (size_t i = 0, run, sign; i < n; i += run + sign ? run + sign : 1) {
        run = script_word(s, n, i, &sign);
        if (run > 0) {
            words++;
            continue;
        }
        run = allot_letters_after(s, n, i);
        if (is_word(s, n, i, run)) {
            if (makes_sentence(s, n, i)) return 0;
            words++;
            verb |= s[i - 1] == ' ' && i + run < n && s[i + run] == ' ';
        }
        if (verb && isdigit((unsigned char)s[i])) return 0; /* "8 - 3 leaves 5" */
        if (ends_formula(s, n, i)) return 0;
    }
    return words <= 1;
}

/* "Paris", "no solution": a few words and nothing else. */
static int few_words(const char *text, size_t n, const char **start, size_t *len)
{
    int words = 1;
    *start = text;
    *len = n;
    allot_undress(start, len);
    for (size_t i = 0; i < *len; i++)
        words += (*start)[i] == ' ';
    return *len > 0 && *len < 40 && words <= 3 && !memchr(*start, '\n', *len);
}

/* Does a formula say more than its last number? "1, 2", "{1, 2}", "x < 0", "f(x) = 3x + 2",
 * "9\pi/4". */
static int says_more(const char *s, size_t n)
{
    if (n_variables(s, 0, n) && n_of(s, n, "=<>^+*/") > 0) return 1;
    if (n_of(s, n, "{[(<\\") > 0) return 1;
    if (n == 1 && *s >= 'A' && *s <= 'J') return 1;
    for (size_t i = 0; i < n; i++)
        if (s[i] < 0) return 1; /* signs beyond ASCII */
    return memmem(s, n, ", ", 2) || memmem(s, n, " or ", 4) || memmem(s, n, " and ", 5) ||
           memmem(s, n, "all real", 8);
}

/* Answers in words that are sets of numbers. */
static int is_known(const char *s, size_t n)
{
    static const char *const words[] = {"no solution",
                                        "no solutions",
                                        "no real solution",
                                        "no real solutions",
                                        "all real numbers",
                                        "all integers",
                                        "undefined",
                                        "infinity",
                                        "true",
                                        "false"};
    return allot_matches_one(s, n, words, sizeof words / sizeof *words) ||
           allot_matches(s, n, exception);
}

/* "1/8 of 2 feet": 1/8. */
static int share_of(const char **start, size_t *len)
{
    const char *of = memmem(*start, *len, " of ", 4), *value;
    size_t n;
    if (!of || of == *start || !isdigit((unsigned char)of[-1]) || memchr(*start, '=', *len) ||
        !whole_text(*start, (size_t)(of - *start), &value, &n))
        return 0;
    *start = value;
    *len = n;
    return 1;
}

/* What stands behind a head at text[from], to the sentence's end, if it is a formula that says more
 * than its last number. */
static int says_behind(const char *text, size_t n, size_t from, const char *head,
                       const char **start, size_t *len)
{
    *start = text + from;
    *len = allot_sentence_end(text, n, from) - from;
    if (strcmp(head, " is ") == 0 && share_of(start, len)) return 1;
    if (strcmp(head, " = ") == 0 && memchr(*start, '=', *len)) return 0;
    return is_known(*start, *len) ||
           (whole_text(*start, *len, start, len) && says_more(*start, *len));
}

/* What the last sentence says behind its last head; of a chain of equations, behind the last. */
static int last_statement(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const heads[] = {
        " is ",     " are ",   ": ",       "thus, ",   "hence, ", "therefore, ",
        "thus ",    "so ",     "hence ",   "so, ",     "then ",   "therefore ",
        "option ",  " = ",     " have ",   " get ",    " got ",   " obtain ",
        " equals ", " gives ", " yields ", "between ", "finally "};
    enum { FAR = 120 };
    allot_trim_blanks(&text, &n);
    n -= n > 0 && text[n - 1] == '.';
    for (size_t at = n; at-- > 0 && n - at < FAR;) {
        if (text[at] == '\n' || (text[at] == '.' && text[at + 1] == ' ')) return 0;
        for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) {
            if (!allot_matches(text + at, n - at, heads[k])) continue;
            if (says_behind(text, n, at + strlen(heads[k]), heads[k], start, len)) return 1;
            if (strcmp(heads[k], " = ") != 0) return 0;
        }
    }
    return 0;
}

/* "The capital is Paris.": a text without digits. */
static int said_in_words(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const verbs[] = {" is ",  " are ",  " got ",  " get ", " equals ",
                                        " has ", " have ", " on a ", ": "};
    if (n_of(text, n, "0123456789") > 0) return 0;
    for (size_t at = n; at-- > 0 && text[at] != '\n';)
        for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++) {
            size_t from = at + strlen(verbs[k]);
            if (!allot_matches(text + at, n - at, verbs[k]) ||
                allot_matches(text + from, n - from, "not "))
                continue;
            return few_words(text + from, allot_sentence_end(text, n, from) - from, start, len);
        }
    return 0;
}

/* "It diverges to \infty.", "She needs x/y.": a last word that is a formula. */
static int last_word(const char *text, size_t n, const char **start, size_t *len)
{
    allot_trim_blanks(&text, &n);
    n -= n > 0 && text[n - 1] == '.';
    size_t from = n;
    while (from > 0 && !isspace((unsigned char)text[from - 1]))
        from--;
    *start = text + from;
    *len = n - from;
    return n_of(*start, *len, "\\/^=") > 0;
}

/* "November 5th" and nothing else. */
static int is_date(const char *text, size_t n, const char **start, size_t *len)
{
    allot_moment moment;
    *start = text;
    *len = n;
    allot_trim_blanks(start, len);
    return allot_moment_read(*start, *len, &moment) && moment.month >= 0;
}

static int find(const char *text, size_t n, const char **start, size_t *len)
{
    return is_date(text, n, start, len) || whole_text(text, n, start, len) ||
           allot_last_formula(text, n, start, len) || last_bracketed(text, n, start, len) ||
           allot_verdict(text, n, start, len) || last_statement(text, n, start, len) ||
           allot_last_number(text, n, start, len) || said_in_words(text, n, start, len) ||
           few_words(text, n, start, len) || last_word(text, n, start, len);
}

int allot_last_value(const char *text, size_t n, const char **start, size_t *len)
{
    int found = find(text, n, start, len);
    if (found) allot_undress(start, len);
    return found && *len > 0;
}

/* A letter alone, between signs: "(B)", "**C**", "it's B"; not "A dog", not "I". */
static int stands_alone(const char *text, size_t n, size_t at)
{
    if (text[at] < 'A' || text[at] > 'J' || text[at] == 'I') return 0;
    if (at > 0 && (isalnum((unsigned char)text[at - 1]) || strchr("\\'_-", text[at - 1]))) return 0;
    if (at + 1 < n && (isalnum((unsigned char)text[at + 1]) || strchr("'_-", text[at + 1])))
        return 0;
    int word_follows = at + 2 < n && text[at + 1] == ' ' && islower((unsigned char)text[at + 2]);
    if (text[at] == 'A' && word_follows && !allot_matches(text + at, n - at, "a is ")) return 0;
    return at < 4 || !allot_matches(text + at - 4, 4, "not ");
}

/* A last line "(c)". */
static int small_choice(const char *text, size_t n, const char **start, size_t *len)
{
    allot_trim_blanks(&text, &n);
    if (n < 3 || text[n - 3] != '(' || text[n - 1] != ')') return 0;
    *start = text + n - 2;
    *len = 1;
    return **start >= 'a' && **start <= 'j' && (n == 3 || text[n - 4] == '\n');
}

/* Is the letter at text[at] a line of its own? */
static int is_line(const char *text, size_t n, size_t at)
{
    return (at == 0 || text[at - 1] == '\n') && (at + 1 == n || text[at + 1] == '\n');
}

/* A first line "C" says more than letters inside the reasons that follow. */
int allot_last_choice(const char *text, size_t n, const char **start, size_t *len)
{
    size_t at = n;
    while (at > 0 && !stands_alone(text, n, at - 1))
        at--;
    if (at == 0) return small_choice(text, n, start, len);
    at--;
    *start =
        is_line(text, n, 0) && stands_alone(text, n, 0) && !is_line(text, n, at) ? text : text + at;
    *len = 1;
    return 1;
}
