/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts rendered by the server: asked for once per query, whoever waits; failures; an engine that
 * is freed meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/engine/engine.h"
#include "lib/engine/render.h"
#include "tests/faults/fault_server.h"

static int port, n_tokenized;
static const char *detokenized; /* answer of /detokenize; NULL = it hangs */

/* A vLLM whose template is two tokens. */
static enum MHD_Result answer(const fault_request *r)
{
    if (strcmp(r->path, "/tokenize") == 0) {
        n_tokenized++;
        const cJSON *m = cJSON_GetArrayItem(cJSON_GetObjectItem(r->json, "messages"), 0);
        if (strcmp(cJSON_GetObjectItem(m, "content")->valuestring, "refuse me") == 0)
            return fault_send(r, 400, NULL, NULL, "{\"error\":{\"message\":\"not this one\"}}");
        return fault_send(r, 200, NULL, NULL, "{\"tokens\":[1,2],\"count\":2}");
    }
    if (strcmp(r->path, "/detokenize") == 0) {
        if (!detokenized) sleep(FAULT_SLOW_S);
        return fault_send(r, 200, NULL, NULL, detokenized ? detokenized : "{}");
    }
    return fault_ok(r);
}

static void config_for(allot_engine_config *c)
{
    static char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/script/v1", port);
    allot_engine_defaults(c);
    c->base_url = url;
    c->model = "gen";
    c->max_retries = 0;
    n_tokenized = 0;
    detokenized = "{\"prompt\":\"<s>Q\"}";
}

static void keep(allot_done *done, void *user)
{
    allot_done **next = user;
    *(*next)++ = *done;
}

static const allot_query query = {.key = {{7}}, .problem = "2+2=?", .n = 5};
static const allot_query refused = {.key = {{8}}, .problem = "refuse me", .n = 9};

static allot_engine *open_engine(const allot_engine_config *c)
{
    allot_err err = {0};
    allot_engine *e = NULL;
    if (allot_engine_new(c, &e, &err)) fail_msg("%s", err.msg);
    return e;
}

static void finish(allot_engine *e)
{
    allot_err err = {0};
    while (allot_engine_in_flight(e) > 0)
        assert_int_equal(allot_engine_poll(e, 1000, &err), ALLOT_OK);
}

static void all_samples_of_a_query_share_one_rendering(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_engine_config c;
    config_for(&c);
    allot_engine *e = open_engine(&c);
    assert_int_equal(n_tokenized, 1); /* to see whether it can */
    allot_done done[6] = {0}, *next = done;
    for (int i = 0; i < 5; i++)
        assert_int_equal(allot_engine_sample(e, &query, i, keep, &next, &err), ALLOT_OK);
    finish(e);
    assert_int_equal(allot_engine_sample(e, &query, 5, keep, &next, &err), ALLOT_OK);
    finish(e);
    assert_int_equal(n_tokenized, 2);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(done[i].rec.type, ALLOT_REC_SAMPLE);
        allot_record_clear(&done[i].rec);
    }
    cJSON *sent = cJSON_Parse(fault_state.last);
    assert_string_equal(cJSON_GetObjectItem(sent, "prompt")->valuestring, "<s>Q");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(sent, "add_special_tokens")));
    cJSON_Delete(sent);
    allot_engine_free(e);
}

static void a_query_that_cannot_be_rendered_fails_alone(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_engine_config c;
    config_for(&c);
    allot_engine *e = open_engine(&c);
    allot_done done[3] = {0}, *next = done;
    assert_int_equal(allot_engine_sample(e, &refused, 0, keep, &next, &err), ALLOT_OK);
    assert_int_equal(allot_engine_sample(e, &refused, 1, keep, &next, &err), ALLOT_OK);
    finish(e);
    assert_int_equal(allot_engine_sample(e, &query, 0, keep, &next, &err), ALLOT_OK);
    finish(e);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(done[i].rec.type, ALLOT_REC_ERROR);
        assert_non_null(
            strstr(done[i].rec.message, "/tokenize' answered with status 400: not this"));
    }
    assert_int_equal(done[2].rec.type, ALLOT_REC_SAMPLE);
    for (int i = 0; i < 3; i++)
        allot_record_clear(&done[i].rec);
    allot_engine_free(e);
}

static void a_server_without_the_means_gets_messages(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_engine_config c;
    config_for(&c);
    detokenized = "{\"text\":5}";
    allot_engine *e = open_engine(&c);
    allot_done done = {0}, *next = &done;
    assert_int_equal(allot_engine_sample(e, &query, 0, keep, &next, &err), ALLOT_OK);
    finish(e);
    assert_int_equal(done.rec.type, ALLOT_REC_SAMPLE);
    assert_non_null(strstr(fault_state.last, "\"messages\""));
    allot_record_clear(&done.rec);
    allot_engine_free(e);
    c.prompt_template = "server";
    assert_int_equal(allot_engine_new(&c, &e, &err), ALLOT_ESERVER);
    assert_non_null(strstr(err.msg,
                           "/detokenize': the rendered prompt has no 'prompt' (name or give "
                           "a template with --prompt-template)"));
}

static void an_engine_can_be_freed_while_it_waits(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_engine_config c;
    config_for(&c);
    allot_engine *e = open_engine(&c);
    detokenized = NULL;
    allot_done done[4] = {0}, *next = done;
    for (int i = 0; i < 4; i++)
        assert_int_equal(allot_engine_sample(e, &query, i, keep, &next, &err), ALLOT_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(allot_engine_poll(e, 20, &err), ALLOT_OK);
    allot_engine_free(e);
    assert_ptr_equal(next, done); /* nothing was reported */
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    fault_other = answer;
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_samples_of_a_query_share_one_rendering),
        cmocka_unit_test(a_query_that_cannot_be_rendered_fails_alone),
        cmocka_unit_test(a_server_without_the_means_gets_messages),
        cmocka_unit_test(an_engine_can_be_freed_while_it_waits),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
