/* SPDX-License-Identifier: Apache-2.0 */
/* The GGUF reader: each value and tensor that it lists lies within the file's bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "demo/gguf.h"
#include "tests/fuzz/fuzz.h"

static void read_all(const allot_gguf *g)
{
    allot_err err = {0};
    char name[256];
    float *numbers;
    for (size_t i = 0; i < g->n_values; i++)
        assert(g->values[i].at >= g->bytes && g->values[i].at <= g->bytes + g->n);
    for (size_t i = 0; i < g->n_tensors; i++) {
        const allot_gguf_tensor *t = &g->tensors[i];
        assert(t->at >= g->bytes && t->at <= g->bytes + g->n);
        if (t->name.n >= sizeof name || t->n_values == 0) continue;
        memcpy(name, t->name.at, t->name.n);
        name[t->name.n] = 0;
        size_t rows = (size_t)(t->n_values / t->dims[0]);
        if (!allot_gguf_floats(g, name, rows, (size_t)t->dims[0], &numbers, &err)) free(numbers);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_gguf g;
    allot_err err = {0};
    allot_gguf_text text, *texts;
    size_t n_texts;
    long number;
    uint8_t *bytes = malloc(n ? n : 1);
    if (!bytes) return 0;
    if (n) memcpy(bytes, data, n);
    if (allot_gguf_parse(bytes, n, "fuzz", &g, &err)) {
        assert(err.code && err.msg[0]);
        free(bytes);
        return 0;
    }
    read_all(&g);
    (void)!allot_gguf_string(&g, "general.architecture", &text, &err);
    (void)!allot_gguf_int(&g, "llama.context_length", 1, 4096, &number, &err);
    if (!allot_gguf_strings(&g, "tokenizer.ggml.tokens", &texts, &n_texts, &err)) free(texts);
    allot_gguf_clear(&g);
    return 0;
}
