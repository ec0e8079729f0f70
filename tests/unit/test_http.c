/* SPDX-License-Identifier: Apache-2.0 */
/* The client against servers with faults of passing and lasting kinds: retries, bounds, times,
 * secrets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/net/endpoint.h"
#include "lib/net/http.h"
#include "lib/net/httpretry.h"
#include "lib/net/httpsecret.h"
#include "lib/core/progress.h"
#include "tests/faults/fault_server.h"

static int port;

typedef struct {
    int calls, status, retries;
    allot_err err;
    size_t n;
    double seconds;
} outcome;

static void take(const allot_http_reply *r, void *user)
{
    outcome *o = user;
    o->calls++;
    o->status = r->status;
    o->retries = r->retries;
    o->n = r->n;
    o->seconds = r->done_s - r->sent_s;
    o->err = (allot_err){0};
    (void)!allot_http_verdict(r, &o->err);
}

static allot_http *open_http(double timeout_s)
{
    allot_err err = {0};
    allot_http *h;
    allot_http_config c;
    allot_http_defaults(&c);
    c.first_byte_timeout_s = c.idle_timeout_s = timeout_s;
    c.max_retries = 2;
    c.max_body = 1 << 20;
    assert_int_equal(allot_http_new(&c, &h, &err), ALLOT_OK);
    return h;
}

/* Posts to a fault; expects the message before 'URL' after (NULL = fine). */
static outcome post(allot_http *h, const char *fault_name, const char *before, const char *after)
{
    allot_err err = {0};
    outcome o = {0};
    char url[128], expected[1024];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/v1/completions", port, fault_name);
    allot_http_request r = {.url = url, .body = "{}", .n = 2, .done = take, .user = &o};
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    assert_int_equal(o.calls, 1);
    snprintf(expected, sizeof expected, "%s'%s'%s", before ? before : "", url, after ? after : "");
    assert_string_equal(o.err.msg, after ? expected : "");
    return o;
}

static void error_bodies_of_every_shape_are_read(void **state)
{
    (void)state;
    allot_http *h = open_http(5);
    post(h, "unauthorized", "",
         " answered with status 401: Unauthorized "
         "(give a key with --api-key-env or --api-key-file)");
    post(h, "bad-nested", "", " answered with status 400: top_p is wrong");
    post(h, "bad-flat", "", " answered with status 400: top_p is wrong");
    post(h, "detail", "", " answered with status 422: field required");
    post(h, "wrong-model", "", " answered with status 404: The model `gen` does not exist.");
    post(h, "too-large", "",
         " answered with status 413: <html><h1>413 Request Entity Too Large</h1></html>");
    post(h, "slots", "",
         " answered with status 400: n_cmpl cannot be greater than the number of slots");
    post(h, "html", "",
         " answered with status 403: <html><h1>403 Forbidden</h1></html> "
         "(give a key with --api-key-env or --api-key-file)");
    allot_http_free(h);
}

static void passing_faults_are_retried(void **state)
{
    (void)state;
    static const char *const faults[] = {"rate-limit-ms", "rate-limit",     "loading",
                                         "closed",        "truncated",      "gateway",
                                         "overloaded",    "rate-limit-date"};
    allot_http *h = open_http(5);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        outcome o = post(h, faults[i], NULL, NULL);
        assert_int_equal(o.status, 200);
        /* libcurl itself replaces a kept connection that turns out to be closed. */
        if (strcmp(faults[i], "closed") != 0) assert_int_equal(o.retries, 1);
    }
    allot_http_free(h);
}

static void read_request(int fd)
{
    char text[4096];
    size_t n = 0;
    for (ssize_t got; n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0;) {
        n += (size_t)got;
        if (memmem(text, n, "\r\n\r\n{}", 6)) return;
    }
}

static void answer(int fd)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    (void)!write(fd, text, sizeof text - 1);
}

/* Three connections, one request each: the first is answered, then closed while it is kept; the
 * second is answered late. */
static void *impatient_server(void *user)
{
    int listener = *(int *)user, fd[3];
    for (int i = 0; i < 2; i++) {
        fd[i] = accept(listener, NULL, NULL);
        read_request(fd[i]);
    }
    answer(fd[0]);
    usleep(30000);
    close(fd[0]);
    usleep(300000);
    answer(fd[1]);
    close(fd[1]);
    fd[2] = accept(listener, NULL, NULL);
    read_request(fd[2]);
    answer(fd[2]);
    close(fd[2]);
    return NULL;
}

/* A kept connection that the server closes is left alone: it does not keep the client awake while
 * another request waits, and the next request finds a new one. */
static void kept_connections_may_close(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t server;
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(pthread_create(&server, NULL, impatient_server, &listener), 0);
    allot_err err = {0};
    outcome o[3] = {0};
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(a.sin_port));
    allot_http *h = open_http(5);
    allot_http_request r = {.url = url, .body = "{}", .n = 2, .done = take};
    for (int i = 0; i < 2; i++) {
        r.user = &o[i];
        assert_int_equal(allot_http_send(h, &r, &err), ALLOT_OK);
    }
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    while (allot_http_pending(h) > 0)
        assert_int_equal(allot_http_poll(h, 1000, &err), ALLOT_OK);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double used =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    assert_true(used < 0.1);
    r.user = &o[2];
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(o[i].status, 200);
        assert_int_equal(o[i].retries, 0);
    }
    allot_http_free(h);
    pthread_join(server, NULL);
    close(listener);
}

static void lasting_faults_are_not(void **state)
{
    (void)state;
    allot_http *h = open_http(5);
    assert_int_equal(
        post(h, "rate-limit-hour", "", " answered with status 429: come back later").retries, 0);
    assert_int_equal(
        post(h, "quota", "", " answered with status 429: you exceeded your quota").retries, 0);
    assert_int_equal(
        post(h, "no-retry", "", " answered with status 500: Internal server error").retries, 0);
    assert_int_equal(post(h, "bad-flat", "", " answered with status 400: top_p is wrong").retries,
                     0);
    allot_http_free(h);
}

static void silence_and_size_are_bounded(void **state)
{
    (void)state;
    allot_err err = {0};
    allot_http *h;
    allot_http_config c;
    allot_http_defaults(&c);
    c.max_retries = 0;
    c.max_body = 1 << 20;
    c.first_byte_timeout_s = c.idle_timeout_s = 0.3;
    assert_int_equal(allot_http_new(&c, &h, &err), ALLOT_OK);
    double start = allot_clock_s();
    post(h, "slow", "no answer from ", ": no byte came in time");
    post(h, "idle", "the answer of ", " broke off: it fell silent");
    assert_true(allot_clock_s() - start < 2);
    post(h, "giant", "the answer of ", " broke off: it is larger than allowed");
    allot_http_free(h);
    c.max_retries = 4;
    c.first_byte_timeout_s = c.timeout_s = c.total_timeout_s = 0.3;
    assert_int_equal(allot_http_new(&c, &h, &err), ALLOT_OK);
    start = allot_clock_s();
    post(h, "slow", "no answer from ", ": it took longer than 0.3 s (--timeout)");
    assert_true(allot_clock_s() - start < 1);
    allot_http_free(h);
}

static void a_closed_port_is_told_at_once(void **state)
{
    (void)state;
    allot_err err = {0};
    outcome o = {0};
    allot_http *h = open_http(5);
    allot_http_request r = {
        .url = "http://127.0.0.1:1/v1/models", .no_retry = 1, .done = take, .user = &o};
    assert_int_equal(allot_http_fetch(h, &r, &err), ALLOT_OK);
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.err.msg, "no answer from 'http://127.0.0.1:1/v1/models': "));
    assert_non_null(strstr(o.err.msg, " (is the server running there?)"));
    allot_http_free(h);
}

static void times_are_those_of_the_answer(void **state)
{
    (void)state;
    allot_http *h = open_http(10);
    for (int i = 0; i < 2; i++) { /* on a new connection and on a kept one */
        outcome o = post(h, "slow", NULL, NULL);
        assert_true(o.seconds >= FAULT_SLOW_S && o.seconds < FAULT_SLOW_S + 1);
    }
    allot_http_free(h);
}

static void count(const allot_http_reply *r, void *user)
{
    if (!allot_http_verdict(r, NULL)) ++*(int *)user;
}

static void many_requests_share_a_bounded_window(void **state)
{
    (void)state;
    allot_err err = {0};
    char url[64];
    int done = 0;
    allot_http *h = open_http(5);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/ok/v1/completions", port);
    allot_http_request r = {.url = url, .body = "{}", .n = 2, .done = count, .user = &done};
    for (int i = 0; i < 500; i++)
        assert_int_equal(allot_http_send(h, &r, &err), ALLOT_OK);
    assert_int_equal(allot_http_pending(h), 500);
    while (allot_http_pending(h) > 0)
        assert_int_equal(allot_http_poll(h, 1000, &err), ALLOT_OK);
    assert_int_equal(done, 500);
    allot_http_free(h);
}

static void drop(void *user)
{
    ++*(int *)user;
}

static void what_is_in_flight_is_dropped_with_the_handle(void **state)
{
    (void)state;
    allot_err err = {0};
    char url[64];
    int dropped = 0;
    allot_http *h = open_http(5);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/slow/v1/completions", port);
    allot_http_request r = {
        .url = url, .body = "{}", .n = 2, .done = count, .drop = drop, .user = &dropped};
    for (int i = 0; i < 100; i++)
        assert_int_equal(allot_http_send(h, &r, &err), ALLOT_OK);
    assert_int_equal(allot_http_poll(h, 50, &err), ALLOT_OK);
    allot_http_free(h);
    assert_int_equal(dropped, 100);
}

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

typedef struct {
    size_t n;
    int restarts;
} stream;

static void on_data(const char *bytes, size_t n, void *user)
{
    stream *s = user;
    if (!bytes) s->restarts++, s->n = 0;
    s->n += n;
}

static void stream_done(const allot_http_reply *r, void *user)
{
    (void)user;
    assert_int_equal(allot_http_verdict(r, NULL), ALLOT_OK);
    assert_int_equal(r->n, 0);
}

static void streams_start_over_with_a_retry(void **state)
{
    (void)state;
    allot_err err = {0};
    char url[64];
    stream s = {0};
    allot_http *h = open_http(5);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/truncated/v1/completions", port);
    pthread_mutex_lock(&fault_state.mutex);
    memset(fault_state.tries, 0, sizeof fault_state.tries);
    pthread_mutex_unlock(&fault_state.mutex);
    allot_http_request r = {
        .url = url, .body = "{}", .n = 2, .done = stream_done, .on_data = on_data, .user = &s};
    assert_int_equal(allot_http_send(h, &r, &err), ALLOT_OK);
    while (allot_http_pending(h) > 0)
        assert_int_equal(allot_http_poll(h, 1000, &err), ALLOT_OK);
    assert_int_equal(s.restarts, 1);
    assert_true(s.n > 20); /* the second answer only, whole */
    allot_http_free(h);
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
        cmocka_unit_test(error_bodies_of_every_shape_are_read),
        cmocka_unit_test(passing_faults_are_retried),
        cmocka_unit_test(lasting_faults_are_not),
        cmocka_unit_test(kept_connections_may_close),
        cmocka_unit_test(silence_and_size_are_bounded),
        cmocka_unit_test(a_closed_port_is_told_at_once),
        cmocka_unit_test(times_are_those_of_the_answer),
        cmocka_unit_test(many_requests_share_a_bounded_window),
        cmocka_unit_test(what_is_in_flight_is_dropped_with_the_handle),
        cmocka_unit_test(keys_go_into_the_header),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(a_key_that_is_sent_back_is_hidden),
        cmocka_unit_test(what_a_secret_looks_like),
        cmocka_unit_test(streams_start_over_with_a_retry),
        cmocka_unit_test(retry_headers_are_read),
        cmocka_unit_test(retry_rules),
        cmocka_unit_test(base_urls_may_be_written_in_many_ways),
        cmocka_unit_test(keys_are_checked),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
