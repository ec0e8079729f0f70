/* SPDX-License-Identifier: Apache-2.0 */
/* normalize.c - from an answer as it is written to the one spelling that is compared: signs first
 * (spelling.c), then text and units, blanks, and what words mean (words.c). */
#include "lib/grade/normalize.h"
#include <ctype.h>
#include <string.h>
#include "lib/grade/words.h"

/* Text out of a JSON file that was escaped twice: "\\sqrt" for "\sqrt". Rows of matrices stay. */
static size_t unescape(const char *s, size_t n, char *out)
{
    size_t m = 0;
    int twice = memmem(s, n, "\\\\begin", 7) != NULL;
    int rows = !twice && memmem(s, n, "\\begin", 6) != NULL;
    for (size_t i = 0; i < n; i++) {
        out[m++] = s[i];
        if (s[i] != '\\' || i + 1 >= n || s[i + 1] != '\\' || rows) continue;
        if (twice ||
            (i + 2 < n && (isalpha((unsigned char)s[i + 2]) || strchr("{}%()[]$,", s[i + 2]))))
            i++;
    }
    return m;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

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
        if (!strchr(" .{}", *from)) unit[n++] = (char)tolower((unsigned char)*from);
    while (n > 1 && unit[n - 1] == 's') /* metres */
        n--;
    unit[n] = '\0';
}

/* "\boxed{1} for (a) and \boxed{2}": what stands between boxes joins them, by "or" if it says so.
 */
static void join_boxes(char *s)
{
    static const char box[] = "\\boxed{";
    const size_t m = sizeof box - 1;
    for (char *at = s, *close, *next; strncmp(at, box, m) == 0; at = next) {
        if (!(close = closing(at + m)) || !(next = strstr(close, box))) return;
        const char *word = next;
        while (word > close && !isalpha((unsigned char)word[-1]))
            word--;
        int other = word > close + 3 && memcmp(word - 3, " or", 3) == 0;
        const char *joint = other ? " or " : ",";
        size_t n = strlen(joint), left = strlen(next) + 1;
        if ((size_t)(close + 1 - s) + n + left > ALLOT_NORMAL_SIZE) return;
        memmove(close + 1 + n, next, left);
        memcpy(close + 1, joint, n);
        next = close + 1 + n;
    }
}

/* \text{...} and its kin: the words stay between blanks; text behind a number (a unit) goes. */
static void open_text(char *s, char *unit)
{
    static const char *const names[] = {
        "\\text{",   "\\textbf{",         "\\textit{",    "\\mathrm{",     "\\mbox{",
        "\\mathbf{", "\\boxed{",          "\\fbox{",      "\\textrm{",     "\\operatorname{",
        "\\vec{",    "\\overrightarrow{", "\\underline{", "\\emph{",       "\\texttt{",
        "\\textsf{", "\\boldsymbol{",     "\\mathcal{",   "\\textnormal{", "\\mathit{",
        "\\mathtt{", "\\mathsf{",         "boxed{",       "boxed {",       "\xe2\x96\xa1{",
        "\\bm{",     "\\ensuremath{"};
    enum { HOLD_UNITS = 5 }; /* the first of them; the others dress variables and values */
    if (!strchr(s, '{')) return;
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
            if (number && last && !allot_words_factor(at + m, (size_t)(close - at) - m) &&
                k < HOLD_UNITS && !memchr(s, ':', (size_t)(at - s))) { /* a time has no unit */
                keep_unit(at + m, close + strlen(close), unit);
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
    size_t letters = strspn(s + at, LETTERS "/ ");
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

/* "np.sqrt(2)", "2*math.pi": the functions of Python, without their modules. */
static void drop_modules(char *s)
{
    static const char *const names[] = {"np.", "math.", "numpy.", "sympy.", "sp."};
    for (size_t k = 0; strchr(s, '.') && k < sizeof names / sizeof *names; k++) {
        size_t m = strlen(names[k]);
        for (char *at = s; (at = strstr(at, names[k]));) {
            int alone = at == s || !isalpha((unsigned char)at[-1]);
            if (alone && isalpha((unsigned char)at[m])) memmove(at, at + m, strlen(at + m) + 1);
            else at += m;
        }
    }
}

enum { LONGEST_SCRIPT = 40 };

/* The bytes of the script that follows ^ or _: a group, or one character; 0: none, or too long. */
static size_t script(const char *s)
{
    int depth = 0;
    if (!*s || *s == '\\') return 0;
    for (size_t i = 0; s[i] && i + 1 < LONGEST_SCRIPT; i++) {
        depth += (s[i] == '{') - (s[i] == '}');
        if (depth <= 0) return i + 1;
    }
    return 0;
}

/* "v^2_0" is "v_0^2". */
static void order_scripts(char *s)
{
    for (char *up = s; (up = strchr(up, '^')); up++) {
        size_t m = script(up + 1), n;
        char power[LONGEST_SCRIPT], *down = up + 1 + m;
        if (!m || *down != '_' || !(n = script(down + 1))) continue;
        if (up == s || !isalpha((unsigned char)up[-1])) continue;
        memcpy(power, up, m + 1);
        memmove(up, down, n + 1);
        memcpy(up + n + 1, power, m + 1);
        up += n + m + 1;
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
            if (m > 1 && s[m - 1] == ',' && isdigit((unsigned char)s[m - 2]) &&
                strspn(s + j, "0123456789") != 3)
                before = 1; /* "3, 5"; "32, 348" is one number */
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
    if (m > 2 && n > 2 && end < unit && strspn(slash + 1, LETTERS) == n) return end; /* rev/min */
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
    if (!allot_respell(once, unescape(answer, n, once), out)) return 0;
    drop_modules(out);
    order_scripts(out);
    join_boxes(out);
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
