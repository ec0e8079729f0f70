/* SPDX-License-Identifier: Apache-2.0 */
/* Every method that this build knows has what its kind needs: a rule, and a way of being run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/engine/search.h"
#include "lib/methods/methods.h"

static void every_method_has_its_rule(void **state)
{
    (void)state;
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        const allot_method_row *row = allot_method_of((allot_method)m);
        const allot_method_rule *rule = allot_method_rule_of((allot_method)m);
        if (!row->name || !row->example) fail_msg("method %d has no row in strategy.c", m);
        if ((rule->pick != NULL) != (row->kind != ALLOT_ELSEWHERE))
            fail_msg("%s has no pick, or needs none (lib/methods/methods.c)", row->name);
        if ((rule->expect != NULL) != (row->kind == ALLOT_POOLED))
            fail_msg("%s has no expectation, or needs none (lib/methods/methods.c)", row->name);
    }
}

/* Pooled methods are all run alike; a search has a rule of its own. */
static void every_search_can_be_run(void **state)
{
    (void)state;
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        const allot_method_row *row = allot_method_of((allot_method)m);
        const allot_search_rule *rule = allot_search_rule_of((allot_method)m);
        if ((rule != NULL) != (row->kind == ALLOT_SEARCH))
            fail_msg("%s has no rule of search, or needs none (lib/engine/search.c)", row->name);
        assert_true(!rule || (rule->name && rule->next));
    }
}

/* The example in a row is a strategy of that method, spelled as it is written. */
static void every_example_is_of_its_method(void **state)
{
    (void)state;
    for (int m = 0; m < ALLOT_N_METHODS; m++) {
        allot_strategy s;
        char text[ALLOT_STRATEGY_TEXT];
        const char *example = allot_method_of((allot_method)m)->example;
        assert_int_equal(allot_strategy_parse(example, &s, NULL), ALLOT_OK);
        assert_int_equal(s.method, m);
        allot_strategy_print(&s, text);
        assert_string_equal(text, example);
    }
}

/* Two methods in one place of the features could not be told apart. */
static void no_two_methods_share_a_place(void **state)
{
    (void)state;
    for (int m = 0; m < ALLOT_N_METHODS; m++)
        for (int other = 0; other < m; other++) {
            const allot_method_row *a = allot_method_of((allot_method)m);
            const allot_method_row *b = allot_method_of((allot_method)other);
            assert_true(a->place_default < 0 || a->place_default != b->place_default);
            assert_true(a->place_paper < 0 || a->place_paper != b->place_paper);
            assert_string_not_equal(a->name, b->name);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_has_its_rule),
        cmocka_unit_test(every_search_can_be_run),
        cmocka_unit_test(every_example_is_of_its_method),
        cmocka_unit_test(no_two_methods_share_a_place),
    };
    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
