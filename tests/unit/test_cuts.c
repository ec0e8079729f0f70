/* SPDX-License-Identifier: Apache-2.0 */
/* When texts count as cut by the server's context, and when it is an alarm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/labels/cuts.h"

static allot_cuts cuts_of(const char *fingerprint)
{
    allot_cuts c = {0};
    cJSON *o = cJSON_Parse(fingerprint);
    allot_cuts_settings(&c, o);
    cJSON_Delete(o);
    return c;
}

/* n samples that ended for length after so many tokens, or by themselves. */
static void add(allot_cuts *c, int n, long n_tokens, int length)
{
    allot_record r = {
        .type = ALLOT_REC_SAMPLE, .n_tokens = n_tokens, .n_texts = 1, .n_length = length};
    for (int i = 0; i < n; i++)
        allot_cuts_add(c, &r);
}

static void samples_tell_by_their_tokens(void **state)
{
    (void)state;
    allot_cuts c = cuts_of("{\"max_tokens\": 200, \"server_kind\": \"vllm\"}");
    add(&c, 3, 200, 1);
    add(&c, 4, 20, 0);
    assert_int_equal(c.n_cut, 0);
    add(&c, 5, 199, 1); /* some servers count a token less */
    assert_int_equal(c.n_cut, 0);
    add(&c, 5, 198, 1);
    assert_int_equal(c.n_cut, 5);
    assert_int_equal(c.n_texts, 17);
    /* one that nothing is known of */
    c = cuts_of("{\"imported\": \"x\"}");
    add(&c, 9, 1, 1);
    assert_int_equal(c.n_cut, 0);
}

static void marks_tell_too_and_a_text_counts_once(void **state)
{
    (void)state;
    allot_cuts c = cuts_of("{\"max_tokens\": 200, \"server_kind\": \"vllm\"}");
    allot_record beam = {.type = ALLOT_REC_BEAM, .n_texts = 4, .n_length = 3, .n_cut = 2};
    allot_cuts_add(&c, &beam);
    assert_int_equal(c.n_texts, 4);
    assert_int_equal(c.n_cut, 2);
    allot_record sample = {
        .type = ALLOT_REC_SAMPLE, .n_tokens = 5, .n_texts = 1, .n_length = 1, .n_cut = 1};
    allot_cuts_add(&c, &sample);
    assert_int_equal(c.n_cut, 3);
    allot_record others[] = {{.type = ALLOT_REC_SCORE}, {.type = ALLOT_REC_ERROR, .n_tokens = 7}};
    allot_cuts_add(&c, &others[0]);
    allot_cuts_add(&c, &others[1]);
    assert_int_equal(c.n_texts, 5);
    assert_int_equal(c.n_cut, 3);
}

static void one_of_a_hundred_is_no_alarm(void **state)
{
    (void)state;
    allot_cuts c = cuts_of("{\"max_tokens\": 200, \"server_kind\": \"vllm\"}");
    assert_false(allot_cuts_alarm(&c, 1)); /* nothing yet */
    add(&c, 2, 20, 1);
    add(&c, 97, 20, 0);
    assert_false(allot_cuts_alarm(&c, 0)); /* too early to say */
    assert_true(allot_cuts_alarm(&c, 1));
    add(&c, 1, 20, 0);
    assert_true(allot_cuts_alarm(&c, 0));
    add(&c, 100, 20, 0);
    assert_false(allot_cuts_alarm(&c, 1)); /* 2 of 200 */
    char text[800];
    allot_cuts_tell(&c, "run", text, sizeof text);
    assert_memory_equal(text,
                        "2 of 200 texts (1.0 %) in 'run' were cut by the server's context, "
                        "below the 200 tokens that they may have",
                        104);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_tell_by_their_tokens),
        cmocka_unit_test(marks_tell_too_and_a_text_counts_once),
        cmocka_unit_test(one_of_a_hundred_is_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
