/* SPDX-License-Identifier: Apache-2.0 */
/* Equality is reflexive, symmetric and stable under spacing; canonical forms are idempotent; random
 * LaTeX garbage neither hangs nor crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "core/progress.h"
#include "grade/grade.h"

static int equal(const char *a, const char *b)
{
    return allot_answers_equal(a, strlen(a), b, strlen(b));
}

static const char *const answers[] = {
    "52", "-3.5", "\\frac{3}{4}", "(1,2)", "[0,\\infty)", "{1,2}", "x^2+1", "2\\sqrt{3}", "x=3",
    "y=2x+1", "1,2", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "x<3", "50\\%", "Paris", "10 cm",
    "(-\\infty,1)\\cup(1,\\infty)", "1 and 2", "\\pi", "30^\\circ", "\\frac{\\pi}{6}", "0.5", "1/2"};
enum { ANSWERS = sizeof answers / sizeof *answers };

static void equality_keeps_its_laws(void **state)
{
    (void)state;
    for (int i = 0; i < ANSWERS; i++) {
        char spaced[200];
        snprintf(spaced, sizeof spaced, "  %s \n", answers[i]);
        assert_true(equal(answers[i], answers[i]));
        assert_true(equal(answers[i], spaced));
        for (int j = 0; j < ANSWERS; j++)
            assert_int_equal(equal(answers[i], answers[j]), equal(answers[j], answers[i]));
    }
}

static void canonical_forms_are_idempotent(void **state)
{
    (void)state;
    for (int i = 0; i < ANSWERS; i++) {
        char once[256], twice[256];
        size_t n = allot_canonical(answers[i], strlen(answers[i]), once, sizeof once);
        assert_true(n > 0);
        assert_int_equal(allot_canonical(once, n, twice, sizeof twice), n);
        assert_string_equal(once, twice);
    }
}

static void garbage(uint64_t *seed, char *out, int pieces)
{
    static const char *const parts[] = {
        "(", ")", "{", "}", "[", "]", "\\frac", "\\sqrt", "^", "_", "1", "23", "x", ",", "=", "<",
        "+", "-", "*", "/", "\\boxed{", "\\text{", "\\pi", "!", "|", "\\\\", "\\cup", " ", ".", "&",
        "\\begin{pmatrix}", "\\end{pmatrix}", "\\sin", "\\log_", "and", "9^", "\\binom", "$"};
    out[0] = '\0';
    for (int i = 0; i < pieces; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        strcat(out, parts[(*seed >> 33) % (sizeof parts / sizeof *parts)]);
    }
}

static void garbage_is_quick(void **state)
{
    (void)state;
    uint64_t seed = 1;
    double started = allot_clock_s();
    for (int i = 0; i < 10000; i++) {
        char a[1024], b[1024];
        garbage(&seed, a, 1 + i % 60);
        garbage(&seed, b, 1 + i % 50);
        (void)equal(a, b);
    }
    assert_true(allot_clock_s() - started < 5);
}

/* Floods of one piece, as long as an answer may be. */
static void floods_are_quick(void **state)
{
    (void)state;
    static const char *const pieces[] = {"(", "{", "|", "\\frac", "\\text{", "1,", "(1,2),", "x^",
                                         "\\sqrt", "-", "9!", "\\cup", "x=", "[1]", "170!"};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        char a[4096] = "";
        size_t m = strlen(pieces[k]), n = 0;
        for (; n + m + 2 < sizeof a; n += m) memcpy(a + n, pieces[k], m);
        a[n] = '1';
        double started = allot_clock_s();
        (void)allot_answers_equal(a, n + 1, a, n);
        assert_true(allot_clock_s() - started < 0.2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equality_keeps_its_laws),
                                       cmocka_unit_test(canonical_forms_are_idempotent),
                                       cmocka_unit_test(garbage_is_quick),
                                       cmocka_unit_test(floods_are_quick)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
