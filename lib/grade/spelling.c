/* SPDX-License-Identifier: Apache-2.0 */
/* spelling.c - respells an answer sign by sign, in one pass over a table of commands and signs. */
#include "lib/grade/spelling.h"
#include <ctype.h>
#include <string.h>

/* Spellings that change nothing, by their first byte; the longer ones first. */
typedef struct {
    const char *from, *to;
} spelling;

static const spelling commands[] = {
    {"\\displaystyle", ""},
    {"\\checkmark", ""},
    {"\\blacksquare", ""},
    {"\\qed", ""},
    {"\\text{,}", ","},
    {"\\dfrac", "\\frac"},
    {"\\varnothing", "\\emptyset"},
    {"\\{\\}", "\\emptyset"},
    {"\\tfrac", "\\frac"},
    {"\\cfrac", "\\frac"},
    {"\\times", "*"},
    {"\\cdot", "*"},
    {"\\div", "/"},
    {"\\leq", "<="},
    {"\\geq", ">="},
    {"\\leftarrow", "<-"},
    {"\\left.", ""},
    {"\\left", ""},
    {"\\le", "<="},
    {"\\rightarrow", "->"},
    {"\\right.", ""},
    {"\\right", ""},
    {"\\ge", ">="},
    {"\\neq", "!="},
    {"\\ne", "!="},
    {"\\lt", "<"},
    {"\\gt", ">"},
    {"\\lbrace", "\\{"},
    {"\\rbrace", "\\}"},
    {"\\lbrack", "["},
    {"\\rbrack", "]"},
    {"\\lparen", "("},
    {"\\rparen", ")"},
    {"\\surd", "\\sqrt "},
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
    {"\\&", "&"},
    {"\\degree", "\xc2\xb0"},
    {"\\backslash", "\\setminus "},
    {"\\R", "\\mathbb{R}"},
    {"\\mathbf{R}", "\\mathbb{R}"},
    {"\\langle", "("},
    {"\\rangle", ")"},
    {"\\pounds", ""},
    {"\\euro", ""},
    {"\\equiv", "="},
    {"\\simeq", "\\approx "},
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
    {"\\text{i}", "i"},
    {"\\text{e}", "e"},
    {"\\mathrm{e}", "e"},
    {"\\tbinom", "\\binom"},
    {"\\dbinom", "\\binom"},
    {"\\bar", "\\overline"},
    {"\\triangle", ""},
    {"\\angle", ""},
    {"\\lg", "\\log"},
    {"\\tg", "\\tan"},
    {"\\ctg", "\\cot"},
    {"\\operatorname{tg}", "\\tan "},
    {"\\operatorname{ctg}", "\\cot "},
    {"\\operatorname{arctg}", "\\arctan "},
    {"\\rm", ""},
    {"\\normalsize", ""},
    {"\\small", ""},
    {"\\textstyle", ""},
    {"\\scriptstyle", ""},
    {"\\mathord", ""},
    {"\\mathop", ""},
    {"\\smash", ""},
    {"\\hfill", " "},
    {"\\newline", " "},
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
    {"\\biggl", ""},
    {"\\biggr", ""},
    {"\\Biggl", ""},
    {"\\Biggr", ""},
    {"\\Bigg", ""},
    {"\\bigl", ""},
    {"\\bigr", ""},
    {"\\big", ""},
    {"\\Big", ""},
    {"\\bigg", ""},
    {"\\ldots", "..."},
    {"\\dots", "..."},
    {"\\cdots", "..."},
    {"\\And", "&"},
};

/* UTF-8 */
static const spelling signs[] = {
    {"\xe6\x88\x96\xe8\x80\x85", " or "}, /* Chinese "or", "and", a comma; Korean "or" */
    {"\xe6\x88\x96", " or "},
    {"\xe4\xb8\x94", " and "},
    {"\xe5\x92\x8c", " and "},
    {"\xe3\x80\x81", ", "},
    {"\xeb\x98\x90\xeb\x8a\x94", " or "},

    {"\xe2\x8c\x8a", "\\lfloor "},
    {"\xe2\x8c\x8b", "\\rfloor "},
    {"\xe2\x8c\x88", "\\lceil "},
    {"\xe2\x8c\x89", "\\rceil "},
    {"\xe2\x88\x85", "\\emptyset"},
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
    {"\xe2\x9f\xa8", "("},
    {"\xe2\x9f\xa9", ")"},
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
    {"\xe2\x89\x88", "\\approx "},
    {"\xe2\x88\xa0", ""},
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
    {"\xe2\x80\xa6", "..."},
    {"\xe2\x80\x8b", ""}, /* what is not seen */
    {"\xe2\x80\x8c", ""},
    {"\xe2\x80\x8d", ""},
    {"\xe2\x80\x8e", ""},
    {"\xe2\x80\x8f", ""},
    {"\xe2\x81\xa0", ""},
    {"\xe2\x81\xa1", ""},
    {"\xe2\x81\xa2", ""},
    {"\xef\xbb\xbf", ""},
    {"\xc2\xad", ""},
};

static const spelling others[] = {
    {"$", ""},
    {"{,}", ","},
    {"~", " "},
    {"**", "^"},
    {"^{\\text{th}}", ""}, /* 5th */
    {"^\\text{th}", ""},
    {"^{\\mathrm{th}}", ""},
    {"^{th}", ""},
    {"^{\\circ}", "\xc2\xb0"},
    {"^\\circ", "\xc2\xb0"},
    {"^ \\circ", "\xc2\xb0"},
    {"^\xc2\xb0", "\xc2\xb0"},
    {"^{\xc2\xb0}", "\xc2\xb0"},
    {"^{o}", "\xc2\xb0"},
    {"-infinity", "-\\infty "},
    {"+infinity", "\\infty "},
    {"+inf", "\\infty "},
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
    {"&=", "="},
    {":=", "="},
    {"+/-", "\\pm "},
    {"\x08oxed", "\\boxed"}, /* \b, \f and \t of a string that took them for signs */
    {"\x0crac", "\\frac"},
    {"\text", "\\text"},
    {"\times", "*"},
};

static const struct {
    const spelling *rows;
    size_t n;
} tables[] = {{commands, sizeof commands / sizeof *commands},
              {signs, sizeof signs / sizeof *signs},
              {others, sizeof others / sizeof *others}};

/* A command's name must end where the spelling ends: \le is not the start of \left or \lesssim. */
static int spelled(const char *s, size_t n, const char *from)
{
    if (*s != *from || (from[1] && (n < 2 || s[1] != from[1]))) return 0; /* most end here */
    size_t m = strlen(from);
    if (n < m || memcmp(s, from, m) != 0) return 0;
    if (!isalpha((unsigned char)from[m - 1]) || n == m) return 1;
    return from[0] != '\\' || !isalpha((unsigned char)s[m]);
}

static const spelling *row_of(const char *s, size_t n)
{
    if (isalnum((unsigned char)*s) || *s == ' ') return NULL;
    int t = *s == '\\' ? 0 : *s < 0 ? 1 : 2;
    for (size_t k = 0; k < tables[t].n; k++)
        if (spelled(s, n, tables[t].rows[k].from)) return &tables[t].rows[k];
    return NULL;
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

/* "\color{red}", "\tag{1}": its bytes; 0: none. */
static size_t no_content(const char *s, size_t n)
{
    static const char *const names[] = {"\\color{", "\\textcolor{", "\\colorbox{", "\\tag{",
                                        "\\tag*{",  "\\label{",     "\\hspace{",   "\\phantom{"};
    for (size_t k = 0; *s == '\\' && k < sizeof names / sizeof *names; k++) {
        size_t m = strlen(names[k]);
        const char *close =
            n > m && memcmp(s, names[k], m) == 0 ? memchr(s, '}', n < 40 ? n : 40) : NULL;
        if (close) return (size_t)(close + 1 - s);
    }
    return 0;
}

int allot_respell(const char *s, size_t n, char *out)
{
    size_t m = 0;
    while (n > 0 && m + 16 < ALLOT_NORMAL_SIZE) {
        size_t used = 1, command = glued(s, n);
        const spelling *row = row_of(s, command ? command : n);
        if (*s == '\\' && n > 1 && s[1] == '\\') { /* a row's end, not the start of a command */
            out[m++] = *s;
            out[m++] = *s;
            used = 2 + row_space(s + 2, n - 2);
        } else if (row) {
            size_t put = strlen(row->to);
            used = strlen(row->from);
            memcpy(out + m, row->to, put);
            m += put;
            if (used == 2 && s[1] == '!') /* 10,\! 080 is one number */
                while (used < n && s[used] == ' ')
                    used++;
        } else if (no_content(s, n)) {
            used = no_content(s, n);
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
