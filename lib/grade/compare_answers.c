/* SPDX-License-Identifier: Apache-2.0 */
/* compare_answers.c - equality of a prediction with the reference: what holds of whole answers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "lib/grade/comparison.h"
#include "lib/grade/expression.h"
#include "lib/grade/moment.h"
#include "lib/grade/normalize.h"
#include "lib/grade/words.h"

enum { MOST_PARTS = 2000 }; /* compared in one answer */

static int degrees(const char *s, size_t n)
{
    return memmem(s, n, "\\circ", 5) || memmem(s, n, "\xc2\xb0", 2);
}

/* 30 degrees are pi/6, 90 - 60 degrees, too: only where one side has the sign and the other has
 * pi. */
static int same_angle(const char *degree, size_t n, const char *radian, size_t m)
{
    char text[300] = "(";
    size_t k = 1;
    if (n + 10 >= sizeof text || !memmem(radian, m, "\\pi", 3)) return 0;
    for (size_t i = 0; i < n; i++)
        if (memchr("\xc2\xb0", degree[i], 2) == NULL) text[k++] = degree[i];
    memcpy(text + k, ")\\pi/180", 9);
    return allot_expressions_equal(text, k + 8, radian, m);
}

static int same_with_signs(allot_span a, allot_span b, const allot_grade_policies *o)
{
    char x[ALLOT_NORMAL_SIZE], y[ALLOT_NORMAL_SIZE];
    allot_comparison c = {.o = o, .parts = allot_same, .left = MOST_PARTS};
    size_t nx = allot_both_signs(a.s, a.n, x), ny = allot_both_signs(b.s, b.n, y);
    if (nx) a = (allot_span){x, nx};
    if (ny) b = (allot_span){y, ny};
    return (nx || ny) && allot_same(a, b, &c);
}

/* "B) 12", "(B)", "B - red", "Option B" at the start of an answer: its letter and what follows it.
 */
static int choice_of(allot_span t, char *letter, allot_span *rest)
{
    static const char *const words[] = {"option ", "choice ", "answer "};
    int marked = 0;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (t.n > 7 && strncasecmp(t.s, words[k], 7) == 0) t.s += 7, t.n -= 7, marked = 1;
    if (t.n > 1 && *t.s == '(') t.s++, t.n--;
    if (t.n == 0 || *t.s < 'A' || *t.s > 'J') return 0;
    if (t.n > 1 && (strchr(").:", t.s[1]) || t.s[1 + (t.n > 2 && t.s[1] == ' ')] < 0)) marked = 1;
    else if (t.n > 3 && t.s[1] == '-' && isalpha((unsigned char)t.s[2]) &&
             isalpha((unsigned char)t.s[3]))
        marked = 1;
    else if (t.n > 1) return 0;
    *letter = *t.s;
    *rest = t.n > 2 ? (allot_span){t.s + 2, t.n - 2} : (allot_span){t.s, 0};
    return marked || t.n == 1;
}

/* "(B) 12" chooses B; if the reference has both, either will do. */
static int same_choice(allot_span reference, allot_span prediction, allot_comparison *c)
{
    char a, b;
    allot_span value, other;
    int chosen = choice_of(prediction, &b, &other);
    if (!choice_of(reference, &a, &value))
        return chosen && other.n > 0 && allot_same(reference, other, c);
    if (chosen) return a == b;
    return value.n > 0 && allot_same(value, prediction, c);
}

typedef struct {
    char text[ALLOT_NORMAL_SIZE], unit[ALLOT_UNIT_SIZE];
    allot_span span;
    int degrees, is_moment, name, parameter, bare;
    allot_moment moment;
} normal_form;

/* The small letter of "x = 3", or the letter of "x \in A", which the normal form leaves out; 0:
 * there is none. */
static int name_of(const char *s, size_t n, allot_span normal)
{
    while (n > 0 && strchr(" $", *s))
        s++, n--;
    if (n < 3 || !isalpha((unsigned char)*s) || memchr(normal.s, '=', normal.n)) return 0;
    size_t at = 1 + (s[1] == ' ');
    if (s[at] == '=') return islower((unsigned char)*s) ? *s : 0;
    int in = n > at + 3 && (memcmp(s + at, "\xe2\x88\x88", 3) == 0 ||
                            (memcmp(s + at, "\\in", 3) == 0 && !isalpha((unsigned char)s[at + 3])));
    return in ? *s : 0;
}

/* The k of "2k\pi, k \in \mathbb{Z}", which is any whole number; 0: there is none. */
static int parameter_of(const char *s, size_t n)
{
    const char *in = memmem(s, n, "\\in", 3), *end = s + n;
    if (!in) return 0;
    const char *letter = in, *set = in + 3;
    while (letter > s && letter[-1] == ' ')
        letter--;
    while (set < end && *set == ' ')
        set++;
    size_t left = (size_t)(end - set);
    if (letter < s + 2 || !islower((unsigned char)letter[-1]) || letter[-2] == '\\') return 0;
    int whole =
        left > 8 && memcmp(set, "\\mathbb", 7) == 0 && memchr(set, 'Z', left < 10 ? left : 10);
    return whole || (left > 0 && *set == 'Z') ? letter[-1] : 0;
}

static int read_answer(const char *answer, size_t n, normal_form *out)
{
    out->span = (allot_span){out->text, allot_normalise(answer, n, out->text, out->unit)};
    out->degrees = degrees(answer, n);
    out->bare = !memchr(answer, '=', n);
    out->parameter = parameter_of(answer, n);
    out->name = name_of(answer, n, out->span);
    out->is_moment = allot_moment_read(answer, n, &out->moment);
    return out->span.n > 0;
}

/* The letters of several choices, as bits: "A, C", "C and A", "ACD"; 0: other text, one letter, a
 * sequence ("CAD"). */
static unsigned choices_of(allot_span t)
{
    unsigned letters = 0;
    int n = 0, apart = 0, ascending = 1;
    for (size_t i = 0; i < t.n; i++) {
        if (t.n - i > 3 && memcmp(t.s + i, "and", 3) == 0) {
            i += 2;
        } else if (t.s[i] >= 'A' && t.s[i] <= 'J') {
            unsigned bit = 1u << (t.s[i] - 'A');
            if (letters & bit) return 0;
            ascending &= bit > letters;
            letters |= bit;
            n++;
            continue;
        } else if (!strchr(" ,()", t.s[i])) {
            return 0;
        }
        apart |= t.s[i] != ' ';
    }
    return n > 1 && (apart || ascending) ? letters : 0;
}

static int same_choices(allot_span a, allot_span b)
{
    unsigned x = choices_of(a);
    return x && x == choices_of(b);
}

/* A prediction that says metres where the reference is a mere number: "20 m", "20m^2". */
static int same_with_symbol(allot_span reference, const char *unit, allot_span prediction,
                            allot_comparison *c)
{
    const char *equals = memrchr(prediction.s, '=', prediction.n); /* "t = 14 s" */
    if (equals && equals < prediction.s + 10)
        prediction.n -= (size_t)(equals + 1 - prediction.s), prediction.s = equals + 1;
    size_t n = allot_words_before_power(prediction.s, prediction.n);
    if (n > 6 && memcmp(prediction.s + n - 6, "\\Omega", 6) == 0)
        return allot_same_numbers(reference, (allot_span){prediction.s, n - 6}, c->o) > 0;
    if (n < 2 || !strchr("mgshLNJWVA", prediction.s[n - 1])) return 0;
    char symbol[2] = {(char)tolower((unsigned char)prediction.s[n - 1]), '\0'};
    if (allot_words_units_differ(unit, symbol)) return 0;
    n -= 1 + (prediction.s[n - 2] == ' ');
    if (n == 0 || !isdigit((unsigned char)prediction.s[n - 1])) return 0;
    return allot_same_numbers(reference, (allot_span){prediction.s, n}, c->o) > 0;
}

/* Cuts a percent sign off. */
static int takes_percent(allot_span *t)
{
    int sign = t->n > 1 && t->s[t->n - 1] == '%';
    t->n -= (size_t)sign;
    return sign;
}

/* 50/3 where 16.67 is asked for; 5/18 and 250/9% where 27.78% is; 3.1416 where 3.14159 is, which is
 * no exact value either. */
static int reference_rounds(allot_span reference, allot_span prediction,
                            const allot_grade_policies *o)
{
    char hundredfold[64];
    if (o->decimals == ALLOT_DECIMALS_EXACT || allot_same_numbers(reference, prediction, o) > 0)
        return 0;
    if (memchr(reference.s, '.', reference.n) && allot_rounds_to(reference, prediction, 4))
        return 1;
    int sign = takes_percent(&reference), both = sign && takes_percent(&prediction);
    if (!sign || both || o->percent != ALLOT_PERCENT_VALUE)
        if (allot_rounds_to(prediction, reference, 2)) return 1;
    if (!sign || both || prediction.n + 7 > sizeof hundredfold) return 0;
    int n = snprintf(hundredfold, sizeof hundredfold, "100(%.*s)", (int)prediction.n, prediction.s);
    return allot_rounds_to((allot_span){hundredfold, (size_t)n}, reference, 2);
}

/* "1/2 (50%)", "3/4 (or 0.75)", "2/3 (approximately 0.67)": brackets that say it again. */
static int same_with_aside(allot_span reference, allot_span t, allot_comparison *c)
{
    static const char *const heads[] = {"or ",      "approximately ", "approx. ", "about ",
                                        "\\approx", "i.e. ",          "="};
    const char *open = t.n > 3 && t.s[t.n - 1] == ')' ? memrchr(t.s, '(', t.n) : NULL;
    if (!open || open == t.s) return 0;
    allot_span value = {t.s, (size_t)(open - t.s)}, aside = {open + 1, t.n - value.n - 2};
    if (allot_same_text(value, aside)) return 0; /* 2(2) */
    for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) {
        size_t m = strlen(heads[k]);
        if (aside.n > m && memcmp(aside.s, heads[k], m) == 0) aside.s += m, aside.n -= m;
    }
    return allot_same(reference, value, c) &&
           (allot_same(value, aside, c) || allot_same_rounded(value, aside, 1));
}

/* Does it say "x \in"? */
static int is_membership(allot_span t)
{
    return isalpha((unsigned char)*t.s) && allot_without_membership(t).n < t.n;
}

/* "x \in [1, 2]" is an interval, where "[1, 2]" alone may be a list or a vector. */
static int is_no_interval(allot_span set, allot_span other)
{
    allot_structure s;
    allot_structure_read(allot_without_membership(set), &s);
    if (s.shape != ALLOT_SHAPE_GROUP) return 0;
    allot_structure_read(other, &s);
    return s.shape == ALLOT_SHAPE_LIST || s.shape == ALLOT_SHAPE_MATRIX;
}

static int same_answers(const normal_form *a, const normal_form *b, allot_comparison *c)
{
    if (c->o->units == ALLOT_UNITS_KEEP && strcmp(a->unit, b->unit) != 0) return 0;
    if (allot_words_units_differ(a->unit, b->unit)) return 0;
    c->rule = "the same date or time";
    if (a->is_moment && b->is_moment) return allot_moments_equal(&a->moment, &b->moment);
    if (a->name && b->name && a->name != b->name) return 0;
    if ((is_membership(a->span) && is_no_interval(a->span, b->span)) ||
        (is_membership(b->span) && is_no_interval(b->span, a->span)))
        return 0;
    c->bare = a->bare;
    if (allot_same(a->span, b->span, c)) return 1;
    c->rule = "what the reference rounds";
    char renamed[ALLOT_NORMAL_SIZE];
    if (a->parameter && b->parameter && a->parameter != b->parameter &&
        allot_rename(b->span, (char)b->parameter, (char)a->parameter, renamed) &&
        allot_same(a->span, (allot_span){renamed, b->span.n}, c))
        return 1;
    if (reference_rounds(a->span, b->span, c->o)) return 1;
    if (same_with_aside(a->span, b->span, c)) return 1;
    c->rule = "both signs";
    if (same_with_signs(a->span, b->span, c->o)) return 1;
    c->rule = "the chosen letter";
    if (same_choice(a->span, b->span, c) || same_choices(a->span, b->span)) return 1;
    c->rule = "a unit";
    if (c->o->units == ALLOT_UNITS_DROP && same_with_symbol(a->span, a->unit, b->span, c)) return 1;
    c->rule = "the same angle";
    return (a->degrees && same_angle(a->text, a->span.n, b->text, b->span.n)) ||
           (b->degrees && same_angle(b->text, b->span.n, a->text, a->span.n));
}

int allot_grade_equal(const char *reference, size_t n_ref, const char *prediction, size_t n_pred,
                      const allot_grade_policies *o, int from_sentence, allot_explanation *out)
{
    allot_comparison c = {
        .o = o, .parts = allot_same, .left = MOST_PARTS, .from_sentence = from_sentence};
    normal_form a, b;
    b.text[0] = '\0'; /* not read if the reference is none */
    int read = read_answer(reference, n_ref, &a) && read_answer(prediction, n_pred, &b);
    int equal = read ? same_answers(&a, &b, &c) : -1;
    if (!out) return equal;
    out->equal = equal > 0;
    out->rule = out->equal ? c.rule : "";
    strcpy(out->reference, a.text);
    strcpy(out->prediction, b.text);
    return equal;
}
