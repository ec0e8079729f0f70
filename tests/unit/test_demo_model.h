/* SPDX-License-Identifier: Apache-2.0 */
/* test_demo_model.h - small GGUF models with random weights, made in memory. */
#ifndef ALLOT_TEST_DEMO_MODEL_H
#define ALLOT_TEST_DEMO_MODEL_H
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/rng.h"

typedef struct {
    int layers, embd, heads, kv_heads, ff, context;
    int scores;    /* outputs of the scoring head, 0 = none */
    int lm_layers; /* of the language model a reward model begins with, 0 = none */
    int half;      /* weights as float16 */
    float spread;  /* of the output matrix: larger = surer of its tokens */
} test_model;

#define TEST_NEWLINE 261 /* the first of the characters, which stand behind the space */
static const char test_characters[] = "\n0123456789+-*/=?.:{}\\QTabcdefghinorstwx";

static void test_u32(allot_buf *b, uint32_t x)
{
    allot_buf_add(b, &x, 4);
}
static void test_u64(allot_buf *b, uint64_t x)
{
    allot_buf_add(b, &x, 8);
}
static void test_text(allot_buf *b, const char *s)
{
    test_u64(b, strlen(s));
    allot_buf_str(b, s);
}
static void test_key(allot_buf *b, const char *key, uint32_t type)
{
    test_text(b, key);
    test_u32(b, type);
}
static void test_key_u32(allot_buf *b, const char *key, int value)
{
    test_key(b, key, 4);
    test_u32(b, (uint32_t)value);
}

/* <unk> <s> </s> <extra_0>, 256 bytes, the space, the characters. */
static int test_vocabulary(allot_buf *b)
{
    static const char *const special[] = {"<unk>", "<s>", "</s>", "<extra_0>"};
    int n = 4 + 256 + 1 + (int)strlen(test_characters);
    test_key(b, "tokenizer.ggml.tokens", 9);
    test_u32(b, 8);
    test_u64(b, (uint64_t)n);
    for (int i = 0; i < 4; i++)
        test_text(b, special[i]);
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)i);
        test_text(b, name);
    }
    test_text(b, "\xe2\x96\x81");
    for (const char *c = test_characters; *c; c++)
        test_text(b, (char[]){*c, 0});
    test_key(b, "tokenizer.ggml.token_type", 9);
    test_u32(b, 5);
    test_u64(b, (uint64_t)n);
    for (int i = 0; i < n; i++)
        test_u32(b, i == 0 ? 2 : i < 4 ? 3 : i < 260 ? 6 : 1);
    test_key_u32(b, "tokenizer.ggml.bos_token_id", 1);
    test_key_u32(b, "tokenizer.ggml.eos_token_id", 2);
    test_key_u32(b, "tokenizer.ggml.unknown_token_id", 0);
    test_key(b, "tokenizer.ggml.add_space_prefix", 7);
    allot_buf_add(b, "", 1);
    return n;
}

typedef struct {
    allot_buf info, data;
    int n, half;
    allot_rng rng;
} test_tensors;

static uint16_t test_half(float x)
{
    /* exact for what the tests use: normal numbers, truncated */
    uint32_t u;
    memcpy(&u, &x, 4);
    int exponent = (int)(u >> 23 & 255) - 127 + 15;
    if (exponent <= 0) return (uint16_t)(u >> 31 << 15);
    return (uint16_t)(u >> 31 << 15 | (uint32_t)exponent << 10 | (u >> 13 & 1023));
}

/* spread 0: all ones. */
static void test_tensor(test_tensors *t, const char *name, int columns, int rows, float spread)
{
    while (t->data.n % 32 != 0)
        allot_buf_add(&t->data, "", 1);
    test_text(&t->info, name);
    test_u32(&t->info, rows > 0 ? 2 : 1);
    test_u64(&t->info, (uint64_t)columns);
    if (rows > 0) test_u64(&t->info, (uint64_t)rows);
    test_u32(&t->info, t->half ? 1 : 0);
    test_u64(&t->info, t->data.n);
    for (int i = 0; i < columns * (rows > 0 ? rows : 1); i++) {
        float x = spread == 0 ? 1.0f : spread * (float)allot_rng_normal(&t->rng);
        uint16_t h = test_half(x);
        if (t->half) allot_buf_add(&t->data, &h, 2);
        else allot_buf_add(&t->data, &x, 4);
    }
    t->n++;
}

static void test_layers(test_tensors *t, const test_model *m)
{
    const int d = m->embd, kv = d / m->heads * m->kv_heads;
    char name[64];
    for (int i = 0; i < m->layers; i++) {
        const struct {
            const char *name;
            int columns, rows;
            float spread;
        } parts[] = {{"attn_norm", d, 0, 0},       {"attn_q", d, d, 0.2f},
                     {"attn_k", d, kv, 0.2f},      {"attn_v", d, kv, 0.2f},
                     {"attn_output", d, d, 0.2f},  {"ffn_norm", d, 0, 0},
                     {"ffn_gate", d, m->ff, 0.2f}, {"ffn_up", d, m->ff, 0.2f},
                     {"ffn_down", m->ff, d, 0.2f}};
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            snprintf(name, sizeof name, "blk.%d.%s.weight", i, parts[p].name);
            test_tensor(t, name, parts[p].columns, parts[p].rows, parts[p].spread);
        }
    }
}

/* The whole file; the caller clears it. */
static allot_buf test_gguf(const test_model *m)
{
    allot_buf b = {0}, values = {0};
    test_tensors t = {.half = m->half, .rng = allot_rng_start(11, 0, 0, 0)};
    test_key(&values, "general.architecture", 8);
    test_text(&values, "llama");
    test_key_u32(&values, "llama.block_count", m->layers);
    test_key_u32(&values, "llama.context_length", m->context);
    test_key_u32(&values, "llama.embedding_length", m->embd);
    test_key_u32(&values, "llama.feed_forward_length", m->ff);
    test_key_u32(&values, "llama.attention.head_count", m->heads);
    test_key_u32(&values, "llama.attention.head_count_kv", m->kv_heads);
    test_key(&values, "llama.attention.layer_norm_rms_epsilon", 6);
    float eps = 1e-5f;
    allot_buf_add(&values, &eps, 4);
    int n_keys = 14, n_vocab = test_vocabulary(&values);
    test_tensor(&t, "token_embd.weight", m->embd, n_vocab, 0.5f);
    test_tensor(&t, "output_norm.weight", m->embd, 0, 0);
    test_tensor(&t, "output.weight", m->embd, n_vocab, m->spread);
    test_layers(&t, m);
    if (m->scores > 0) test_tensor(&t, "cls.output.weight", m->embd, m->scores, 0.3f);
    if (m->lm_layers > 0) {
        float most = 10;
        test_key_u32(&values, "allot.lm_block_count", m->lm_layers);
        test_key_u32(&values, "allot.newline_token_id", TEST_NEWLINE);
        test_key(&values, "allot.lm_max_surprise", 6);
        allot_buf_add(&values, &most, 4);
        n_keys += 3;
        test_tensor(&t, "lm.output_norm.weight", m->embd, 0, 0);
        test_tensor(&t, "lm.surprise.weight", m->embd, 0, 0);
    }
    allot_buf_str(&b, "GGUF");
    test_u32(&b, 3);
    test_u64(&b, (uint64_t)t.n);
    test_u64(&b, (uint64_t)n_keys);
    allot_buf_add(&b, values.at, values.n);
    allot_buf_add(&b, t.info.at, t.info.n);
    while (b.n % 32 != 0)
        allot_buf_add(&b, "", 1);
    allot_buf_add(&b, t.data.at, t.data.n);
    allot_buf_clear(&values);
    allot_buf_clear(&t.info);
    allot_buf_clear(&t.data);
    return b;
}
#endif
