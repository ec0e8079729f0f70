/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of servers are, and what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/engine/generate.h"
#include "lib/engine/job.h"
#include "lib/engine/loadmetrics.h"

/* The answer of a step is read by this kind's rules. */
static allot_generate_reply read_step(const char *kind, const char *answer)
{
    static allot_engine e;
    allot_err err = {0};
    cJSON *json = NULL;
    allot_generate_reply reply = {0};
    const allot_generate_request r = {.stop_at_step = 1, .max_tokens = 9};
    e.profile = allot_profile_find(kind);
    if (allot_generate_parse(&e, &r, answer, strlen(answer), &json, &reply, &err))
        fail_msg("%s: %s", answer, err.msg);
    cJSON_Delete(json);
    return reply;
}

#define CHOICE(fields) "{\"choices\":[{\"text\":\"x\"," fields "}]," USAGE "}"
#define USAGE "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}"
#define NATIVE(type)                                                                               \
    "{\"content\":\"x\",\"stop\":true,\"stop_type\":\"" type "\",\"tokens_predicted\":2,"          \
    "\"tokens_evaluated\":3,\"timings\":{\"cache_n\":1}}"

static void an_end_is_told_from_a_stop_string(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *answer;
        int ended;
        allot_finish finish;
    } rows[] = {
        {"vllm", CHOICE("\"finish_reason\":\"stop\",\"stop_reason\":\"\\n\\n\""), 0,
         ALLOT_FINISH_STOP},
        {"vllm", CHOICE("\"finish_reason\":\"stop\",\"stop_reason\":null"), 1, ALLOT_FINISH_STOP},
        {"vllm", CHOICE("\"finish_reason\":\"stop\",\"stop_reason\":151645"), 1, ALLOT_FINISH_STOP},
        {"vllm", CHOICE("\"finish_reason\":\"length\",\"stop_reason\":null"), 1,
         ALLOT_FINISH_LENGTH},
        {"sglang", CHOICE("\"finish_reason\":\"stop\",\"matched_stop\":\"\\n\\n\""), 0,
         ALLOT_FINISH_STOP},
        {"sglang", CHOICE("\"finish_reason\":\"stop\",\"matched_stop\":2"), 1, ALLOT_FINISH_STOP},
        {"sglang", CHOICE("\"finish_reason\":\"length\",\"matched_stop\":null"), 1,
         ALLOT_FINISH_LENGTH},
        {"llama.cpp", NATIVE("word"), 0, ALLOT_FINISH_STOP},
        {"llama.cpp", NATIVE("eos"), 1, ALLOT_FINISH_STOP},
        {"llama.cpp", NATIVE("limit"), 1, ALLOT_FINISH_LENGTH},
        {"llama.cpp", CHOICE("\"finish_reason\":\"stop\""), 0, ALLOT_FINISH_STOP},
        {"tgi", CHOICE("\"finish_reason\":\"stop_sequence\""), 0, ALLOT_FINISH_STOP},
        {"tgi", CHOICE("\"finish_reason\":\"eos_token\""), 1, ALLOT_FINISH_STOP},
        {"tgi", CHOICE("\"finish_reason\":\"stop\""), 1, ALLOT_FINISH_STOP},
        {"openai", CHOICE("\"finish_reason\":\"stop\""), 0, ALLOT_FINISH_STOP},
        {"openai", CHOICE("\"finish_reason\":\"length\""), 1, ALLOT_FINISH_LENGTH},
        {"openai", CHOICE("\"finish_reason\":\"content_filter\""), 1, ALLOT_FINISH_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        allot_generate_reply reply = read_step(rows[i].kind, rows[i].answer);
        if (reply.ended != rows[i].ended || reply.finish != rows[i].finish)
            fail_msg("%s: %s: ended %d, finish %d", rows[i].kind, rows[i].answer, reply.ended,
                     reply.finish);
        assert_int_equal(reply.n_tokens, 2);
        assert_int_equal(reply.prompt_tokens, 3);
    }
    assert_int_equal(read_step("llama.cpp", NATIVE("eos")).cached_tokens, 1);
}

static void a_piece_of_a_stream_has_no_end(void **state)
{
    (void)state;
    cJSON *o = cJSON_Parse("{\"content\":\"ab\",\"stop\":false}");
    allot_profile_answer(o);
    const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "choices"), 0);
    assert_string_equal(cJSON_GetObjectItem(choice, "text")->valuestring, "ab");
    assert_null(cJSON_GetObjectItem(choice, "finish_reason"));
    assert_null(cJSON_GetObjectItem(o, "usage"));
    cJSON_Delete(o);
}

static void other_answers_stay_as_they_are(void **state)
{
    (void)state;
    static const char *const answers[] = {"{\"choices\":[],\"content\":\"x\"}", "{\"content\":5}",
                                          "{\"error\":\"no\"}", "[]", "7"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        cJSON *o = cJSON_Parse(answers[i]);
        allot_profile_answer(o);
        char *text = cJSON_PrintUnformatted(o);
        assert_string_equal(text, answers[i]);
        free(text);
        cJSON_Delete(o);
    }
}

static void every_kind_says_how_it_is_spoken_to(void **state)
{
    (void)state;
    char kinds[128];
    allot_profile_kinds(kinds, sizeof kinds);
    assert_string_equal(kinds, "sglang, llama.cpp, tgi, vllm, openai");
    assert_null(allot_profile_find("vLLM"));
    for (char *save, *kind = strtok_r(kinds, ", ", &save); kind;
         kind = strtok_r(NULL, ", ", &save)) {
        const allot_profile *p = allot_profile_find(kind);
        assert_non_null(p);
        assert_true(p->completions[0] == '/' && p->limit[0]);
        assert_non_null(p->probe_path);
        assert_int_equal(p->render.path != NULL, strcmp(kind, "openai") != 0);
        assert_int_equal(p->metrics.running != NULL, strcmp(kind, "openai") != 0);
    }
}

static void expect_load(const char *text, double running, double waiting, double hits)
{
    allot_loadmetrics m;
    allot_loadmetrics_parse(text, &m);
    if (m.running != running || m.waiting != waiting || m.cache_hits != hits)
        fail_msg("%s: %g %g %g", text, m.running, m.waiting, m.cache_hits);
}

static void the_load_is_read_from_metrics(void **state)
{
    (void)state;
    expect_load("", -1, -1, -1);
    expect_load("# HELP vllm:num_requests_running x\n", -1, -1, -1);
    expect_load("vllm:num_requests_running_total 3\n", -1, -1, -1);
    expect_load("# TYPE vllm:num_requests_running gauge\n"
                "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"
                "vllm:num_requests_running{engine=\"1\",model_name=\"m\"} 1.0\n"
                "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 2.0\n"
                "vllm:prefix_cache_hits_total{engine=\"0\"} 1.5e3\n",
                4, 2, 1500);
    expect_load("llamacpp:requests_processing 1\nllamacpp:requests_deferred 0", 1, 0, -1);
    expect_load("sglang:num_running_reqs 0.0\nsglang:cached_tokens_total 7\n", 0, -1, 7);
    expect_load("tgi_batch_current_size 2\ntgi_queue_size 1\n", 2, 1, -1);
    expect_load("vllm:num_requests_running NaN\n", -1, -1, -1);
    expect_load("vllm:num_requests_running -1\n", -1, -1, -1);
    expect_load("vllm:num_requests_running{\n", -1, -1, -1);
    expect_load("vllm:num_requests_running\n3\n", -1, -1, -1);
    expect_load("vllm:num_requests_running \n3\n", -1, -1, -1);
}

/* A text that the server's context ended; LM Studio counts one token too few at any limit. */
static void a_text_below_the_limit_was_cut(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *finish;
        int n_tokens, cut;
    } rows[] = {{"vllm", "length", 8, 1},
                {"vllm", "length", 9, 0},
                {"vllm", "stop", 3, 0},
                {"openai", "length", 8, 0},
                {"openai", "length", 7, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        allot_engine e = {.profile = allot_profile_find(rows[i].kind)};
        allot_generate_request r = {.max_tokens = 9};
        allot_generate_reply reply = {0};
        cJSON *json = NULL;
        char text[160];
        snprintf(text, sizeof text,
                 "{\"choices\":[{\"text\":\"x\",\"finish_reason\":\"%s\"}],\"usage\":"
                 "{\"prompt_tokens\":3,\"completion_tokens\":%d}}",
                 rows[i].finish, rows[i].n_tokens);
        assert_int_equal(allot_generate_parse(&e, &r, text, strlen(text), &json, &reply, NULL),
                         ALLOT_OK);
        assert_int_equal(reply.cut, rows[i].cut);
        cJSON_Delete(json);
    }
}

/* By how much honest servers count above the limit: each row and one more. */
static void a_count_may_be_above_the_limit_by_so_much(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        long most;
    } rows[] = {{"vllm", 9}, {"sglang", 9}, {"tgi", 9}, {"llama.cpp", 12}, {"openai", 10}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (long n = rows[i].most; n <= rows[i].most + 1; n++) {
            allot_engine e = {.profile = allot_profile_find(rows[i].kind)};
            allot_generate_request r = {.max_tokens = 9};
            allot_generate_reply reply = {0};
            cJSON *json = NULL;
            char text[160];
            snprintf(text, sizeof text,
                     "{\"choices\":[{\"text\":\"x\",\"finish_reason\":\"length\"}],\"usage\":"
                     "{\"prompt_tokens\":3,\"completion_tokens\":%ld}}",
                     n);
            allot_code rc = allot_generate_parse(&e, &r, text, strlen(text), &json, &reply, NULL);
            assert_int_equal(rc, n > rows[i].most ? ALLOT_ESERVER : ALLOT_OK);
            cJSON_Delete(json);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_is_told_from_a_stop_string),
        cmocka_unit_test(a_piece_of_a_stream_has_no_end),
        cmocka_unit_test(other_answers_stay_as_they_are),
        cmocka_unit_test(every_kind_says_how_it_is_spoken_to),
        cmocka_unit_test(the_load_is_read_from_metrics),
        cmocka_unit_test(a_text_below_the_limit_was_cut),
        cmocka_unit_test(a_count_may_be_above_the_limit_by_so_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
