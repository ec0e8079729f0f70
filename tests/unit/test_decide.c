/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to its vector and to a choice: n-grams, a file, a server; blocking, and many at once
 * on one event loop. */
#include "tests/unit/decidefixture.h"

static allot_http *open_loop(void)
{
    allot_http_config c;
    allot_http *http;
    allot_err err = {0};
    allot_http_defaults(&c);
    c.max_in_flight = MANY;
    c.max_retries = 0;
    if (allot_http_new(&c, &http, &err)) fail_msg("%s", err.msg);
    return http;
}

/* The fault server's vector: bytes of the text it got, 0.5, -1. */
static void a_servers_vector_is_that_of_the_training(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *prefix;
        int normalized;
        double n_bytes;
    } rows[] = {{NULL, NULL, NULL, 1, 3 + 3},
                {"\"normalized\":true", "\"normalized\":false", NULL, 0, 3 + 3},
                {"\"prefix\":\"Q: \"", "\"prefix\":\"\"", NULL, 1, 3},
                {NULL, NULL, "Other: ", 1, 7 + 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        allot_bundle b;
        allot_decider d;
        allot_decide_query q;
        allot_err err = {0};
        allot_vectorsource_config c = server_at("ok");
        c.prefix = rows[i].prefix;
        open_bundle(&b, rows[i].from, rows[i].to);
        open_decider(&b, &c, &d);
        read_query("1+1", &q);
        if (allot_vectorsource_fill(&d.source, &q, 1, &err)) fail_msg("%s", err.msg);
        double n = rows[i].n_bytes, length = rows[i].normalized ? sqrt(n * n + 1.25) : 1;
        assert_true(fabs((double)q.vector[0] - n / length) < 1e-6);
        assert_true(fabs((double)q.vector[1] - 0.5 / length) < 1e-6);
        assert_true(fabs((double)q.vector[2] + 1 / length) < 1e-6);
        assert_int_equal(q.codepoints, 3); /* the prefix is not counted */
        pthread_mutex_lock(&fault_state.mutex);
        assert_non_null(strstr(fault_state.last, "\"model\":\"m\"")); /* named as in the bundle */
        pthread_mutex_unlock(&fault_state.mutex);
        allot_decide_query_clear(&q);
        allot_decider_close(&d);
        allot_bundle_clear(&b);
    }
}

static void wait_for(allot_http *http)
{
    allot_err err = {0};
    while (allot_http_pending(http) > 0)
        if (allot_http_poll(http, 1000, &err)) fail_msg("%s", err.msg);
}

/* The server answers none before all have come: whoever blocks gets an error. */
static void many_queries_are_under_way_at_once(void **state)
{
    (void)state;
    allot_bundle b;
    allot_decider d, blocking;
    allot_decide_query q[MANY];
    outcome o[MANY] = {0};
    allot_rule rule;
    allot_err err = {0};
    allot_vectorsource_config c = server_at("script"), own = c;
    allot_rule_defaults(&rule);
    rule.lambda_per_token = 1e-4;
    c.http = open_loop();
    start_script(3, MANY);
    open_bundle(&b, NULL, NULL);
    open_decider(&b, &c, &d);
    for (int i = 0; i < MANY; i++) {
        allot_decide_query asked;
        read_query(texts[i], &asked);
        assert_int_equal(allot_decider_begin(&d, &asked, &rule, keep, &o[i], &err), ALLOT_OK);
        allot_decide_query_clear(&asked); /* not needed any more */
        assert_int_equal(o[i].n_calls, 0);
        read_query(texts[i], &q[i]);
    }
    assert_int_equal(allot_http_pending(c.http), MANY);
    wait_for(c.http);

    start_script(3, 0);
    open_decider(&b, &own, &blocking);
    if (allot_vectorsource_fill(&blocking.source, q, MANY, &err)) fail_msg("%s", err.msg);
    for (int i = 0; i < MANY; i++) {
        allot_decision want;
        assert_int_equal(allot_decider_choose(&blocking, &q[i], &rule, &want, &err), ALLOT_OK);
        if (o[i].failure.code) fail_msg("%s", o[i].failure.msg);
        assert_int_equal(o[i].n_calls, 1);
        assert_int_equal(o[i].chosen, want.chosen);
        assert_memory_equal(o[i].accuracy, want.accuracy, sizeof o[i].accuracy);
        allot_decide_query_clear(&q[i]);
    }
    allot_decider_close(&blocking);
    allot_http_free(c.http);
    allot_decider_close(&d);
    allot_bundle_clear(&b);
}

/* Texts that come one after another. */
typedef struct {
    allot_decider *decider;
    int n;
    outcome last;
} chain;

static void begin_next(chain *c);

static void go_on(const allot_decision *decision, const allot_err *failure, void *user)
{
    chain *c = user;
    keep(decision, failure, &c->last);
    if (!failure && c->n < MANY) begin_next(c);
}

static void begin_next(chain *c)
{
    allot_decide_query q;
    allot_err err = {0};
    read_query(texts[c->n++], &q);
    if (allot_decider_begin(c->decider, &q, NULL, go_on, c, &err)) fail_msg("%s", err.msg);
    allot_decide_query_clear(&q);
}

static void the_connection_is_kept(void **state)
{
    (void)state;
    allot_bundle b;
    allot_decider d;
    allot_err err = {0};
    allot_vectorsource_config c = server_at("script");
    open_bundle(&b, NULL, NULL);
    /* blocking */
    start_script(3, 0);
    open_decider(&b, &c, &d);
    for (int i = 0; i < MANY; i++) {
        allot_decide_query q;
        read_query(texts[i], &q);
        if (allot_vectorsource_fill(&d.source, &q, 1, &err)) fail_msg("%s", err.msg);
        allot_decide_query_clear(&q);
    }
    allot_decider_close(&d);
    assert_int_equal(connections(), 1);
    /* and on a loop, each begun by the callback of the one before */
    start_script(3, 0);
    c.http = open_loop();
    open_decider(&b, &c, &d);
    chain all = {.decider = &d};
    begin_next(&all);
    wait_for(c.http);
    assert_int_equal(all.last.n_calls, MANY);
    assert_int_equal(all.last.chosen, -1); /* there is no rule */
    assert_int_equal(connections(), 1);
    allot_http_free(c.http);
    allot_decider_close(&d);
    allot_bundle_clear(&b);
}

static void note_sample(allot_done *done, void *user)
{
    *(int *)user += done->rec.type == ALLOT_REC_SAMPLE;
    allot_record_clear(&done->rec);
}

static void an_engines_loop_drives_it(void **state)
{
    (void)state;
    allot_bundle b;
    allot_decider d;
    allot_engine *e;
    allot_engine_config config;
    allot_err err = {0};
    allot_decide_query q;
    outcome o[MANY] = {0};
    int n_samples = 0;
    allot_vectorsource_config c = server_at("ok");
    allot_engine_defaults(&config);
    config.base_url = c.server.base_url;
    config.model = "gen";
    config.prompt_template = "Q: {problem}\n";
    if (allot_engine_new(&config, &e, &err)) fail_msg("%s", err.msg);
    c.http = allot_engine_http(e);
    open_bundle(&b, NULL, NULL);
    open_decider(&b, &c, &d);
    read_query("1+1", &q);
    allot_query asked = {.key = q.key, .problem = q.text, .n = q.n};
    assert_int_equal(allot_engine_sample(e, &asked, 0, note_sample, &n_samples, &err), ALLOT_OK);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(allot_decider_begin(&d, &q, NULL, keep, &o[i], &err), ALLOT_OK);
    assert_int_equal(allot_engine_in_flight(e), MANY + 1);
    while (allot_engine_in_flight(e) > 0)
        if (allot_engine_poll(e, 1000, &err)) fail_msg("%s", err.msg);
    assert_int_equal(n_samples, 1);
    for (int i = 0; i < MANY; i++)
        assert_true(o[i].n_calls == 1 && !o[i].failure.code);
    allot_decide_query_clear(&q);
    allot_engine_free(e);
    allot_decider_close(&d);
    allot_bundle_clear(&b);
}

static void what_is_under_way_ends_with_the_loop(void **state)
{
    (void)state;
    allot_bundle b;
    allot_decider d;
    allot_decide_query q;
    outcome o = {0};
    allot_err err = {0};
    allot_vectorsource_config c = server_at("slow");
    c.http = open_loop();
    open_bundle(&b, NULL, NULL);
    open_decider(&b, &c, &d);
    read_query("1+1", &q);
    for (int i = 0; i < 3; i++)
        assert_int_equal(allot_decider_begin(&d, &q, NULL, keep, &o, &err), ALLOT_OK);
    assert_int_equal(allot_http_poll(c.http, 10, &err), ALLOT_OK);
    allot_http_free(c.http);
    allot_decider_close(&d);
    assert_int_equal(o.n_calls, 0);
    allot_decide_query_clear(&q);
    allot_bundle_clear(&b);
}

static void expect_failure(allot_vectorsource_config c, allot_code code, const char *message)
{
    allot_bundle b;
    allot_decider d;
    allot_decide_query q;
    allot_rule rule;
    outcome o = {0};
    allot_err err = {0};
    allot_rule_defaults(&rule);
    open_bundle(&b, NULL, NULL);
    read_query("1+1", &q);
    /* blocking */
    open_decider(&b, &c, &d);
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), code);
    if (!strstr(err.msg, message)) fail_msg("%s", err.msg);
    allot_decider_close(&d);
    free(q.vector);
    q.vector = NULL;
    /* and on a loop, in the same words */
    c.http = open_loop();
    open_decider(&b, &c, &d);
    if (allot_decider_begin(&d, &q, &rule, keep, &o, &o.failure)) o.n_calls++;
    wait_for(c.http);
    assert_int_equal(o.n_calls, 1);
    assert_int_equal(o.failure.code, code);
    assert_string_equal(o.failure.msg, err.msg);
    allot_http_free(c.http);
    allot_decider_close(&d);
    allot_decide_query_clear(&q);
    allot_bundle_clear(&b);
}

static void failures_say_what_to_do(void **state)
{
    (void)state;
    start_script(2, 0);
    expect_failure(server_at("script"), ALLOT_EMISMATCH,
                   "embeddings of 'm' have 2 numbers, the bundle was trained with 3 (serve 'm', or "
                   "train with this embedding)");
    expect_failure(server_at("unauthorized"), ALLOT_ESERVER, "status 401: Unauthorized");
    expect_failure(server_at("not-json"), ALLOT_ESERVER, "is not valid JSON");
    expect_failure((allot_vectorsource_config){0}, ALLOT_EUSAGE,
                   "the bundle needs an embedding by 'm' (give --embed-base-url, --embeddings or "
                   "--embedding)");
}

static void servers_that_are_away_are_told_of(void **state)
{
    (void)state;
    allot_bundle b;
    allot_decider d;
    allot_decide_query q;
    allot_err err = {0};
    allot_vectorsource_config c = server_at("ok");
    c.server.base_url = "http://127.0.0.1:1";
    open_bundle(&b, NULL, NULL);
    open_decider(&b, &c, &d);
    /* what knows its key alone cannot be sent */
    q = (allot_decide_query){.codepoints = 3};
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), ALLOT_EUSAGE);
    assert_true(allot_vectorsource_away_s(&d.source) == 0);
    read_query("1+1", &q);
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), ALLOT_ESERVER);
    assert_true(allot_vectorsource_away_s(&d.source) > 0);
    allot_decide_query_clear(&q);
    allot_decider_close(&d);
    allot_bundle_clear(&b);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    fault_other = scripted;
    struct MHD_Daemon *daemon = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_servers_vector_is_that_of_the_training),
        cmocka_unit_test(many_queries_are_under_way_at_once),
        cmocka_unit_test(the_connection_is_kept),
        cmocka_unit_test(an_engines_loop_drives_it),
        cmocka_unit_test(what_is_under_way_ends_with_the_loop),
        cmocka_unit_test(failures_say_what_to_do),
        cmocka_unit_test(servers_that_are_away_are_told_of),
    };
    int failed = daemon ? cmocka_run_group_tests(tests, enter, leave) : 1;
    MHD_stop_daemon(daemon);
    return failed;
}
