/* SPDX-License-Identifier: Apache-2.0 */
/* lastvalue.c - the value, or the choice, that a text without box and announcement ends with. */
#include <ctype.h>
#include <string.h>
#include "grade/announce.h"

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

/* The end of what is before the joint ("and", "or", a comma) at the end of n bytes; n if none. */
static size_t before_joint(const char *text, size_t n)
{
    static const char *const joints[] = {" and ", ", and ", " or ", ", ", ","};
    for (size_t k = 0; k < sizeof joints / sizeof *joints; k++) {
        size_t m = strlen(joints[k]);
        if (n > m && memcmp(text + n - m, joints[k], m) == 0 && text[n - m - 1] != ',')
            return n - m;
    }
    return n;
}

/* Is the formula that begins at text[open] about the one before it? "$n + 1$ for all $n$", "$9$ when
 * $x = 3$", "$9$ cm$^2$". */
static int is_about_another(const char *text, size_t open, const char *formula)
{
    static const char *const words[] = {"for all ", "for every ", "for any ", "for each ", "where ",
                                        "$ when ",  "$ at ",      "$ since ", "$ because ",
                                        "$, attained at ", "$ attained at ", "$, attained when "};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t m = strlen(words[k]);
        if (open >= m && allot_matches(text + open - m, m, words[k])) return 1;
    }
    return *formula == '^';
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
    } while (is_about_another(text, open, *start));
    const char *last = *start + *len, *before;
    size_t length;
    for (int k = 0; k < 16 && (joint = before_joint(text, open)) < open; k++) {
        if (!formula_before(text, joint, &open, &before, &length) ||
            is_a_step(before, length, *start, *len))
            break;
        *start = before;
        *len = (size_t)(last - before);
    }
    return 1;
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
    if (from < 4 || memcmp(text + from - 3, "10^", 3) != 0) return from;
    for (e = from - 3; e > 1 && text[e - 1] && strchr(" x*", text[e - 1]);)
        e--;
    return e < from - 3 && isdigit((unsigned char)text[e - 1]) ? digits_start(text, e) : from - 3;
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
    if (from > 0 && text[from - 1] == '-' && (from < 2 || !isalnum((unsigned char)text[from - 2])))
        return from - 1;
    return from > 2 && memcmp(text + from - 3, "\xe2\x88\x92", 3) == 0 ? from - 3 : from;
}

/* Where the list begins whose last number begins at text[from]: "1, 2 and 3", or "are 2 and 3"; of
 * "some 2 and 10" 10 is the last. */
static size_t list_start(const char *text, size_t from)
{
    size_t at = from, joint = before_joint(text, from);
    int n = 1, word = joint + 4 <= from; /* "and", "or" */
    for (; n < 16 && joint < at && isdigit((unsigned char)text[joint - 1]); n++) {
        at = signed_start(text, joint);
        joint = before_joint(text, at);
    }
    return n > 2 || (word && at > 4 && memcmp(text + at - 4, "are ", 4) == 0) ? at : from;
}

/* Behind the last digit that is not the exponent of a unit: "14 cm^2"; 0: none. */
static size_t last_digit(const char *text, size_t n)
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
        if (from < 3 || text[from - 1] != '^' || !islower((unsigned char)text[from - 2]) ||
            !strchr("mt", text[from - 2])) /* metres, feet */
            return end;
    }
}

/* Letters that stand in formulas: names of functions, of environments, and what joins values. */
static int is_formula_word(const char *s, size_t n)
{
    static const char *const words[] = {"ln",    "log",   "exp",     "sin",     "cos",    "tan",
                                        "cot",   "sqrt",  "pi",      "and",     "or",     "matrix",
                                        "array", "cases", "pmatrix", "bmatrix", "vmatrix",
                                        "hours", "minutes", "seconds", "feet",  "inches"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == n && allot_matches(s, n, words[k])) return 1;
    return 0;
}

/* Signs of formulas beyond ASCII: degrees, powers, Greek, roots, fractions, operators; the bytes of
 * the one that begins here, 0 if it is another. */
static size_t sign_bytes(const char *s, size_t n)
{
    static const struct {
        unsigned from, to;
    } ranges[] = {{0xb0, 0xbe}, {0xd7, 0xd7}, {0xf7, 0xf7}, {0x391, 0x3c9}, {0x2070, 0x209f}, {0x2150, 0x218f}, {0x2200, 0x22ff}};
    unsigned char c = (unsigned char)*s;
    size_t m = c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xef || n < m) return 0;
    unsigned code = m == 2 ? (c & 0x1fu) << 6 | ((unsigned char)s[1] & 0x3fu)
                           : (c & 0xfu) << 12 | ((unsigned char)s[1] & 0x3fu) << 6 | ((unsigned char)s[2] & 0x3fu);
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
        if (code >= ranges[k].from && code <= ranges[k].to) return m;
    return 0;
}

static int is_name_in_formula(const char *s, size_t n)
{
    return n == 1 || (is_formula_word(s, n) && !allot_matches(s, n, "and") && !allot_matches(s, n, "or"));
}

/* The bytes of a formula's token that begins at text[at]; 0: what stands there is no formula. */
static size_t token_after(const char *text, size_t n, size_t at)
{
    static const char *const no_formula[] = {"\\text", "\\quad", "\\qquad", "\\begin", "\\end", "\\mbox", "\\mathrm", "\\implies", "\\rightarrow", "\\therefore"};
    char c = at < n ? text[at] : '\0';
    size_t run = 0;
    int digit_before = at > 0 && isdigit((unsigned char)text[at - 1]), digit_behind = at + 1 < n && isdigit((unsigned char)text[at + 1]);
    if (c < 0) return sign_bytes(text + at, n - at);
    if (c == ',' && at > 0 && text[at - 1] == '{') return 1; /* 1{,}000 */
    if (c == ':' && at > 1 && at + 2 < n && text[at - 1] == ' ' && text[at + 1] == ' ')
        return isdigit((unsigned char)text[at - 2]) && isdigit((unsigned char)text[at + 2]);
    if (c == '.' && digit_before && allot_matches(text + at + 1, n - at - 1, "\\overline")) return 1;
    if (c == '.' && digit_before && allot_matches(text + at + 1, n - at - 1, "\\bar")) return 1;
    if (c == '.' || c == ',' || c == ':') return digit_behind && (digit_before || c == '.');
    if (c == '!') return at + 1 < n && text[at + 1] != ' ' && text[at + 1] != '\n';
    if (isdigit((unsigned char)c) || (c && strchr("+-*/^_(){}[]%", c))) return 1;
    for (run = c == '\\'; at + run < n && isalpha((unsigned char)text[at + run]);)
        run++;
    if (c == '\\' && run == 1) return at + 1 < n && text[at + 1] && strchr("%,", text[at + 1]) ? 2 : 0;
    for (size_t k = 0; c == '\\' && k < sizeof no_formula / sizeof *no_formula; k++)
        if (allot_matches(text + at, run, no_formula[k])) return 0;
    if (c == '\\') return run;
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

/* May a formula go on over blanks, from what ends before text[left] to what begins at text[right]? "2 + 3",
 * "4 \pi", "1 1/2". */
static int goes_over(const char *text, size_t n, size_t left, size_t right)
{
    char l = text[left - 1], r = text[right];
    if (strchr("+*/^:", r) || strchr("+-*/^:(", l) || r == ')') return 1;
    if (r == '-') return right + 1 < n && text[right + 1] == ' ';
    if (r == '\\') return isdigit((unsigned char)l) || strchr(")}", l);
    if (l < 0 || r < 0) return 1;
    if (isdigit((unsigned char)l) && isalpha((unsigned char)r)) { /* "5 i" */
        size_t next = right + 1;
        next += next + 1 < n && text[next] == ' ' && strchr("+-*/=", text[next + 1]);
        if (next == n || (text[next] == '.' && (next + 1 == n || text[next + 1] == ' '))) return 1;
        return text[next] && strchr("+-*/=)", text[next]) != NULL;
    }
    size_t word = left;
    while (word > 0 && isalpha((unsigned char)text[word - 1]))
        word--;
    if (left > word && ((word > 0 && text[word - 1] == '\\') || left - word > 1)) return 1; /* \times 10, ln 2 */
    if (!isdigit((unsigned char)l) || !isdigit((unsigned char)r)) return 0;
    while (right < n && isdigit((unsigned char)text[right]))
        right++;
    return right + 1 < n && text[right] == '/' && isdigit((unsigned char)text[right + 1]);
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

/* Leaves out, on both sides of what is at text[in], what begins at a bracket without its other half. */
static void balance(const char *text, size_t in, size_t *from, size_t *to)
{
    for (int again = 1; again;) {
        size_t open[64];
        int depth = 0;
        again = 0;
        for (size_t i = *from; i < *to && !again; i++) {
            if (strchr("([{", text[i])) {
                if (depth == 64) *to = i;
                else open[depth++] = i;
            } else if (strchr(")]}", text[i]) && depth-- == 0) {
                if (i >= in) *to = i;
                else *from = i + 1;
                again = 1;
            }
        }
        if (!again && depth > 0) {
            size_t at = open[0];
            if (at >= in) *to = at;
            else *from = at + 1;
            again = 1;
        }
    }
}

/* The formula around the number in text[*from, *to). */
static void widen(const char *text, size_t n, size_t *from, size_t *to)
{
    static const char *const magnitudes[] = {" thousand", " million", " billion"};
    enum { FAR = 200 };
    size_t in = *to - 1, m, blanks, left = *from, right = *to;
    while (in - left < FAR && (blanks = blanks_before(text, left)) < left && (m = token_before(text, n, left - blanks)) &&
           (!blanks || goes_over(text, n, left - blanks, left)) && !(text[left - blanks - m] == '-' && !blanks && left > 1 && isdigit((unsigned char)text[left - 2])))
        left -= blanks + m;
    while (right - in < FAR && (blanks = blanks_after(text, n, right)) + right < n && (m = token_after(text, n, right + blanks)) &&
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

static int last_number(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = last_digit(text, n);
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

/* "[45]", a way to mark an answer: in the last sentence, or before sentences without digits. */
static int last_bracketed(const char *text, size_t n, const char **start, size_t *len)
{
    int last = 1, digits = 0;
    for (size_t close = n; close-- > 0;) {
        last &= text[close] != '\n' && (text[close] != '.' || close + 1 == n || text[close + 1] != ' ');
        digits |= isdigit((unsigned char)text[close]) != 0;
        if (!last && digits) return 0;
        if (text[close] != ']') continue;
        size_t open = close;
        while (open > 0 && text[open - 1] != '[' && !strchr("],\n", text[open - 1]))
            open--;
        *start = text + open;
        *len = close - open;
        allot_undress(start, len);
        return open > 0 && text[open - 1] == '[' && (open == 1 || strchr(" \n", text[open - 2])) &&
               *len > 0 && (last_digit(*start, *len) > 0 || n_variables(*start, 0, *len) > 0);
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
    if (isalpha((unsigned char)s[before - 1]) || strchr("<>)}", s[before - 1])) return 1;
    if (s[at - 1] == '!') return before < 2 || !isdigit((unsigned char)s[before - 2]);
    for (digits = before; digits > 0 && isdigit((unsigned char)s[digits - 1]);)
        digits--;
    digits -= digits > 1 && s[digits - 1] == '_';
    if (digits > 0 && digits < before && n_variables(s, digits - 1, digits)) return 1;
    return n_variables(s, 0, before) > 0 && !memchr(s, '=', at) &&
           !memchr(s + at + 1, '=', n - at - 1);
}

/* "AB = 5": n letters of the m that are left. */
static int is_segment(const char *s, size_t n, size_t m)
{
    if (n < 4 && n < m && s[n] == '^') return 1; /* xy^2 */
    for (size_t i = 0; i < n; i++)
        if (!isupper((unsigned char)s[i])) return 0;
    return n < 4 && (allot_matches(s + n, m - n, "=") || allot_matches(s + n, m - n, " ="));
}

/* A line that is a formula, with a word behind it at most: "x = 3", "[45]", "28 percent". Where it
 * works something out ("2 + 2 = 4"), the end of it is the answer. */
static int whole_text(const char *text, size_t n, const char **start, size_t *len)
{
    int words = 0;
    *start = text;
    *len = n;
    allot_undress(start, len);
    const char *s = *start;
    if (*len == 0 || *len > 200 || memchr(s, '\n', *len)) return 0;
    for (size_t i = 0, run; i < *len; i += run ? run : 1) {
        for (run = 0; i + run < *len && isalpha((unsigned char)s[i + run]);)
            run++;
        if (i == 0 && run == 1 && *s == 'I') return 0; /* "I got 7" */
        int is_word = run > 1 && (i == 0 || s[i - 1] != '\\') && !is_formula_word(s + i, run) &&
                      !is_segment(s + i, run, *len - i);
        if (is_word && (i == 0 || allot_matches(s + i - 1, *len - i + 1, " is "))) return 0;
        if (is_word && i > 2 && memcmp(s + i - 3, "$, ", 3) == 0) return 0;
        words += is_word;
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

/* Does a formula say more than its last number? "1, 2", "{1, 2}", "x < 0", "f(x) = 3x + 2", "9\pi/4". */
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
    static const char *const words[] = {"no solution",       "no solutions",     "no real solution",
                                        "no real solutions", "all real numbers", "all integers",
                                        "undefined",         "infinity",         "true",
                                        "false"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == n && allot_matches(s, n, words[k])) return 1;
    return 0;
}

/* What the last sentence says behind "is", "are", a colon or "thus", if it is a formula that says
 * more than its last number. */
static int last_statement(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const heads[] = {" is ",        " are ",      ": ",     "thus, ", "hence, ",
                                        "therefore, ", "thus ",      "so ",    "hence ", "so, ",
                                        "then ",       "therefore ", "option ", " = ",   " have ",
                                        " get ",       " got ",      " obtain ",
                                        " equals ",    " gives ",    " yields ",  "between "};
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

/* "Yes, because 5 > 3", "No, it is not". */
static int answers_yes(const char *text, size_t n, const char **start, size_t *len)
{
    *start = text;
    *len = allot_matches(text, n, "yes,") ? 3 : allot_matches(text, n, "no,") ? 2 : 0;
    if (*len == 0) return 0;
    return !has_digits(text, n) || allot_sentence_end(text, n, 0) == *len;
}

/* "The claim is false, since 9 is not prime": no digit before the verdict. */
static int verdict(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const verbs[] = {"is ", "'s ", "is **"}, *const words[] = {"true", "false"};
    for (size_t at = 0; at < n && !isdigit((unsigned char)text[at]); at++)
        for (size_t k = 0; k < 6; k++) {
            size_t from = at + strlen(verbs[k / 2]);
            if (!allot_matches(text + at, n - at, verbs[k / 2])) continue;
            if (!allot_matches(text + from, n - from, words[k % 2])) continue;
            *start = text + from;
            *len = strlen(words[k % 2]);
            size_t end = allot_sentence_end(text, n, from);
            if (end == from + *len || (k > 3 && end == from + *len + 2)) return 1;
        }
    return answers_yes(text, n, start, len);
}

/* "The capital is Paris.": a text without digits. */
static int said_in_words(const char *text, size_t n, const char **start, size_t *len)
{
    if (has_digits(text, n)) return 0;
    for (size_t at = n; at-- > 0 && text[at] != '\n';) {
        if (!allot_matches(text + at, n - at, " is ") || allot_matches(text + at + 4, n - at - 4, "not ")) continue;
        return few_words(text + at + 4, allot_sentence_end(text, n, at + 4) - at - 4, start, len);
    }
    return 0;
}

static int find(const char *text, size_t n, const char **start, size_t *len)
{
    return whole_text(text, n, start, len) || allot_last_formula(text, n, start, len) ||
           last_bracketed(text, n, start, len) || verdict(text, n, start, len) || last_statement(text, n, start, len) ||
           last_number(text, n, start, len) || few_words(text, n, start, len) ||
           said_in_words(text, n, start, len);
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

int allot_last_choice(const char *text, size_t n, const char **start, size_t *len)
{
    for (size_t at = n; at-- > 0;) {
        if (!stands_alone(text, n, at)) continue;
        *start = text + at;
        *len = 1;
        return 1;
    }
    return 0;
}
