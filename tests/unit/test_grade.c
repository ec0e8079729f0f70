/* SPDX-License-Identifier: Apache-2.0 */
/* What is read in a text and what equals what: short cases of every kind, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/progress.h"
#include "lib/extract/extract.h"

static void extracts(const char *text, allot_extract_how how, const char *want)
{
    allot_grade_options o;
    allot_grade_defaults(&o);
    o.last_number = how == ALLOT_EXTRACT_LAST_NUMBER;
    if (how == ALLOT_EXTRACT_CHOICE) o.extract = ALLOT_PRESET_CHOICE;
    const char *start = NULL;
    size_t n = 0, length = strlen(text);
    char *exact = malloc(length + 1); /* nothing behind the text, for the sanitizers */
    assert_non_null(exact);
    char *copy = memcpy(exact + 1, text, length);
    assert_int_equal(allot_extract(copy, length, &o, &start, &n), how);
    if (want) {
        assert_int_equal(n, strlen(want));
        assert_memory_equal(start, want, n);
    }
    free(exact);
}

static void extraction(void **state)
{
    (void)state;
    extracts("so \\boxed{52}.", ALLOT_EXTRACT_BOXED, "52");
    extracts("\\boxed{1} then \\boxed{ \\frac{1}{2} }", ALLOT_EXTRACT_BOXED, "\\frac{1}{2}");
    extracts("\\boxed{a\\}b}", ALLOT_EXTRACT_BOXED, "a\\}b");
    extracts("\\fbox {7}", ALLOT_EXTRACT_BOXED, "7");
    extracts("\\boxed{3} and \\boxed{4", ALLOT_EXTRACT_BOXED, "3"); /* the last that closes */
    extracts("\\boxed{}", ALLOT_EXTRACT_NONE, NULL);
    extracts("\\boxed{5}, or put it in \\boxed{ }.", ALLOT_EXTRACT_NONE, NULL); /* left open */
    extracts("\\boxed{52", ALLOT_EXTRACT_NONE, NULL);
    extracts("The final answer is: $12$. I hope it is correct.", ALLOT_EXTRACT_PHRASE, "12");
    extracts("the answer is 3.5 metres", ALLOT_EXTRACT_PHRASE, "3.5 metres");
    extracts("The answer is **42**.", ALLOT_EXTRACT_PHRASE, "42");
    extracts("**Final Answer:** \\(42\\)", ALLOT_EXTRACT_PHRASE, "42");
    extracts("So the answer is: \\[\n42 \\]", ALLOT_EXTRACT_PHRASE, "42");
    extracts("### Final Answer\n\n42\n", ALLOT_EXTRACT_PHRASE, "42");
    extracts("my answer\n42\n", ALLOT_EXTRACT_NONE, NULL);
    extracts("The answer is therefore 3, not 4.", ALLOT_EXTRACT_PHRASE, "3");
    extracts("the answer is 12 because 3*4=12", ALLOT_EXTRACT_PHRASE, "12");
    extracts("the answer is $a_{. b}$, as seen", ALLOT_EXTRACT_PHRASE, "a_{. b}");
    extracts("so \\boxed 52.", ALLOT_EXTRACT_BOXED, "52");
    extracts("\\boxed{1} and \\boxed 5", ALLOT_EXTRACT_BOXED, "5");
    extracts("\\boxed{1} and \\boxed{ 5 }", ALLOT_EXTRACT_BOXED, "\\boxed{1} and \\boxed{ 5 }");
    extracts("12 and 13", ALLOT_EXTRACT_NONE, NULL);
    extracts("it costs -1,234.5 in all", ALLOT_EXTRACT_LAST_NUMBER, "-1,234.5");
    extracts("the roots are $1$ and $-2$.", ALLOT_EXTRACT_LAST_NUMBER, "1$ and $-2");
    extracts("about 1e-5 of it", ALLOT_EXTRACT_LAST_NUMBER, "1e-5");
    extracts("from 2010-2011", ALLOT_EXTRACT_LAST_NUMBER, "2011");
    extracts("this leaves \\frac{4}{23} of it", ALLOT_EXTRACT_LAST_NUMBER, "\\frac{4}{23}");
    extracts("x = 3", ALLOT_EXTRACT_LAST_NUMBER, "x = 3");
    extracts("2 + 2 = 4", ALLOT_EXTRACT_LAST_NUMBER, "4");
    extracts("**Paris**", ALLOT_EXTRACT_LAST_NUMBER, "Paris");
    extracts("<answer> 42 </answer>", ALLOT_EXTRACT_PHRASE, "42");
    extracts("the answer to the last question is 42.", ALLOT_EXTRACT_PHRASE, "42");
    extracts("R\xc3\xa9ponse : 42", ALLOT_EXTRACT_PHRASE, "42");
    extracts("<think>so 7</think>it is 8", ALLOT_EXTRACT_LAST_NUMBER, "8");
    extracts("it is 8 <think>or 9", ALLOT_EXTRACT_LAST_NUMBER, "8");
    extracts("<think>\\boxed{7}", ALLOT_EXTRACT_NONE, NULL);
    extracts("not A, so it is B", ALLOT_EXTRACT_CHOICE, "B");
    extracts("B is right, not A", ALLOT_EXTRACT_CHOICE, "B");
    extracts("C\n\nfor option A is wrong", ALLOT_EXTRACT_CHOICE, "C");
    extracts("A\nwould be too large, hence\nB", ALLOT_EXTRACT_CHOICE, "B");
    extracts("none of these but\n(c)", ALLOT_EXTRACT_CHOICE, "c");
    extracts("", ALLOT_EXTRACT_NONE, NULL);
}

static int equal(const char *a, const char *b)
{
    int ab = allot_answers_equal(a, strlen(a), b, strlen(b), NULL);
    return ab;
}

static const char *const same[][2] = {{"52", "52"},
                                      {"52", " 52. "},
                                      {"0.5", "\\frac{1}{2}"},
                                      {"1/2", "\\dfrac12"},
                                      {"1,234", "1234"},
                                      {"10{,}000", "10000"},
                                      {"-3", "\xe2\x88\x92"
                                             "3"},
                                      {"3", "x=3"},
                                      {"2.50", "5/2"},
                                      {"1500", "1.5e3"},
                                      {"1500", "1.5\\times 10^{3}"},
                                      {"3/2", "1 1/2"},
                                      {"3/2", "1\\frac{1}{2}"},
                                      {"50\\%", "50"},
                                      {"0.333333333", "1/3"},
                                      {"90^\\circ", "90"},
                                      {"\\text{Paris}", "paris"},
                                      {"(1, 2)", "(1,2)"},
                                      {"007", "7"},
                                      {"-0", "0"},
                                      {"1/2", "\\sin 30^\\circ"},
                                      {"\\log_2 16", "4"},
                                      {"4", "\xe2\x88\x9a"
                                            "16"},
                                      {"\\sin x^2", "\\sin(x^2)"},
                                      {"\\sin(x)^2", "\\sin^2 x"},
                                      {"\\sqrt[3]{x}^2", "x^{2/3}"},
                                      {"\\ln x^2", "2\\ln x"},
                                      {"\\sqrt{x^2}", "|x|"},
                                      {"\\pm 2", "\\{-2,2\\}"},
                                      {"2-\\sqrt3,2+\\sqrt{3}", "2\\pm\\sqrt3"},
                                      {"x=\\pm 3", "x = 3 or x = -3"},
                                      {"1/3", "0.\\overline{3}"},
                                      {"1/6", "0.1\\overline{6}"},
                                      {"1,000,000", "10^6"},
                                      {"5", "5\\text{ cm}^2"},
                                      {"5", "5 meters^2"},
                                      {"\\emptyset", "\\varnothing"}};

static void equality(void **state)
{
    (void)state;
    static const char *const other[][2] = {{"36", "3600"},
                                           {"256", "-256"},
                                           {"6", "6\\sqrt{2}"},
                                           {"1/2", "1/3"},
                                           {"1,23", "123"},
                                           {"12", ""},
                                           {"", ""},
                                           {"1000000", "1000000.5"},
                                           {"3", "y"},
                                           {"1/0", "5"},
                                           {"2", "1.9999"},
                                           {"|x|", "x"},
                                           {"\\pm 2", "2"},
                                           {"\\pm 2", "\\{2,3\\}"},
                                           {"0.\\overline{3}", "0.3"},
                                           {"5", "5x^2"},
                                           {"\\sqrt{x^2}", "x"},
                                           {"\\sin x^2", "\\sin^2 x"},
                                           {"x=\\ln 2-y-66\\cdot\\pi", "x=\\ln 2-y-66\\cot\\pi"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!equal(same[i][0], same[i][1]) || !equal(same[i][1], same[i][0]))
            fail_msg("'%s' is '%s'", same[i][0], same[i][1]);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (equal(other[i][0], other[i][1]) || equal(other[i][1], other[i][0]))
            fail_msg("'%s' is not '%s'", other[i][0], other[i][1]);
}

static void canonical_forms(void **state)
{
    (void)state;
    char a[64], b[64];
    assert_int_equal(allot_canonical("0.50", 4, a, sizeof a), 3);
    assert_string_equal(a, "1/2");
    assert_true(allot_canonical("\\frac{2}{4}", 11, b, sizeof b) > 0);
    assert_string_equal(b, "1/2");
    assert_int_equal(allot_canonical("  ", 2, a, sizeof a), 0);
    assert_int_equal(allot_canonical("12345", 5, a, 4), 0);
}

/* Spellings of one answer share a class, near misses do not. */
static void classes_of_structured_answers(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int one;
    } rows[] = {{"\\{2, 1\\}", "\\{1,2,1\\}", 1},
                {"(\\frac12, x+1)", "(0.5, 1+x)", 1},
                {"(1,2)", "(2,1)", 0},
                {"(1,2)", "[1,2]", 0},
                {"2\\sqrt{3}", "\\sqrt{12}", 1},
                {"\\sqrt{3}", "1.7320508", 0},
                {"(x+1)^2", "x^2+2x+1", 1},
                {"(x+1)^2", "x^2+2x", 0},
                {"x > 3", "3 < x", 1},
                {"x > 3", "x \\ge 3", 0},
                {"[0,1]\\cup[1,2]", "0 \\le x \\le 2", 1},
                {"\\begin{pmatrix}1/2&0\\\\0&1\\end{pmatrix}",
                 "\\begin{bmatrix}0.5&0\\\\0&1\\end{bmatrix}", 1},
                {"5!", "120", 1},
                {"\\frac{1+2}{4}", "0.75", 1},
                {"March 5, 2020", "2020-03-05", 1},
                {"3:45 PM", "15:45", 1},
                {"Paris", "\\text{paris}", 1},
                {"1 000", "1,000", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char a[512], b[512];
        size_t n = allot_canonical(rows[i].a, strlen(rows[i].a), a, sizeof a),
               m = allot_canonical(rows[i].b, strlen(rows[i].b), b, sizeof b);
        assert_true(n > 0 && m > 0);
        if ((strcmp(a, b) == 0) != rows[i].one)
            fail_msg("'%s' is '%s', '%s' is '%s'", rows[i].a, a, rows[i].b, b);
        if (rows[i].one) assert_true(equal(rows[i].a, rows[i].b));
    }
}

static void reference_comes_from_the_last_box(void **state)
{
    (void)state;
    const char *s, *solution = "a \\boxed{1}, no: \\boxed{\\frac{3}{4}}";
    size_t n;
    assert_int_equal(allot_reference("", 0, solution, strlen(solution), &s, &n), 1);
    assert_int_equal(n, strlen("\\frac{3}{4}"));
    assert_int_equal(allot_reference(" 7 ", 3, solution, strlen(solution), &s, &n), 1);
    assert_int_equal(n, 1);
    assert_int_equal(allot_reference("", 0, "no box", 6, &s, &n), 0);
}

/* Nothing makes it slow: towers of powers, floods of braces and boxes. */
static void hostile_answers_are_quick(void **state)
{
    (void)state;
    double started = allot_clock_s();
    assert_int_equal(equal("9**9**9", "5"), 0);
    assert_int_equal(equal("1e999999999", "5"), 0);
    assert_int_equal(equal("10^{10^{10}}", "5"), 0);
    size_t n = 1 << 20;
    char *flood = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        flood[i] = "\\boxed{"[i % 7];
    flood[n] = '\0';
    extracts(flood, ALLOT_EXTRACT_NONE, NULL);
    memset(flood, '1', n);
    assert_int_equal(allot_answers_equal(flood, 4000, "5", 1, NULL), 0);
    assert_int_equal(allot_answers_equal(flood, n, flood, n, NULL), 0);
    free(flood);
    assert_true(allot_clock_s() - started < 2);
}

/* A box gives way to the letter that is named behind it. */
static void the_last_choice_named(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\\boxed{\\langle H\\rangle \\ll E} so **Answer: D**", "D"},
        {"\\boxed{B}. Answer: C", "C"},
        {"\\boxed{B}. Answer: 5", "B"},
        {"\\boxed{\\text{(B) } x^2}", "\\text{(B) } x^2"},
        {"\\boxed{x^2}", "x^2"}};
    allot_grade_options o;
    allot_grade_defaults(&o);
    o.extract = ALLOT_PRESET_CHOICE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *start;
        size_t n;
        assert_int_not_equal(allot_extract(rows[i][0], strlen(rows[i][0]), &o, &start, &n),
                             ALLOT_EXTRACT_NONE);
        assert_int_equal(n, strlen(rows[i][1]));
        assert_memory_equal(start, rows[i][1], n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(extraction),
                                       cmocka_unit_test(the_last_choice_named),
                                       cmocka_unit_test(equality),
                                       cmocka_unit_test(canonical_forms),
                                       cmocka_unit_test(classes_of_structured_answers),
                                       cmocka_unit_test(reference_comes_from_the_last_box),
                                       cmocka_unit_test(hostile_answers_are_quick)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
