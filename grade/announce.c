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
        if (tolower((unsigned char)text[i]) != phrase[i]) return 0;
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

/* What announces an answer; the later ones in other languages. */
static const struct {
    const char *text;
    enum { ANYWHERE, LINE_START, HEADING } where;
} phrases[] = {{"answer is", ANYWHERE},
               {"answer:", ANYWHERE},
               {"answer**:", ANYWHERE},
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

static int announces(const char *text, size_t n, size_t at, size_t k)
{
    if (!matches(text + at, n - at, phrases[k].text)) return 0;
    if (phrases[k].where == LINE_START) return at == 0 || text[at - 1] == '\n';
    return phrases[k].where == ANYWHERE || is_heading(text, n, at);
}

int allot_after_phrase(const char *text, size_t n, const char **start, size_t *len)
{
    for (size_t i = n; i-- > 0;) {
        if (!strchr("aA#rRoO\xd0\xe7\xeb", text[i]) || !text[i]) continue;
        for (size_t k = 0; k < sizeof phrases / sizeof *phrases; k++) {
            if (!announces(text, n, i, k)) continue;
            size_t from = skip_fillers(text, n, i + strlen(phrases[k].text));
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
    allot_trim_blanks(start, len);
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

int allot_last_value(const char *text, size_t n, const char **start, size_t *len)
{
    return whole_text(text, n, start, len) || last_formula(text, n, start, len) ||
           last_number(text, n, start, len);
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
