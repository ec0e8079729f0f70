/* SPDX-License-Identifier: Apache-2.0 */
/* announce.c - answers that no box holds, but words announce. */
#include "lib/extract/announce.h"
#include <ctype.h>
#include <string.h>

int allot_matches(const char *text, size_t n, const char *phrase)
{
    size_t m = strlen(phrase);
    if (n < m) return 0;
    for (size_t i = 0; i < m; i++)
        if (tolower((unsigned char)text[i]) != (unsigned char)phrase[i]) return 0;
    return 1;
}

int allot_matches_one(const char *s, size_t n, const char *const *words, size_t n_words)
{
    for (size_t k = 0; k < n_words; k++)
        if (strlen(words[k]) == n && allot_matches(s, n, words[k])) return 1;
    return 0;
}

/* What a formula stands between. */
static const char *const formula_signs[][2] = {
    {"$$", "$$"},
    {"$", "$"},
    {"\\(", "\\)"},
    {"\\[", "\\]"},
    {"\\\\(", "\\\\)"}, /* escaped twice */
    {"\\\\[", "\\\\]"},
    {"\\begin{equation}", "\\end{equation}"},
    {"\\begin{equation*}", "\\end{equation*}"},
    {"\\begin{align*}", "\\end{align*}"},
    {"\\begin{aligned}", "\\end{aligned}"},
};
enum { N_FORMULA_SIGNS = sizeof formula_signs / sizeof *formula_signs };

/* Takes this off both ends; 0 if it is not there. */
static int takes_off(const char **s, size_t *n, const char *before, const char *behind)
{
    size_t a = strlen(before), b = strlen(behind);
    if (*n <= a + b || memcmp(*s, before, a) != 0 || memcmp(*s + *n - b, behind, b) != 0) return 0;
    *s += a;
    *n -= a + b;
    return 1;
}

void allot_undress(const char **s, size_t *n)
{
    static const char *const pairs[][2] = {{"[**", "**]"},
                                           {"[$", "$]"},
                                           {"'", "'"},
                                           {"__", "__"},
                                           {"_", "_"},
                                           {"<b>", "</b>"},
                                           {"<p>", "</p>"},
                                           {"<strong>", "</strong>"},
                                           {"<", ">"},
                                           {"<<", ">>"},
                                           {"\xc2\xab", "\xc2\xbb"},
                                           {"\xe2\x80\x9c", "\xe2\x80\x9d"},
                                           {"\xe2\x80\x98", "\xe2\x80\x99"}};
    static const char *const before[] = {"\\therefore",  "\\implies",    "\\Rightarrow",
                                         "\xe2\x88\xb4", "\xe2\x87\x92", "\xe2\x86\x92",
                                         "->",           "=>",           "="};
    for (int k = 0; k < N_FORMULA_SIGNS; k++) {
        allot_trim_blanks(s, n);
        while (*n && strchr("*\"`", **s))
            (*s)++, (*n)--;
        (void)takes_off(s, n, "math\n", ""); /* ```math */
        (void)takes_off(s, n, "latex\n", "");
        while (*n && (strchr("*\"`", (*s)[*n - 1]) ||
                      ((*s)[*n - 1] == '.' && *n > 1 && strchr("*\"`", (*s)[*n - 2]))))
            (*n)--;
        for (size_t i = 0; i < sizeof before / sizeof *before; i++)
            (void)takes_off(s, n, before[i], "");
        allot_trim_blanks(s, n);
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
            (void)takes_off(s, n, pairs[i][0], pairs[i][1]);
        (void)takes_off(s, n, formula_signs[k][0], formula_signs[k][1]);
    }
    allot_trim_blanks(s, n);
}

/* The end of the formula that opens at `from`, or `from`. */
static size_t formula_end(const char *text, size_t n, size_t from)
{
    for (int k = 0; k < N_FORMULA_SIGNS; k++) {
        const char *open = formula_signs[k][0], *shut = formula_signs[k][1];
        size_t m = strlen(open);
        if (n - from < m || memcmp(text + from, open, m) != 0) continue;
        const char *close = memmem(text + from + m, n - from - m, shut, strlen(shut));
        return close ? (size_t)(close - text) + strlen(shut) : from;
    }
    return from;
}

/* Behind a semicolon, a bracket or bold letters words go on, but not values: "x = 1; y = 2", "3
 * (mod 7)", "**1** and **2**". */
static int goes_on(const char *text, size_t n, size_t at, const char *reason)
{
    if (*reason != ';' && reason[1] != '(' && *reason != '*') return 1;
    if (allot_matches(text + at, n - at, " (mod") || allot_matches(text + at, n - at, "** and") ||
        allot_matches(text + at, n - at, "** or"))
        return 0;
    for (int i = *reason == '*' ? 3 : 2; i < 5; i++)
        if (at + (size_t)i >= n || !isalpha((unsigned char)text[at + (size_t)i])) return 0;
    return 1;
}

/* "72, in total, so the farmer earns that much": words behind a value, to the sentence's end. */
static int is_aside(const char *text, size_t n, size_t comma)
{
    enum { FAR = 80 };
    size_t at = comma + 2, run = 0;
    if (comma == 0 || at >= n || text[comma + 1] != ' ' ||
        !(isdigit((unsigned char)text[comma - 1]) || strchr("$%)}", text[comma - 1])))
        return 0;
    for (; at < n && at < comma + FAR && !strchr(".!\n", text[at]); at++) {
        int letter = isalpha((unsigned char)text[at]) != 0;
        if (!letter && (run == 1 || !strchr(" ,'-", text[at]))) return 0;
        run = letter ? run + 1 : 0;
    }
    return run != 1 && at < comma + FAR;
}

size_t allot_sentence_end(const char *text, size_t n, size_t from)
{
    static const char *const reasons[] = {" because ",
                                          " since ",
                                          ", not ",
                                          ", which ",
                                          ", because ",
                                          ", since ",
                                          ", as ",
                                          ", so ",
                                          ", but ",
                                          "; ",
                                          " (",
                                          "** ",
                                          "\xef\xbc\x8c\xe5\x9b\xa0\xe4\xb8\xba"}; /* Chinese */
    size_t to = formula_end(text, n, from);
    for (; to < n && text[to] != '\n'; to++) {
        if (strchr("!?", text[to]) && text[to] &&
            (to + 1 == n || text[to + 1] == '\n' ||
             (text[to + 1] == ' ' && to + 2 < n && isupper((unsigned char)text[to + 2]))))
            break;
        if (text[to] == '.' && (to + 1 == n || isspace((unsigned char)text[to + 1]))) break;
        if (text[to] == ',' && to > from && is_aside(text, n, to)) return to;
        if (text[to] == '<' && to + 1 < n && text[to + 1] == '/') return to; /* </answer> */
        for (size_t k = 0; k < sizeof reasons / sizeof *reasons; k++)
            if (allot_matches(text + to, n - to, reasons[k]) && goes_on(text, n, to, reasons[k]))
                return to;
    }
    return to;
}

/* Past signs and words between an announcement and its answer: "is therefore", "is: **option B". */
static size_t skip_fillers(const char *text, size_t n, size_t from)
{
    static const char *const words[] = {
        "therefore", "thus",      "hence",         "then",      "simply",  "exactly",    "clearly",
        "indeed",    "option",    "approximately", "just",      "about",   "as follows", "given by",
        "equal to",  "of course", "definitely",    "certainly", "actually"};
    for (;;) {
        while (from < n &&
               (strchr(":, \n*\"`}", text[from]) ||
                (text[from] == '>' && from > 0 && text[from - 1] == '\n') || /* a quotation */
                (text[from] == '\\' && from + 1 < n && strchr("\\ \n\"", text[from + 1]))))
            from++;
        size_t k = 0, count = sizeof words / sizeof *words, m = 0;
        for (; k < count; k++) {
            m = strlen(words[k]);
            if (allot_matches(text + from, n - from, words[k]) && from + m < n &&
                strchr(" ,:", text[from + m]))
                break;
        }
        if (k == count) return from;
        from += m + 1;
    }
}

/* "is, in metres: 9" announces 9. */
static size_t past_words(const char *text, size_t n, size_t from)
{
    enum { FAR = 60 };
    for (size_t i = from; i + 1 < n && i < from + FAR; i++) {
        if (text[i] == ':' && isspace((unsigned char)text[i + 1]) && i > from + 2)
            return skip_fillers(text, n, i);
        if (!isalpha((unsigned char)text[i]) && !strchr(" ,'-", text[i])) break;
    }
    return from;
}

/* "### Final Answer", "**Answer**": a line of its own. at: where "answer" begins. */
static int is_heading(const char *text, size_t n, size_t at)
{
    size_t to = at + strlen("answer"), from = at;
    while (to < n && strchr("*: ", text[to]))
        to++;
    if (to >= n || text[to] != '\n') return 0;
    if (from >= 6 && allot_matches(text + from - 6, 6, "final ")) from -= 6;
    if (from == 0 || !strchr("#* ", text[from - 1])) return 0;
    while (from > 0 && strchr("#* ", text[from - 1]))
        from--;
    return from == 0 || text[from - 1] == '\n';
}

/* What announces an answer; the later ones in other languages. */
static const struct {
    const char *text;
    enum {
        ANYWHERE,
        LINE_START,
        HEADING,
        ABOUT,
        FIELD,
        TAG
    } where; /* ABOUT: up to " is "; FIELD: JSON; TAG: of HTML */
} phrases[] = {{"answer is", ANYWHERE},
               {"answer:", ANYWHERE},
               {"answer**:", ANYWHERE},
               {"answer__:", ANYWHERE},
               {"answers are", ANYWHERE},
               {"answer should be", ANYWHERE},
               {"answer would be", ANYWHERE},
               {"answer must be", ANYWHERE},
               {"answer equals", ANYWHERE},
               {"answer =", ANYWHERE},
               {"answer to ", ABOUT},
               {"answer for ", ABOUT},
               {"answer in ", ABOUT},
               {"answer, ", ABOUT},
               {"answer\":", FIELD},
               {"answer\" :", FIELD},
               {"? a:", ANYWHERE},
               {"ans:", LINE_START},
               {"answer>", TAG},
               {"####", ANYWHERE},
               {"a:", LINE_START},
               {"answer", HEADING},
               {"r\xc3\xa9ponse est", ANYWHERE},
               {"r\xc3\xa9ponse finale est", ANYWHERE},
               {"r\xc3\xa9ponse finale :", ANYWHERE},
               {"r\xc3\xa9ponse:", ANYWHERE},
               {"r\xc3\xa9ponse :", ANYWHERE},
               {"antwort ist", ANYWHERE},
               {"antwort lautet", ANYWHERE},
               {"antwort:", ANYWHERE},
               {"respuesta es", ANYWHERE},
               {"respuesta final es", ANYWHERE},
               {"respuesta correcta es", ANYWHERE},
               {"respuesta:", ANYWHERE},
               {"risposta \xc3\xa8", ANYWHERE},
               {"risposta:", ANYWHERE},
               {"resposta \xc3\xa9", ANYWHERE},
               {"resposta:", ANYWHERE},
               {"odpowied\xc5\xba:", ANYWHERE},
               {"\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82:", ANYWHERE},    /* Russian, either case */
               {"\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf", ANYWHERE}, /* Chinese "is" */
               {"\xe7\xad\x94\xe6\xa1\x88\xe4\xb8\xba", ANYWHERE},
               {"\xe7\xad\x94\xe6\xa1\x88:", ANYWHERE},
               {"\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a", ANYWHERE},
               {"\xe7\xad\x94\xe3\x81\x88\xe3\x81\xaf", ANYWHERE}, /* Japanese "is" */
               {"\xe7\xad\x94\xe3\x81\x88:", ANYWHERE},
               {"\xe7\xad\x94\xe3\x81\x88\xef\xbc\x9a", ANYWHERE},
               {"\xeb\x8b\xb5\xec\x9d\x80", ANYWHERE}, /* Korean "is" */
               {"\xeb\x8b\xb5:", ANYWHERE}};

/* "answer to the second question is": where "is " ends, in the same sentence; 0 if nowhere. */
static size_t about_what(const char *text, size_t n, size_t at)
{
    enum { FAR = 80 };
    for (size_t i = at; i + 4 <= n && i < at + FAR && !strchr(".\n:", text[i]); i++)
        if (memcmp(text + i, " is ", 4) == 0) return i + 4;
    return 0;
}

/* "<answer>", "<final_answer>". */
static int opens_tag(const char *text, size_t at)
{
    while (at > 0 && (isalpha((unsigned char)text[at - 1]) || text[at - 1] == '_'))
        at--;
    return at > 0 && text[at - 1] == '<';
}

/* Where the answer begins that phrase k announces at text[at]; 0 if it does not. */
static size_t announced(const char *text, size_t n, size_t at, size_t k)
{
    size_t after = at + strlen(phrases[k].text);
    if (!allot_matches(text + at, n - at, phrases[k].text)) return 0;
    if (isalpha((unsigned char)text[after - 1]) && after < n && isalpha((unsigned char)text[after]))
        return 0; /* "answer isn't" */
    switch (phrases[k].where) {
    case LINE_START:
        return at == 0 || text[at - 1] == '\n' ? after : 0;
    case HEADING:
        return is_heading(text, n, at) ? after : 0;
    case TAG:
        return opens_tag(text, at) ? after : 0;
    case ABOUT:
        return about_what(text, n, after - 1);
    case ANYWHERE:
    case FIELD:
        break;
    }
    return after;
}

/* "[Answer: 7]": does the bracket at the end close what opened before? */
static int closes_nothing(const char *s, size_t n)
{
    if (!strchr(")]", s[n - 1])) return 0;
    int depth = 0;
    for (size_t i = 0; i < n; i++)
        depth += (strchr("([", s[i]) != NULL) - (strchr(")]", s[i]) != NULL);
    return depth < 0;
}

/* What a field of JSON holds: a text up to its quote, or the rest of its line without what ends the
 * object. */
static void field_value(const char *text, size_t n, size_t from, const char **start, size_t *len)
{
    while (from < n && isspace((unsigned char)text[from]))
        from++;
    int quoted = from < n && text[from] == '"';
    size_t to = from += (size_t)quoted;
    while (to < n && text[to] != '\n' && text[to] != (quoted ? '"' : '}'))
        to += text[to] == '\\' && to + 1 < n ? 2 : 1;
    *start = text + from;
    *len = to - from;
    while (*len > 0 && !quoted && strchr(", \t\r", text[from + *len - 1]))
        --*len;
}

/* "I hope this answer is helpful", "the answer is correct": nothing that phrases[0] announces. */
static int praises(const char *s, size_t n)
{
    static const char *const words[] = {"helpful", "correct", "right", "clear", "reasonable"};
    return allot_matches_one(s, n, words, sizeof words / sizeof *words);
}

/* "the sum of all terms is": words, to which the formula on the next line gives the value. */
static void leads_to_formula(const char *text, size_t n, const char **start, size_t *len)
{
    size_t words = 0, at = (size_t)(*start - text) + *len;
    for (size_t i = 0; i < *len; i++) {
        if (isdigit((unsigned char)(*start)[i]) || strchr("$\\", (*start)[i])) return;
        words += (*start)[i] == ' ';
    }
    while (at < n && strchr(" :\n", text[at]))
        at++;
    if (words < 3 || at + 2 >= n || (memcmp(text + at, "\\[", 2) && memcmp(text + at, "$$", 2)))
        return;
    size_t end = formula_end(text, n, at);
    if (end == at) return;
    *start = text + at;
    *len = end - at;
}

int allot_after_phrase(const char *text, size_t n, const char **start, size_t *len)
{
    for (size_t i = n; i-- > 0;) {
        if (!strchr("aA#<rR?oO\xd1\xe7\xeb", text[i]) || !text[i]) continue;
        for (size_t k = 0; k < sizeof phrases / sizeof *phrases; k++) {
            size_t from = announced(text, n, i, k);
            if (!from) continue;
            if (phrases[k].where == FIELD) {
                field_value(text, n, from, start, len);
            } else {
                from = past_words(text, n, skip_fillers(text, n, from));
                *start = text + from;
                *len = allot_sentence_end(text, n, from) - from;
                leads_to_formula(text, n, start, len);
            }
            allot_undress(start, len);
            *len -= *len > 0 && closes_nothing(*start, *len);
            if (*len > 0 && (k > 0 || !praises(*start, *len))) return 1;
        }
    }
    return 0;
}
