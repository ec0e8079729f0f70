/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors from servers that are good, slow in order, or wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/core/base64.h"
#include "lib/net/embedclient.h"
#include "tests/faults/fault_server.h"

#define N 10
static int port;
static const char *const texts[N] = {"", "a", "bb", "ccc", "dddd", "e", "f", "gggggggg", "h", "i"};
static long progress_done, counts[N]; /* texts of each request, by its first */
static int batch, batch_tokens;
static const char *key_of;

static allot_code on_arrival(long from, long count, const float *rows, long dim, void *user,
                             allot_err *err)
{
    (void)user, (void)err;
    assert_true(from >= 0 && from + count <= N);
    for (long i = 0; i < count * dim; i++)
        assert_true(isfinite(rows[i]));
    progress_done += count;
    counts[from] = count;
    return ALLOT_OK;
}

static allot_code embed(const char *fault_name, float **out, long *dim, allot_err *err)
{
    char url[128];
    size_t lengths[N];
    allot_embedclient c;
    for (int i = 0; i < N; i++)
        lengths[i] = strlen(texts[i]);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s/v1", port, fault_name);
    allot_embedclient_defaults(&c);
    c.base_url = url;
    c.model = "gen";
    c.batch = batch ? batch : 3;
    if (batch_tokens) c.batch_tokens = batch_tokens;
    c.max_retries = 1;
    c.key_of = key_of;
    progress_done = 0;
    memset(counts, 0, sizeof counts);
    return allot_embedclient_run(&c, texts, lengths, N, out, dim, on_arrival, NULL, err);
}

static void vectors_are_placed_by_index(void **state)
{
    (void)state;
    allot_err err = {0};
    float *out;
    long dim;
    if (embed("ok", &out, &dim, &err)) fail_msg("%s", err.msg);
    assert_int_equal(dim, 3);
    assert_int_equal(progress_done, N);
    for (int i = 0; i < N; i++) {
        assert_true(out[3 * i] == (float)strlen(texts[i])); /* the server's first number */
        assert_true(out[3 * i + 1] == 0.5f && out[3 * i + 2] == -1);
    }
    free(out);
}

/* A text has 2 tokens and one for each 3 bytes, and counts as the longest of its request. */
static void requests_have_few_tokens(void **state)
{
    (void)state;
    static const struct {
        int batch, tokens;
        long counts[N];
    } rows[] = {{N, 1 << 20, {[0] = N}},
                {4, 1 << 20, {[0] = 4, [4] = 4, [8] = 2}},
                {N, 8, {[0] = 3, [3] = 2, [5] = 2, [7] = 2, [9] = 1}},
                {2, 8, {[0] = 2, [2] = 2, [4] = 2, [6] = 2, [8] = 2}},
                {N, 1, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        allot_err err = {0};
        float *out;
        long dim;
        batch = rows[r].batch;
        batch_tokens = rows[r].tokens;
        if (embed("ok", &out, &dim, &err)) fail_msg("%s", err.msg);
        assert_memory_equal(counts, rows[r].counts, sizeof counts);
        for (int i = 0; i < N; i++)
            assert_true(out[3 * i] == (float)strlen(texts[i]));
        free(out);
    }
    batch = batch_tokens = 0;
}

static void base64_is_read(void **state)
{
    (void)state;
    allot_err err = {0};
    float *out;
    long dim;
    if (embed("base64", &out, &dim, &err)) fail_msg("%s", err.msg);
    assert_int_equal(dim, 3);
    for (int i = 0; i < 3 * N; i++)
        assert_true(out[i] == 0.5f);
    free(out);
}

static void refuse(const char *fault_name, const char *message)
{
    allot_err err = {0};
    float *out = NULL;
    long dim;
    assert_int_equal(embed(fault_name, &out, &dim, &err), ALLOT_ESERVER);
    assert_null(out);
    if (!strstr(err.msg, message)) fail_msg("%s", err.msg);
}

static void bad_answers_are_refused(void **state)
{
    (void)state;
    refuse("ragged", "one embedding has 3 numbers, another 2");
    refuse("not-json", "the server's answer: is not valid JSON");
    refuse("two-choices", "0 embeddings came for");
    refuse("unauthorized", "answered with status 401: Unauthorized");
}

static const char *key_sent(const char *of)
{
    allot_err err = {0};
    float *out;
    long dim;
    key_of = of;
    if (embed("ok", &out, &dim, &err)) fail_msg("%s", err.msg);
    free(out);
    key_of = NULL;
    return fault_state.auth;
}

static void another_servers_key_is_not_sent(void **state)
{
    (void)state;
    char here[64], list[128];
    snprintf(here, sizeof here, "http://127.0.0.1:%d/x/v1", port);
    snprintf(list, sizeof list, "http://127.0.0.1:1,%s", here);
    setenv("OPENAI_API_KEY", "s3cret-7", 1);
    assert_string_equal(key_sent(NULL), "Bearer s3cret-7"); /* given for this server */
    assert_string_equal(key_sent(list), "Bearer s3cret-7");
    assert_string_equal(key_sent("http://127.0.0.1:1"), "");
    assert_string_equal(key_sent("https://127.0.0.1"), "");
    unsetenv("OPENAI_API_KEY");
}

static void floats_in_base64(void **state)
{
    (void)state;
    allot_err err = {0};
    float *x = NULL;
    size_t n;
    assert_int_equal(allot_base64_floats("AACAPwAAAMA=", 12, &x, &n, &err), ALLOT_OK);
    assert_int_equal(n, 2);
    assert_true(x[0] == 1 && x[1] == -2);
    free(x);
    assert_int_equal(allot_base64_floats("", 0, &x, &n, &err), ALLOT_OK);
    assert_int_equal(n, 0);
    free(x);
    static const char *const bad[] = {"AACAPw=", "AACA", "AACAPw==AACAPw==", "AAC*Pw==", "A==="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(allot_base64_floats(bad[i], strlen(bad[i]), &x, &n, &err), ALLOT_EINPUT);
}

int main(void)
{
    unsetenv("OPENAI_API_KEY");
    struct MHD_Daemon *d = fault_server_start(&port);
    const struct CMUnitTest tests[] = {
        /* first: no request of a test that gave up may still reach the server */
        cmocka_unit_test(another_servers_key_is_not_sent),
        cmocka_unit_test(vectors_are_placed_by_index),
        cmocka_unit_test(requests_have_few_tokens),
        cmocka_unit_test(base64_is_read),
        cmocka_unit_test(bad_answers_are_refused),
        cmocka_unit_test(floats_in_base64),
    };
    int failed = d ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    MHD_stop_daemon(d);
    return failed;
}
