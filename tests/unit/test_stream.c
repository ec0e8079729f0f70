/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that come piece by piece. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/core/progress.h"
#include "lib/engine/engine.h"
#include "lib/engine/sse.h"
#include "tests/faults/fault_server.h"

static int port;
static const allot_query query = {.key = {{1, 2, 3}}, .problem = "2+2=?", .n = 5};

static void keep(allot_done *done, void *user)
{
    *(allot_done *)user = *done;
}

static double timeout_s;

static allot_engine *open_engine(const char *fault_name)
{
    char url[128];
    allot_err err = {0};
    allot_engine *e = NULL;
    allot_engine_config c;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, fault_name);
    allot_engine_defaults(&c);
    c.base_url = url;
    c.model = "gen";
    c.prompt_template = "Q: {problem}\n";
    c.max_retries = timeout_s > 0 ? 4 : 1;
    if (timeout_s > 0) c.timeout_s = timeout_s;
    c.stream = 1;
    if (allot_engine_new(&c, &e, &err)) fail_msg("%s", err.msg);
    return e;
}

static allot_done sample(const char *fault_name)
{
    allot_err err = {0};
    allot_done d = {0};
    allot_engine *e = open_engine(fault_name);
    assert_int_equal(allot_engine_sample(e, &query, 0, keep, &d, &err), ALLOT_OK);
    while (allot_engine_in_flight(e) > 0)
        assert_int_equal(allot_engine_poll(e, 1000, &err), ALLOT_OK);
    allot_engine_free(e);
    return d;
}

static void a_stream_has_the_text_and_the_time_to_its_first_piece(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        int retries;
    } rows[] = {{"ok", 0}, {"stream-no-done", 0}, {"stream-error", 1}, {"stream-cut", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        allot_done d = sample(rows[i].fault);
        if (d.rec.type == ALLOT_REC_ERROR) fail_msg("%s", d.rec.message);
        assert_string_equal(d.rec.gen[0].text, FAULT_TEXT);
        assert_int_equal(d.rec.gen[0].finish, ALLOT_FINISH_STOP);
        assert_int_equal(d.rec.n_tokens, 5);
        assert_int_equal(d.rec.prompt_tokens, 7);
        assert_int_equal(d.rec.retries, rows[i].retries);
        assert_true(d.rec.ttft_s > 0 && d.rec.ttft_s <= d.rec.seconds);
        allot_record_clear(&d.rec);
    }
    assert_non_null(strstr(fault_state.last, "\"stream_options\":{\"include_usage\":true}"));
}

static void what_breaks_off_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *message;
    } rows[] = {
        {"stream-dead", "the server broke off the text: EngineCore died"},
        {"stream-unfinished", "the stream ended before the text (no finish_reason)"},
        {"stream-interleaved", "the server streams several choices instead of 1"},
        {"stream-not-json", "an event of the stream is not valid JSON"},
        {"bad-nested", "answered with status 400: top_p is wrong"},
        {"count-above", "the server tells 2049 tokens of a text that may have 2048"},
        {"count-zero", "the server tells 0 tokens for a text of 30 bytes"},
        {"count-half", "the server tells 1.5 as 'completion_tokens', which no text has"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        allot_done d = sample(rows[i].fault);
        assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
        assert_int_equal(d.rec.code, ALLOT_ESERVER);
        if (!strstr(d.rec.message, rows[i].message)) fail_msg("%s", d.rec.message);
        allot_record_clear(&d.rec);
    }
}

/* Not one failed text: all others would fail, too. */
static void a_server_that_does_not_stream_ends_the_work(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_done d = {0};
    allot_engine *e = open_engine("stream-ignored");
    int before = fault_state.requests;
    assert_int_equal(allot_engine_sample(e, &query, 0, keep, &d, &err), ALLOT_OK);
    while (!err.code && allot_engine_in_flight(e) > 0)
        (void)!allot_engine_poll(e, 1000, &err);
    assert_int_equal(err.code, ALLOT_ESERVER);
    assert_non_null(strstr(err.msg, "stream-ignored/v1/completions': the server takes no notice of "
                                    "'stream': a text came at once, which does not tell the time "
                                    "to its first piece (go on without --stream)"));
    assert_int_equal(fault_state.requests, before + 1);
    assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
    allot_record_clear(&d.rec);
    allot_engine_free(e);
}

/* Not each of its tries. */
static void a_text_has_its_time_whatever_the_stream_does(void **state)
{
    (void)state;
    static const char *const faults[] = {"stream-drip", "stream-late-cut"};
    timeout_s = 0.5;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        double start_s = allot_clock_s();
        allot_done d = sample(faults[i]);
        double took_s = allot_clock_s() - start_s;
        if (took_s < 0.5 || took_s > 1) fail_msg("%s: %g s", faults[i], took_s);
        assert_int_equal(d.rec.type, ALLOT_REC_ERROR);
        if (!strstr(d.rec.message, ": it took longer than 0.5 s (--timeout)"))
            fail_msg("%s", d.rec.message);
        allot_record_clear(&d.rec);
    }
    timeout_s = 0;
}

/* However the bytes are cut into reads, and in chat form. */
static void events_may_come_in_any_pieces(void **state)
{
    (void)state;
    static const char chat[] =
        "data: "
        "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
        ":\n\n"
        "event: message\ndata:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xc3\xa4 b\"},"
        "\"finish_reason\":\"length\"}]}\r\n\r\ndata: [DONE]\n\n";
    for (size_t step = 1; step < sizeof chat; step++) {
        allot_sse s = {0};
        allot_err err = {0};
        cJSON *o = NULL;
        for (size_t at = 0; at < sizeof chat - 1; at += step)
            allot_sse_take(&s, chat + at, at + step < sizeof chat ? step : sizeof chat - 1 - at,
                           (double)(at + 1));
        assert_true(allot_sse_is_whole(&s));
        assert_true(s.first_s >= 1);
        assert_int_equal(allot_sse_answer(&s, &o, &err), ALLOT_OK);
        const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItem(o, "choices"), 0);
        assert_string_equal(cJSON_GetObjectItem(choice, "text")->valuestring, "\xc3\xa4 b");
        assert_string_equal(cJSON_GetObjectItem(choice, "finish_reason")->valuestring, "length");
        cJSON_Delete(o);
        allot_sse_clear(&s);
    }
}

/* TGI's reason is "" until there is one: a stream that is cut before has none. */
static void an_empty_reason_is_none(void **state)
{
    (void)state;
    static const char piece[] = "data: {\"choices\":[{\"text\":\"a\",\"finish_reason\":\"\"}]}\n\n";
    allot_sse s = {0};
    allot_err err = {0};
    cJSON *o = NULL;
    allot_sse_take(&s, piece, sizeof piece - 1, 1);
    assert_false(allot_sse_is_whole(&s));
    assert_int_equal(allot_sse_answer(&s, &o, &err), ALLOT_ESERVER);
    assert_string_equal(err.msg, "the stream ended before the text (no finish_reason)");
    allot_sse_clear(&s);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_has_the_text_and_the_time_to_its_first_piece),
        cmocka_unit_test(what_breaks_off_is_an_error),
        cmocka_unit_test(a_server_that_does_not_stream_ends_the_work),
        cmocka_unit_test(a_text_has_its_time_whatever_the_stream_does),
        cmocka_unit_test(events_may_come_in_any_pieces),
        cmocka_unit_test(an_empty_reason_is_none),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
