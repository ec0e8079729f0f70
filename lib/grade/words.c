/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - what words say: numbers in letters, factors, units, answers such as "no solution". */
#include "lib/grade/words.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *from, *to;
} meanings[] = {{"infinity", "\\infty"},
                {"inf", "\\infty"},
                {"+infinity", "\\infty"},
                {"positive infinity", "\\infty"},
                {"-infinity", "-\\infty"},
                {"-inf", "-\\infty"},
                {"negative infinity", "-\\infty"},
                {"all real numbers", "\\mathbb{R}"},
                {"all real number", "\\mathbb{R}"},
                {"all reals", "\\mathbb{R}"},
                {"real numbers", "\\mathbb{R}"},
                {"all integers", "\\mathbb{Z}"},
                {"empty set", "\\emptyset"},
                {"\\{\\}", "\\emptyset"},
                {"half", "1/2"},
                {"one half", "1/2"},
                {"one-half", "1/2"},
                {"one third", "1/3"},
                {"one-third", "1/3"},
                {"two thirds", "2/3"},
                {"two-thirds", "2/3"},
                {"one quarter", "1/4"},
                {"one-quarter", "1/4"},
                {"one fourth", "1/4"},
                {"one-fourth", "1/4"},
                {"three quarters", "3/4"},
                {"three-quarters", "3/4"},
                {"three fourths", "3/4"},
                {"three-fourths", "3/4"},
                {"yes", "true"},
                {"no", "false"},
                {"dne", "undefined"},
                {"does not exist", "undefined"}};

static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"twenty", "thirty",  "forty",  "fifty",
                                   "sixty",  "seventy", "eighty", "ninety"};

int allot_words_spelled(const char *s)
{
    size_t n = sizeof small / sizeof *small;
    if (!isalpha((unsigned char)*s)) return -1; /* nearly all answers */
    for (size_t k = 0; k < n; k++)
        if (strcasecmp(s, small[k]) == 0) return (int)k;
    for (size_t k = 0; k < sizeof tens / sizeof *tens; k++) {
        size_t m = strlen(tens[k]);
        int ten = 20 + 10 * (int)k;
        if (strncasecmp(s, tens[k], m) != 0) continue;
        if (!s[m]) return ten;
        if (!strchr(" -", s[m])) return -1;
        for (int unit = 1; unit < 10; unit++)
            if (strcasecmp(s + m + 1, small[unit]) == 0) return ten + unit;
    }
    return -1;
}

static void cut(char *s, size_t n)
{
    memmove(s, s + n, strlen(s + n) + 1);
}

/* "the dog", "about 5", "all x > 3", "USD 5". */
static void drop_prefix(char *s)
{
    static const char *const articles[] = {"the ", "a ", "an "},
                             *const leads[] = {"approximately ", "about ", "answer:", "all "},
                             *const negative[] = {"negative ", "minus "},
                             *const money[] = {"usd ", "us", "eur ", "rs ", "rs."};
    for (size_t k = 0; k < sizeof articles / sizeof *articles; k++) {
        size_t m = strlen(articles[k]);
        if (strncasecmp(s, articles[k], m) == 0 && strncmp(s + m, "and ", 4) != 0 &&
            isalpha((unsigned char)s[m]) && isalpha((unsigned char)s[m + 1]) &&
            isalpha((unsigned char)s[m + 2]))
            cut(s, m);
    }
    for (size_t k = 0; k < sizeof leads / sizeof *leads; k++) {
        size_t m = strlen(leads[k]);
        if (strncasecmp(s, leads[k], m) == 0 && (k < 3 || !isalpha((unsigned char)s[m + 1])))
            cut(s, m);
    }
    for (size_t k = 0; k < 2; k++) {
        size_t m = strlen(negative[k]);
        if (strncasecmp(s, negative[k], m) != 0 || !strchr("0123456789\\", s[m]) || !s[m]) continue;
        *s = '-';
        cut(s + 1, m - 1);
    }
    for (size_t k = 0; k < sizeof money / sizeof *money; k++) {
        size_t m = strlen(money[k]);
        if (strncasecmp(s, money[k], m) == 0 && isdigit((unsigned char)s[m])) cut(s, m);
    }
}

/* "6.02 x 10^23": the letter stands for times. */
static void read_times(char *s)
{
    for (char *x = s; (x = strchr(x, 'x')); x++) {
        char *from = x, *to = x + 1;
        if (from > s && from[-1] == ' ') from--;
        if (*to == ' ') to++;
        if (from == s || !isdigit((unsigned char)from[-1]) || strncmp(to, "10^", 3) != 0) continue;
        *from = '*';
        memmove(from + 1, to, strlen(to) + 1);
        x = from;
    }
}

static const struct {
    const char *word, *power;
} factors[] = {{" hundred", "*10^{2}"},   {" thousand", "*10^{3}"},
               {" million", "*10^{6}"},   {" billion", "*10^{9}"},
               {" trillion", "*10^{12}"}, {" percent", "%"},
               {" percentage", "%"},      {" pct", "%"}};
enum { N_FACTORS = sizeof factors / sizeof *factors };

int allot_words_factor(const char *s, size_t n)
{
    for (int k = 0; k < N_FACTORS; k++)
        if (memmem(s, n, factors[k].word + 1, strlen(factors[k].word) - 1)) return 1;
    return 0;
}

static void read_factor(char *s)
{
    for (int k = 0; k < N_FACTORS; k++) {
        size_t m = strlen(factors[k].word), put = strlen(factors[k].power);
        char *at = strstr(s, factors[k].word);
        if (!at || at == s || !strchr("0123456789}", at[-1])) continue;
        m += at[m] == 's';
        if (isalpha((unsigned char)at[m])) continue;
        memcpy(at, factors[k].power, put);
        memmove(at + put, at + m, strlen(at + m) + 1);
    }
}

void allot_words_numbers(char *s)
{
    read_times(s);
    read_factor(s);
}

/* "for all x", ", k \in \mathbb{Z}" behind a family of answers say nothing new. */
static void drop_condition(char *s)
{
    static const char *const words[] = {"for all ",  "for any ", "for every ",
                                        "for some ", "where ",   "\\forall"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        char *at = strstr(s, words[k]);
        if (!at || at < s + 2 || (*at != '\\' && !strchr(" ,(", at[-1]))) continue;
        if (strstr(at + 4, "for ")) continue; /* "2 for all n > 2, 1 for n = 2" */
        while (at > s && strchr(" ,(", at[-1]))
            at--;
        *at = '\0';
    }
    static const char *const ends[] = {"\\in\\mathbb{Z}", "\\in\\mathbb{N}", "\\inZ"};
    size_t n = strlen(s);
    n -= n > 0 && s[n - 1] == ')';
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        size_t m = strlen(ends[k]);
        if (n < m + 4 || memcmp(s + n - m, ends[k], m) != 0 ||
            !isalpha((unsigned char)s[n - m - 1]))
            continue;
        size_t to = n - m - 1;
        if (to > 5 && memcmp(s + to - 5, " for ", 5) == 0) to -= 4;
        while (to > 0 && strchr(" ,(", s[to - 1]))
            to--;
        if (to > 0 && to < n - m - 1) s[to] = '\0';
        return;
    }
}

/* The segment \overline{AB} is AB; digits under a bar repeat. */
static void drop_bar(char *s)
{
    size_t n = strlen(s);
    if (n < 12 || strncmp(s, "\\overline{", 10) != 0 || s[n - 1] != '}') return;
    for (size_t i = 10; i + 1 < n; i++)
        if (s[i] < 'A' || s[i] > 'Z') return;
    s[n - 1] = '\0';
    cut(s, 10);
}

/* "all real numbers except 1 and x = 2": \mathbb{R}\setminus\{1,2\}, which is no longer. */
static void read_exception(char *s)
{
    static const char all[] = "all real numbers except", set[] = "\\mathbb{R}\\setminus\\{";
    size_t n = 0;
    char rest[256];
    if (strncasecmp(s, all, sizeof all - 1) != 0 || strlen(s) >= sizeof rest) return;
    for (const char *c = s + sizeof all - 1; *c; c++) {
        if (strncmp(c, "and", 3) == 0) rest[n++] = ',', c += 2;
        else if (isalpha((unsigned char)*c) && c[1] == '=') c++;
        else if (*c != ' ') rest[n++] = *c;
    }
    if (n > 0) sprintf(s, "%s%.*s\\}", set, (int)n, rest);
}

/* "the equation has no solution", "no real solutions exist". */
static int ends_without_solution(const char *s)
{
    static const char *const ends[] = {"no solution", "no solutions", "no real solution",
                                       "no real solutions"};
    size_t n = strlen(s);
    if (n > 6 && strcmp(s + n - 6, " exist") == 0) n -= 6;
    if (n > 7 && strcmp(s + n - 7, " exists") == 0) n -= 7;
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        size_t m = strlen(ends[k]);
        if (n >= m && strncasecmp(s + n - m, ends[k], m) == 0 && (n == m || s[n - m - 1] == ' '))
            return 1;
    }
    return 0;
}

void allot_words_replace(char *s)
{
    drop_prefix(s);
    drop_condition(s);
    drop_bar(s);
    read_exception(s);
    if (ends_without_solution(s)) strcpy(s, "\\emptyset");
    if (!isalpha((unsigned char)*s) && !strchr("+-\\", *s)) return;
    for (size_t k = 0; k < sizeof meanings / sizeof *meanings; k++) {
        if (strcasecmp(s, meanings[k].from) != 0) continue;
        strcpy(s, meanings[k].to);
        return;
    }
    int number = allot_words_spelled(s);
    if (number >= 0) sprintf(s, "%d", number);
}

static int is_one_of(const char *word, size_t n, const char *const *words, size_t n_words)
{
    for (size_t k = 0; k < n_words; k++)
        if (n == strlen(words[k]) && memcmp(word, words[k], n) == 0) return 1;
    return 0;
}

static int known_symbol(const char *word, size_t n)
{
    static const char *const units[] = {"cm",  "mm",  "km", "kg", "ft", "in", "ml", "hr",
                                        "pct", "mg",  "dm", "lb", "oz", "yd", "mi", "Hz",
                                        "mL",  "mph", "th", "st", "nd", "rd"};
    return is_one_of(word, n, units, sizeof units / sizeof *units);
}

static int is_unit(const char *word, size_t n)
{
    static const char *const not_units[] = {
        "hundred", "thousand", "million", "billion", "trillion", "and", "or",  "sin", "cos",
        "tan",     "log",      "exp",     "sqrt",    "mod",      "cot", "sec", "csc"};
    return !is_one_of(word, n, not_units, sizeof not_units / sizeof *not_units) &&
           (n >= 3 || known_symbol(word, n));
}

/* Behind a blank: next to a number they would be products. */
static int symbol_apart(const char *word, size_t n)
{
    static const char *const units[] = {"gm", "yr", "cc", "Rs", "Pa", "MB", "GB", "KB", "TB",
                                        "nm", "ms", "ns", "eV", "dB", "lm", "sq", "cu"};
    return is_one_of(word, n, units, sizeof units / sizeof *units);
}

/* Which unit a word names, without its power; 0: none that is known. */
static int unit_of(const char *word)
{
    static const char *const names[] = {"mm/millimeter/millimetre",
                                        "cm/centimeter/centimetre",
                                        "m/meter/metre",
                                        "km/kilometer/kilometre",
                                        "in/inch/inche",
                                        "ft/foot/feet",
                                        "yd/yard",
                                        "mi/mile",
                                        "mg/milligram",
                                        "g/gram",
                                        "kg/kilogram",
                                        "lb/pound",
                                        "oz/ounce",
                                        "s/sec/second",
                                        "min/minute",
                                        "h/hr/hour",
                                        "day",
                                        "week",
                                        "month",
                                        "year",
                                        "ml/milliliter/millilitre",
                                        "l/liter/litre",
                                        "dollar",
                                        "cent"};
    size_t n = allot_words_before_power(word, strlen(word));
    for (size_t k = 0; n > 0 && k < sizeof names / sizeof *names; k++)
        for (const char *name = names[k]; *name; name += strspn(name, "/")) {
            size_t m = strcspn(name, "/");
            if (m == n && memcmp(name, word, n) == 0) return (int)k + 1;
            name += m;
        }
    return 0;
}

int allot_words_units_differ(const char *a, const char *b)
{
    int x = unit_of(a), y = unit_of(b);
    if (!x || !y) return 0;
    const char *p = strpbrk(a, "23"), *q = strpbrk(b, "23"); /* cm, cm^2 */
    return x != y || (p ? *p : '1') != (q ? *q : '1');
}

int allot_words_angle(const char *s, size_t n)
{
    static const char *const names[] = {"sin", "cos", "tan", "cot", "sec", "csc"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (memmem(s, n, names[k], 3)) return 1;
    return 0;
}

size_t allot_words_before_power(const char *s, size_t n)
{
    static const char *const powers[] = {"^2", "^3", "^{2}", "^{3}"};
    for (size_t k = 0; k < sizeof powers / sizeof *powers; k++) {
        size_t m = strlen(powers[k]);
        if (n >= m && memcmp(s + n - m, powers[k], m) == 0) return n - m;
    }
    if (n > 2 && strchr("23", s[n - 1]) && s[n - 2] == 'm' && isdigit((unsigned char)s[n - 3]))
        return n - 1; /* 100m2 */
    return n;
}

/* "5 (five)": the length without what brackets add to a number; n if they add nothing. */
static size_t before_aside(const char *s, size_t n)
{
    size_t at = n;
    if (n < 6 || s[n - 1] != ')') return n;
    for (at--; at > 0 && (isalpha((unsigned char)s[at - 1]) || s[at - 1] == ' ');)
        at--;
    return n - at > 3 && at > 1 && s[at - 1] == '(' && isdigit((unsigned char)s[at - 2]) ? at - 1
                                                                                         : n;
}

/* Does a character of a script other than Latin's and Greek's plain letters begin so? Signs such as
 * the degree's do not. */
static int is_script_lead(const char *s)
{
    unsigned char c = (unsigned char)*s;
    if (c == 0xc3) return (unsigned char)s[1] != 0x97 && (unsigned char)s[1] != 0xb7;
    return c == 0xc4 || c == 0xc5 || (c >= 0xd0 && c <= 0xd4) || (c >= 0xe3 && c <= 0xed);
}

/* "5 rubles", "17000 yuan" in their own letters: where the words begin; n if there are none. */
static size_t before_script(const char *s, size_t n)
{
    size_t at = n;
    int seen = 0;
    for (; at > 0 && (s[at - 1] < 0 || isalpha((unsigned char)s[at - 1]) || s[at - 1] == ' '); at--)
        if (((unsigned char)s[at - 1] & 0xc0) == 0xc0) {
            if (!is_script_lead(s + at - 1)) return n;
            seen = 1;
        }
    return seen && at > 0 && isdigit((unsigned char)s[at - 1]) && (s[at] == ' ' || s[at] < 0) ? at
                                                                                              : n;
}

/* "10weeks": behind a plain number no function, and too long for a product of variables. */
static int is_glued_word(const char *s, size_t at, size_t n)
{
    const char *word = s + at;
    n -= at;
    return n > 3 && strspn(s, "+-.,0123456789") == at && is_unit(word, n) &&
           !memchr(word, ' ', n) && memcmp(word, "sqrt", 4) != 0 && memcmp(word, "arc", 3) != 0 &&
           word[n - 1] != 'h';
}

/* May the m letters at s[i] stand in a unit whose first word is at s[first]? last: they end the
 * text, without a power. */
static int is_word_of_unit(const char *s, size_t first, size_t i, size_t m, int last)
{
    const char *word = s + i;
    if ((m == 3 && memcmp(word, "and", 3) == 0) || (m == 2 && memcmp(word, "or", 2) == 0)) return 0;
    if (i == first)
        return is_unit(word, m) || symbol_apart(word, m) ||
               (last && m == 3 && memcmp(word, "sec", 3) == 0);
    int square =
        i == first + 3 && (memcmp(s + first, "sq ", 3) == 0 || memcmp(s + first, "cu ", 3) == 0);
    return m != 1 || square;
}

size_t allot_words_before_unit(const char *s, size_t length)
{
    if (before_aside(s, length) < length) return before_aside(s, length);
    if (before_script(s, length) < length) return before_script(s, length);
    size_t n = allot_words_before_power(s, length), at = n;
    int behind_pi = 0;
    while (at > 0 && !behind_pi && (isalpha((unsigned char)s[at - 1]) || s[at - 1] == ' ')) {
        at--;
        behind_pi = at > 3 && s[at] == ' ' && memcmp(s + at - 3, "\\pi", 3) == 0;
    }
    if (at > 0 && isalpha((unsigned char)s[at]) && isdigit((unsigned char)s[at - 1]) &&
        (known_symbol(s + at, n - at) || is_glued_word(s, at, n)))
        return at;
    if (at == 0 || at == n || s[at] != ' ' || !(behind_pi || strchr("0123456789})]", s[at - 1])))
        return length;
    for (size_t i = at + 1, end; i < n; i = end + 1) {
        for (end = i; end < n && s[end] != ' ';)
            end++;
        if (!is_word_of_unit(s, at + 1, i, end - i, end == length)) return length;
    }
    return at;
}
