/* SPDX-License-Identifier: Apache-2.0 */
/* Samples, scores and whole strategies against a server that works, and one that does not. */
#include "tests/unit/enginefixture.h"

static void a_sample_has_text_and_costs(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("ok", &c);
    allot_done d = sample_with(&c, 7);
    assert_int_equal(d.rec.type, ALLOT_REC_SAMPLE);
    assert_string_equal(d.rec.source, "pool");
    assert_int_equal(d.rec.slot, 7);
    assert_string_equal(d.rec.gen[0].text, FAULT_TEXT);
    assert_int_equal(d.rec.gen[0].finish, ALLOT_FINISH_STOP);
    assert_int_equal(d.rec.gen[0].n_tokens, 5);
    assert_int_equal(d.rec.n_tokens, 5);
    assert_int_equal(d.rec.prompt_tokens, 7);
    assert_true(d.rec.seconds > 0 && d.rec.gen_s > 0 && d.rec.t_start > 1e9);
    assert_true(isnan(d.rec.ttft_s));
    assert_true(d.answer && d.answer_n == 1 && *d.answer == '4');
    /* What was sent: the server's defaults must not leak in. */
    cJSON *sent = cJSON_Parse(fault_state.last);
    assert_string_equal(cJSON_GetObjectItem(sent, "prompt")->valuestring, "Q: 2+2=?\n");
    assert_true(cJSON_GetObjectItem(sent, "temperature")->valuedouble == 0.8);
    assert_true(cJSON_GetObjectItem(sent, "top_p")->valuedouble == 1);
    assert_true(cJSON_GetObjectItem(sent, "max_tokens")->valuedouble == 2048);
    assert_true(cJSON_GetObjectItem(sent, "seed")->valuedouble == (double)d.rec.seed);
    assert_true(d.rec.seed < (UINT64_C(1) << 31));
    assert_null(cJSON_GetObjectItem(sent, "stop"));
    assert_null(cJSON_GetObjectItem(sent, "add_special_tokens"));
    cJSON_Delete(sent);
    allot_record_clear(&d.rec);
}

static void seeds_depend_on_what_is_drawn(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("ok", &c);
    allot_done a = sample_with(&c, 0), same = sample_with(&c, 0), slot = sample_with(&c, 1);
    c.seed = 2;
    allot_done seed = sample_with(&c, 0);
    assert_true(a.rec.seed == same.rec.seed);
    assert_true(a.rec.seed != slot.rec.seed && a.rec.seed != seed.rec.seed);
    allot_done *all[] = {&a, &same, &slot, &seed};
    for (int i = 0; i < 4; i++)
        allot_record_clear(&all[i]->rec);
}

/* A sample from this server fails, and the message ends like this. */
static void expect_failure(const char *fault_name, const char *end)
{
    allot_engine_config c;
    config_for(fault_name, &c);
    allot_done d = sample_with(&c, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_int_equal(d.rec.code, ALLOT_ESERVER);
    assert_int_equal(d.rec.n_gen, 0);
    assert_int_equal(d.picked, -1);
    size_t n = strlen(d.rec.message), m = strlen(end);
    if (n < m || strcmp(d.rec.message + n - m, end) != 0) fail_msg("%s", d.rec.message);
    assert_non_null(strstr(d.rec.message, "/v1/completions'"));
    allot_record_clear(&d.rec);
}

static void bad_answers_are_errors_never_samples(void **state)
{
    (void)state;
    expect_failure("two-choices", "the server answered with 2 choices instead of 1");
    expect_failure("no-choices", "the server answered with 0 choices instead of 1");
    expect_failure("null-content", "the server answered without a text");
    expect_failure("no-usage",
                   "the server does not tell 'completion_tokens' (tokens are needed for "
                   "costs)");
    expect_failure("aborted", "the server did not finish the text (finish_reason abort)");
    expect_failure("not-json", "the server's answer: is not valid JSON");
    expect_failure("empty", "the server's answer: is empty, not JSON");
    expect_failure("bad-nested", "answered with status 400: top_p is wrong");
    expect_failure("slots", "status 400: n_cmpl cannot be greater than the number of slots");
    expect_failure("wrong-model", "answered with status 404: The model `gen` does not exist.");
}

static void expect_strategy_failure(const char *fault_name, const char *strategy, const char *words)
{
    allot_done d = run_strategy(fault_name, strategy, NULL);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_int_equal(d.rec.code, ALLOT_ESERVER);
    if (!strstr(d.rec.message, words)) fail_msg("%s", d.rec.message);
    assert_int_equal(d.rec.prm_tokens, 0);
    allot_record_clear(&d.rec);
}

/* Each would be part of a mean of costs. */
static void counts_of_tokens_that_cannot_be_are_errors(void **state)
{
    (void)state;
    expect_failure("count-above",
                   "the server tells 2049 tokens of a text that may have 2048 (it counts wrongly, "
                   "or takes no notice of the limit)");
    expect_failure("count-zero", "the server tells 0 tokens for a text of 30 bytes");
    expect_failure("count-negative",
                   "the server tells -3 as 'completion_tokens', which no text has");
    expect_failure("count-half", "the server tells 1.5 as 'completion_tokens', which no text has");
    expect_failure("count-text", "the server's 'completion_tokens' is not a number");
    expect_failure("prompt-half", "the server tells 1.5 as 'prompt_tokens', which no text has");
    expect_strategy_failure("count-above", "beam@4x2x3", "tells 2049 tokens of a text");
    expect_strategy_failure("count-above", "majority@3", "tells 2049 tokens of a text");
    expect_strategy_failure("prm-count", "bon@3", "the server tells -3 as 'prompt_tokens'");
}

static void a_model_cut_while_it_thinks_has_said_nothing(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("reasoning", &c);
    allot_done d = sample_with(&c, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_SAMPLE);
    assert_string_equal(d.rec.gen[0].text, "");
    assert_int_equal(d.rec.gen[0].finish, ALLOT_FINISH_LENGTH);
    assert_int_equal(d.rec.n_tokens, 5);
    allot_record_clear(&d.rec);
}

static void a_loading_server_is_waited_for(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("loading", &c);
    allot_done d = sample_with(&c, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_SAMPLE);
    allot_record_clear(&d.rec);
}

static void invalid_characters_are_replaced(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("bad-utf8", &c);
    allot_done d = sample_with(&c, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_SAMPLE);
    assert_string_equal(d.rec.gen[0].text, "a\xef\xbf\xbd\xef\xbf\xbd"
                                           "b\\u0000");
    allot_record_clear(&d.rec);
}

/* A seed that the server fails on gives way to the next attempt's; others are not touched. */
static void what_fails_for_its_own_sake_is_drawn_again(void **state)
{
    (void)state;
    allot_engine_config c;
    int n_redrawn = 0;
    for (int i = 0; i < 24; i++) {
        config_for("ok", &c);
        allot_done first = sample_with(&c, i);
        config_for("bad-draw", &c);
        allot_done d = sample_with(&c, i), same = sample_with(&c, i);
        assert_int_equal(d.rec.type, ALLOT_REC_SAMPLE);
        assert_true(d.rec.seed % 8 != 0 && d.rec.seed == same.rec.seed);
        assert_int_equal(d.rec.attempt == 0, first.rec.seed % 8 != 0);
        assert_int_equal(d.rec.attempt == 0, d.rec.seed == first.rec.seed);
        assert_int_equal(d.rec.retries, 2 * d.rec.attempt); /* one retry, then the next seed */
        n_redrawn += d.rec.attempt > 0;
        allot_record_clear(&first.rec);
        allot_record_clear(&d.rec);
        allot_record_clear(&same.rec);
    }
    assert_true(n_redrawn > 0 && n_redrawn < 24);
    config_for("always-500", &c);
    allot_done d = sample_with(&c, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_int_equal(d.rec.attempt, ALLOT_MAX_DRAWS - 1);
    assert_int_equal(d.rec.draws, ALLOT_MAX_DRAWS);
    assert_non_null(strstr(d.rec.message, "answered with status 500: Internal Server Error"));
    allot_record_clear(&d.rec);
}

/* Those of earlier calls are behind it: a sample's attempt tells its seed, as ever. */
static void attempts_go_on_where_earlier_calls_ended(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_engine_config c;
    allot_query later = query;
    uint64_t seeds[2];
    for (int i = 0; i < 2; i++) {
        allot_done d = {0};
        later.first_attempt = 4 + i;
        config_for("ok", &c);
        allot_engine *e = open_engine(&c);
        assert_int_equal(allot_engine_sample(e, &later, 0, keep, &d, &err), ALLOT_OK);
        wait_for(e);
        allot_engine_free(e);
        assert_int_equal(d.rec.attempt, 4 + i);
        assert_int_equal(d.rec.draws, 4 + i);
        seeds[i] = d.rec.seed;
        allot_record_clear(&d.rec);
    }
    config_for("ok", &c);
    allot_done first = sample_with(&c, 0);
    assert_int_equal(first.rec.draws, 0);
    assert_true(seeds[0] != seeds[1] && first.rec.seed != seeds[0]);
    allot_record_clear(&first.rec);
}

/* An engine that is asked for the same text again has the draw that went well at once. */
static void a_draw_that_failed_is_not_tried_twice(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_engine_config c;
    int n_redrawn = 0;
    config_for("bad-draw", &c);
    allot_engine *e = open_engine(&c);
    for (int i = 0; i < 24; i++) {
        allot_done d[2];
        for (int k = 0; k < 2; k++) {
            assert_int_equal(allot_engine_sample(e, &query, i, keep, &d[k], &err), ALLOT_OK);
            wait_for(e);
        }
        assert_true(d[0].rec.seed == d[1].rec.seed);
        assert_int_equal(d[0].rec.attempt, d[1].rec.attempt);
        assert_int_equal(d[1].rec.retries, 0);
        n_redrawn += d[0].rec.retries > 0;
        allot_record_clear(&d[0].rec);
        allot_record_clear(&d[1].rec);
    }
    assert_true(n_redrawn > 0);
    allot_engine_free(e);
}

/* A broken server is not asked for more than it said. */
static void who_is_told_off_draws_nothing(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("no-retry", &c);
    allot_done d = sample_with(&c, 0);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_int_equal(d.rec.attempt, 0);
    assert_int_equal(d.rec.draws, 1);
    assert_int_equal(d.rec.retries, 0);
    allot_record_clear(&d.rec);
    config_for("generation", &c);
    c.max_retries = 5;
    d = sample_with(&c, 0); /* each draw is tried twice */
    assert_int_equal(d.rec.retries, 2 * ALLOT_MAX_DRAWS - 1);
    assert_non_null(strstr(d.rec.message, "status 424: Request failed during generation"));
    allot_record_clear(&d.rec);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_has_text_and_costs),
        cmocka_unit_test(seeds_depend_on_what_is_drawn),
        cmocka_unit_test(bad_answers_are_errors_never_samples),
        cmocka_unit_test(counts_of_tokens_that_cannot_be_are_errors),
        cmocka_unit_test(a_model_cut_while_it_thinks_has_said_nothing),
        cmocka_unit_test(a_loading_server_is_waited_for),
        cmocka_unit_test(invalid_characters_are_replaced),
        cmocka_unit_test(what_fails_for_its_own_sake_is_drawn_again),
        cmocka_unit_test(attempts_go_on_where_earlier_calls_ended),
        cmocka_unit_test(a_draw_that_failed_is_not_tried_twice),
        cmocka_unit_test(who_is_told_off_draws_nothing),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
