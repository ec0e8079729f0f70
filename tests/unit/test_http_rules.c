/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client: keys, secrets, redirects, what is tried again, addresses. */
#include "tests/unit/httpfixture.h"

static void keys_go_into_the_header(void **state)
{
    (void)state;
    allot_err err = {0};
    outcome o = {0};
    char url[64];
    allot_http *h = open_http(5);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/ok/v1/models", port);
    allot_http_request r = {.url = url, .api_key = "secret", .done = take, .user = &o};
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    assert_string_equal(fault_state.auth, "Bearer secret");
    r.api_key = NULL;
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    assert_string_equal(fault_state.auth, "");
    allot_http_free(h);
}

/* Nor is the key carried on: nobody is asked at the other address. */
static void redirects_are_not_followed(void **state)
{
    (void)state;
    allot_err err = {0};
    outcome o = {0};
    char url[64];
    allot_http *h = open_http(5);
    int before = fault_state.requests;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/redirect/v1/completions", port);
    allot_http_request r = {
        .url = url, .body = "{}", .n = 2, .api_key = "secret", .done = take, .user = &o};
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    assert_int_equal(o.status, 307);
    assert_int_equal(fault_state.requests, before + 1);
    assert_non_null(strstr(o.err.msg, "(redirects are not followed: give the final URL)"));
    allot_http_free(h);
}

/* Whatever its JSON does to it. */
static void a_key_that_is_sent_back_is_hidden(void **state)
{
    (void)state;
    static const char *const headers[] = {"X-Api-Key: Bearer other/secret7", "X-Team: math"};
    allot_err err = {0};
    outcome o = {0};
    char url[96], expected[256];
    allot_http *h;
    allot_http_config c;
    allot_http_defaults(&c);
    c.headers = headers;
    c.n_headers = 2;
    assert_int_equal(allot_http_new(&c, &h, &err), ALLOT_OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo-error/v1/completions", port);
    allot_http_request r = {
        .url = url, .body = "{}", .n = 2, .api_key = "sk/s1", .done = take, .user = &o};
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    snprintf(expected, sizeof expected,
             "'%s' answered with status 400: refused: Authorization: Bearer ***, X-Api-Key: ***",
             url);
    assert_string_equal(o.err.msg, expected);
    allot_http_free(h);
}

static void expect_hidden(const char *secret, allot_secret_place where, const char *text,
                          const char *after)
{
    char copy[256];
    strcpy(copy, text);
    size_t n = allot_secret_hide(secret, where, copy, strlen(copy));
    assert_string_equal(copy, after);
    assert_int_equal(n, strlen(after));
}

static void what_a_secret_looks_like(void **state)
{
    (void)state;
    expect_hidden("sk-1", ALLOT_IN_DATA, "sk-1sk-1 sk-", "****** sk-");
    expect_hidden("sk-1", ALLOT_IN_DATA, "\\u0073k-\\u0031, \\\\u0073k-1, sk-\\u0032",
                  "***, ***, sk-\\u0032");
    expect_hidden("a/b\"c", ALLOT_IN_DATA, "{\"x\":\"a\\/b\\\"c\"}", "{\"x\":\"***\"}");
    expect_hidden("a\\\\b\\c", ALLOT_IN_DATA, "a\\\\\\\\b\\\\c", "***");
    expect_hidden("abc", ALLOT_IN_ERROR, "abc", "abc");
    /* A stand-in for no key is no secret, and an answer may well be EMPTY. */
    expect_hidden("EMPTY", ALLOT_IN_DATA, "the set is EMPTY", "the set is EMPTY");
    expect_hidden("EMPTY", ALLOT_IN_ERROR, "key EMPTY is bad", "key *** is bad");
    static const struct {
        const char *line, *text, *after;
    } rows[] = {{"X-Team: math", "math", "math"},
                {"Accept: application/json", "application/json", "application/json"},
                {"X-Auth: s3cr", "s3cr", "***"},
                {"Cookie: sid=abcdefgh1; b=2", "sid=abcdefgh1 abcdefgh1 b=2", "*** *** b=2"},
                {"X-Thing: abcdefgh12345678", "abcdefgh12345678", "***"},
                {"X-Trace: abcdefgh-ijklmnop", "abcdefgh-ijklmnop", "abcdefgh-ijklmnop"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char copy[64];
        strcpy(copy, rows[i].text);
        allot_secret_hide_header(rows[i].line, ALLOT_IN_DATA, copy, strlen(copy));
        assert_string_equal(copy, rows[i].after);
    }
}

static allot_retry_hint hint_of(const char *line)
{
    allot_retry_hint h = ALLOT_RETRY_NONE;
    allot_retry_header(&h, line, strlen(line), 1000000000); /* Sun, 09 Sep 2001 01:46:40 GMT */
    return h;
}

static void retry_headers_are_read(void **state)
{
    (void)state;
    assert_true(hint_of("Retry-After: 2.5\r\n").after_s == 2.5);
    assert_true(hint_of("retry-after:7").after_s == 7);
    assert_true(hint_of("retry-after-ms: 1500\r\n").after_s == 1.5);
    assert_true(hint_of("Retry-After: Sun, 09 Sep 2001 01:46:55 GMT\r\n").after_s == 15);
    assert_true(isnan(hint_of("Retry-After: soon\r\n").after_s));
    assert_true(isnan(hint_of("Retry-After-Long: 3\r\n").after_s));
    assert_int_equal(hint_of("X-Should-Retry: true\r\n").should, 1);
    assert_int_equal(hint_of("x-should-retry: false\r\n").should, 0);
}

static void retry_rules(void **state)
{
    (void)state;
    allot_retry_hint none = ALLOT_RETRY_NONE, yes = hint_of("x-should-retry: true"),
                     late = hint_of("Retry-After: 121"), soon = hint_of("Retry-After: 120");
    static const int again[] = {0, 408, 409, 429, 500, 502, 503, 599};
    static const int final[] = {301, 400, 401, 403, 404, 413, 422};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        assert_true(allot_retry_wanted(again[i], 3, &none));
    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        assert_false(allot_retry_wanted(final[i], 3, &none));
    assert_true(allot_retry_wanted(400, 3, &yes));
    assert_false(allot_retry_wanted(429, 3, &late));
    assert_true(allot_retry_wanted(429, 3, &soon));
    assert_true(allot_retry_wanted(424, 0, &none));
    assert_false(allot_retry_wanted(424, 1, &none));
    assert_true(allot_retry_delay(0, &soon, 0.5) == 120);
    static const double waits[] = {0.5, 1, 2, 4, 8, 8, 8};
    for (int k = 0; k < 7; k++) {
        assert_true(allot_retry_delay(k, &none, 0) == waits[k]);
        assert_true(allot_retry_delay(k, &none, 1) == 0.75 * waits[k]);
    }
    assert_true(allot_retry_delay(1000, &none, 0) == 8);
}

static void expect_root(const char *base, const char *root)
{
    allot_err err = {0};
    allot_endpoint e;
    assert_int_equal(allot_endpoint_open(base, NULL, NULL, &e, &err), ALLOT_OK);
    assert_string_equal(e.root, root);
    assert_int_equal(strncmp(e.v1, root, strlen(root)), 0);
    assert_string_equal(e.v1 + strlen(root), "/v1");
    allot_endpoint_clear(&e);
    allot_endpoint_clear(&e);
}

static void base_urls_may_be_written_in_many_ways(void **state)
{
    (void)state;
    expect_root("http://h:8000", "http://h:8000");
    expect_root("http://h:8000/", "http://h:8000");
    expect_root("http://h:8000/v1", "http://h:8000");
    expect_root("https://h/api/v1/", "https://h/api");
    expect_root("http://h/v1/chat/completions", "http://h");
    expect_root("http://h/v1/completions", "http://h");
    allot_err err = {0};
    allot_endpoint e;
    assert_int_equal(allot_endpoint_open("localhost:8000", NULL, NULL, &e, &err), ALLOT_EUSAGE);
    assert_string_equal(err.msg, "'localhost:8000' is not the address of a server "
                                 "(it is like http://127.0.0.1:8000/v1)");
    assert_int_equal(allot_endpoint_open("http://me:secret@h", NULL, NULL, &e, &err), ALLOT_EUSAGE);
    assert_true(allot_endpoint_within("http://a:1/x,https://b/v1", "https://B,http://A:1"));
    assert_false(allot_endpoint_within("http://a:1", "http://a:11,http://a,https://a:1"));
    assert_int_equal(allot_endpoint_open("htp://me:secret@h", NULL, NULL, &e, &err), ALLOT_EUSAGE);
    assert_null(strstr(err.msg, "secret"));
    assert_int_equal(allot_endpoint_open("me:secret@h:8000", NULL, NULL, &e, &err), ALLOT_EUSAGE);
    assert_null(strstr(err.msg, "secret"));
    assert_null(strstr(err.msg, "secret"));
}

static void keys_are_checked(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_endpoint e;
    unsetenv("ALLOT_TEST_KEY");
    assert_int_equal(allot_endpoint_open("http://h", "ALLOT_TEST_KEY", NULL, &e, &err),
                     ALLOT_EUSAGE);
    assert_string_equal(err.msg, "the environment variable 'ALLOT_TEST_KEY' is not set");
    setenv("ALLOT_TEST_KEY", "a\r\nX-Evil: 1", 1);
    assert_int_equal(allot_endpoint_open("http://h", "ALLOT_TEST_KEY", NULL, &e, &err),
                     ALLOT_EUSAGE);
    assert_string_equal(err.msg, "the API key in ALLOT_TEST_KEY holds blanks or line breaks");
    setenv("ALLOT_TEST_KEY", "key\n", 1);
    assert_int_equal(allot_endpoint_open("http://h", "ALLOT_TEST_KEY", NULL, &e, &err), ALLOT_OK);
    assert_string_equal(e.api_key, "key");
    allot_endpoint_clear(&e);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* loopback must not go there */
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_go_into_the_header),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(a_key_that_is_sent_back_is_hidden),
        cmocka_unit_test(what_a_secret_looks_like),
        cmocka_unit_test(retry_headers_are_read),
        cmocka_unit_test(retry_rules),
        cmocka_unit_test(base_urls_may_be_written_in_many_ways),
        cmocka_unit_test(keys_are_checked),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
