/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to its vector and to a choice: n-grams, a file, a server; blocking, and many at once
 * on one event loop. */
#include <stdio.h>
#include "tests/unit/handmade_bundle.h"
/* cmocka comes before these */
#include "lib/decide/bundlesettings.h"
#include "lib/decide/decide.h"
#include "tests/faults/fault_server.h"

enum { MANY = 12 };
static int port;
static const char *const texts[MANY] = {"1+1", "12*3-4", "é€🙂", "x",   "a b", "7",
                                        "88",  "999",    "0000",      "1-1", "2-2", "3-3"};

/* What answers under /script/: embeddings of n_numbers numbers, to at least `together` requests at
 * once; notes the ports that clients come from. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    int n_numbers, together, waiting;
    int n_ports;
    in_port_t ports[64];
} script = {.mutex = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .n_numbers = 3};

static void note_port(const fault_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    in_port_t from = ((const struct sockaddr_in *)info->client_addr)->sin_port;
    for (int i = 0; i < script.n_ports; i++)
        if (script.ports[i] == from) return;
    if (script.n_ports < 64) script.ports[script.n_ports++] = from;
}

static enum MHD_Result scripted(const fault_request *r)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&script.mutex);
    int n_numbers = script.n_numbers, late = 0;
    note_port(r);
    script.waiting++;
    pthread_cond_broadcast(&script.more);
    while (script.waiting < script.together && !late)
        late = pthread_cond_timedwait(&script.more, &script.mutex, &until);
    pthread_mutex_unlock(&script.mutex);
    if (late) return fault_send(r, 500, NULL, NULL, "{\"error\":{\"message\":\"alone\"}}");
    if (n_numbers == 3) return fault_ok(r);
    return fault_send(r, 200, NULL, NULL, "{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}");
}

static void start_script(int n_numbers, int together)
{
    pthread_mutex_lock(&script.mutex);
    script.n_numbers = n_numbers;
    script.together = together;
    script.waiting = script.n_ports = 0;
    pthread_mutex_unlock(&script.mutex);
}

static int connections(void)
{
    pthread_mutex_lock(&script.mutex);
    int n = script.n_ports;
    pthread_mutex_unlock(&script.mutex);
    return n;
}

static char folder[] = "/tmp/allot-test-XXXXXX";

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") || rmdir(folder); /* fails if a test left something behind */
}

static void open_bundle(allot_bundle *b, const char *from, const char *to)
{
    allot_buf file = {0};
    allot_err err = {0};
    make_file(&file, from, to);
    if (allot_bundle_parse(file.at, file.n, "x", b, &err)) fail_msg("%s", err.msg);
    allot_buf_clear(&file);
}

static allot_vectorsource_config server_at(const char *path)
{
    static char url[128];
    allot_vectorsource_config c = {0};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", port, path);
    allot_embedclient_defaults(&c.server);
    c.server.base_url = url;
    c.server.max_retries = 0;
    return c;
}

static void read_query(const char *text, allot_decide_query *q)
{
    allot_err err = {0};
    if (allot_decide_query_read(text, strlen(text), q, &err)) fail_msg("%s", err.msg);
}

static void open_decider(const allot_bundle *b, const allot_vectorsource_config *c,
                         allot_decider *d)
{
    allot_err err = {0};
    if (allot_decider_open(b, c, d, &err)) fail_msg("%s", err.msg);
}

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

static void a_query_has_a_key_and_a_length(void **state)
{
    (void)state;
    allot_decide_query q;
    allot_key key;
    allot_err err = {0};
    read_query(texts[2], &q);
    assert_int_equal(q.codepoints, 3);
    assert_int_equal(q.n, 9);
    assert_string_equal(q.text, texts[2]);
    assert_int_equal(allot_key_of_text(texts[2], 9, &key, &err), ALLOT_OK);
    assert_memory_equal(&key, &q.key, sizeof key);
    assert_null(q.vector);
    allot_decide_query_clear(&q);
    assert_int_equal(allot_decide_query_read("\xff", 1, &q, &err), ALLOT_EINPUT);
    allot_decide_query_clear(&q);
    assert_int_equal(allot_decide_query_read(" ", 1, &q, &err), ALLOT_EINPUT);
    allot_decide_query_clear(&q);
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

/* One query's outcome. */
typedef struct {
    int n_calls, chosen;
    double accuracy[S];
    allot_err failure;
} outcome;

static void keep(const allot_decision *decision, const allot_err *failure, void *user)
{
    outcome *o = user;
    o->n_calls++;
    assert_true(!decision != !failure);
    if (failure) {
        o->failure = *failure;
        return;
    }
    o->chosen = decision->chosen;
    memcpy(o->accuracy, decision->accuracy, sizeof o->accuracy);
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

static void ngrams_need_no_server(void **state)
{
    (void)state;
    allot_bundle b;
    allot_decider d;
    allot_decide_query q;
    outcome o = {0};
    float want[D];
    allot_err err = {0};
    const allot_vectorsource_config none = {0};
    open_bundle(&b, "\"model\":\"m\"", "\"model\":\"" ALLOT_NGRAM_MODEL "\"");
    assert_true(allot_vectorsource_builtin(&b));
    open_decider(&b, &none, &d);
    read_query("12*3-4", &q);
    assert_int_equal(allot_decider_begin(&d, &q, NULL, keep, &o, &err), ALLOT_OK);
    assert_int_equal(o.n_calls, 1); /* at once */
    allot_ngram_embed("12*3-4", 6, D, want);
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), ALLOT_OK);
    assert_memory_equal(q.vector, want, sizeof want);
    /* one that is there stays */
    q.vector[0] = 7;
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), ALLOT_OK);
    assert_true(q.vector[0] == 7);
    free(q.vector);
    free(q.text);
    q.vector = NULL;
    q.text = NULL;
    assert_int_equal(allot_decider_begin(&d, &q, NULL, keep, &o, &err), ALLOT_EUSAGE);
    assert_int_equal(o.n_calls, 1);
    allot_decider_close(&d);
    allot_bundle_clear(&b);
}

/* X.emb.h5 with one query, "1+1", as the bundle of this id has it. */
static void save_embeddings(const char *path, char id[17])
{
    allot_err err = {0};
    allot_key key;
    float vector[D] = {0.25f, 0.5f, 2};
    char model[] = "m", pooling[] = "last", prefix[] = "Q: ";
    const char *const inputs[] = {NULL};
    allot_embeddings e = {.n = 1,
                          .dim = D,
                          .keys = &key,
                          .at = vector,
                          .model = model,
                          .pooling = pooling,
                          .normalized = 1,
                          .prefix = prefix};
    assert_int_equal(allot_key_of_text("1+1", 3, &key, &err), ALLOT_OK);
    if (allot_embeddings_save(path, &e, "test", 1, inputs, &err)) fail_msg("%s", err.msg);
    memcpy(id, e.id, 17);
}

static void a_file_is_looked_up_by_key(void **state)
{
    (void)state;
    char id[17];
    allot_bundle b;
    allot_decider d = {0};
    allot_decide_query q = {0};
    allot_err err = {0};
    const allot_vectorsource_config c = {.file = "x.emb.h5"};
    save_embeddings(c.file, id);
    open_bundle(&b, NULL, NULL);
    assert_int_equal(allot_decider_open(&b, &c, &d, &err), ALLOT_EMISMATCH);
    assert_non_null(strstr(err.msg,
                           "(m, 3 entries), the bundle was trained on 0123456789abcdef (m, "
                           "3 entries) (embed with that model)"));
    allot_bundle_clear(&b);
    open_bundle(&b, "0123456789abcdef", id);
    open_decider(&b, &c, &d);
    assert_int_equal(allot_key_of_text(" 1+1", 4, &q.key, &err), ALLOT_OK); /* no text is needed */
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), ALLOT_OK);
    assert_true(q.vector[0] == 0.25f && q.vector[2] == 2); /* as it is */
    allot_decide_query_clear(&q);
    read_query("2+2", &q);
    assert_int_equal(allot_vectorsource_fill(&d.source, &q, 1, &err), ALLOT_EMISMATCH);
    assert_non_null(strstr(err.msg, "'x.emb.h5' has no embedding of the query with key "));
    allot_decide_query_clear(&q);
    allot_decider_close(&d);
    allot_bundle_clear(&b);
    remove(c.file);
}

static void another_prefix_or_pooling_is_refused(void **state)
{
    (void)state;
    char id[17];
    allot_bundle b;
    allot_err err = {0};
    save_embeddings("y.emb.h5", id);
    remove("y.emb.h5");
    open_bundle(&b, "0123456789abcdef", id);
    assert_int_equal(allot_vectorsource_agree(&b, NULL, NULL, &err), ALLOT_OK);
    assert_int_equal(allot_vectorsource_agree(&b, "Q: ", "last", &err), ALLOT_OK);
    assert_int_equal(allot_vectorsource_agree(&b, "Q:", NULL, &err), ALLOT_EMISMATCH);
    assert_non_null(
        strstr(err.msg, "another embedding by 'm' than prefix 'Q:' and pooling 'last'"));
    assert_int_equal(allot_vectorsource_agree(&b, NULL, "cls", &err), ALLOT_EMISMATCH);
    b.embedding_normalized = 0;
    assert_int_equal(allot_vectorsource_agree(&b, NULL, NULL, &err), ALLOT_EMISMATCH);
    allot_bundle_clear(&b);
    open_bundle(&b, "\"pooling\":\"last\"", "\"pooling\":\"\"");
    assert_string_equal(b.embedding_pooling, "last");
    allot_bundle_clear(&b);
}

static void a_bundles_settings_are_the_engines(void **state)
{
    (void)state;
    allot_bundle b;
    allot_bundlesettings s;
    allot_engine_config out;
    allot_engine *e;
    allot_err err = {0};
    allot_vectorsource_config at = server_at("ok");
    const allot_engine_config given = {.temperature = -1,
                                       .top_p = 0.5,
                                       .max_tokens = -1,
                                       .step_max_tokens = -1,
                                       .max_concurrency = -1,
                                       .max_retries = 0,
                                       .timeout_s = -1,
                                       .connect_timeout_s = -1,
                                       .max_outage_s = -1,
                                       .first_byte_timeout_s = -1,
                                       .idle_timeout_s = -1,
                                       .prm_batch = -1,
                                       .base_url = at.server.base_url};
    open_bundle(&b, "\"fingerprint\":{}",
                "\"fingerprint\":{\"generator\":\"gen\",\"temperature\":0.25,\"max_tokens\":77,"
                "\"prompt_template\":\"Q: {problem}\"}");
    assert_int_equal(allot_bundlesettings_read(&b, "x", &s, &err), ALLOT_OK);
    if (allot_bundlesettings_engine(&s, &given, &out, &err)) fail_msg("%s", err.msg);
    assert_string_equal(out.model, "gen");
    assert_string_equal(out.prompt_template, "Q: {problem}");
    assert_true(out.temperature == 0.25 && out.top_p == 0.5);
    assert_int_equal(out.max_tokens, 77);
    if (allot_engine_new(&out, &e, &err)) fail_msg("%s", err.msg);
    assert_int_equal(allot_bundlesettings_agree(&s, "x", e, &err), ALLOT_EMISMATCH);
    if (!strstr(err.msg, "this server and command line")) fail_msg("%s", err.msg);
    allot_engine_free(e);
    allot_bundlesettings_clear(&s);
    allot_bundle_clear(&b);
}

static void a_price_of_nothing_buys_anything(void **state)
{
    (void)state;
    allot_rule rule;
    allot_rule_defaults(&rule);
    rule.lambda_per_token = 1e-5;
    cJSON *o = cJSON_CreateObject();
    allot_decide_add_rate(o, &rule);
    char *text = cJSON_PrintUnformatted(o);
    assert_string_equal(text,
                        "{\"exchange_rate\":{\"accuracy\":0.01,\"tokens\":1000,\"seconds\":null}}");
    free(text);
    cJSON_Delete(o);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    fault_other = scripted;
    struct MHD_Daemon *daemon = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_has_a_key_and_a_length),
        cmocka_unit_test(a_servers_vector_is_that_of_the_training),
        cmocka_unit_test(many_queries_are_under_way_at_once),
        cmocka_unit_test(the_connection_is_kept),
        cmocka_unit_test(an_engines_loop_drives_it),
        cmocka_unit_test(what_is_under_way_ends_with_the_loop),
        cmocka_unit_test(failures_say_what_to_do),
        cmocka_unit_test(servers_that_are_away_are_told_of),
        cmocka_unit_test(ngrams_need_no_server),
        cmocka_unit_test(a_file_is_looked_up_by_key),
        cmocka_unit_test(another_prefix_or_pooling_is_refused),
        cmocka_unit_test(a_bundles_settings_are_the_engines),
        cmocka_unit_test(a_price_of_nothing_buys_anything),
    };
    int failed = daemon ? cmocka_run_group_tests(tests, enter, leave) : 1;
    MHD_stop_daemon(daemon);
    return failed;
}
