/* SPDX-License-Identifier: Apache-2.0 */
/* The model reader: what it reads, and that no damaged file gets further than a message. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "demo/gguf.h"
#include "demo/tokenizer.h"
#include "demo/transformer.h"
#include "tests/unit/test_demo_model.h"

static const test_model tiny = {.layers = 1,
                                .embd = 16,
                                .heads = 2,
                                .kv_heads = 1,
                                .ff = 24,
                                .context = 32,
                                .scores = 2,
                                .spread = 0.3f};

/* 1 when the bytes load as a model; messages of refusals must name the file. */
static int loads(const char *bytes, size_t n)
{
    allot_gguf g;
    allot_transformer m;
    allot_tokenizer t;
    allot_err err = {0};
    uint8_t *copy = malloc(n + 1); /* exactly n readable bytes would need an odd malloc(0) */
    int ok = 0;
    memcpy(copy, bytes, n);
    if (allot_gguf_parse(copy, n, "x.gguf", &g, &err) != ALLOT_OK) {
        free(copy);
        assert_non_null(strstr(err.msg, "'x.gguf'"));
        return 0;
    }
    if (allot_transformer_load(&g, &m, &err) == ALLOT_OK) {
        if (allot_tokenizer_load(&g, &t, &err) == ALLOT_OK) {
            ok = 1;
            allot_tokenizer_clear(&t);
        }
        allot_transformer_clear(&m);
    }
    if (!ok) assert_non_null(strstr(err.msg, "'x.gguf'"));
    allot_gguf_clear(&g);
    return ok;
}

static void reads_a_model(void **state)
{
    (void)state;
    allot_buf b = test_gguf(&tiny);
    allot_gguf g;
    allot_transformer m;
    allot_err err = {0};
    uint8_t *copy = malloc(b.n);
    memcpy(copy, b.at, b.n);
    assert_int_equal(allot_gguf_parse(copy, b.n, "x.gguf", &g, &err), ALLOT_OK);
    assert_int_equal(allot_transformer_load(&g, &m, &err), ALLOT_OK);
    assert_int_equal(m.n_layer, 1);
    assert_int_equal(m.n_embd, 16);
    assert_int_equal(m.n_kv, 1);
    assert_int_equal(m.head_dim, 8);
    assert_int_equal(m.n_ctx, 32);
    assert_int_equal(m.n_scores, 2);
    assert_int_equal(m.n_vocab, 261 + (int)strlen(test_characters));
    allot_transformer_clear(&m);
    allot_gguf_clear(&g);
    allot_buf_clear(&b);
}

static void reads_half_precision(void **state)
{
    (void)state;
    test_model half = tiny;
    half.half = 1;
    allot_buf b = test_gguf(&tiny), h = test_gguf(&half);
    float *x = NULL, *y = NULL;
    allot_gguf g;
    allot_err err = {0};
    for (int i = 0; i < 2; i++) {
        const allot_buf *from = i ? &h : &b;
        uint8_t *copy = malloc(from->n);
        memcpy(copy, from->at, from->n);
        assert_int_equal(allot_gguf_parse(copy, from->n, "x.gguf", &g, &err), ALLOT_OK);
        assert_int_equal(allot_gguf_floats(&g, "blk.0.attn_q.weight", 16, 16, i ? &y : &x, &err),
                         ALLOT_OK);
        allot_gguf_clear(&g);
    }
    for (int i = 0; i < 256; i++)
        assert_true(x[i] - y[i] < 1e-3f && y[i] - x[i] < 1e-3f);
    free(x);
    free(y);
    allot_buf_clear(&b);
    allot_buf_clear(&h);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    allot_buf b = test_gguf(&tiny);
    assert_true(loads(b.at, b.n));
    size_t header = b.n - 40000 < b.n ? b.n - 40000 : 0;
    for (size_t n = 0; n < b.n; n += n < 300 ? 1 : n < header ? 37 : 509)
        assert_false(loads(b.at, n));
    assert_false(loads(b.at, b.n - 1));
    allot_buf_clear(&b);
}

/* Random damage may be harmless; it must only never crash (the sanitizer builds see to that). */
static void survives_damage(void **state)
{
    (void)state;
    allot_buf b = test_gguf(&tiny);
    allot_rng r = allot_rng_start(3, 0, 0, 0);
    size_t table = b.n < 12000 ? b.n : 12000;
    for (int round = 0; round < 400; round++) {
        allot_buf copy = {0};
        allot_buf_add(&copy, b.at, b.n);
        for (int i = 0; i < 3; i++) {
            size_t at = (size_t)allot_rng_below(&r, table);
            copy.at[at] = (char)(round % 2 ? 0xff : (int)allot_rng_below(&r, 256));
        }
        (void)loads(copy.at, copy.n);
        allot_buf_clear(&copy);
    }
    allot_buf_clear(&b);
}

/* Overwrites the 4 or 8 bytes behind a key's type. */
static int with_value(const char *key, uint64_t value, size_t size)
{
    allot_buf b = test_gguf(&tiny);
    char *at = memmem(b.at, b.n, key, strlen(key));
    assert_non_null(at);
    memcpy(at + strlen(key) + 4, &value, size);
    int ok = loads(b.at, b.n);
    allot_buf_clear(&b);
    return ok;
}

static void refuses_hostile_values(void **state)
{
    (void)state;
    assert_false(with_value("llama.block_count", 0xffffffffu, 4));
    assert_false(with_value("llama.block_count", 2, 4));
    assert_false(with_value("llama.embedding_length", 4096, 4));
    assert_false(with_value("llama.embedding_length", 17, 4));
    assert_false(with_value("llama.context_length", 0, 4));
    assert_false(with_value("llama.attention.head_count_kv", 3, 4));
    assert_false(with_value("llama.attention.layer_norm_rms_epsilon", 0x7fc00000u, 4)); /* NaN */
    assert_false(with_value("tokenizer.ggml.bos_token_id", 100000, 4));
    assert_false(with_value("tokenizer.ggml.tokens", (uint64_t)9 << 32 | 8, 8)); /* count follows */
    assert_true(with_value("llama.block_count", 1, 4));
}

static void refuses_numbers_that_are_not_finite(void **state)
{
    (void)state;
    allot_buf b = test_gguf(&tiny);
    float bad = INFINITY;
    memcpy(b.at + b.n - 4, &bad, 4);
    assert_false(loads(b.at, b.n));
    allot_buf_clear(&b);
}

static void refuses_absurd_counts(void **state)
{
    (void)state;
    for (int field = 0; field < 2; field++) {
        allot_buf b = test_gguf(&tiny);
        memset(b.at + 8 + 8 * field, 0xff, 8);
        assert_false(loads(b.at, b.n));
        allot_buf_clear(&b);
    }
    assert_false(loads("", 0));
    assert_false(loads("GGUF", 4));
    assert_false(loads("GGML\3\0\0\0", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_a_model),
                                       cmocka_unit_test(reads_half_precision),
                                       cmocka_unit_test(refuses_every_truncation),
                                       cmocka_unit_test(survives_damage),
                                       cmocka_unit_test(refuses_hostile_values),
                                       cmocka_unit_test(refuses_numbers_that_are_not_finite),
                                       cmocka_unit_test(refuses_absurd_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
