/* SPDX-License-Identifier: Apache-2.0 */
/* The served models against PyTorch, on reference outputs that the training script writes:
 *   tinymath_greedy.json {"rows":[{"prompt","text","finished"},...]}, the greedy continuation
 *   tinymath_prm.json    {"rows":[{"text","scores":[p_good,...]},...],"tolerance"}
 *   tinymath_embed.json  {"rows":[{"text","vector":[...]},...],"tolerance"} */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/json.h"
#include "demo/scheduler.h"

static allot_served models[2];
static allot_scheduler *scheduler;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int n_running;

static void on_progress(allot_seq *s)
{
    if (s->end == ALLOT_END_NONE) return;
    n_running--;
    pthread_cond_signal(&ended);
}

static int load(void **state)
{
    static const char *const paths[] = {"demo/tinymath.gguf", "demo/tinymath-prm.gguf"};
    allot_served *list[] = {&models[0], &models[1]};
    allot_scheduler_options o = {2, 64, 64};
    allot_err err = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        if (access(paths[i], R_OK) != 0) {
            print_message("%s is missing: skipped\n", paths[i]);
            return 0;
        }
        if (allot_served_load(paths[i], paths[i], &models[i], &err) != ALLOT_OK) {
            print_message("%s\n", err.msg);
            return 1;
        }
    }
    return allot_scheduler_new(list, 2, &o, &scheduler, &err) != ALLOT_OK;
}

static int unload(void **state)
{
    (void)state;
    allot_scheduler_free(scheduler);
    allot_served_clear(&models[0]);
    allot_served_clear(&models[1]);
    return 0;
}

/* The rows of a file, or a skipped test. */
static cJSON *rows_of(const char *path, cJSON **root)
{
    allot_err err = {0};
    cJSON *rows = NULL;
    if (scheduler == NULL || access(path, R_OK) != 0) {
        print_message("%s or the models are missing\n", path);
        skip();
    }
    if (allot_json_load(path, (size_t)64 << 20, root, &err) != ALLOT_OK) fail_msg("%s", err.msg);
    rows = cJSON_GetObjectItemCaseSensitive(*root, "rows");
    assert_true(cJSON_IsArray(rows) && rows->child != NULL);
    return rows;
}

static double tolerance_of(const cJSON *root)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(root, "tolerance");
    assert_true(cJSON_IsNumber(x) && x->valuedouble > 0 && x->valuedouble <= 1e-3);
    return x->valuedouble;
}

static const char *text_of(const cJSON *v, const char *field)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(v, field);
    assert_true(cJSON_IsString(x));
    return x->valuestring;
}

/* A sequence that reads `text` and generates up to `most` tokens. */
static allot_seq prepare(const allot_served *m, const char *text, int most)
{
    allot_seq s = {.max_tokens = most,
                   .stop = -1,
                   .sampling = {0, 1, 0, -1},
                   .lock = &lock,
                   .progress = on_progress};
    size_t n = strlen(text);
    s.tokens = calloc(allot_tokenizer_max(n) + (size_t)most + 1, sizeof *s.tokens);
    s.n_prompt = s.n_tokens = (int)allot_tokenizer_encode(&m->tokenizer, text, n, 1, s.tokens);
    assert_true(s.n_prompt + most <= m->transformer.n_ctx);
    return s;
}

static void run(int model, allot_seq *seqs, int n)
{
    allot_seq **list = calloc((size_t)n, sizeof *list);
    for (int i = 0; i < n; i++)
        list[i] = &seqs[i];
    n_running = n;
    allot_scheduler_submit(scheduler, model, list, n);
    pthread_mutex_lock(&lock);
    while (n_running > 0)
        pthread_cond_wait(&ended, &lock);
    pthread_mutex_unlock(&lock);
    free(list);
}

static void greedy_text_equals_pytorch(void **state)
{
    cJSON *root = NULL, *rows = rows_of("tests/golden/tinymath_greedy.json", &root);
    int n = cJSON_GetArraySize(rows), i = 0, different = 0;
    allot_seq *seqs = calloc((size_t)n, sizeof *seqs);
    (void)state;
    for (const cJSON *v = rows->child; v; v = v->next) /* and one token for the end */
        seqs[i++] = prepare(&models[0], text_of(v, "prompt"), (int)strlen(text_of(v, "text")) + 1);
    run(0, seqs, n);
    i = 0;
    for (const cJSON *v = rows->child; v; v = v->next, i++) {
        const char *want = text_of(v, "text"), *got = seqs[i].text.at ? seqs[i].text.at : "";
        int finished = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(v, "finished"));
        int same = finished ? strcmp(want, got) == 0 && seqs[i].end == ALLOT_END_STOP
                            : strncmp(want, got, strlen(want)) == 0;
        if (!same && different++ < 3)
            print_message("%s: PyTorch '%s', here '%s'\n", text_of(v, "prompt"), want, got);
        allot_seq_clear(&seqs[i]);
    }
    free(seqs);
    cJSON_Delete(root);
    print_message("greedy: %d of %d texts equal\n", n - different, n);
    assert_int_equal(different, 0);
}

/* Largest difference between numbers[n] and the JSON list; their counts must agree. */
static double distance(const cJSON *list, const float *numbers, int n)
{
    double worst = 0;
    int i = 0;
    assert_int_equal(cJSON_GetArraySize(list), n);
    for (const cJSON *v = list->child; v; v = v->next, i++) {
        double d = fabs(v->valuedouble - (double)numbers[i]);
        assert_true(isfinite(d));
        worst = d > worst ? d : worst;
    }
    return worst;
}

static void scores_are_near_pytorch(void **state)
{
    cJSON *root = NULL, *rows = rows_of("tests/golden/tinymath_prm.json", &root);
    double worst = 0;
    (void)state;
    for (const cJSON *v = rows->child; v; v = v->next) {
        const cJSON *scores = cJSON_GetObjectItemCaseSensitive(v, "scores");
        allot_seq s = prepare(&models[1], text_of(v, "text"), 0);
        s.kind = ALLOT_SEQ_SCORE;
        s.n_values = 2;
        s.values = calloc(2 * (size_t)s.n_prompt, sizeof *s.values);
        run(1, &s, 1);
        assert_int_equal(s.n_rows, cJSON_GetArraySize(scores));
        for (int r = 0; r < s.n_rows; r++)
            s.values[r] = s.values[2 * r + 1]; /* p_good */
        double d = distance(scores, s.values, s.n_rows);
        worst = d > worst ? d : worst;
        allot_seq_clear(&s);
    }
    print_message("scores: largest difference %.2g\n", worst);
    assert_true(worst < tolerance_of(root));
    cJSON_Delete(root);
}

static void embeddings_are_near_pytorch(void **state)
{
    cJSON *root = NULL, *rows = rows_of("tests/golden/tinymath_embed.json", &root);
    double worst = 0;
    (void)state;
    for (const cJSON *v = rows->child; v; v = v->next) {
        allot_seq s = prepare(&models[0], text_of(v, "text"), 0);
        s.kind = ALLOT_SEQ_EMBED;
        s.n_values = models[0].transformer.n_embd;
        s.values = calloc((size_t)s.n_values, sizeof *s.values);
        run(0, &s, 1);
        double d = distance(cJSON_GetObjectItemCaseSensitive(v, "vector"), s.values, s.n_values);
        worst = d > worst ? d : worst;
        allot_seq_clear(&s);
    }
    print_message("embeddings: largest difference %.2g\n", worst);
    assert_true(worst < tolerance_of(root));
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(greedy_text_equals_pytorch),
                                       cmocka_unit_test(scores_are_near_pytorch),
                                       cmocka_unit_test(embeddings_are_near_pytorch)};
    return cmocka_run_group_tests(tests, load, unload);
}
