/* SPDX-License-Identifier: Apache-2.0 */
/* Samples, scores and whole strategies against a server that works, and one that does not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/engine/engine.h"
#include "lib/engine/generate.h"
#include "lib/engine/job.h"
#include "tests/faults/fault_server.h"

static int port;
static char model_name[] = "m";
static const allot_query query = {.key = {{1, 2, 3}}, .problem = "2+2=?", .n = 5};

static void config_for(const char *fault_name, allot_engine_config *c)
{
    static char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, fault_name);
    allot_engine_defaults(c);
    c->base_url = url;
    c->prm_model = "prm";
    c->prompt_template = c->prm_template = "Q: {problem}\n";
    c->max_retries = 1;
    pthread_mutex_lock(&fault_state.mutex);
    memset(fault_state.tries, 0, sizeof fault_state.tries);
    pthread_mutex_unlock(&fault_state.mutex);
}

static allot_engine *open_engine(const allot_engine_config *c)
{
    allot_err err = {0};
    allot_engine *e = NULL;
    if (allot_engine_new(c, &e, &err)) fail_msg("%s", err.msg);
    return e;
}

static void keep(allot_done *done, void *user)
{
    *(allot_done *)user = *done;
}

static void wait_for(allot_engine *e)
{
    allot_err err = {0};
    while (allot_engine_in_flight(e) > 0)
        assert_int_equal(allot_engine_poll(e, 1000, &err), ALLOT_OK);
}

static allot_done sample_with(const allot_engine_config *c, int slot)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_engine *e = open_engine(c);
    assert_int_equal(allot_engine_sample(e, &query, slot, keep, &d, &err), ALLOT_OK);
    wait_for(e);
    allot_engine_free(e);
    return d;
}

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

static allot_done run_strategy(const char *fault_name, const char *text, const char *salt);

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

static allot_done run_strategy(const char *fault_name, const char *text, const char *salt)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_strategy s;
    allot_engine_config c;
    config_for(fault_name, &c);
    allot_engine *e = open_engine(&c);
    assert_int_equal(allot_strategy_parse(text, &s, &err), ALLOT_OK);
    fault_state.requests = 0;
    assert_int_equal(allot_engine_strategy(e, &query, &s, 2, salt, keep, &d, &err), ALLOT_OK);
    wait_for(e);
    allot_engine_free(e);
    return d;
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
