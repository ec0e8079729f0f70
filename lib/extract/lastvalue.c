/* SPDX-License-Identifier: Apache-2.0 */
/* lastvalue.c - the value, or the choice, that a text without box and announcement ends with: what
 * the last formula, the last sentence or the last number says. */
#include "lib/extract/lastvalue.h"
#include <ctype.h>
#include <string.h>
#include "lib/extract/announce.h"
#include "lib/extract/lastnumber.h"
#include "lib/grade/moment.h"

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

/* A line that is a formula, with a word behind it at most: "x = 3", "[45]", "28 percent". Where it
 * works something out ("2 + 2 = 4"), the end of it is the answer. */
static int whole_text(const char *text, size_t n, const char **start, size_t *len)
{
    int words = 0, verb = 0;
    *start = text;
    *len = n;
    allot_undress(start, len);
    if (*len > 1 && memcmp(*start + *len - 2, "]!", 2) == 0) --*len;
    if (*len > 1 && **start == '[' && n_of(*start, *len, "]),") == 0) /* never closed */
        ++*start, --*len;
    const char *s = *start;
    if (*len == 0 || *len > 200 || memchr(s, '\n', *len)) return 0;
    if (allot_matches(s, *len, exception)) return 1;
    for (size_t i = 0, run; i < *len; i += run ? run : 1) {
        for (run = 0; i + run < *len && isalpha((unsigned char)s[i + run]);)
            run++;
        if (i == 0 && run == 1 && *s == 'I') return 0; /* "I got 7" */
        int is_word = run > 1 && (i == 0 || s[i - 1] != '\\') &&
                      !allot_is_formula_word(s + i, run) && !is_segment(s + i, run, *len - i);
        if (is_word && (n_of(s, i, ". ") == i || allot_matches(s + i - 1, *len - i + 1, " is ")))
            return 0;
        if (is_word && i > 2 && memcmp(s + i - 3, "$, ", 3) == 0) return 0;
        if (is_word && *s == '[' && memchr(s + i, '[', *len - i)) return 0; /* "[60] no, [45]" */
        words += is_word;
        verb |= is_word && s[i - 1] == ' ' && i + run < *len && s[i + run] == ' ';
        if (s[i] < 0 && (run = allot_sign_bytes(s + i, *len - i)) == 0) {
            while (i + run < *len && s[i + run] < 0)
                run++;
            if (i == 0 && (unsigned char)*s >= 0xe3 && (unsigned char)*s < 0xef)
                return 0; /* words of other scripts */
            words++;
        }
        if (verb && isdigit((unsigned char)s[i])) return 0; /* "8 - 3 leaves 5" */
        if (s[i] == '=' && !relates(s, *len, i)) return 0;
        if (s[i] == '.' && i + 1 < *len && s[i + 1] == ' ') return 0;
        if (s[i] == ':' && i > 0 && (isalpha((unsigned char)s[i - 1]) || s[i - 1] < 0)) return 0;
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
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == n && allot_matches(s, n, words[k])) return 1;
    return allot_matches(s, n, exception);
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

/* What the last sentence says behind "is", "are", a colon or "thus", if it is a formula that says
 * more than its last number. */
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
            size_t m = strlen(heads[k]);
            if (!allot_matches(text + at, n - at, heads[k])) continue;
            *start = text + at + m;
            *len = allot_sentence_end(text, n, at + m) - at - m;
            if (k == 0 && share_of(start, len)) return 1;
            int equation = heads[k][1] == '=', good = !equation || !memchr(*start, '=', *len);
            if (good && (is_known(*start, *len) ||
                         (whole_text(*start, *len, start, len) && says_more(*start, *len))))
                return 1;
            if (!equation) return 0;
        }
    }
    return 0;
}

static int has_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isdigit((unsigned char)s[i])) return 1;
    return 0;
}

/* "Yes, because 5 > 3", "No, it is not", "True, since 2 + 2 = 4". */
static int answers_yes(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const words[] = {"yes,", "no,", "true", "false"};
    size_t k = 0;
    while (k < 4 && !allot_matches(text, n, words[k]))
        k++;
    if (k == 4) return 0;
    *start = text;
    *len = strlen(words[k]) - (k < 2);
    if (k < 2) return !has_digits(text, n) || allot_sentence_end(text, n, 0) == *len;
    return *len == n || strchr(".,;:!*\n", text[*len]) ||
           allot_matches(text + *len, n - *len, " because ") ||
           allot_matches(text + *len, n - *len, " since ") ||
           allot_matches(text + *len, n - *len, " - ");
}

/* "After all, true.": a last word; not "is not true", "true or false". */
static int ends_with_verdict(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const words[] = {", true",  ": true",  " so true",
                                        ", false", ": false", " so false"};
    while (n > 0 && strchr(".!* \n", text[n - 1]))
        n--;
    for (size_t k = 0; k < 6; k++) {
        size_t m = strlen(words[k]);
        if (n < m || !allot_matches(text + n - m, m, words[k])) continue;
        *len = k < 3 ? 4 : 5;
        *start = text + n - *len;
        return 1;
    }
    return 0;
}

/* "The claim is false, since 9 is not prime": no digit before the verdict. */
static int verdict(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const verbs[] = {"is ", "'s ", "is **"}, *const words[] = {"true", "false"},
                             *const adverbs[] = {"definitely ", "certainly ", "clearly ", "indeed ",
                                                 "actually "};
    for (size_t at = 0; at < n && !isdigit((unsigned char)text[at]); at++)
        for (size_t k = 0; k < 6; k++) {
            size_t from = at + strlen(verbs[k / 2]);
            if (!allot_matches(text + at, n - at, verbs[k / 2])) continue;
            for (size_t i = 0; i < sizeof adverbs / sizeof *adverbs; i++)
                if (allot_matches(text + from, n - from, adverbs[i])) from += strlen(adverbs[i]);
            if (!allot_matches(text + from, n - from, words[k % 2])) continue;
            *start = text + from;
            *len = strlen(words[k % 2]);
            size_t near = from + *len + 32,
                   end = allot_sentence_end(text, near < n ? near : n, from);
            if (end == from + *len || (k > 3 && end == from + *len + 2)) return 1;
        }
    return answers_yes(text, n, start, len) || ends_with_verdict(text, n, start, len);
}

/* "The capital is Paris.": a text without digits. */
static int said_in_words(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const verbs[] = {" is ",  " are ",  " got ",  " get ", " equals ",
                                        " has ", " have ", " on a ", ": "};
    if (has_digits(text, n)) return 0;
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
           verdict(text, n, start, len) || last_statement(text, n, start, len) ||
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
