/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of grading whatever the answers are: equality is reflexive, symmetric and blind to
 * blanks; a class of equal canonical forms holds equal answers (names apart), a form is its own,
 * and spellings of one number share it; another number is another answer; nothing takes long.
 * Answers are drawn from a grammar, and from their pieces thrown together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/rng.h"
#include "lib/extract/extract.h"
#include "tests/graderubbish.h"

#ifdef ALLOT_SANITIZED
enum { SLOWEST_MS = 100 };
#else
enum { SLOWEST_MS = 10 };
#endif
enum { DRAWS = 20000 };

static long whole(allot_rng *r, long below)
{
    return (long)allot_rng_below(r, (uint64_t)below);
}

/* ---- a grammar of answers ---- */

static void expression(allot_rng *r, int depth, allot_buf *b)
{
    static const char *const atoms[] = {"x",   "y",     "\\pi",     "\\sqrt{3}", "\\sqrt[3]{5}",
                                        "n^2", "2^{x}", "\\sin(x)", "\\ln 2",    "a_1"};
    long kind = whole(r, depth > 0 ? 8 : 4);
    if (kind < 2) {
        allot_buf_printf(b, "%ld", whole(r, 100) + 1);
    } else if (kind < 4) {
        allot_buf_str(b, atoms[whole(r, sizeof atoms / sizeof *atoms)]);
    } else {
        static const char *const forms[][3] = {
            {"\\frac{", "}{", "}"}, {"(", "+", ")"}, {"(", "-", ")"}, {"", " \\cdot ", ""}};
        const char *const *form = forms[kind - 4];
        allot_buf_str(b, form[0]);
        expression(r, depth - 1, b);
        allot_buf_str(b, form[1]);
        expression(r, depth - 1, b);
        allot_buf_str(b, form[2]);
    }
}

static void answer(allot_rng *r, allot_buf *b)
{
    static const char *const open[] = {"", "(", "[", "\\{", "\\left(", "\\begin{pmatrix}"},
                             *const close[] = {"", ")", ")", "\\}", "\\right]", "\\end{pmatrix}"},
                             *const words[] = {"even", "\\text{Paris}", "B", "\\infty",
                                               "no solution"};
    allot_buf_reset(b);
    long kind = whole(r, 10);
    if (kind == 9) {
        allot_buf_str(b, words[whole(r, 5)]);
    } else if (kind >= 7) {
        long k = whole(r, 6), n = k == 0 ? 1 : 2 + whole(r, 2);
        allot_buf_str(b, open[k]);
        for (long i = 0; i < n; i++) {
            if (i) allot_buf_str(b, k == 5 ? " \\\\ " : ", ");
            expression(r, 1, b);
        }
        allot_buf_str(b, close[k]);
    } else {
        if (whole(r, 8) == 0) allot_buf_str(b, "x = ");
        expression(r, (int)kind % 4, b);
    }
}

static int equal(const allot_buf *a, const allot_buf *b)
{
    return allot_answers_equal(a->at, a->n, b->at, b->n, NULL);
}

static void form_of(const allot_buf *a, char form[ALLOT_ANSWER_MAX + 1])
{
    size_t n = allot_canonical(a->at, a->n, form, ALLOT_ANSWER_MAX + 1);
    assert_true(n > 0 && n == strlen(form));
}

/* Blanks around the operators, the commas and the ends. */
static void spaced(const allot_buf *from, allot_buf *to)
{
    allot_buf_reset(to);
    allot_buf_str(to, "  ");
    for (size_t i = 0; i < from->n; i++) {
        int loose = strchr("+,=", from->at[i]) != NULL;
        allot_buf_printf(to, loose ? " %c  " : "%c", from->at[i]);
    }
    allot_buf_str(to, "\n");
}

static void equality_is_reflexive_and_blind_to_blanks(void **state)
{
    (void)state;
    allot_buf a = {0}, b = {0};
    char once[ALLOT_ANSWER_MAX + 1], twice[ALLOT_ANSWER_MAX + 1];
    allot_rng r = allot_rng_start(1, 1, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        answer(&r, &a);
        if (!equal(&a, &a)) fail_msg("'%s' is not itself", a.at);
        spaced(&a, &b);
        if (!equal(&a, &b) || !equal(&b, &a)) fail_msg("'%s' is not '%s'", a.at, b.at);
        form_of(&a, once);
        (void)allot_canonical(once, strlen(once), twice, sizeof twice);
        if (strcmp(once, twice) != 0) fail_msg("'%s' -> '%s' -> '%s'", a.at, once, twice);
        form_of(&b, twice);
        if (strcmp(once, twice) != 0) fail_msg("blanks make '%s' of '%s'", twice, once);
    }
    allot_buf_clear(&a);
    allot_buf_clear(&b);
}

/* A near miss of an answer, or another spelling of it: one character more, less or other. */
static void changed(allot_rng *r, const allot_buf *from, allot_buf *to)
{
    static const char characters[] = "0123456789-+/.,x()[]{}^= %";
    size_t at = (size_t)whole(r, (long)from->n), skip = (size_t)whole(r, 2);
    allot_buf_reset(to);
    allot_buf_add(to, from->at, at);
    if (!skip || whole(r, 2)) allot_buf_add(to, characters + whole(r, sizeof characters - 1), 1);
    allot_buf_add(to, from->at + at + skip, from->n - at - skip);
}

static void equality_is_symmetric_and_holds_within_classes(void **state)
{
    (void)state;
    allot_buf a = {0}, b = {0};
    char x[ALLOT_ANSWER_MAX + 1], y[ALLOT_ANSWER_MAX + 1];
    allot_rng r = allot_rng_start(1, 2, 0, 0);
    int one_class = 0, two_classes = 0;
    for (int i = 0; i < DRAWS; i++) {
        answer(&r, &a);
        changed(&r, &a, &b);
        int ab = equal(&a, &b);
        if (ab != equal(&b, &a)) fail_msg("'%s' and '%s': equal one way only", a.at, b.at);
        form_of(&a, x);
        if (!allot_canonical(b.at, b.n, y, sizeof y)) continue; /* nothing was left */
        int same = strcmp(x, y) == 0;
        if (same && !ab) fail_msg("'%s' and '%s' are one class '%s' but not equal", a.at, b.at, x);
        one_class += same;
        two_classes += ab && !same;
    }
    assert_true(one_class > DRAWS / 200 && two_classes > DRAWS / 200);
    allot_buf_clear(&a);
    allot_buf_clear(&b);
}

/* ---- numbers: what is true is known ---- */

/* The number top/10^places, reduced or not, in one of its spellings. */
static void spelling(allot_rng *r, long top, long below, allot_buf *b)
{
    const char *sign = top < 0 ? "-" : "";
    long size = top < 0 ? -top : top, places = below == 1 ? 0 : below == 10 ? 1 : 2;
    allot_buf_reset(b);
    switch (whole(r, 7)) {
    case 0:
        allot_buf_printf(b, "%s%ld.%0*ld", sign, size / below, (int)places + 1, size % below * 10);
        break;
    case 1:
        allot_buf_printf(b, "%s%ld/%ld", sign, size * 3, below * 3);
        break;
    case 2:
        allot_buf_printf(b, "%s\\frac{%ld}{%ld}", sign, size, below);
        break;
    case 3:
        allot_buf_printf(b, "$%s\\dfrac{%ld}{%ld}$", sign, size * 2, below * 2);
        break;
    case 4:
        allot_buf_printf(b, "\\frac{%s%ld}{%ld}", sign, size, below);
        break;
    case 5:
        allot_buf_printf(b, "%s%lde-%ld", sign, size, places);
        break;
    default:
        allot_buf_printf(b, "%s%ld \\times 10^{-%ld}", sign, size, places);
    }
}

static void numbers_are_what_they_are(void **state)
{
    (void)state;
    static const long powers[] = {1, 10, 100};
    allot_buf a = {0}, b = {0};
    char x[ALLOT_ANSWER_MAX + 1], y[ALLOT_ANSWER_MAX + 1];
    allot_rng r = allot_rng_start(1, 3, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        long top = whole(&r, 200001) - 100000, other = top + whole(&r, 5) - 2;
        long below = powers[whole(&r, 3)];
        spelling(&r, top, below, &a);
        spelling(&r, other, below, &b);
        form_of(&a, x);
        form_of(&b, y);
        if ((top == other) != equal(&a, &b) || (top == other) != (strcmp(x, y) == 0))
            fail_msg("'%s' (%s) and '%s' (%s)", a.at, x, b.at, y);
    }
    allot_buf_clear(&a);
    allot_buf_clear(&b);
}

/* ---- rubbish ---- */

static void rubbish_is_quick_and_equals_itself_at_most(void **state)
{
    (void)state;
    allot_buf a = {0}, b = {0};
    char form[ALLOT_ANSWER_MAX + 1];
    const char *start;
    size_t n;
    allot_rng r = allot_rng_start(1, 4, 0, 0);
    allot_grade_options o;
    allot_grade_defaults(&o);
    for (int i = 0; i < DRAWS / 2; i++) {
        rubbish(&r, &a);
        rubbish(&r, &b);
        o.last_number = i & 1;
        double started = thread_ms();
        int same = equal(&a, &a);
        (void)equal(&a, &b);
        char *exact =
            memcpy((char *)malloc(a.n + 1) + 1, a.at, a.n); /* nothing behind it: sanitizers */
        if (allot_extract(exact, a.n, &o, &start, &n) != ALLOT_EXTRACT_NONE)
            assert_true(start >= exact && start + n <= exact + a.n && n <= ALLOT_ANSWER_MAX);
        free(exact - 1);
        double taken = thread_ms() - started;
        if (taken > SLOWEST_MS) fail_msg("%.1f ms for '%s' and '%s'", taken, a.at, b.at);
        if (same != (allot_canonical(a.at, a.n, form, sizeof form) > 0))
            fail_msg("'%s' is %s itself, its form is '%s'", a.at, same ? "" : "not", form);
    }
    allot_buf_clear(&a);
    allot_buf_clear(&b);
}

/* Floods of one piece, as long as an answer may be. */
static void floods_are_quick(void **state)
{
    (void)state;
    static const char *const pieces[] = {"(",
                                         "{",
                                         "|",
                                         "\\frac",
                                         "\\text{",
                                         "1,",
                                         "(1,2),",
                                         "x^",
                                         "\\sqrt",
                                         "-",
                                         "9!",
                                         "\\cup",
                                         "x=",
                                         "[1]",
                                         "170!",
                                         "\\boxed{",
                                         "1&",
                                         "\\\\",
                                         "\\pm",
                                         "^{9",
                                         "\\frac1",
                                         "\xc2\xb0",
                                         "\\approx",
                                         "1 million",
                                         "1 ",
                                         "$1$ and ",
                                         "(mod ",
                                         "<answer>",
                                         "10^",
                                         "x<1 or ",
                                         "\\begin{pmatrix}",
                                         "\\end{pmatrix}",
                                         "1\\pm",
                                         "A,",
                                         "5 (a) ",
                                         "ln"};
    allot_buf a = {0};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        allot_buf_reset(&a);
        while (a.n + strlen(pieces[k]) < ALLOT_ANSWER_MAX)
            allot_buf_str(&a, pieces[k]);
        allot_buf_str(&a, "1");
        double started = thread_ms();
        (void)allot_answers_equal(a.at, a.n, a.at, a.n - 1, NULL);
        double taken = thread_ms() - started;
        if (taken > SLOWEST_MS) fail_msg("%.1f ms for many '%s'", taken, pieces[k]);
    }
    allot_buf_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_reflexive_and_blind_to_blanks),
        cmocka_unit_test(equality_is_symmetric_and_holds_within_classes),
        cmocka_unit_test(numbers_are_what_they_are),
        cmocka_unit_test(rubbish_is_quick_and_equals_itself_at_most),
        cmocka_unit_test(floods_are_quick)};
    return cmocka_run_group_tests_name("grading", tests, NULL, NULL);
}
