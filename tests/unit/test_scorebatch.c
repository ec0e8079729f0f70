/* SPDX-License-Identifier: Apache-2.0 */
/* Scores that wait at the same time share requests; what goes wrong stays with the text it is
 * about. A text "a3" is scored 0.3: its digit tells. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/engine/engine.h"
#include "tests/faults/fault_server.h"

#define MAX_TEXTS 64
#define TOKENS 1000 /* of each request, however many texts it has */

static struct {
    atomic_int n[256];              /* texts of each request, in order */
    atomic_int n_requests, n_mixed; /* n_mixed: with texts of several queries */
    atomic_int hold;                /* no answer as long as it is set... */
    atomic_int hold_slow;           /* ...or none to texts with "slow" */
    atomic_int drop_rows;           /* results left out of requests with several texts */
    atomic_int repeat;              /* each result has the same index, unless it is alone */
    atomic_int bad_status;          /* for requests with "bad" in a text */
} script;

static int port;

static cJSON *result(const char *text, int index)
{
    const char *mark = strstr(text, "<extra_0>");
    double good = mark ? (mark[-1] - '0') / 10.0 : 0, row[2] = {1 - good, good};
    cJSON *item = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(item, "data");
    cJSON_AddItemToArray(rows, cJSON_CreateDoubleArray(row, 2));
    cJSON_AddNumberToObject(item, "index", index);
    return item;
}

static void note(const cJSON *input)
{
    const cJSON *text, *first = cJSON_GetArrayItem(input, 0);
    int mixed = 0;
    cJSON_ArrayForEach(text, input) mixed |=
        strncmp(text->valuestring, first->valuestring, strlen("Q: P00")) != 0;
    script.n_mixed += mixed;
    script.n[script.n_requests++] = cJSON_GetArraySize(input);
}

static enum MHD_Result answer(const fault_request *r)
{
    if (strcmp(r->path, "/pooling") != 0) return fault_ok(r);
    const cJSON *text, *input = cJSON_GetObjectItem(r->json, "input");
    int n = cJSON_GetArraySize(input);
    note(input);
    int slow = 0;
    cJSON_ArrayForEach(text, input) slow |= strstr(text->valuestring, "slow") != NULL;
    while (script.hold || (slow && script.hold_slow))
        usleep(1000);
    cJSON_ArrayForEach(text, input) if (strstr(text->valuestring, "bad")) return fault_send(
        r, (unsigned)script.bad_status, "retry-after-ms", "1",
        "{\"error\":{\"message\":\"a bad text\",\"code\":400}}");
    cJSON *o = cJSON_CreateObject(), *data = cJSON_AddArrayToObject(o, "data");
    for (int i = n - 1; i >= (n > 1 ? script.drop_rows : 0); i--) /* backwards */
        cJSON_AddItemToArray(data, result(cJSON_GetArrayItem(input, i)->valuestring,
                                          script.repeat && n > 1 ? 0 : i));
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(o, "usage"), "prompt_tokens", TOKENS);
    return fault_send_json(r, o);
}

/* Requests of one engine: text i is of query i, so many at once. */
typedef struct {
    allot_engine *engine;
    char problems[MAX_TEXTS][16];
    allot_query queries[MAX_TEXTS];
    allot_done done[MAX_TEXTS];
    int n;
} bench;

static void reset(void)
{
    script.n_requests = script.n_mixed = script.hold = script.hold_slow = 0;
    script.drop_rows = script.repeat = 0;
    script.bad_status = 400;
}

/* where: paths below the server, several behind commas. */
static void open_bench(bench *b, const char *where, int max_batch, int max_concurrency)
{
    static char url[256];
    allot_err err = {0};
    allot_engine_config c;
    memset(b, 0, sizeof *b);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, where);
    allot_engine_defaults(&c);
    c.base_url = url;
    c.prm_model = "prm";
    c.prompt_template = c.prm_template = "Q: {problem}\n";
    c.max_retries = 1;
    c.prm_batch = max_batch;
    c.max_concurrency = max_concurrency;
    reset();
    if (allot_engine_new(&c, &b->engine, &err)) fail_msg("%s", err.msg);
}

static void keep(allot_done *done, void *user)
{
    *(allot_done *)user = *done;
}

static int next_query(bench *b)
{
    int i = b->n++;
    snprintf(b->problems[i], sizeof b->problems[i], "P%02d", i);
    b->queries[i] = (allot_query){.problem = b->problems[i], .n = 3, .key = {{(uint8_t)i}}};
    return i;
}

static void score(bench *b, const char *text)
{
    allot_err err = {0};
    int i = next_query(b);
    assert_int_equal(allot_engine_score(b->engine, &b->queries[i], i, text, strlen(text), keep,
                                        &b->done[i], &err),
                     ALLOT_OK);
}

static void score_many(bench *b, int n)
{
    for (int i = 0; i < n; i++) {
        char text[] = {'a', (char)('0' + i % 10), '\0'};
        score(b, text);
    }
}

static void wait_for(bench *b)
{
    allot_err err = {0};
    while (allot_engine_in_flight(b->engine) > 0)
        assert_int_equal(allot_engine_poll(b->engine, 1000, &err), ALLOT_OK);
}

/* Turns until so many requests have come to the server; returns how many have. */
static int await_requests(bench *b, int n)
{
    allot_err err = {0};
    for (int i = 0; i < 1000 && script.n_requests < n; i++)
        assert_int_equal(allot_engine_poll(b->engine, 5, &err), ALLOT_OK);
    return script.n_requests;
}

static void close_bench(bench *b)
{
    allot_engine_free(b->engine);
    for (int i = 0; i < b->n; i++)
        allot_record_clear(&b->done[i].rec);
}

/* Text i has its own score, and no other's. */
static void expect_score(const bench *b, int i, double wanted)
{
    const allot_record *r = &b->done[i].rec;
    if (r->type == ALLOT_REC_ERROR) fail_msg("text %d: %s", i, r->message);
    assert_int_equal(r->type, ALLOT_REC_SCORE);
    assert_int_equal(r->slot, i);
    assert_int_equal(r->key.b[0], i);
    assert_int_equal(r->gen[0].n_scores, 1);
    assert_true(r->gen[0].scores[0] == wanted);
    assert_true(r->prm_s > 0 && r->seconds >= r->prm_s);
}

static void expect_scores(const bench *b, int n)
{
    for (int i = 0; i < n; i++)
        expect_score(b, i, i % 10 / 10.0);
}

static void texts_that_wait_together_share_requests(void **state)
{
    (void)state;
    bench b;
    long tokens = 0;
    open_bench(&b, "script", 16, 64);
    score_many(&b, 40);
    assert_int_equal(allot_engine_in_flight(b.engine), 40);
    wait_for(&b);
    expect_scores(&b, 40);
    assert_int_equal(script.n_requests, 3);
    assert_int_equal(script.n[0] + script.n[1] + script.n[2], 40);
    for (int i = 0; i < 40; i++) {
        assert_true(b.done[i].rec.prm_tokens > 0);
        tokens += b.done[i].rec.prm_tokens;
    }
    assert_int_equal(tokens, 3 * TOKENS);
    close_bench(&b);
}

static void a_batch_of_one_is_no_batch(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "script", 1, 64);
    score_many(&b, 12);
    wait_for(&b);
    expect_scores(&b, 12);
    assert_int_equal(script.n_requests, 12);
    assert_int_equal(b.done[7].rec.prm_tokens, TOKENS);
    close_bench(&b);
}

/* Room for two requests; the first two are not held back, what comes meanwhile goes as one. */
static void nothing_waits_for_company(void **state)
{
    (void)state;
    bench b;
    allot_err err = {0};
    open_bench(&b, "script", 16, 32);
    script.hold = 1;
    for (int i = 0; i < 2; i++) {
        score(&b, i ? "a1" : "a0");
        assert_int_equal(await_requests(&b, i + 1), i + 1);
    }
    for (int i = 2; i < 9; i++) {
        char text[] = {'a', (char)('0' + i), '\0'};
        score(&b, text);
        assert_int_equal(allot_engine_poll(b.engine, 5, &err), ALLOT_OK);
        assert_int_equal(script.n_requests, 2);
    }
    script.hold = 0;
    wait_for(&b);
    expect_scores(&b, 9);
    assert_int_equal(script.n_requests, 3);
    assert_int_equal(script.n[2], 7);
    close_bench(&b);
}

static void nothing_waits_for_the_slowest(void **state)
{
    (void)state;
    bench b;
    allot_err err = {0};
    open_bench(&b, "script", 4, 8);
    script.hold_slow = 1;
    score(&b, "slow 9");
    assert_int_equal(await_requests(&b, 1), 1);
    for (int i = 1; i <= 10; i++) {
        char text[] = {'a', (char)('0' + i % 10), '\0'};
        score(&b, text);
    }
    for (int i = 0; i < 1000 && allot_engine_in_flight(b.engine) > 1; i++)
        assert_int_equal(allot_engine_poll(b.engine, 5, &err), ALLOT_OK);
    for (int i = 1; i <= 10; i++)
        expect_score(&b, i, i % 10 / 10.0);
    assert_int_equal(allot_engine_in_flight(b.engine), 1);
    script.hold_slow = 0;
    wait_for(&b);
    expect_score(&b, 0, 0.9);
    close_bench(&b);
}

static void a_bad_text_fails_alone(void **state)
{
    (void)state;
    static const int statuses[] = {400, 413, 500};
    for (int k = 0; k < 3; k++) {
        bench b;
        open_bench(&b, "script", 8, 64);
        script.bad_status = statuses[k];
        score_many(&b, 7);
        score(&b, "bad");
        wait_for(&b);
        expect_scores(&b, 7);
        assert_int_equal(b.done[7].rec.type, ALLOT_REC_ERROR);
        assert_int_equal(b.done[7].rec.slot, 7);
        assert_non_null(strstr(b.done[7].rec.message, "a bad text"));
        close_bench(&b);
    }
}

static void a_long_text_is_shortened_alone(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "short-context", 8, 64);
    score(&b, "a\n\nb");
    score(&b, "a\n\nb\n\nc\n\nd\n\ne");
    score(&b, "a");
    wait_for(&b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(b.done[i].rec.type, ALLOT_REC_SCORE);
        assert_int_equal(b.done[i].rec.gen[0].n_scores, i == 2 ? 1 : 2);
        assert_int_equal(b.done[i].rec.gen[0].prm_truncated, i == 1);
    }
    close_bench(&b);
}

static void a_malformed_answer_to_several_is_asked_for_one_by_one(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        bench b;
        open_bench(&b, "script", 8, 64);
        script.drop_rows = k;
        script.repeat = !k;
        score_many(&b, 8);
        wait_for(&b);
        expect_scores(&b, 8);
        assert_int_equal(script.n_requests, 9);
        assert_int_equal(b.done[7].rec.prm_tokens, TOKENS);
        close_bench(&b);
    }
}

static void a_server_that_is_down_is_done_without(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "script,http://127.0.0.1:1", 4, 64);
    score_many(&b, 16);
    wait_for(&b);
    expect_scores(&b, 16);
    close_bench(&b);
}

static void requests_are_bounded_in_bytes(void **state)
{
    (void)state;
    static char text[100001];
    bench b;
    memset(text, 'x', 100000);
    text[99999] = '5';
    open_bench(&b, "script", 64, 64);
    for (int i = 0; i < 5; i++)
        score(&b, text);
    wait_for(&b);
    for (int i = 0; i < 5; i++)
        expect_score(&b, i, 0.5);
    assert_int_equal(script.n_requests, 3);
    close_bench(&b);
}

static void timed_strategies_share_with_no_other_query(void **state)
{
    (void)state;
    bench b;
    allot_err err = {0};
    allot_strategy s;
    open_bench(&b, "script", 64, 64);
    script.hold = 1;
    assert_int_equal(allot_strategy_parse("bon@4", &s, &err), ALLOT_OK);
    for (int k = 0; k < 6; k++) {
        int i = next_query(&b);
        assert_int_equal(
            allot_engine_strategy(b.engine, &b.queries[i], &s, 0, NULL, keep, &b.done[i], &err),
            ALLOT_OK);
    }
    assert_int_equal(await_requests(&b, 6), 6);
    script.hold = 0;
    wait_for(&b);
    assert_int_equal(script.n_requests, 6);
    assert_int_equal(script.n_mixed, 0);
    close_bench(&b);
}

static void freeing_the_engine_drops_what_waits(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "script", 4, 4);
    script.hold = 1;
    score_many(&b, 9);
    assert_int_equal(await_requests(&b, 1), 1);
    assert_int_equal(allot_engine_in_flight(b.engine), 6); /* a request and five texts */
    script.hold = 0;
    close_bench(&b);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    fault_other = answer;
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_wait_together_share_requests),
        cmocka_unit_test(a_batch_of_one_is_no_batch),
        cmocka_unit_test(nothing_waits_for_company),
        cmocka_unit_test(nothing_waits_for_the_slowest),
        cmocka_unit_test(a_bad_text_fails_alone),
        cmocka_unit_test(a_long_text_is_shortened_alone),
        cmocka_unit_test(a_malformed_answer_to_several_is_asked_for_one_by_one),
        cmocka_unit_test(a_server_that_is_down_is_done_without),
        cmocka_unit_test(requests_are_bounded_in_bytes),
        cmocka_unit_test(timed_strategies_share_with_no_other_query),
        cmocka_unit_test(freeing_the_engine_drops_what_waits),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
