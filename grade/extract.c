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
    while (*n && isspace((unsigned char)(*s)[0])) (*s)++, (*n)--;
    while (*n && isspace((unsigned char)(*s)[*n - 1])) (*n)--;
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
            while (at < n && text[at] == ' ') at++;
            if (at < n && text[at] == '{') {
                if (braces(text, n, at, start, len)) return 1;
                failures++;
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

/* What follows the last "answer is", up to the end of its sentence or line. */
static int after_phrase(const char *text, size_t n, const char **start, size_t *len)
{
    static const char phrase[] = "answer is";
    for (size_t i = n; i-- > 0;) {
        if (!matches(text + i, n - i, phrase)) continue;
        size_t from = i + sizeof phrase - 1, to;
        while (from < n && (text[from] == ':' || text[from] == ' ')) from++;
        for (to = from; to < n && text[to] != '\n'; to++)
            if (text[to] == '.' && (to + 1 == n || isspace((unsigned char)text[to + 1]))) break;
        *start = text + from;
        *len = to - from;
        trim(start, len);
        if (*len > 1 && (*start)[0] == '$' && (*start)[*len - 1] == '$') {
            (*start)++;
            *len -= 2;
        }
        return *len > 0;
    }
    return 0;
}

static int last_number(const char *text, size_t n, const char **start, size_t *len)
{
    size_t end = n;
    while (end > 0 && !isdigit((unsigned char)text[end - 1])) end--;
    size_t from = end;
    while (from > 0 && (isdigit((unsigned char)text[from - 1]) || text[from - 1] == ',' ||
                        text[from - 1] == '.' || text[from - 1] == '/'))
        from--;
    while (from < end && !isdigit((unsigned char)text[from])) from++;
    if (from > 0 && from < end && text[from - 1] == '-') from--;
    *start = text + from;
    *len = end - from;
    return *len > 0;
}

allot_extract_how allot_extract(const char *text, size_t n, const allot_grade_options *o,
                                const char **start, size_t *len)
{
    allot_extract_how how = last_box(text, n, start, len)      ? ALLOT_EXTRACT_BOXED
                            : after_phrase(text, n, start, len) ? ALLOT_EXTRACT_PHRASE
                            : o->last_number && last_number(text, n, start, len)
                                ? ALLOT_EXTRACT_LAST_NUMBER
                                : ALLOT_EXTRACT_NONE;
    return how != ALLOT_EXTRACT_NONE && *len > ALLOT_ANSWER_MAX ? ALLOT_EXTRACT_NONE : how;
}

int allot_reference(const char *answer, size_t n_answer, const char *solution, size_t n_solution,
                    const char **start, size_t *len)
{
    char form[ALLOT_ANSWER_MAX + 1];
    *start = answer;
    *len = n_answer;
    trim(start, len);
    if (*len == 0 && !last_box(solution, n_solution, start, len)) return 0;
    return allot_canonical(*start, *len, form, sizeof form) > 0;
}
