/* SPDX-License-Identifier: Apache-2.0 */
#include "grade/normalize.h"
#include <ctype.h>
#include <string.h>
#include "grade/words.h"

/* Spellings that change nothing; the longer ones first. */
static const struct {
    const char *from, *to;
} spellings[] = {{"\\displaystyle", ""},
                 {"\\checkmark", ""},
                 {"\\blacksquare", ""},
                 {"\\qed", ""},
                 {"\\text{,}", ","},
                 {"\xe2\x8c\x8a", "\\lfloor "},
                 {"\xe2\x8c\x8b", "\\rfloor "},
                 {"\xe2\x8c\x88", "\\lceil "},
                 {"\xe2\x8c\x89", "\\rceil "},
                 {"\\dfrac", "\\frac"},
                 {"\\varnothing", "\\emptyset"},
                 {"\\{\\}", "\\emptyset"},
                 {"\xe2\x88\x85", "\\emptyset"},
                 {"\\tfrac", "\\frac"},
                 {"\\cfrac", "\\frac"},
                 {"\\times", "*"},
                 {"\\cdot", "*"},
                 {"\\div", "/"},
                 {"\\leq", "<="},
                 {"\\geq", ">="},
                 {"\\leftarrow", "<-"},
                 {"\\left", ""},
                 {"\\le", "<="},
                 {"\\rightarrow", "->"},
                 {"\\right", ""},
                 {"\\ge", ">="},
                 {"\\neq", "!="},
                 {"\\ne", "!="},
                 {"\\lt", "<"},
                 {"\\gt", ">"},
                 {"\\lbrace", "\\{"},
                 {"\\rbrace", "\\}"},
                 {"\\mid", "|"},
                 {"\\lvert", "|"},
                 {"\\rvert", "|"},
                 {"\\vert", "|"},
                 {"\\qquad\\boxed", ",\\boxed"}, /* two answers */
                 {"\\quad\\boxed", ",\\boxed"},
                 {"\\qquad \\boxed", ",\\boxed"},
                 {"\\quad \\boxed", ",\\boxed"},
                 {"\\qquad", " "},
                 {"\\quad", " "},
                 {"\\infin", "\\inf"},
                 {"\\!", ""},
                 {"\\,", " "},
                 {"\\;", " "},
                 {"\\:", " "},
                 {"\\ ", " "},
                 {"\\%", "%"},
                 {"\\$", ""},
                 {"\\(", ""},
                 {"\\)", ""},
                 {"\\[", ""},
                 {"\\]", ""},
                 {"$", ""},
                 {"{,}", ","},
                 {"\\&", "&"},
                 {"~", " "},
                 {"**", "^"},
                 {"^{\\circ}", "\xc2\xb0"},
                 {"^\\circ", "\xc2\xb0"},
                 {"\\degree", "\xc2\xb0"},
                 {"^{o}", "\xc2\xb0"},
                 {"\xe2\x88\x92", "-"},
                 {"\xe2\x80\x93", "-"},
                 {"\xc3\x97", "*"},
                 {"\xc2\xb7", "*"},
                 {"\xe2\x8b\x85", "*"},
                 {"\xc3\xb7", "/"},
                 {"\xc2\xa0", " "},
                 {"\xe2\x80\xaf", " "},
                 {"\xe2\x82\xac", ""},
                 {"\xc2\xa3", ""},
                 {"\xe2\x89\xa4", "<="},
                 {"\xe2\x89\xa5", ">="},
                 {"\xe2\x89\xa0", "!="},
                 {"\xe2\x88\x9a", "\\sqrt "},
                 {"\xe2\x88\x9b", "\\sqrt[3] "},
                 {"\xcf\x80", "\\pi "},
                 {"\xe2\x88\x9e", "\\infty "},
                 {"\xe2\x88\xaa", "\\cup "},
                 {"-infinity", "-\\infty "},
                 {"+infinity", "\\infty "},
                 {", infinity", ",\\infty "},
                 {",infinity", ",\\infty "},
                 {"(-inf,", "(-\\infty,"},
                 {", inf)", ",\\infty)"},
                 {",inf)", ",\\infty)"},
                 {"(-oo,", "(-\\infty,"},
                 {", oo)", ",\\infty)"},
                 {",oo)", ",\\infty)"},
                 {")U(", ")\\cup("},
                 {") U (", ")\\cup("},
                 {"] U [", "]\\cup["},
                 {"] U (", "]\\cup("},
                 {") U [", ")\\cup["},
                 {"]U[", "]\\cup["},
                 {"]U(", "]\\cup("},
                 {")U[", ")\\cup["},
                 {"\xe2\x88\x88", "\\in "},
                 {"\xc2\xb1", "\\pm "},
                 {"\xc2\xbd", "\\frac{1}{2}"},
                 {"\xc2\xbc", "\\frac{1}{4}"},
                 {"\xc2\xbe", "\\frac{3}{4}"},
                 {"\xe2\x85\x93", "\\frac{1}{3}"},
                 {"\xe2\x85\x94", "\\frac{2}{3}"},
                 {"\xe2\x85\x95", "\\frac{1}{5}"},
                 {"\xe2\x85\x96", "\\frac{2}{5}"},
                 {"\xe2\x85\x97", "\\frac{3}{5}"},
                 {"\xe2\x85\x98", "\\frac{4}{5}"},
                 {"\xe2\x85\x99", "\\frac{1}{6}"},
                 {"\xe2\x85\x9a", "\\frac{5}{6}"},
                 {"\xe2\x85\x9b", "\\frac{1}{8}"},
                 {"\xe2\x85\x9c", "\\frac{3}{8}"},
                 {"\xe2\x85\x9d", "\\frac{5}{8}"},
                 {"\xe2\x85\x9e", "\\frac{7}{8}"},
                 {"\xe2\x81\x84", "/"}, /* fraction slash */
                 {"\xe2\x88\x95", "/"},
                 {"\xe2\x84\x9d", "\\mathbb{R}"},
                 {"\xe2\x84\xa4", "\\mathbb{Z}"},
                 {"\xe2\x88\xa9", "\\cap "},
                 {"\xe2\x88\x96", "\\setminus "},
                 {"\\backslash", "\\setminus "},
                 {"\\R", "\\mathbb{R}"},
                 {"\\mathbf{R}", "\\mathbb{R}"},
                 {"\xe2\x9f\xa8", "("},
                 {"\xe2\x9f\xa9", ")"},
                 {"\\langle", "("},
                 {"\\rangle", ")"},
                 {"\xe2\x80\x91", "-"}, /* hyphens */
                 {"\xe2\x80\x90", "-"},
                 {"\xe2\x80\x94", "-"},
                 {"\xe2\x80\x9c", "\""},
                 {"\xe2\x80\x9d", "\""},
                 {"\xe2\x80\x89", " "}, /* thin blanks */
                 {"\xe2\x80\x82", " "},
                 {"\xe2\x80\x83", " "},
                 {"\xe3\x80\x80", " "},
                 {"\xe3\x80\x82", ""},
                 {"\xc2\xa5", ""}, /* yen, rupee */
                 {"\xe2\x82\xb9", ""},
                 {"\\pounds", ""},
                 {"\\euro", ""},
                 {"\\equiv", "="},
                 {"\\simeq", "\\approx "},
                 {"\xe2\x89\x88", "\\approx "},
                 {"\\leqq", "<="},
                 {"\\geqq", ">="},
                 {"\\leqslant", "<="},
                 {"\\geqslant", ">="},
                 {"\\not=", "!="},
                 {"\\mathbb R", "\\mathbb{R}"},
                 {"\\mathbb Z", "\\mathbb{Z}"},
                 {"\\in Z", "\\in\\mathbb{Z}"},
                 {"\\in R", "\\in\\mathbb{R}"},
                 {"\\in N", "\\in\\mathbb{N}"},
                 {"\\text {", "\\text{"},
                 {"\\mathrm {", "\\mathrm{"},
                 {"\\mathrm{i}", "i"},
                 {"\\mathrm{e}", "e"},
                 {"\\tbinom", "\\binom"},
                 {"\\dbinom", "\\binom"},
                 {"\\bar", "\\overline"},
                 {"\\triangle", ""},
                 {"\\angle", ""},
                 {"\xe2\x88\xa0", ""},
                 {"\\lg", "\\log"},
                 {"\\tg", "\\tan"},
                 {"\\ctg", "\\cot"},
                 {"\\operatorname{tg}", "\\tan "},
                 {"\\operatorname{ctg}", "\\cot "},
                 {"\\operatorname{arctg}", "\\arctan "},
                 {"\\rm", ""},
                 {"\\large", ""},
                 {"\\Large", ""},
                 {"\\huge", ""},
                 {"\\hbox{", "\\mbox{"},
                 {"\\cr", "\\\\"},
                 {"\\mathsf{T}", "T"},
                 {"\\intercal", "T"},
                 {"\\bf", ""},
                 {"\\it", ""},
                 {"\\limits", ""},
                 {"\\bigcup", "\\cup"},
                 {"\\Bigl", ""},
                 {"\\Bigr", ""},
                 {"\\enspace", " "},
                 {"\\thinspace", " "},
                 {"&=", "="},
                 {"\xce\xb1", "\\alpha "},
                 {"\xce\xb2", "\\beta "},
                 {"\xce\xb3", "\\gamma "},
                 {"\xce\xb4", "\\delta "},
                 {"\xce\xb8", "\\theta "},
                 {"\xce\xbb", "\\lambda "},
                 {"\xce\xbc", "\\mu "},
                 {"\xcf\x81", "\\rho "},
                 {"\xcf\x83", "\\sigma "},
                 {"\xcf\x86", "\\varphi "},
                 {"\xcf\x89", "\\omega "},
                 {"\\biggl", ""},
                 {"\\biggr", ""},
                 {"\\Biggl", ""},
                 {"\\Biggr", ""},
                 {"\\Bigg", ""},
                 {"\x08oxed", "\\boxed"}, /* \b, \f and \t of a string that took them for signs */
                 {"\x0crac", "\\frac"},
                 {"\text", "\\text"},
                 {"\times", "*"},
                 {"\\bigl", ""},
                 {"\\bigr", ""},
                 {"\\big", ""},
                 {"\\Big", ""},
                 {"\\bigg", ""},
                 {"\\ldots", "..."},
                 {"\\dots", "..."},
                 {"\\cdots", "..."},
                 {"\xe2\x80\xa6", "..."},
                 {"\\And", "&"}};

/* A command's name must end where the spelling ends: \le is not the start of \left or \lesssim. */
static int spelled(const char *s, size_t n, const char *from)
{
    if (*s != *from || (from[1] && (n < 2 || s[1] != from[1]))) return 0; /* most end here */
    size_t m = strlen(from);
    if (n < m || memcmp(s, from, m) != 0) return 0;
    if (!isalpha((unsigned char)from[m - 1]) || n == m) return 1;
    return from[0] != '\\' || !isalpha((unsigned char)s[m]);
}

/* "\pir^{2}", "\leqslantx": a letter that follows a command without a blank, often seen where
 * blanks were taken out of a data set. The command's length, 0: nothing of the kind. */
static size_t glued(const char *s, size_t n)
{
    static const char *const names[] = {"\\quad", "\\qquad", "\\leqslant", "\\geqslant", "\\leq",
                                        "\\geq",  "\\neq",   "\\times",    "\\infty",    "\\cup",
                                        "\\pi",   "\\cdot",  "\\le",       "\\ge"};
    size_t m = 1;
    if (*s != '\\') return 0;
    while (m < n && isalpha((unsigned char)s[m]))
        m++;
    if (m < 4 || strchr("qs", s[m - 1])) return 0; /* \leqq, \cdots */
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strlen(names[k]) == m - 1 && memcmp(s, names[k], m - 1) == 0) return m - 1;
    return 0;
}

/* A raised or lowered character of Unicode: its bytes, and what it raises or lowers ("" for none).
 * Raised 1, 2 and 3 are Latin-1. */
static size_t shifted(const char *s, size_t n, int raised, char *to)
{
    static const char *const up[] = {"\xe2\x81\xb0", "\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",
                                     "\xe2\x81\xb4", "\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7",
                                     "\xe2\x81\xb8", "\xe2\x81\xb9", "\xe2\x81\xba", "\xe2\x81\xbb",
                                     "\xe2\x81\xbf"};
    static const char names[] = "0123456789+-n";
    if (!raised) {
        if (n < 3 || memcmp(s, "\xe2\x82", 2) != 0 || (unsigned char)s[2] - 0x80u > 9) return 0;
        *to = (char)('0' + ((unsigned char)s[2] - 0x80));
        return 3;
    }
    for (size_t k = 0; k < sizeof up / sizeof *up; k++) {
        size_t m = strlen(up[k]);
        if (n < m || memcmp(s, up[k], m) != 0) continue;
        *to = names[k];
        return m;
    }
    return 0;
}

/* A run of such characters as ^{...} or _{...}, at most 9 of them; its bytes in s, 0 if none. */
static size_t shifted_run(const char *s, size_t n, char *out, size_t *m)
{
    for (int raised = 0; raised < 2; raised++) {
        size_t used = 0, step, digits = 0;
        char text[10];
        while (digits < 9 && (step = shifted(s + used, n - used, raised, text + digits))) {
            used += step;
            digits++;
        }
        if (!used) continue;
        out[(*m)++] = raised ? '^' : '_';
        out[(*m)++] = '{';
        memcpy(out + *m, text, digits);
        *m += digits;
        out[(*m)++] = '}';
        return used;
    }
    return 0;
}

/* "[4pt]" behind the end of a matrix's row; 0: none. */
static size_t row_space(const char *s, size_t n)
{
    const char *close = n > 4 && *s == '[' ? memchr(s, ']', n < 10 ? n : 10) : NULL;
    return close && close > s + 3 && isdigit((unsigned char)s[1]) &&
                   isalpha((unsigned char)close[-1])
               ? (size_t)(close + 1 - s)
               : 0;
}

/* The ASCII of a full-width character (U+FF01 to U+FF5E); 0: another character. */
static char narrow(const char *s, size_t n)
{
    if (n < 3 || memcmp(s, "\xef\xbc", 2) < 0 || memcmp(s, "\xef\xbd", 2) > 0) return 0;
    unsigned code = ((unsigned char)s[1] & 3u) << 6 | ((unsigned char)s[2] & 0x3fu);
    return code > 0 && code < 0x5f ? (char)(code + 0x20) : 0;
}

/* "\color{red}": its bytes; 0: none. */
static size_t colour(const char *s, size_t n)
{
    static const char *const names[] = {"\\color{", "\\textcolor{", "\\colorbox{"};
    for (size_t k = 0; *s == '\\' && k < sizeof names / sizeof *names; k++) {
        size_t m = strlen(names[k]);
        const char *close =
            n > m && memcmp(s, names[k], m) == 0 ? memchr(s, '}', n < 40 ? n : 40) : NULL;
        if (close) return (size_t)(close + 1 - s);
    }
    return 0;
}

/* 1, or 0 if the spelling outgrows out. */
static int respell(const char *s, size_t n, char *out)
{
    size_t m = 0;
    while (n > 0 && m + 16 < ALLOT_NORMAL_SIZE) {
        size_t k = sizeof spellings / sizeof *spellings, used = 1, command = glued(s, n);
        if (!isalnum((unsigned char)*s) && *s != ' ')
            for (k = 0; k < sizeof spellings / sizeof *spellings; k++)
                if (spelled(s, command ? command : n, spellings[k].from)) break;
        if (*s == '\\' && n > 1 && s[1] == '\\') { /* a row's end, not the start of a command */
            out[m++] = *s;
            out[m++] = *s;
            used = 2 + row_space(s + 2, n - 2);
        } else if (k < sizeof spellings / sizeof *spellings) {
            size_t put = strlen(spellings[k].to);
            used = strlen(spellings[k].from);
            memcpy(out + m, spellings[k].to, put);
            m += put;
            if (used == 2 && s[1] == '!') /* 10,\! 080 is one number */
                while (used < n && s[used] == ' ')
                    used++;
        } else if (colour(s, n)) {
            used = colour(s, n);
        } else if (command && m + command + 1 < ALLOT_NORMAL_SIZE) {
            memcpy(out + m, s, command);
            m += command;
            out[m++] = ' ';
            used = command;
        } else if (narrow(s, n)) {
            out[m++] = narrow(s, n);
            used = 3;
        } else if ((signed char)*s >= 0 || !(used = shifted_run(s, n, out, &m))) {
            out[m++] = *s;
            used = 1;
        }
        s += used;
        n -= used;
    }
    out[m] = '\0';
    return n == 0;
}

/* Text out of a JSON file that was escaped twice: "\\sqrt" for "\sqrt". Rows of matrices stay. */
static size_t unescape(const char *s, size_t n, char *out)
{
    size_t m = 0;
    int twice = memmem(s, n, "\\\\begin", 7) != NULL;
    int rows = !twice && memmem(s, n, "\\begin", 6) != NULL;
    for (size_t i = 0; i < n; i++) {
        out[m++] = s[i];
        if (s[i] != '\\' || i + 1 >= n || s[i + 1] != '\\' || rows) continue;
        if (twice || (i + 2 < n && isalpha((unsigned char)s[i + 2]))) i++;
    }
    return m;
}

static char *closing(char *s)
{
    int depth = 1;
    for (; *s; s++) {
        if (*s == '\\' && s[1]) s++;
        else if (*s == '{') depth++;
        else if (*s == '}' && --depth == 0) return s;
    }
    return NULL;
}

/* What is dropped, for those who compare units. */
static void keep_unit(const char *from, const char *to, char *unit)
{
    size_t n = 0;
    for (; from < to && n + 1 < ALLOT_UNIT_SIZE; from++)
        if (*from != ' ' && *from != '.') unit[n++] = (char)tolower((unsigned char)*from);
    while (n > 1 && unit[n - 1] == 's') /* metres */
        n--;
    unit[n] = '\0';
}

/* \text{...} and its kin: the words stay between blanks; text behind a number (a unit) goes. */
static void open_text(char *s, char *unit)
{
    static const char *const names[] = {
        "\\text{",   "\\textbf{",         "\\textit{",    "\\mathrm{",     "\\mbox{",
        "\\mathbf{", "\\boxed{",          "\\fbox{",      "\\textrm{",     "\\operatorname{",
        "\\vec{",    "\\overrightarrow{", "\\underline{", "\\emph{",       "\\texttt{",
        "\\textsf{", "\\boldsymbol{",     "\\mathcal{",   "\\textnormal{", "\\mathit{",
        "\\mathtt{", "\\mathsf{",         "boxed{",       "boxed {",       "\xe2\x96\xa1{"};
    if (!strpbrk(s, "\\{")) return;
    for (size_t k = 0, passes = 0; k < sizeof names / sizeof *names && passes < 64; k++) {
        size_t m = strlen(names[k]);
        char *at;
        while (passes++ < 64 && (at = strstr(s, names[k]))) {
            char *close = closing(at + m), *before = at;
            if (!close) return;
            while (before > s && before[-1] == ' ')
                before--;
            int number = before > s && (strchr("0123456789})", before[-1]) ||
                                        (before > s + 2 && memcmp(before - 3, "\\pi", 3) == 0));
            int last = allot_words_before_power(close + 1, strlen(close + 1)) == 0;
            if (number && last && !allot_words_factor(at + m, (size_t)(close - at) - m) && k < 6 &&
                k != 5 && !memchr(s, ':', (size_t)(at - s))) {
                keep_unit(at + m, close, unit);
                *before = '\0';
                continue;
            }
            *close = ' ';
            *at = ' ';
            memmove(at + 1, at + m, strlen(at + m) + 1);
        }
    }
}

/* "\text{m}", "\mathrm{s}^{-1}": the bytes of one factor of a unit; 0: none. */
static size_t unit_factor(const char *s)
{
    size_t at = strncmp(s, "\\text{", 6) == 0 ? 6 : strncmp(s, "\\mathrm{", 8) == 0 ? 8 : 0;
    if (!at) return 0;
    size_t letters = strspn(s + at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/ ");
    if (!letters || s[at + letters] != '}' || allot_words_factor(s + at, letters)) return 0;
    at += letters + 1;
    if (s[at] != '^') return at;
    size_t power = s[at + 1] == '{' ? strspn(s + at + 2, "-0123456789") : 0;
    if (power) return s[at + 2 + power] == '}' ? at + 3 + power : 0;
    return isdigit((unsigned char)s[at + 1]) ? at + 2 : 0;
}

/* Behind a number: "\text{m}*\text{s}^{-1}", "\frac{\text{m}}{\text{s}}". */
static void drop_product_of_units(char *s, char *unit)
{
    for (char *at = s; (at = strchr(at, '\\')); at++) {
        const char *from = at;
        while (from > s && from[-1] == ' ')
            from--;
        if (from == s || !isdigit((unsigned char)from[-1])) continue;
        const char *c = at;
        int factors = 0;
        for (size_t m; *c;) {
            if (strncmp(c, "\\frac{", 6) == 0) c += 6, factors++;
            if ((m = unit_factor(c))) c += m, factors++;
            else if (strchr("*/ {}.", *c)) c++;
            else break;
        }
        if (*c || factors < 2) continue;
        keep_unit(at, c, unit);
        s[from - s] = '\0';
        return;
    }
}

/* Blanks next to anything but two words or numbers mean nothing. */
static void squeeze(char *s)
{
    size_t m = 0;
    for (size_t i = 0; s[i]; i++) {
        if (isspace((unsigned char)s[i])) {
            size_t j = i;
            while (isspace((unsigned char)s[j]))
                j++;
            int before = m > 0 && (isalnum((unsigned char)s[m - 1]) || (signed char)s[m - 1] < 0);
            if (m > 0 && isalpha((unsigned char)s[j]) && strchr(")}],", s[m - 1])) before = 1;
            i = j - 1;
            if (before && (isalnum((unsigned char)s[j]) || (signed char)s[j] < 0)) s[m++] = ' ';
        } else {
            s[m++] = s[i];
        }
    }
    s[m] = '\0';
}

/* The C of "20 degrees C" at s[at]. */
static int behind_degree(const char *s, size_t at)
{
    at -= s[at - 1] == ' ';
    return at > 1 && memcmp(s + at - 2, "\xc2\xb0", 2) == 0;
}

/* "\sqrt{3} \approx 1.7": what is exact; of "x \approx 1.7" the number. */
static void keep_exact(char *s)
{
    char *sign = strstr(s, "\\approx");
    if (!sign) return;
    char *left = s;
    while (left < sign && (isalpha((unsigned char)*left) || *left == ' '))
        left++;
    if (left == sign) memmove(s, sign + 7, strlen(sign + 7) + 1);
    else *sign = '\0';
}

/* "2x > 6 \Rightarrow x > 3": the conclusion. */
static void keep_conclusion(char *s)
{
    static const char *const arrows[] = {"\\Rightarrow", "\\implies", "\\Longrightarrow",
                                         "\\therefore", "\xe2\x87\x92"};
    for (size_t k = 0; strchr(s, '\\') && k < sizeof arrows / sizeof *arrows; k++)
        for (char *at; (at = strstr(s, arrows[k])) && at[strlen(arrows[k])];)
            memmove(s, at + strlen(arrows[k]), strlen(at + strlen(arrows[k])) + 1);
}

/* "\frac{x}{7}}": the brace of a box that was cut open. */
static size_t without_stray_brace(const char *s, size_t n)
{
    int depth = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || s[i - 1] != '\\') depth += (s[i] == '{') - (s[i] == '}');
    return n > 1 && s[n - 1] == '}' && s[n - 2] != '\\' && depth == -1 ? n - 1 : n;
}

static void trim(char *s)
{
    size_t n = without_stray_brace(s, strlen(s)), from = 0;
    int angle = allot_words_angle(s, n);
    for (;;) {
        if (n > 0 && strchr(".,;:`\"'\\ ", s[n - 1])) n--;
        else if (n > 1 && memcmp(s + n - 2, "\xc2\xb0", 2) == 0 && !angle) n -= 2;
        else if (n > 3 && strchr("CF", s[n - 1]) && behind_degree(s, n - 1)) n--;
        else break;
    }
    s[n] = '\0';
    while (s[from] && strchr("`\" :=", s[from]))
        from++;
    memmove(s, s + from, n - from + 1);
}

/* Behind a number: "m/s", " m/s^{2}", "km/h". Its start, or NULL. */
static char *quotient_unit(char *s)
{
    static const char *const above[] = {"m",  "km",  "cm", "mi", "ft", "g",   "kg",
                                        "mg", "mol", "L",  "J",  "N",  "kWh", "rad"},
                             *const below[] = {"s",  "h",  "hr", "min", "m",  "L",   "mL",
                                               "kg", "cm", "km", "mol", "ft", "sec", "m^3"};
    char *slash = strrchr(s, '/');
    if (!slash) return NULL;
    size_t n = allot_words_before_power(slash + 1, strlen(slash + 1)), m = 0;
    while (slash - m > s && isalpha((unsigned char)slash[-1 - (ptrdiff_t)m]))
        m++;
    char *unit = slash - m;
    if (m == 0 || unit == s) return NULL;
    char *end = unit - (unit[-1] == ' ');
    if (!isdigit((unsigned char)end[-1])) return NULL;
    int known = 0;
    for (size_t k = 0; k < sizeof above / sizeof *above; k++)
        known |= strlen(above[k]) == m && memcmp(above[k], unit, m) == 0;
    for (size_t k = 0; known && k < sizeof below / sizeof *below; k++)
        if (strlen(below[k]) == n && memcmp(below[k], slash + 1, n) == 0) return end;
    return NULL;
}

/* "10 meters", "12 square units": words behind a number, apart from it by a blank. */
static void drop_unit(char *s, char *unit)
{
    char *quotient = quotient_unit(s);
    if (quotient) {
        keep_unit(quotient, s + strlen(s), unit);
        *quotient = '\0';
    }
    size_t n = strlen(s), at = allot_words_before_unit(s, n);
    if (at == n) return;
    if (memchr(s, ':', at)) return;
    keep_unit(s + at, s + strlen(s), unit);
    s[at] = '\0';
}

/* "x=3" answers "3"; "x=y+2" stays an equation. */
static const char *without_name(const char *s)
{
    if (!isalpha((unsigned char)s[0]) || s[1] != '=' || !s[2]) return s;
    for (const char *c = s + 2; *c; c++) {
        if (*c == '=' || isalpha((unsigned char)*c)) return s;
        if (*c == '\\')
            while (isalpha((unsigned char)c[1]))
                c++;
    }
    return s + 2;
}

size_t allot_normalise(const char *answer, size_t n, char *out, char *unit)
{
    char once[ALLOT_ANSWER_MAX];
    out[0] = unit[0] = '\0';
    if (n == 0 || n > ALLOT_ANSWER_MAX || memchr(answer, '\0', n)) return 0;
    if (!respell(once, unescape(answer, n, once), out)) return 0;
    drop_product_of_units(out, unit);
    open_text(out, unit);
    squeeze(out);
    keep_conclusion(out);
    keep_exact(out);
    trim(out);
    allot_words_numbers(out);
    drop_unit(out, unit);
    const char *value = without_name(out);
    memmove(out, value, strlen(value) + 1);
    allot_words_replace(out);
    return strlen(out);
}
