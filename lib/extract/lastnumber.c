/* SPDX-License-Identifier: Apache-2.0 */
/* lastnumber.c - the last number of a text, with the formula, list, brackets or matrix around it.
 */
#include "lib/extract/lastnumber.h"
#include <ctype.h>
#include <string.h>
#include "lib/extract/announce.h"

size_t allot_before_joint(const char *text, size_t n)
{
    static const char *const joints[] = {" and ", ", and ", " or ", ", ", ","};
    for (size_t k = 0; k < sizeof joints / sizeof *joints; k++) {
        size_t m = strlen(joints[k]);
        if (n > m && memcmp(text + n - m, joints[k], m) == 0 && text[n - m - 1] != ',')
            return n - m;
    }
    return n;
}

static int is_number_sign(char c)
{
    return isdigit((unsigned char)c) || strchr(",./:", c) != NULL;
}

/* Where the digits, with their points and commas, begin that end at text[end]. */
static size_t digits_start(const char *text, size_t end)
{
    size_t from = end;
    while (from > 0 && text[from - 1] && is_number_sign(text[from - 1]))
        from--;
    while (from < end && !isdigit((unsigned char)text[from]) &&
           !(text[from] == '.' && isdigit((unsigned char)text[from + 1])))
        from++;
    return from;
}

/* Where the number begins that ends at text[end]: "1,234.5", "3/4", "1e-5", "3.0 x 10^5". */
static size_t number_start(const char *text, size_t end)
{
    size_t from = digits_start(text, end), e = from - (from > 0 && strchr("+-", text[from - 1]));
    if (e > 1 && strchr("eE", text[e - 1]) && isdigit((unsigned char)text[e - 2]))
        return digits_start(text, e - 1);
    size_t base = from; /* of an exponent: 10^5, 10^-5, 10^{-5} */
    base -= base > 0 && text[base - 1] == '-';
    base -= base > 0 && text[base - 1] == '{';
    if (base < 4 || memcmp(text + base - 3, "10^", 3) != 0) return from;
    base -= 3;
    for (e = base; e > 1 && text[e - 1] && strchr(" x*", text[e - 1]);)
        e--;
    return e < base && isdigit((unsigned char)text[e - 1]) ? digits_start(text, e) : base;
}

/* Behind an exponent that begins at text[at]: "^T", "^{-1}". */
static size_t past_power(const char *text, size_t n, size_t at)
{
    if (at + 1 >= n || text[at] != '^') return at;
    const char *close = strchr("{\\", text[at + 1]) ? memchr(text + at, '}', n - at) : NULL;
    return close ? (size_t)(close + 1 - text) : at + 2;
}

/* Where the factor begins that stands before what begins at text[at]: "3\sqrt{2}", "-2\pi". */
static size_t factor_start(const char *text, size_t at)
{
    while (at > 0 && (isdigit((unsigned char)text[at - 1]) || strchr(".*", text[at - 1])) &&
           text[at - 1])
        at--;
    return at > 0 && text[at - 1] == '-' ? at - 1 : at;
}

/* "(1, 2)", "[0, 1)" that ends at text[close]: numbers and commas, no function's arguments. */
static int brackets_around(const char *text, size_t close, const char **start, size_t *len)
{
    int commas = 0;
    for (size_t i = close; i-- > 0 && text[i] != '\n' && !isalpha((unsigned char)text[i]);) {
        if (i > 6 && allot_matches(text + i - 6, 7, "\\infty,")) i -= 6, commas++;
        commas += text[i] == ',';
        if (!strchr("([", text[i])) continue;
        if (!commas || (i > 0 && isalnum((unsigned char)text[i - 1]))) return 0;
        *start = text + i;
        *len = close + 1 - i;
        return 1;
    }
    return 0;
}

/* The matrix that text[at] is in, with its factor and its power. */
static int matrix_around(const char *text, size_t n, size_t at, const char **start, size_t *len)
{
    const char *end = memmem(text + at, n - at, "matrix}", 7);
    if (!end) end = memmem(text + at, n - at, "array}", 6);
    if (!end) return 0;
    size_t to = past_power(text, n, (size_t)(end - text) + (*end == 'm' ? 7 : 6));
    for (size_t i = at; i-- > 0;) {
        if (!allot_matches(text + i, n - i, "\\begin{")) continue;
        *start = text + factor_start(text, i);
        *len = to - (size_t)(*start - text);
        return memmem(text + i, at - i, "\\end{", 5) == NULL;
    }
    return 0;
}

/* Where the number, with its sign, begins that ends at text[end]. */
static size_t signed_start(const char *text, size_t end)
{
    size_t from = number_start(text, end);
    if (from > 1 && text[from - 1] == '$' && text[from - 2] == '-') return from - 2; /* -$40 */
    if (from > 8 && allot_matches(text + from - 9, 9, "negative ")) return from - 9;
    if (from > 5 && allot_matches(text + from - 6, 6, "minus ") &&
        (from < 8 || !strchr("0123456789)}$", text[from - 8])))
        return from - 6;
    if (from > 0 && text[from - 1] == '-' && (from < 2 || !isalnum((unsigned char)text[from - 2])))
        return from - 1;
    return from > 2 && memcmp(text + from - 3, "\xe2\x88\x92", 3) == 0 ? from - 3 : from;
}

/* Where the list begins whose last number begins at text[from]: "1, 2 and 3", or "are 2 and 3"; of
 * "some 2 and 10" 10 is the last. */
static size_t list_start(const char *text, size_t from)
{
    size_t at = from, joint = allot_before_joint(text, from);
    int n = 1, word = joint + 4 <= from; /* "and", "or" */
    for (; n < 16 && joint < at && isdigit((unsigned char)text[joint - 1]); n++) {
        at = signed_start(text, joint);
        joint = allot_before_joint(text, at);
    }
    return n > 2 || (word && at > 4 && memcmp(text + at - 4, "are ", 4) == 0) ? at : from;
}

size_t allot_last_digit(const char *text, size_t n)
{
    size_t end = n, from;
    for (;; end = from) {
        while (end > 0 && !isdigit((unsigned char)text[end - 1]))
            end--;
        for (from = end; from > 0 && isdigit((unsigned char)text[from - 1]);)
            from--;
        if (from > 0 && end < n && isalpha((unsigned char)text[from - 1]) &&
            isalpha((unsigned char)text[end])) /* XDY2K */
            continue;
        from -= from > 1 && text[from - 1] == '{';
        if (from < 3 || text[from - 1] != '^' ||
            !(strchr("mt", text[from - 2]) || memcmp(text + from - 3, "/s", 2) == 0))
            return end; /* of metres, feet, seconds the power is no answer */
    }
}

int allot_is_formula_word(const char *s, size_t n)
{
    static const char *const words[] = {
        "ln",      "log",   "exp",     "sin",     "cos",   "tan",    "cot",     "sqrt",
        "pi",      "and",   "or",      "matrix",  "array", "cases",  "pmatrix", "bmatrix",
        "vmatrix", "hours", "minutes", "seconds", "feet",  "inches", "inf",     "infinity"};
    return allot_matches_one(s, n, words, sizeof words / sizeof *words);
}

size_t allot_sign_bytes(const char *s, size_t n)
{
    static const struct {
        unsigned from, to;
    } ranges[] = {{0xa0, 0xa0},     {0xb0, 0xbe},     {0xd7, 0xd7},     {0xf7, 0xf7},
                  {0x391, 0x3c9},   {0x2000, 0x200f}, {0x202f, 0x202f}, {0x2070, 0x209f},
                  {0x2150, 0x218f}, {0x2200, 0x22ff}, {0xff01, 0xff5e}};
    unsigned char c = (unsigned char)*s;
    size_t m = c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xef || n < m) return 0;
    unsigned code = m == 2 ? (c & 0x1fu) << 6 | ((unsigned char)s[1] & 0x3fu)
                           : (c & 0xfu) << 12 | ((unsigned char)s[1] & 0x3fu) << 6 |
                                 ((unsigned char)s[2] & 0x3fu);
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
        if (code >= ranges[k].from && code <= ranges[k].to) return m;
    return 0;
}

static int is_name_in_formula(const char *s, size_t n)
{
    return n == 1 || (allot_is_formula_word(s, n) && !allot_matches(s, n, "and") &&
                      !allot_matches(s, n, "or"));
}

/* Is the mark at text[at] part of a formula? "1,000", "1{,}000", "0.\\overline{3}", "2 : 3", "n!/2"
 */
static int is_mark(const char *text, size_t n, size_t at)
{
    int digit_before = at > 0 && isdigit((unsigned char)text[at - 1]),
        digit_behind = at + 1 < n && isdigit((unsigned char)text[at + 1]);
    switch (text[at]) {
    case '!':
        return at + 1 < n && text[at + 1] != ' ' && text[at + 1] != '\n';
    case '.':
        return digit_behind ||
               (digit_before && (allot_matches(text + at + 1, n - at - 1, "\\overline") ||
                                 allot_matches(text + at + 1, n - at - 1, "\\bar")));
    case ',':
        return (digit_before && digit_behind) || (at > 0 && text[at - 1] == '{');
    default:
        return (digit_before && digit_behind) ||
               (at > 1 && at + 2 < n && text[at - 1] == ' ' && text[at + 1] == ' ' &&
                isdigit((unsigned char)text[at - 2]) && isdigit((unsigned char)text[at + 2]));
    }
}

/* The bytes of the command at text[at], of \, and \% too; 0: it stands in no formula. */
static size_t command_after(const char *text, size_t n, size_t at)
{
    static const char *const no_formula[] = {"\\text",       "\\quad",     "\\qquad",  "\\begin",
                                             "\\end",        "\\mbox",     "\\mathrm", "\\implies",
                                             "\\rightarrow", "\\therefore"};
    size_t run = 1 + allot_letters_after(text, n, at + 1);
    if (run == 1) return at + 1 < n && text[at + 1] && strchr("%,", text[at + 1]) ? 2 : 0;
    for (size_t k = 0; k < sizeof no_formula / sizeof *no_formula; k++)
        if (allot_matches(text + at, run, no_formula[k])) return 0;
    return run;
}

/* The bytes of a formula's token that begins at text[at]; 0: what stands there is no formula. */
static size_t token_after(const char *text, size_t n, size_t at)
{
    char c = at < n ? text[at] : '\0';
    if (c == '\0') return 0;
    if (c < 0) return allot_sign_bytes(text + at, n - at);
    if (strchr(".,:!", c)) return (size_t)is_mark(text, n, at);
    if (isdigit((unsigned char)c) || strchr("+-*/^_(){}[]%", c)) return 1;
    if (c == '\\') return command_after(text, n, at);
    size_t run = allot_letters_after(text, n, at);
    int product = run <= 3 && at + run < n && text[at + run] == '^'; /* xy^2 */
    return product || is_name_in_formula(text + at, run) ? run : 0;
}

static size_t token_before(const char *text, size_t n, size_t at)
{
    size_t from = at - 1;
    if (from > 0 && text[from - 1] == '\\' && strchr(",%", text[from])) {
        from--;
    } else if (isalpha((unsigned char)text[from])) {
        while (from > 0 && isalpha((unsigned char)text[from - 1]))
            from--;
        from -= from > 0 && text[from - 1] == '\\';
    } else {
        while (from > 0 && at - from < 3 && ((unsigned char)text[from] & 0xc0) == 0x80)
            from--;
    }
    return token_after(text, n, from) == at - from ? at - from : 0;
}

/* Where the letters begin that end before text[end]. */
static size_t letters_before(const char *text, size_t end)
{
    while (end > 0 && isalpha((unsigned char)text[end - 1]))
        end--;
    return end;
}

/* Is the letter at text[at], behind a number, its factor? "5 i + 1", "5 x." */
static int is_factor(const char *text, size_t n, size_t at)
{
    size_t next = at + 1;
    next += next + 1 < n && text[next] == ' ' && strchr("+-*/=", text[next + 1]);
    if (next == n || (text[next] == '.' && (next + 1 == n || text[next + 1] == ' '))) return 1;
    return text[next] && strchr("+-*/=)", text[next]) != NULL;
}

/* "1/2" at text[at]. */
static int is_fraction(const char *text, size_t n, size_t at)
{
    while (at < n && isdigit((unsigned char)text[at]))
        at++;
    return at + 1 < n && text[at] == '/' && isdigit((unsigned char)text[at + 1]);
}

/* May a formula go on over blanks, from what ends before text[left] to what begins at text[right]?
 * "2 + 3", "4 \pi", "1 1/2". */
static int goes_over(const char *text, size_t n, size_t left, size_t right)
{
    char l = text[left - 1], r = text[right];
    int digit_l = isdigit((unsigned char)l) != 0, digit_r = isdigit((unsigned char)r) != 0;
    if (strchr("+*/^:", r) || strchr("+-*/^:(", l) || r == ')') return 1;
    if (r == '-') return right + 1 < n && text[right + 1] == ' ';
    size_t word = letters_before(text, left);
    int command = word < left && word > 0 && text[word - 1] == '\\';
    if (r == '\\') return command || digit_l || strchr(")}", l); /* \sin \left( */
    if (l < 0 || r < 0) return 1;
    if (digit_l && isalpha((unsigned char)r)) return is_factor(text, n, right);
    if (command || left > word + 1) return 1; /* \times 10, ln 2 */
    return digit_l && digit_r && is_fraction(text, n, right);
}

static size_t blanks_before(const char *text, size_t at)
{
    size_t n = 0;
    while (n < at && text[at - n - 1] == ' ')
        n++;
    return n;
}

static size_t blanks_after(const char *text, size_t n, size_t at)
{
    size_t m = 0;
    while (at + m < n && text[at + m] == ' ')
        m++;
    return m;
}

/* The first bracket of text[from, *to) that closes none, else the first that is never closed; *to
 * if all have their other half. Very many cut the text off. */
static size_t first_unpaired(const char *text, size_t from, size_t *to)
{
    enum { MOST = 64 };
    size_t open[MOST];
    int depth = 0;
    for (size_t i = from; i < *to; i++) {
        if (strchr("([{", text[i])) {
            if (depth == MOST) *to = i;
            else open[depth++] = i;
        } else if (strchr(")]}", text[i]) && depth-- == 0) {
            return i;
        }
    }
    return depth > 0 ? open[0] : *to;
}

/* Leaves out, on both sides of what is at text[in], what begins at a bracket without its other
 * half. */
static void balance(const char *text, size_t in, size_t *from, size_t *to)
{
    for (size_t at; (at = first_unpaired(text, *from, to)) < *to;) {
        if (at >= in) *to = at;
        else *from = at + 1;
    }
}

/* The formula around the number in text[*from, *to). */
static void widen(const char *text, size_t n, size_t *from, size_t *to)
{
    static const char *const magnitudes[] = {" hundred", " thousand", " million", " billion",
                                             " trillion"};
    enum { FAR = 200 };
    size_t in = *to - 1, m, blanks, left = *from, right = *to;
    while (in - left < FAR && (blanks = blanks_before(text, left)) < left &&
           (m = token_before(text, n, left - blanks)) &&
           (!blanks || goes_over(text, n, left - blanks, left)) &&
           !(text[left - blanks - m] == '-' && !blanks && left > 1 &&
             isdigit((unsigned char)text[left - 2])))
        left -= blanks + m;
    while (right - in < FAR && (blanks = blanks_after(text, n, right)) + right < n &&
           (m = token_after(text, n, right + blanks)) &&
           (!blanks || goes_over(text, n, right, right + blanks)))
        right += blanks + m;
    balance(text, in, &left, &right);
    while (left < in && strchr("*/^_ ", text[left]))
        left++;
    if (text[left] == '-' && left + 1 < in && text[left + 1] == ' ') left += 2;
    while (right > in + 1 && strchr("+-*/^_ ", text[right - 1]))
        right--;
    for (size_t k = 0; k < sizeof magnitudes / sizeof *magnitudes; k++)
        if (allot_matches(text + right, n - right, magnitudes[k])) right += strlen(magnitudes[k]);
    *from = left;
    *to = right;
}

int allot_last_number(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = allot_last_digit(text, n);
    if (end == 0) return 0;
    if (matrix_around(text, n, end, start, len)) return 1;
    if (end < n && strchr(")]", text[end]) && text[end] && brackets_around(text, end, start, len))
        return 1;
    size_t number = signed_start(text, end), from = list_start(text, number);
    if (from == number) widen(text, n, &from, &end);
    *start = text + from;
    *len = end - from;
    return *len > 0;
}
