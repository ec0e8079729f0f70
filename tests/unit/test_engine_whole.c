/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on the server of faults: scores, whole strategies, settings, keys. */
#include "tests/unit/enginefixture.h"

static char model_name[] = "m";

static allot_done score_with(const char *fault_name, const char *text, int chat)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_engine_config c;
    config_for(fault_name, &c);
    if (chat) c.prm_template = NULL;
    allot_engine *e = open_engine(&c);
    assert_int_equal(allot_engine_score(e, &query, 4, text, strlen(text), keep, &d, &err),
                     ALLOT_OK);
    wait_for(e);
    allot_engine_free(e);
    return d;
}

static void expect_scores(const char *fault_name, int chat, double first, double second)
{
    allot_done d = score_with(fault_name, "step 1\n\nstep 2\n\n", chat);
    if (d.rec.type == ALLOT_REC_ERROR) fail_msg("%s", d.rec.message);
    assert_int_equal(d.rec.type, ALLOT_REC_SCORE);
    assert_int_equal(d.rec.slot, 4);
    assert_null(d.rec.gen[0].text);
    assert_int_equal(d.rec.gen[0].n_scores, 2);
    assert_true(fabs(d.rec.gen[0].scores[0] - first) < 1e-9);
    assert_true(fabs(d.rec.gen[0].scores[1] - second) < 1e-9);
    assert_false(d.rec.gen[0].prm_truncated);
    assert_int_equal(d.rec.prm_tokens, 7);
    assert_true(d.rec.prm_s > 0);
    allot_record_clear(&d.rec);
}

static void scores_of_every_shape_are_read(void **state)
{
    (void)state;
    expect_scores("ok", 0, 1.0 / 2, 1.0 / 3);
    expect_scores("ok", 1, 1.0 / 2, 1.0 / 3);
    expect_scores("flat-rows", 0, 1.0 / 2, 1.0 / 3);
    expect_scores("base64", 0, 0.5, 0.5);
    expect_scores("logits", 0, 0.5, 0.5);
}

static void a_wrong_number_of_rows_is_an_error(void **state)
{
    (void)state;
    allot_done d = score_with("short-rows", "a\n\nb\n\nc\n\nd", 0);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_non_null(strstr(d.rec.message, "the reward model returned 3 rows for 4 steps ("));
    allot_record_clear(&d.rec);
}

static void a_text_too_long_for_the_reward_model_is_flagged(void **state)
{
    (void)state;
    allot_done d = score_with("short-context", "a\n\nb\n\nc\n\nd\n\ne", 0);
    if (d.rec.type == ALLOT_REC_ERROR) fail_msg("%s", d.rec.message);
    assert_int_equal(d.rec.gen[0].n_scores, 2); /* of 5 steps 2 fit: 5, then 2 */
    assert_true(d.rec.gen[0].prm_truncated);
    allot_record_clear(&d.rec);
}

static void whole_strategies_are_timed(void **state)
{
    (void)state;
    static const char *const texts[] = {"single", "majority@5", "bon@5", "weighted@5;agg=min"};
    static const int samples[] = {1, 5, 5, 5}, requests[] = {1, 5, 6, 6};
    for (int i = 0; i < 4; i++) {
        allot_done d = run_strategy("ok", texts[i], NULL);
        if (d.rec.type == ALLOT_REC_ERROR) fail_msg("%s", d.rec.message);
        assert_int_equal(d.rec.type, ALLOT_REC_TIMED);
        assert_string_equal(d.rec.source, texts[i]);
        assert_int_equal(d.rec.run, 2);
        assert_int_equal(d.rec.n_gen, samples[i]);
        assert_int_equal(d.rec.n_tokens, 5 * samples[i]);
        assert_int_equal(fault_state.requests, requests[i]); /* one for all scores */
        assert_int_equal(d.picked, 0);
        assert_true(d.answer && *d.answer == '4');
        assert_int_equal(d.rec.gen[0].n_scores, requests[i] > 5 ? 2 : 0);
        assert_true(d.rec.seconds >= d.rec.gen_s + d.rec.prm_s);
        assert_int_equal(d.rec.n_rounds, 1);
        allot_record_clear(&d.rec);
    }
}

static void a_salt_goes_along(void **state)
{
    (void)state;
    allot_done d = run_strategy("ok", "majority@2", "pepper");
    cJSON *sent = cJSON_Parse(fault_state.last);
    assert_string_equal(cJSON_GetObjectItem(sent, "cache_salt")->valuestring, "pepper");
    cJSON_Delete(sent);
    allot_record_clear(&d.rec);
}

static void a_reward_model_that_fails_is_an_error_not_a_zero(void **state)
{
    (void)state;
    allot_done d = run_strategy("short-rows", "bon@3", NULL);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    assert_int_equal(d.rec.n_gen, 0);
    allot_record_clear(&d.rec);
}

static void refuse_engine(const char *fault_name, const char *model, const char *kind,
                          const char *template_text, allot_code code, const char *message)
{
    allot_err err = {0};
    allot_engine_config c;
    allot_engine *e;
    config_for(fault_name, &c);
    c.model = model;
    if (kind) c.server_kind = kind;
    if (template_text) c.prompt_template = template_text;
    assert_int_equal(allot_engine_new(&c, &e, &err), code);
    if (!strstr(err.msg, message)) fail_msg("%s", err.msg);
}

static void wrong_settings_are_told_in_one_line(void **state)
{
    (void)state;
    refuse_engine("ok", "other", NULL, NULL, ALLOT_ESERVER,
                  "/ok/v1' does not serve the model 'other' (it serves 'gen', 'prm')");
    refuse_engine("unauthorized", NULL, NULL, NULL, ALLOT_ESERVER,
                  "answered with status 401: Unauthorized (give a key with --api-key-env or ");
    refuse_engine("html", NULL, NULL, NULL, ALLOT_ESERVER, "403 Forbidden");
    refuse_engine(
        "ok", NULL, "exllama", NULL, ALLOT_EUSAGE,
        "unknown server kind 'exllama' (known: auto, sglang, llama.cpp, tgi, vllm, openai)");
    refuse_engine("ok", NULL, NULL, "Q: {poblem}", ALLOT_EUSAGE,
                  "the prompt template has 0 places for {problem}, not 1");
    allot_err err = {0};
    allot_engine_config c;
    allot_engine *e;
    config_for("ok", &c);
    c.base_url = "http://127.0.0.1:1";
    assert_int_equal(allot_engine_new(&c, &e, &err), ALLOT_ESERVER);
    assert_non_null(strstr(err.msg, "no answer from 'http://127.0.0.1:1/v1/models': "));
}

static void the_kind_is_detected_and_fingerprinted(void **state)
{
    (void)state;
    allot_engine_config c;
    config_for("ok", &c);
    allot_engine *e = open_engine(&c);
    cJSON *f = allot_engine_fingerprint(e), *s = allot_engine_server(e);
    assert_string_equal(cJSON_GetObjectItem(f, "server_kind")->valuestring, "vllm");
    assert_string_equal(cJSON_GetObjectItem(f, "generator")->valuestring, "gen");
    assert_string_equal(cJSON_GetObjectItem(f, "prm")->valuestring, "prm");
    assert_null(cJSON_GetObjectItem(f, "grader")); /* not sent to the server */
    const cJSON *server = cJSON_GetObjectItem(s, "server");
    assert_string_equal(cJSON_GetObjectItem(server, "version")->valuestring, "0.26.0");
    cJSON_Delete(f);
    cJSON_Delete(s);
    allot_engine_free(e);
}

/* A server that tells them back: in a text, a stream, an error, the name of its model. */
static void keys_that_are_sent_back_are_hidden(void **state)
{
    (void)state;
    static const char hidden[] = "Authorization: Bearer ***, X-Api-Key: ***";
    static const char *const headers[] = {"X-Api-Key: s3cret-9"};
    allot_engine_config c;
    setenv("OPENAI_API_KEY", "s3cret-7", 1);
    for (int stream = 0; stream < 2; stream++) {
        config_for("echo-text", &c);
        c.headers = (allot_list){.at = (const char **)(uintptr_t)headers, .n = 1};
        c.stream = stream;
        allot_done d = sample_with(&c, 0);
        assert_int_equal(d.rec.type, ALLOT_REC_SAMPLE);
        if (strncmp(d.rec.gen[0].text, hidden, strlen(hidden)) != 0)
            fail_msg("%s", d.rec.gen[0].text);
        assert_int_equal(d.rec.gen[0].n, strlen(d.rec.gen[0].text));
        allot_record_clear(&d.rec);
        config_for(stream ? "echo-stream-error" : "echo-error", &c);
        c.headers = (allot_list){.at = (const char **)(uintptr_t)headers, .n = 1};
        c.stream = stream;
        d = sample_with(&c, 0);
        assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
        if (!strstr(d.rec.message, hidden)) fail_msg("%s", d.rec.message);
        allot_record_clear(&d.rec);
    }
    refuse_engine("echo-models", "gen", NULL, NULL, ALLOT_ESERVER,
                  "(it serves 'Authorization: Bearer ***, X-Api-Key: ')");
    unsetenv("OPENAI_API_KEY");
}

/* The Authorization that the reward model's server gets. */
static const char *prm_key(const char *base, const char *prm, const char *prm_env)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_engine_config c;
    config_for("ok", &c);
    c.base_url = base;
    c.model = "gen";
    c.prm_base_url = prm;
    c.prm_api_key_env = prm_env;
    allot_engine *e = open_engine(&c);
    assert_int_equal(allot_engine_score(e, &query, 0, "a\n\nb", 4, keep, &d, &err), ALLOT_OK);
    wait_for(e);
    allot_engine_free(e);
    assert_int_equal(d.rec.type, ALLOT_REC_SCORE);
    allot_record_clear(&d.rec);
    return fault_state.auth;
}

static void the_generators_key_goes_to_no_other_server(void **state)
{
    (void)state;
    char here[64], there[64], both[128], under[64];
    int other;
    struct MHD_Daemon *d = fault_server_start(&other);
    assert_non_null(d);
    snprintf(here, sizeof here, "http://127.0.0.1:%d/ok/v1", port);
    snprintf(there, sizeof there, "http://127.0.0.1:%d/ok", other);
    snprintf(both, sizeof both, "%s,%s", here, there);
    snprintf(under, sizeof under, "HTTP://127.0.0.1:%d/delay", port);
    setenv("OPENAI_API_KEY", "s3cret-7", 1);
    setenv("ALLOT_TEST_PRM", "other-8", 1);
    assert_string_equal(prm_key(here, NULL, NULL), "Bearer s3cret-7");
    assert_string_equal(prm_key(here, under, NULL), "Bearer s3cret-7");
    assert_string_equal(prm_key(here, there, NULL), "");
    assert_string_equal(prm_key(here, both, NULL), "");
    assert_string_equal(prm_key(both, there, NULL), "Bearer s3cret-7"); /* it was told */
    assert_string_equal(prm_key(here, there, "ALLOT_TEST_PRM"), "Bearer other-8");
    assert_string_equal(prm_key(here, there, "OPENAI_API_KEY"), "Bearer s3cret-7");
    unsetenv("OPENAI_API_KEY");
    MHD_stop_daemon(d);
}

/* The fields of a body: what each kind of server is known to take, and nothing else. */
static void bodies_follow_the_profile(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *keep_stop, *salt;
        int add_generation_prompt, continue_final, plain;
    } rows[] = {{"vllm", "include_stop_str_in_output", "cache_salt", 1, 1, 3},
                {"sglang", "no_stop_trim", "cache_salt", 0, 1, 3},
                {"llama.cpp", NULL, "cache_prompt", 0, 0, 3},
                {"tgi", NULL, NULL, 0, 0, 0},
                {"openai", NULL, NULL, 0, 1, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        allot_engine e = {.profile = allot_profile_find(rows[i].kind), .model = model_name};
        allot_engine_defaults(&e.config);
        allot_generate_request r = {.so_far = "x\n\n",
                                    .n = 3,
                                    .seeds = {5},
                                    .max_tokens = 9,
                                    .stop_at_step = 1,
                                    .salt = "s"};
        cJSON *o = allot_generate_body(&e, &query, &r);
        int known =
            8 - (strcmp(rows[i].kind, "tgi") ==
                 0); /* model, messages, temperature, top_p, max_tokens, seed, stop + below */
        known += (rows[i].keep_stop != NULL) + (rows[i].salt != NULL) +
                 rows[i].add_generation_prompt + rows[i].continue_final - 1 + rows[i].plain;
        assert_int_equal(cJSON_GetArraySize(o), known);
        if (rows[i].keep_stop) assert_true(cJSON_IsTrue(cJSON_GetObjectItem(o, rows[i].keep_stop)));
        if (rows[i].salt) assert_non_null(cJSON_GetObjectItem(o, rows[i].salt));
        cJSON *messages = cJSON_GetObjectItem(o, "messages");
        assert_int_equal(cJSON_GetArraySize(messages), 2);
        cJSON_Delete(o);
    }
}

static void a_template_with_bos_is_not_given_a_second(void **state)
{
    (void)state;
    allot_engine e = {.profile = allot_profile_find("vllm"), .model = model_name};
    allot_engine_defaults(&e.config);
    e.config.prompt_template = "<s>{problem}";
    allot_generate_request r = {.so_far = "", .max_tokens = 9};
    cJSON *o = allot_generate_body(&e, &query, &r);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(o, "add_special_tokens")));
    assert_string_equal(cJSON_GetObjectItem(o, "prompt")->valuestring, "<s>2+2=?");
    cJSON_Delete(o);
    e.profile = allot_profile_find("openai");
    o = allot_generate_body(&e, &query, &r);
    assert_null(cJSON_GetObjectItem(o, "add_special_tokens"));
    assert_string_equal(cJSON_GetObjectItem(o, "prompt")->valuestring, "2+2=?");
    cJSON_Delete(o);
}

static void freeing_the_engine_drops_its_jobs(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_done d = {0};
    allot_engine_config c;
    config_for("slow", &c);
    allot_engine *e = open_engine(&c);
    for (int i = 0; i < 100; i++)
        assert_int_equal(allot_engine_sample(e, &query, i, keep, &d, &err), ALLOT_OK);
    assert_int_equal(allot_engine_poll(e, 50, &err), ALLOT_OK);
    assert_int_equal(allot_engine_in_flight(e), 100);
    allot_engine_free(e);
    assert_null(d.rec.gen);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_every_shape_are_read),
        cmocka_unit_test(a_wrong_number_of_rows_is_an_error),
        cmocka_unit_test(a_text_too_long_for_the_reward_model_is_flagged),
        cmocka_unit_test(whole_strategies_are_timed),
        cmocka_unit_test(a_salt_goes_along),
        cmocka_unit_test(a_reward_model_that_fails_is_an_error_not_a_zero),
        cmocka_unit_test(wrong_settings_are_told_in_one_line),
        cmocka_unit_test(keys_that_are_sent_back_are_hidden),
        cmocka_unit_test(the_generators_key_goes_to_no_other_server),
        cmocka_unit_test(the_kind_is_detected_and_fingerprinted),
        cmocka_unit_test(bodies_follow_the_profile),
        cmocka_unit_test(a_template_with_bos_is_not_given_a_second),
        cmocka_unit_test(freeing_the_engine_drops_its_jobs),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
