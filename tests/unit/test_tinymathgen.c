/* SPDX-License-Identifier: Apache-2.0 */
/* Problems of the model in a box: their answers, their families. */
#include "tests/unit/formats.h"
#include "datasets/tinymathgen.h"

enum { N = 20000 };

/* The chain from left to right, read again from its text; *ops and *times: its operations. */
static long evaluate(const char *text, int *ops, int *times)
{
    char *at;
    long value = strtol(text, &at, 10);
    *ops = *times = 0;
    while (*at != '=') {
        char op = *at++;
        assert_non_null(strchr("+-*", op));
        assert_true(*at >= '1' && *at <= '9');
        long b = strtol(at, &at, 10);
        value = op == '*' ? value * b : op == '+' ? value + b : value - b;
        *times += op == '*';
        ++*ops;
    }
    assert_string_equal(at, "=?");
    return value;
}

static void answers_are_those_of_the_texts(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        allot_tinymath t;
        int ops, times;
        allot_tinymath_make(3, i, &t);
        assert_int_equal(evaluate(t.problem, &ops, &times), t.answer);
        int is_sum = !strcmp(t.family, "sum"), is_chain = !strcmp(t.family, "chain");
        if (is_sum) assert_true(ops == 1 && times == 0);
        else if (is_chain) assert_in_range(ops, 3, 6);
        else assert_in_range(ops, 8, 11);
    }
}

/* Each share lies within 4 standard errors of its probability. */
static void families_have_their_shares(void **state)
{
    (void)state;
    static const char *const names[] = {"sum", "chain", "long"};
    static const double shares[] = {0.30, 0.35, 0.35};
    int count[3] = {0};
    for (uint64_t i = 0; i < N; i++) {
        allot_tinymath t;
        allot_tinymath_make(4, i, &t);
        for (int f = 0; f < 3; f++)
            count[f] += strcmp(t.family, names[f]) == 0;
    }
    assert_int_equal(count[0] + count[1] + count[2], N);
    for (int f = 0; f < 3; f++) {
        double se = sqrt(shares[f] * (1 - shares[f]) / N);
        assert_true(fabs((double)count[f] / N - shares[f]) < 4 * se);
    }
}

static void a_problem_depends_on_seed_and_number_only(void **state)
{
    (void)state;
    allot_tinymath a, b;
    int same = 0;
    for (uint64_t i = 0; i < 100; i++) {
        allot_tinymath_make(1, i, &a);
        allot_tinymath_make(2, i, &b);
        same += strcmp(a.problem, b.problem) == 0;
        allot_tinymath_make(1, i, &b);
        assert_string_equal(a.problem, b.problem);
    }
    assert_true(same < 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_the_texts),
        cmocka_unit_test(families_have_their_shares),
        cmocka_unit_test(a_problem_depends_on_seed_and_number_only),
    };
    return cmocka_run_group_tests_name("tinymathgen", tests, NULL, NULL);
}
