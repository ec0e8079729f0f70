/* SPDX-License-Identifier: Apache-2.0 */
/* The client against servers with faults of passing and lasting kinds: retries, bounds, times,
 * secrets. */
#include "tests/unit/httpfixture.h"

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
        cmocka_unit_test(streams_start_over_with_a_retry),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
