/* SPDX-License-Identifier: Apache-2.0 */
/* extract.c - where the answer stands in a text. One pass from the end for boxes, one for phrases:
 * linear in the text, whatever it holds. */
#include <ctype.h>
#include <string.h>
#include "grade/grade.h"

void allot_grade_defaults(allot_grade_options *o)
{
    *o = (allot_grade_options){0};
}

static void trim(const char **s, size_t *n)
{
    while (*n && isspace((unsigned char)(*s)[0]))
        (*s)++, (*n)--;
    while (*n && isspace((unsigned char)(*s)[*n - 1]))
        (*n)--;
}

/* The inside of the braces that open at text[at]; 0 if they never close. A backslash takes the next
 * character with it, so \{ and \} do not count. */
static int braces(const char *text, size_t n, size_t at, const char **start, size_t *len)
{
    int depth = 0;
    for (size_t i = at; i < n; i++) {
        if (text[i] == '\\') {
            i++;
        } else if (text[i] == '{') {
            depth++;
        } else if (text[i] == '}' && --depth == 0) {
            *start = text + at + 1;
            *len = i - at - 1;
            trim(start, len);
            return *len > 0;
        }
    }
    return 0;
}

/* The last box that closes and holds something. Each unterminated box costs one scan to the end, so
 * after a few of them the text is not a solution. */
static int last_box(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const names[] = {"\\boxed", "\\fbox"};
    int failures = 0;
    for (size_t i = n; i-- > 0 && failures < 64;) {
        if (text[i] != '\\') continue;
        for (int k = 0; k < 2; k++) {
            size_t m = strlen(names[k]), at = i + m;
            if (at > n || memcmp(text + i, names[k], m) != 0) continue;
            while (at < n && text[at] == ' ')
                at++;
            if (at < n && text[at] == '{') {
                if (braces(text, n, at, start, len)) return 1;
                failures++;
            } else if (at < n && isdigit((unsigned char)text[at])) { /* \boxed 5 */
                *start = text + at;
                while (at < n && isdigit((unsigned char)text[at]))
                    at++;
                *len = (size_t)(text + at - *start);
                return 1;
            }
        }
    }
    return 0;
}

static int matches(const char *text, size_t n, const char *phrase)
{
    size_t m = strlen(phrase);
    if (n < m) return 0;
    for (size_t i = 0; i < m; i++)
        if (tolower((unsigned char)text[i]) != phrase[i]) return 0;
    return 1;
}

/* Between two boxes of one answer: "and", "or", a comma, blanks, dollars; no sentence. */
static int joins(const char *gap, size_t n)
{
    int letters = 0;
    if (n > 40) return 0;
    for (size_t i = 0; i < n; i++) {
        if (strchr(".=:;", gap[i])) return 0;
        letters |= isalpha((unsigned char)gap[i]);
    }
    return !letters || memmem(gap, n, "and", 3) || memmem(gap, n, "or", 2);
}

/* "\boxed{1} and \boxed{2}" is one answer: the span then holds the boxes. */
static void join_boxes(const char *text, size_t n_text, const char **start, size_t *len)
{
    const char *first = *start, *end = *start + *len;
    while (end < text + n_text && isspace((unsigned char)*end))
        end++;
    if (end == text + n_text || *end != '}') return; /* \boxed 5 */
    while (first > text && *first != '\\')
        first--; /* the command of the last box */
    int joined = 0;
    for (; joined < 16; joined++) {
        const char *before;
        size_t n;
        if (!last_box(text, (size_t)(first - text), &before, &n)) break;
        const char *gap = before + n;
        while (gap < first && *gap != '}')
            gap++;
        if (gap >= first || !joins(gap + 1, (size_t)(first - gap - 1))) break;
        for (first = before; first > text && *first != '\\';)
            first--;
    }
    if (!joined) return;
    *start = first;
    *len = (size_t)(end + 1 - first);
}

/* Takes blanks, stars, quotes and the signs of a formula off both ends. */
static void undress(const char **s, size_t *n)
{
    static const char *const pairs[][2] = {
        {"$$", "$$"}, {"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}};
    for (int k = 0; k < 4; k++) {
        trim(s, n);
        while (*n && strchr("*\"`", **s))
            (*s)++, (*n)--;
        while (*n && strchr("*\"`", (*s)[*n - 1]))
            (*n)--;
        trim(s, n);
        size_t m = strlen(pairs[k][0]);
        if (*n <= 2 * m || memcmp(*s, pairs[k][0], m) != 0 ||
            memcmp(*s + *n - m, pairs[k][1], m) != 0)
            continue;
        *s += m;
        *n -= 2 * m;
    }
    trim(s, n);
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
        if (text[to] == '.' && (to + 1 == n || isspace((unsigned char)text[to + 1]))) break;
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

/* What follows the last announcement ("answer is", "Answer:", "####", "A:" at a line's start). */
static int after_phrase(const char *text, size_t n, const char **start, size_t *len)
{
    static const char *const phrases[] = {
        "answer is", "answer:", "answer**:", "####", "a:", "answer"};
    enum { LINE_START = 4, HEADING = 5, PHRASES = 6 };
    for (size_t i = n; i-- > 0;) {
        if (!text[i] || !strchr("aA#", text[i])) continue;
        for (int k = 0; k < PHRASES; k++) {
            if (!matches(text + i, n - i, phrases[k])) continue;
            if (k == LINE_START && i > 0 && text[i - 1] != '\n') continue;
            if (k == HEADING && !is_heading(text, n, i)) continue;
            size_t from = skip_fillers(text, n, i + strlen(phrases[k]));
            *start = text + from;
            *len = sentence_end(text, n, from) - from;
            undress(start, len);
            if (*len > 0) return 1;
        }
    }
    return 0;
}

/* The last formula between dollars, \( \) or \[ \], if no digit follows it. */
static int last_formula(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = n;
    while (end > 0 && text[end - 1] != '$' &&
           !(end > 1 && text[end - 2] == '\\' && strchr(")]", text[end - 1])))
        if (isdigit((unsigned char)text[--end])) return 0;
    if (end < 2) return 0;
    char close = text[end - 1];
    size_t to = end - (close == '$' ? 1 : 2), from = to;
    char open = close == ')' ? '(' : close == ']' ? '[' : '$';
    while (from > 0 &&
           !(text[from - 1] == open && (open == '$' || (from > 1 && text[from - 2] == '\\'))))
        from--;
    if (from == 0) return 0;
    *start = text + from;
    *len = to - from;
    trim(start, len);
    return *len > 0 && *len < 300;
}

static int last_number(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = n;
    while (end > 0 && !isdigit((unsigned char)text[end - 1]))
        end--;
    size_t from = end;
    while (from > 0 && (isdigit((unsigned char)text[from - 1]) || text[from - 1] == ',' ||
                        text[from - 1] == '.' || text[from - 1] == '/'))
        from--;
    while (from < end && !isdigit((unsigned char)text[from]))
        from++;
    if (from > 0 && from < end && text[from - 1] == '-') from--;
    *start = text + from;
    *len = end - from;
    return *len > 0;
}

/* Thoughts are no answer: the text behind the last </think>, if it holds anything. */
static void skip_thoughts(const char **text, size_t *n)
{
    static const char close[] = "</think>";
    for (size_t m = sizeof close - 1, i = *n; i-- > 0;) {
        if (*n - i < m || memcmp(*text + i, close, m) != 0) continue;
        *text += i + m;
        *n -= i + m;
        return;
    }
}

allot_extract_how allot_extract(const char *text, size_t n, const allot_grade_options *o,
                                const char **start, size_t *len)
{
    allot_extract_how how = ALLOT_EXTRACT_NONE;
    skip_thoughts(&text, &n);
    if (last_box(text, n, start, len)) {
        join_boxes(text, n, start, len);
        how = ALLOT_EXTRACT_BOXED;
    } else if (after_phrase(text, n, start, len)) {
        how = ALLOT_EXTRACT_PHRASE;
    } else if (o->last_number &&
               (last_formula(text, n, start, len) || last_number(text, n, start, len))) {
        how = ALLOT_EXTRACT_LAST_NUMBER;
    }
    return how != ALLOT_EXTRACT_NONE && *len > ALLOT_ANSWER_MAX ? ALLOT_EXTRACT_NONE : how;
}

int allot_reference(const char *answer, size_t n_answer, const char *solution, size_t n_solution,
                    const char **start, size_t *len)
{
    char form[ALLOT_ANSWER_MAX + 1];
    if (last_box(answer, n_answer, start, len)) {
        join_boxes(answer, n_answer, start, len);
    } else {
        *start = answer;
        *len = n_answer;
        trim(start, len);
        if (*len == 0 && !last_box(solution, n_solution, start, len)) return 0;
    }
    return allot_canonical(*start, *len, form, sizeof form) > 0;
}
