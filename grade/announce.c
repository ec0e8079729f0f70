/* SPDX-License-Identifier: Apache-2.0 */
/* announce.c - answers that no box holds: announced ones, and (option) the last that a text ends
 * with. */
#include "grade/announce.h"
#include <ctype.h>
#include <string.h>

static int matches(const char *text, size_t n, const char *phrase)
{
    size_t m = strlen(phrase);
    if (n < m) return 0;
    for (size_t i = 0; i < m; i++)
        if (tolower((unsigned char)text[i]) != (unsigned char)phrase[i]) return 0;
    return 1;
}

/* Takes blanks, stars, quotes and the signs of a formula off both ends. */
static void undress(const char **s, size_t *n)
{
    static const char *const pairs[][2] = {
        {"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
    for (int k = 0; k < 4; k++) {
        allot_trim_blanks(s, n);
        while (*n && strchr("*\"`", **s))
            (*s)++, (*n)--;
        while (*n && strchr("*\"`", (*s)[*n - 1]))
            (*n)--;
        allot_trim_blanks(s, n);
        size_t m = strlen(pairs[k][0]);
        if (*n <= 2 * m || memcmp(*s, pairs[k][0], m) != 0 ||
            memcmp(*s + *n - m, pairs[k][1], m) != 0)
            continue;
        *s += m;
        *n -= 2 * m;
    }
    allot_trim_blanks(s, n);
}

/* The end of the formula that opens at `from`, or `from`. */
static size_t formula_end(const char *text, size_t n, size_t from)
{
    static const char *const pairs[][2] = {
        {"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
    for (int k = 0; k < 4; k++) {
        size_t m = strlen(pairs[k][0]);
        if (n - from < m || memcmp(text + from, pairs[k][0], m) != 0) continue;
        const char *close = memmem(text + from + m, n - from - m, pairs[k][1], m);
        return close ? (size_t)(close - text) + m : from;
    }
    return from;
}

/* Where an answer announced at `from` ends: the end of its sentence or line, or where a reason
 * begins; a formula that opens there is read to its end. */
static size_t sentence_end(const char *text, size_t n, size_t from)
{
    static const char *const reasons[] = {" because ", " since ",    ", not ",
                                          ", which ",  ", because ", ", since "};
    size_t to = formula_end(text, n, from);
    for (; to < n && text[to] != '\n'; to++) {
        if (strchr("!?", text[to]) && text[to] &&
            (to + 1 == n || text[to + 1] == '\n' ||
             (text[to + 1] == ' ' && to + 2 < n && isupper((unsigned char)text[to + 2]))))
            break;
        if (text[to] == '.' && (to + 1 == n || isspace((unsigned char)text[to + 1]))) break;
        if (matches(text + to, n - to, "</answer>")) return to;
        for (size_t k = 0; k < sizeof reasons / sizeof *reasons; k++)
            if (matches(text + to, n - to, reasons[k])) return to;
    }
    return to;
}

/* Past signs and words between an announcement and its answer: "is therefore", "is: **option B". */
static size_t skip_fillers(const char *text, size_t n, size_t from)
{
    static const char *const words[] = {"therefore", "thus",         "hence",   "then",
                                        "simply",    "exactly",      "clearly", "indeed",
                                        "option",    "approximately"};
    for (;;) {
        while (from < n && (strchr(": \n*\"`", text[from]) || (text[from] == '\\' && from + 1 < n &&
                                                               strchr("\\ \n", text[from + 1]))))
            from++;
        size_t k = 0, count = sizeof words / sizeof *words, m = 0;
        for (; k < count; k++) {
            m = strlen(words[k]);
            if (matches(text + from, n - from, words[k]) && from + m < n &&
                strchr(" ,:", text[from + m]))
                break;
        }
        if (k == count) return from;
        from += m + 1;
    }
}

/* "### Final Answer", "**Answer**": a line of its own. at: where "answer" begins. */
static int is_heading(const char *text, size_t n, size_t at)
{
    size_t to = at + strlen("answer"), from = at;
    while (to < n && strchr("*: ", text[to]))
        to++;
    if (to >= n || text[to] != '\n') return 0;
    if (from >= 6 && matches(text + from - 6, 6, "final ")) from -= 6;
    if (from == 0 || !strchr("#* ", text[from - 1])) return 0;
    while (from > 0 && strchr("#* ", text[from - 1]))
        from--;
    return from == 0 || text[from - 1] == '\n';
}

/* What announces an answer; the later ones in other languages. */
static const struct {
    const char *text;
    enum { ANYWHERE, LINE_START, HEADING, ABOUT } where; /* ABOUT: up to " is " */
} phrases[] = {{"answer is", ANYWHERE},
               {"answer:", ANYWHERE},
               {"answer**:", ANYWHERE},
               {"answers are", ANYWHERE},
               {"answer should be", ANYWHERE},
               {"answer would be", ANYWHERE},
               {"answer must be", ANYWHERE},
               {"answer equals", ANYWHERE},
               {"answer =", ANYWHERE},
               {"answer to ", ABOUT},
               {"answer for ", ABOUT},
               {"ans:", LINE_START},
               {"<answer>", ANYWHERE},
               {"####", ANYWHERE},
               {"a:", LINE_START},
               {"answer", HEADING},
               {"r\xc3\xa9ponse est", ANYWHERE},
               {"r\xc3\xa9ponse:", ANYWHERE},
               {"r\xc3\xa9ponse :", ANYWHERE},
               {"antwort ist", ANYWHERE},
               {"antwort lautet", ANYWHERE},
               {"antwort:", ANYWHERE},
               {"respuesta es", ANYWHERE},
               {"respuesta:", ANYWHERE},
               {"risposta \xc3\xa8", ANYWHERE},
               {"risposta:", ANYWHERE},
               {"resposta \xc3\xa9", ANYWHERE},
               {"resposta:", ANYWHERE},
               {"odpowied\xc5\xba:", ANYWHERE},
               {"\xd0\xbe\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82:", ANYWHERE}, /* Russian */
               {"\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf", ANYWHERE},      /* Chinese "is" */
               {"\xe7\xad\x94\xe6\xa1\x88\xe4\xb8\xba", ANYWHERE},
               {"\xe7\xad\x94\xe6\xa1\x88:", ANYWHERE},
               {"\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a", ANYWHERE},
               {"\xe7\xad\x94\xe3\x81\x88\xe3\x81\xaf", ANYWHERE}, /* Japanese "is" */
               {"\xeb\x8b\xb5\xec\x9d\x80", ANYWHERE}};            /* Korean "is" */

/* "answer to the second question is": where "is " ends, in the same sentence; 0 if nowhere. */
static size_t about_what(const char *text, size_t n, size_t at)
{
    enum { FAR = 80 };
    for (size_t i = at; i + 4 <= n && i < at + FAR && !strchr(".\n:", text[i]); i++)
        if (memcmp(text + i, " is ", 4) == 0) return i + 4;
    return 0;
}

/* Where the answer begins that phrase k announces at text[at]; 0 if it does not. */
static size_t announced(const char *text, size_t n, size_t at, size_t k)
{
    size_t after = at + strlen(phrases[k].text);
    if (!matches(text + at, n - at, phrases[k].text)) return 0;
    switch (phrases[k].where) {
    case LINE_START:
        return at == 0 || text[at - 1] == '\n' ? after : 0;
    case HEADING:
        return is_heading(text, n, at) ? after : 0;
    case ABOUT:
        return about_what(text, n, after - 1);
    default:
        return after;
    }
}

int allot_after_phrase(const char *text, size_t n, const char **start, size_t *len)
{
    for (size_t i = n; i-- > 0;) {
        if (!strchr("aA#<rRoO\xd0\xe7\xeb", text[i]) || !text[i]) continue;
        for (size_t k = 0; k < sizeof phrases / sizeof *phrases; k++) {
            size_t from = announced(text, n, i, k);
            if (!from) continue;
            from = skip_fillers(text, n, from);
            *start = text + from;
            *len = sentence_end(text, n, from) - from;
            undress(start, len);
            if (*len > 0) return 1;
        }
    }
    return 0;
}

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

/* The last formula, if no digit follows it; "$1$ and $2$" is one answer. */
static int last_formula(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = n, open, joint;
    while (end > 0 && text[end - 1] != '$' &&
           !(end > 1 && text[end - 2] == '\\' && strchr(")]", text[end - 1])))
        if (isdigit((unsigned char)text[--end])) return 0;
    if (!formula_before(text, end, &open, start, len)) return 0;
    const char *last = *start + *len, *before;
    size_t length;
    for (int k = 0; k < 16 && (joint = before_joint(text, open)) < open; k++) {
        if (!formula_before(text, joint, &open, &before, &length)) break;
        *start = before;
        *len = (size_t)(last - before);
    }
    return 1;
}

static int is_number_sign(char c)
{
    return isdigit((unsigned char)c) || strchr(",./:", c) != NULL;
}

/* Where the number begins that ends at text[end]: "1,234.5", "3/4", "1e-5". */
static size_t number_start(const char *text, size_t end)
{
    size_t from = end;
    while (from > 0 && text[from - 1] && is_number_sign(text[from - 1]))
        from--;
    size_t e = from - (from > 0 && strchr("+-", text[from - 1]));
    if (e > 1 && strchr("eE", text[e - 1]) && isdigit((unsigned char)text[e - 2]))
        return number_start(text, e - 1);
    if (from > 3 && memcmp(text + from - 3, "10^", 3) == 0) { /* 3.0 x 10^5 */
        for (e = from - 3; e > 1 && strchr(" x*", text[e - 1]) && text[e - 1];)
            e--;
        return e < from - 3 && isdigit((unsigned char)text[e - 1]) ? number_start(text, e)
                                                                   : from - 3;
    }
    while (from < end && !isdigit((unsigned char)text[from]) &&
           !(text[from] == '.' && isdigit((unsigned char)text[from + 1])))
        from++;
    return from;
}

/* The \frac or \sqrt without signs of a formula whose arguments hold what is at text[at]. */
static int command_around(const char *text, size_t n, size_t at, const char **start, size_t *len)
{
    static const char *const names[] = {"\\frac{", "\\dfrac{", "\\tfrac{", "\\sqrt{"};
    enum { FAR = 60 };
    for (size_t i = at; i-- > 0 && i + FAR > at;) {
        for (int k = 0; text[i] == '\\' && k < 4; k++) {
            size_t to = i + strlen(names[k]);
            if (!matches(text + i, n - i, names[k])) continue;
            for (int depth = 1; to < n && (depth > 0 || text[to] == '{'); to++)
                depth += (text[to] == '{') - (text[to] == '}');
            if (to <= at) return 0;
            i -= i > 0 && text[i - 1] == '-';
            *start = text + i;
            *len = to - i;
            return 1;
        }
    }
    return 0;
}

/* "(1, 2)", "[0, 1)" that ends at text[close]: numbers and commas, no function's arguments. */
static int brackets_around(const char *text, size_t close, const char **start, size_t *len)
{
    int commas = 0;
    for (size_t i = close; i-- > 0 && text[i] != '\n' && !isalpha((unsigned char)text[i]);) {
        commas += text[i] == ',';
        if (!strchr("([", text[i])) continue;
        if (!commas || (i > 0 && isalnum((unsigned char)text[i - 1]))) return 0;
        *start = text + i;
        *len = close + 1 - i;
        return 1;
    }
    return 0;
}

/* The matrix that text[at] is in. */
static int matrix_around(const char *text, size_t n, size_t at, const char **start, size_t *len)
{
    const char *end = memmem(text + at, n - at, "matrix}", 7);
    for (size_t i = at; end && i-- > 0;) {
        if (!matches(text + i, n - i, "\\begin{")) continue;
        *start = text + i;
        *len = (size_t)(end + 7 - *start);
        return memmem(*start, at - i, "\\end{", 5) == NULL;
    }
    return 0;
}

static int last_number(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = n;
    while (end > 0 && !isdigit((unsigned char)text[end - 1]))
        end--;
    if (end == 0) return 0;
    if (matrix_around(text, n, end, start, len)) return 1;
    if (end < n && strchr(")]", text[end]) && text[end] && brackets_around(text, end, start, len))
        return 1;
    if (end < n && text[end] == '}' && command_around(text, n, end - 1, start, len)) return 1;
    size_t from = number_start(text, end);
    if (from > 0 && text[from - 1] == '-' && (from < 2 || !isalnum((unsigned char)text[from - 2])))
        from--;
    else if (from > 2 && memcmp(text + from - 3, "\xe2\x88\x92", 3) == 0) from -= 3;
    *start = text + from;
    *len = end - from;
    return *len > 0;
}

/* A line that is a formula, with a word behind it at most: "x = 3", "[45]", "28 percent". Where it
 * works something out ("2 + 2 = 4"), the end of it is the answer. */
static int whole_text(const char *text, size_t n, const char **start, size_t *len)
{
    int words = 0, run = 0;
    *start = text;
    *len = n;
    undress(start, len);
    const char *s = *start;
    if (*len == 0 || *len > 200 || memchr(s, '\n', *len)) return 0;
    for (size_t i = 0; i <= *len; i++) {
        if (i < *len && isalpha((unsigned char)s[i])) {
            run++;
            continue;
        }
        int command = i > (size_t)run && s[i - (size_t)run - 1] == '\\';
        words += run > 2 && !command;
        if (run > 1 && i == (size_t)run) return 0; /* it begins with a word */
        run = 0;
        if (i == *len) break;
        size_t before = i;
        while (before > 0 && s[before - 1] == ' ')
            before--;
        if (s[i] == '=' && (before == 0 || !(isalpha((unsigned char)s[before - 1]) ||
                                             strchr(")}", s[before - 1]))))
            return 0;
        if (s[i] == '.' && i + 1 < *len && s[i + 1] == ' ') return 0;
    }
    return words <= 1;
}

/* "Paris", "no solution": a few words and nothing else. */
static int few_words(const char *text, size_t n, const char **start, size_t *len)
{
    int words = 1;
    *start = text;
    *len = n;
    undress(start, len);
    for (size_t i = 0; i < *len; i++)
        words += (*start)[i] == ' ';
    return *len > 0 && *len < 40 && words <= 3 && !memchr(*start, '\n', *len);
}

int allot_last_value(const char *text, size_t n, const char **start, size_t *len)
{
    return whole_text(text, n, start, len) || last_formula(text, n, start, len) ||
           last_number(text, n, start, len) || few_words(text, n, start, len);
}

/* A letter alone, between signs: "(B)", "**C**", "it's B"; not "A dog", not "I". */
static int stands_alone(const char *text, size_t n, size_t at)
{
    if (text[at] < 'A' || text[at] > 'J' || text[at] == 'I') return 0;
    if (at > 0 && (isalnum((unsigned char)text[at - 1]) || strchr("\\'_-", text[at - 1]))) return 0;
    if (at + 1 < n && (isalnum((unsigned char)text[at + 1]) || strchr("'_-", text[at + 1])))
        return 0;
    int word_follows = at + 2 < n && text[at + 1] == ' ' && islower((unsigned char)text[at + 2]);
    if (text[at] == 'A' && word_follows && !matches(text + at, n - at, "a is ")) return 0;
    return at < 4 || !matches(text + at - 4, 4, "not ");
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
