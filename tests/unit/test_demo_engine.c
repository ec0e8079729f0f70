/* SPDX-License-Identifier: Apache-2.0 */
/* Determinism of the engine: a sample is the same alone, among others, with a cold or a warm cache,
 * continued from a prefix, with any number of threads, and when it was put back for lack of
 * room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/kernels.h"
#include "demo/scheduler.h"
#include "tests/unit/test_demo_model.h"

#define MANY 64
#define LENGTH 40

static const test_model shape = {.layers = 2,
                                 .embd = 64,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .ff = 88,
                                 .context = 160,
                                 .scores = 2,
                                 .spread = 0.25f};

/* A reward model that begins with a language model. */
static const test_model verifier_shape = {.layers = 3,
                                          .embd = 64,
                                          .heads = 4,
                                          .kv_heads = 2,
                                          .ff = 88,
                                          .context = 160,
                                          .scores = 2,
                                          .spread = 0.25f,
                                          .lm_layers = 2};

static allot_served served, verifier;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int n_running;

static void on_progress(allot_seq *s)
{
    if (s->end == ALLOT_END_NONE) return;
    n_running--;
    pthread_cond_signal(&ended);
}

/* A request for LENGTH tokens after `prompt`. */
static allot_seq request(const char *prompt, uint64_t seed, double temperature, double top_p)
{
    allot_seq s = {.kind = ALLOT_SEQ_GENERATE,
                   .max_tokens = LENGTH,
                   .ignore_eos = 1,
                   .stop = -1,
                   .sampling = {temperature, top_p, seed, -1},
                   .lock = &lock,
                   .progress = on_progress};
    s.tokens = calloc(strlen(prompt) + LENGTH + 3, sizeof *s.tokens);
    s.n_prompt = s.n_tokens =
        (int)allot_tokenizer_encode(&served.tokenizer, prompt, strlen(prompt), 1, s.tokens);
    return s;
}

static void run(allot_scheduler *s, allot_seq *seqs, int n)
{
    allot_seq **list = calloc((size_t)n, sizeof *list);
    for (int i = 0; i < n; i++)
        list[i] = &seqs[i];
    n_running = n;
    allot_scheduler_submit(s, 0, list, n);
    pthread_mutex_lock(&lock);
    while (n_running > 0)
        pthread_cond_wait(&ended, &lock);
    pthread_mutex_unlock(&lock);
    free(list);
}

static allot_scheduler *start_model(allot_served *model, int threads, int max_num_seqs,
                                    int kv_cache_mib)
{
    allot_served *models[] = {model};
    allot_scheduler_options o = {threads, max_num_seqs, kv_cache_mib};
    allot_scheduler *s = NULL;
    allot_err err = {0};
    assert_int_equal(allot_scheduler_new(models, 1, &o, &s, &err), ALLOT_OK);
    return s;
}

static allot_scheduler *start(int threads, int max_num_seqs, int kv_cache_mib)
{
    return start_model(&served, threads, max_num_seqs, kv_cache_mib);
}

static const char *const prompts[] = {"Q: 12+7*3-5=?\n", "Q: 12+7*3-5=?\n12+7=19\n\n", "Q: 1=?\n",
                                      "Q: 12+7*3-6=?\n",
                                      "Q: 3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3*3=?\n"};
enum { N_PROMPTS = sizeof prompts / sizeof *prompts };

static allot_seq numbered(int i)
{
    return request(prompts[i % N_PROMPTS], 100 + (uint64_t)i, i % 7 == 6 ? 0 : 0.8,
                   i % 3 == 2 ? 0.9 : 1);
}

static void fill(allot_seq *seqs)
{
    for (int i = 0; i < MANY; i++)
        seqs[i] = numbered(i);
}

static void clear(allot_seq *seqs, int n)
{
    for (int i = 0; i < n; i++)
        allot_seq_clear(&seqs[i]);
}

static void assert_same(const allot_seq *a, const allot_seq *b)
{
    assert_int_equal(a->n_tokens, b->n_tokens);
    assert_memory_equal(a->tokens, b->tokens, (size_t)a->n_tokens * sizeof *a->tokens);
    assert_int_equal(a->text.n, b->text.n);
    assert_memory_equal(a->text.at, b->text.at, a->text.n);
}

/* What each of the MANY gives alone, on one thread, without any cache to use. */
static allot_seq alone[MANY];

static int load_model(const test_model *m, allot_served *to)
{
    allot_buf file = test_gguf(m);
    allot_gguf g;
    allot_err err = {0};
    to->name = "test";
    allot_metrics_init(&to->metrics, "test");
    if (allot_gguf_parse((uint8_t *)file.at, file.n, "x.gguf", &g, &err) != ALLOT_OK ||
        allot_transformer_load(&g, &to->transformer, &err) != ALLOT_OK ||
        allot_tokenizer_load(&g, &to->tokenizer, &err) != ALLOT_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    allot_gguf_clear(&g);
    return 0;
}

static int load(void **state)
{
    (void)state;
    if (load_model(&shape, &served) != 0 || load_model(&verifier_shape, &verifier) != 0) return 1;
    fill(alone);
    allot_scheduler *s = start(1, 1, 1);
    for (int i = 0; i < MANY; i++) {
        allot_scheduler_reset_cache(s);
        run(s, &alone[i], 1);
        assert_int_equal(alone[i].n_cached, 0);
    }
    allot_scheduler_free(s);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    clear(alone, MANY);
    allot_served_clear(&served);
    allot_served_clear(&verifier);
    return 0;
}

static void samples_differ_by_seed(void **state)
{
    (void)state;
    assert_int_equal(alone[0].n_tokens - alone[0].n_prompt, LENGTH);
    assert_memory_not_equal(alone[0].tokens, alone[N_PROMPTS].tokens,
                            (size_t)alone[0].n_tokens * sizeof(int32_t));
}

static void same_among_many(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        allot_seq seqs[MANY];
        allot_scheduler *s = start(threads, 256, 16);
        fill(seqs);
        run(s, seqs, MANY);
        for (int i = 0; i < MANY; i++)
            assert_same(&seqs[i], &alone[i]);
        clear(seqs, MANY);
        allot_scheduler_free(s);
    }
}

static void same_with_warm_cache_and_after_reset(void **state)
{
    (void)state;
    allot_scheduler *s = start(2, 256, 16);
    for (int round = 0; round < 4; round++) {
        allot_seq seqs[MANY];
        int cached = 0;
        if (round == 2) allot_scheduler_reset_cache(s);
        fill(seqs);
        /* one by one in the last round: nothing joins in the same step */
        for (int i = 0; i < MANY && round == 3; i++)
            run(s, &seqs[i], 1);
        if (round < 3) run(s, seqs, MANY);
        for (int i = 0; i < MANY; i++) {
            assert_same(&seqs[i], &alone[i]);
            cached += seqs[i].n_cached;
        }
        assert_true(cached > 0);
        clear(seqs, MANY);
    }
    allot_scheduler_free(s);
}

/* The text so far as prompt, same seed: goes on as it did, from any point, in one read. */
static void same_when_continued(void **state)
{
    (void)state;
    allot_scheduler *s = start(2, 256, 16);
    for (int reset = 0; reset < 2; reset++) {
        for (int cut = 1; cut < LENGTH; cut += 6) {
            allot_seq q = numbered(1);
            memcpy(q.tokens, alone[1].tokens, (size_t)alone[1].n_tokens * sizeof *q.tokens);
            q.n_prompt += cut;
            q.n_tokens += cut;
            q.max_tokens -= cut;
            if (reset) allot_scheduler_reset_cache(s);
            run(s, &q, 1);
            assert_int_equal(q.n_tokens, alone[1].n_tokens);
            assert_memory_equal(q.tokens, alone[1].tokens, (size_t)q.n_tokens * sizeof *q.tokens);
            allot_seq_clear(&q);
        }
    }
    allot_scheduler_free(s);
}

static void same_when_put_back(void **state)
{
    (void)state;
    uint64_t before = served.metrics.preemptions;
    allot_seq seqs[MANY];
    allot_scheduler *s = start(2, 256, 1);
    fill(seqs);
    run(s, seqs, MANY);
    for (int i = 0; i < MANY; i++)
        assert_same(&seqs[i], &alone[i]);
    assert_true(served.metrics.preemptions > before);
    clear(seqs, MANY);
    allot_scheduler_free(s);
}

static void scores_and_embeddings_do_not_depend_on_company(void **state)
{
    (void)state;
    static const char text[] = "Q: 12+7=?\n12+7=19<extra_0>The answer is<extra_0>";
    enum { D = 64 };
    float want_scores[4], want[D];
    for (int threads = 1; threads <= 2; threads++) {
        allot_scheduler *s = start(threads, 256, 16);
        for (int company = 0; company < 2; company++) {
            allot_seq seqs[MANY];
            fill(seqs);
            for (int i = 0; i < 2; i++) {
                allot_seq_clear(&seqs[i]);
                seqs[i] = request(text, 0, 0, 1);
                seqs[i].kind = i == 0 ? ALLOT_SEQ_SCORE : ALLOT_SEQ_EMBED;
                seqs[i].max_tokens = 0;
                seqs[i].n_values = i == 0 ? 2 : D;
                seqs[i].values = calloc(D, sizeof(float));
            }
            run(s, seqs, company ? MANY : 2);
            assert_int_equal(seqs[0].n_rows, 2);
            for (int r = 0; r < 2; r++) {
                float sum = seqs[0].values[2 * r] + seqs[0].values[2 * r + 1];
                assert_true(sum > 0.99999f && sum < 1.00001f);
            }
            if (threads == 1 && company == 0) {
                memcpy(want_scores, seqs[0].values, sizeof want_scores);
                memcpy(want, seqs[1].values, sizeof want);
            }
            assert_memory_equal(seqs[0].values, want_scores, sizeof want_scores);
            assert_memory_equal(seqs[1].values, want, sizeof want);
            clear(seqs, MANY);
        }
        allot_scheduler_free(s);
    }
}

/* The steps of one solution, the first n_steps of them; 200 tokens at most. */
static allot_seq solution(int n_steps)
{
    char text[256] = "Q: 12+7-3=?\n";
    for (int i = 0; i < n_steps; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d+%d=%d<extra_0>", i, 7 * i, i);
    allot_seq s = {
        .kind = ALLOT_SEQ_SCORE, .stop = -1, .lock = &lock, .progress = on_progress, .n_values = 2};
    s.tokens = calloc(allot_tokenizer_max(strlen(text)), sizeof *s.tokens);
    s.values = calloc((size_t)n_steps * 2, sizeof *s.values);
    s.n_prompt = s.n_tokens =
        (int)allot_tokenizer_encode(&verifier.tokenizer, text, strlen(text), 1, s.tokens);
    return s;
}

/* Each row's surprise comes from the row before, which is in another tile or step at times. */
static void surprises_do_not_depend_on_company_or_on_what_follows(void **state)
{
    (void)state;
    enum { STEPS = 12, N = 3 * STEPS };
    float want[2 * STEPS];
    for (int threads = 1; threads <= 3; threads++) {
        allot_scheduler *s = start_model(&verifier, threads, 256, 16);
        allot_seq whole = solution(STEPS), seqs[N];
        run(s, &whole, 1);
        assert_int_equal(whole.n_rows, STEPS);
        if (threads == 1) memcpy(want, whole.values, sizeof want);
        for (int i = 0; i < N; i++)
            seqs[i] = solution(1 + i % STEPS);
        run(s, seqs, N);
        assert_memory_equal(whole.values, want, sizeof want);
        for (int i = 0; i < N; i++) {
            assert_int_equal(seqs[i].n_rows, 1 + i % STEPS);
            assert_int_equal(seqs[i].n_cached > 0, seqs[i].n_prompt > 16);
            assert_memory_equal(seqs[i].values, want, (size_t)seqs[i].n_rows * 2 * sizeof *want);
        }
        allot_seq_clear(&whole);
        clear(seqs, N);
        allot_scheduler_free(s);
    }
}

/* Both kernel sets against plain sums in float64, and each row against itself in other company. */
static void kernels_are_right(void **state)
{
    (void)state;
    const allot_kernels *sets[] = {allot_kernels_portable(), allot_kernels_avx2()};
    enum { K = 44, N = 40, PADDED = 48, ROWS = 13 };
    allot_rng r = allot_rng_start(5, 0, 0, 0);
    float w[N * K], a[ROWS * K], all[ROWS * PADDED], one[PADDED];
    for (int i = 0; i < N * K; i++)
        w[i] = (float)allot_rng_normal(&r);
    for (int i = 0; i < ROWS * K; i++)
        a[i] = (float)allot_rng_normal(&r);
    float *packed = allot_kernels_floats(PADDED * K, NULL);
    allot_kernels_pack(w, N, K, 0, packed);
    for (int s = 0; s < 2; s++) {
        if (sets[s] == NULL) continue;
        sets[s]->product(a, K, ROWS, K, packed, PADDED / ALLOT_PANEL, all, PADDED, 0);
        for (int i = 0; i < ROWS; i++) {
            sets[s]->product(a + i * K, K, 1, K, packed, PADDED / ALLOT_PANEL, one, PADDED, 0);
            assert_memory_equal(one, all + i * PADDED, sizeof one);
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int k = 0; k < K; k++)
                    sum += (double)a[i * K + k] * (double)w[j * K + k];
                assert_true(sum - (double)one[j] < 1e-4 && (double)one[j] - sum < 1e-4);
            }
        }
    }
    free(packed);
}

/* Two query heads on one head of keys and values, 19 positions in 3 blocks. */
static void attention_is_right(void **state)
{
    (void)state;
    const allot_kernels *sets[] = {allot_kernels_portable(), allot_kernels_avx2()};
    enum { HEADS = 2, SIZE = 40, N = 19, BLOCK = 2 * SIZE * 8 };
    allot_rng r = allot_rng_start(6, 0, 0, 0);
    static float memory[3][BLOCK];
    float *blocks[] = {memory[2], memory[0], memory[1]}; /* blocks lie anywhere */
    float q[HEADS * SIZE], out[HEADS * SIZE], scores[HEADS * 32];
    for (int i = 0; i < HEADS * SIZE; i++)
        q[i] = (float)allot_rng_normal(&r);
    for (int i = 0; i < 3 * BLOCK; i++)
        memory[i / BLOCK][i % BLOCK] = (float)allot_rng_normal(&r);
    for (int s = 0; s < 2; s++) {
        allot_attention a = {q, blocks, 0, SIZE * 8, HEADS, 1, SIZE, N, 0.3f, scores, out};
        if (sets[s] == NULL) continue;
        sets[s]->attend(&a);
        for (int h = 0; h < HEADS; h++) {
            double weights[N], sum = 0;
            for (int p = 0; p < N; p++) {
                double score = 0;
                for (int d = 0; d < SIZE; d++)
                    score += (double)q[h * SIZE + d] * (double)blocks[p / 8][d * 8 + p % 8];
                sum += weights[p] = exp(0.3 * score);
            }
            for (int d = 0; d < SIZE; d++) {
                double want = 0;
                for (int p = 0; p < N; p++)
                    want += weights[p] / sum * (double)blocks[p / 8][SIZE * 8 + p % 8 * SIZE + d];
                assert_true(fabs(want - (double)out[h * SIZE + d]) < 1e-5);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_right),
        cmocka_unit_test(attention_is_right),
        cmocka_unit_test(samples_differ_by_seed),
        cmocka_unit_test(same_among_many),
        cmocka_unit_test(same_with_warm_cache_and_after_reset),
        cmocka_unit_test(same_when_continued),
        cmocka_unit_test(same_when_put_back),
        cmocka_unit_test(scores_and_embeddings_do_not_depend_on_company),
        cmocka_unit_test(surprises_do_not_depend_on_company_or_on_what_follows)};
    return cmocka_run_group_tests(tests, load, unload);
}
