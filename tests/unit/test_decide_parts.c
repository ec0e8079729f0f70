/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to its vector without a server, and what a bundle asks of whoever uses it. */
#include "tests/unit/decidefixture.h"

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
