/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the vocabulary into a hash table, and turns texts into tokens character by character. */
#include "demo/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "liballot/mem.h"

/* Token types of the format. */
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN, TYPE_CONTROL, TYPE_USER, TYPE_UNUSED, TYPE_BYTE };

#define SPACE "\xe2\x96\x81" /* U+2581 stands for a space inside the vocabulary */
#define MAX_TOKENS 65536

/* Bytes of the UTF-8 character at text, or 1 when it is malformed or cut off. */
static size_t char_size(const char *text, size_t n)
{
    unsigned char c = (unsigned char)text[0];
    size_t size = c < 0x80 ? 1 : c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
    if (size > n) return 1;
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) return 1;
    }
    return size;
}

static size_t hash_of(const char *text, size_t n)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 29);
}

static int32_t find(const allot_tokenizer *t, const char *text, size_t n)
{
    for (size_t i = hash_of(text, n);; i++) {
        int32_t id = t->hash[i & (t->hash_size - 1)];
        if (id < 0) return -1;
        if (t->tokens[id].n == n && memcmp(t->tokens[id].text, text, n) == 0) return id;
    }
}

static void put(allot_tokenizer *t, int32_t id)
{
    const allot_token *token = &t->tokens[id];
    if (find(t, token->text, token->n) >= 0) return; /* the lowest id of equal texts serves */
    size_t i = hash_of(token->text, token->n);
    while (t->hash[i & (t->hash_size - 1)] >= 0)
        i++;
    t->hash[i & (t->hash_size - 1)] = id;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static allot_code refuse(const allot_gguf *g, int32_t id, const char *what, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': token %d %s", g->path, (int)id, what);
}

/* One entry of the vocabulary: what it spells, by its type. */
static allot_code take_token(const allot_gguf *g, allot_tokenizer *t, int32_t id,
                             const allot_gguf_text *name, int32_t type, allot_err *err)
{
    allot_token *token = &t->tokens[id];
    if (name->n == 0 || name->n > 64 || memchr(name->at, 0, name->n) != NULL)
        return refuse(g, id, "is empty, longer than 64 bytes, or holds a zero byte", err);
    token->name = allot_mem_text(name->at, name->n, err);
    if (token->name == NULL) return ALLOT_ERUNTIME;
    if (type == TYPE_BYTE) {
        const char *s = name->at;
        if (name->n != 6 || memcmp(s, "<0x", 3) != 0 || hex(s[3]) < 0 || hex(s[4]) < 0)
            return refuse(g, id, "has type byte, but not the form '<0xNN>'", err);
        token->text[0] = (char)(hex(s[3]) * 16 + hex(s[4]));
        token->n = 1;
        t->bytes[(unsigned char)token->text[0]] = id;
    } else if (type == TYPE_NORMAL) {
        int space = name->n == 3 && memcmp(name->at, SPACE, 3) == 0;
        if (name->n > 4 || char_size(name->at, name->n) != name->n)
            return refuse(
                g, id, "is not one character; only character-level vocabularies are served", err);
        memcpy(token->text, space ? " " : name->at, space ? 1 : name->n);
        token->n = (uint8_t)(space ? 1 : name->n);
        put(t, id);
    } else {
        token->special = 1;
        if (strcmp(token->name, "<extra_0>") == 0) t->step = id;
    }
    return ALLOT_OK;
}

static allot_code take_vocabulary(const allot_gguf *g, allot_tokenizer *t,
                                  const allot_gguf_text *names, int32_t *types, allot_err *err)
{
    allot_code code = allot_gguf_int32s(g, "tokenizer.ggml.token_type", types, (size_t)t->n, err);
    for (int32_t id = 0; id < t->n && code == ALLOT_OK; id++)
        code = take_token(g, t, id, &names[id], types[id], err);
    if (code != ALLOT_OK) return code;
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        /* A vocabulary without byte tokens still has to write every byte: unknown. */
        if (t->bytes[i] < 0) t->bytes[i] = find(t, &c, 1);
        if (t->bytes[i] < 0) t->bytes[i] = t->unknown;
    }
    return ALLOT_OK;
}

static allot_code load(const allot_gguf *g, allot_tokenizer *t, const allot_gguf_text *names,
                       size_t n, allot_err *err)
{
    long bos, eos, unknown, prefix = -1;
    if (n < 1 || n > MAX_TOKENS)
        return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': %zu tokens, not 1..%d", g->path, n,
                          MAX_TOKENS);
    long last = (long)n - 1;
    allot_code code = allot_gguf_int(g, "tokenizer.ggml.bos_token_id", 0, last, &bos, err);
    if (code == ALLOT_OK)
        code = allot_gguf_int(g, "tokenizer.ggml.eos_token_id", 0, last, &eos, err);
    if (code == ALLOT_OK)
        code = allot_gguf_int(g, "tokenizer.ggml.unknown_token_id", 0, last, &unknown, err);
    if (code == ALLOT_OK)
        code = allot_gguf_bool(g, "tokenizer.ggml.add_space_prefix", 1, &t->add_space_prefix, err);
    if (code == ALLOT_OK && allot_gguf_find(g, "allot.newline_token_id") != NULL)
        code = allot_gguf_int(g, "allot.newline_token_id", 0, last, &prefix, err);
    if (code != ALLOT_OK) return code;
    t->newline = (int32_t)prefix;
    t->bos = (int32_t)bos;
    t->eos = (int32_t)eos;
    t->unknown = (int32_t)unknown;
    t->step = -1;
    t->n = (int32_t)n;
    t->hash_size = 4;
    while (t->hash_size < 2 * n)
        t->hash_size *= 2;
    t->tokens = allot_mem_array(n, sizeof *t->tokens, err);
    t->hash = allot_mem_array(t->hash_size, sizeof *t->hash, err);
    int32_t *types = allot_mem_array(n, sizeof *types, err);
    code = ALLOT_ERUNTIME;
    if (t->tokens != NULL && t->hash != NULL && types != NULL) {
        memset(t->hash, -1, t->hash_size * sizeof *t->hash);
        memset(t->bytes, -1, sizeof t->bytes);
        code = take_vocabulary(g, t, names, types, err);
    }
    free(types);
    return code;
}

allot_code allot_tokenizer_load(const allot_gguf *g, allot_tokenizer *t, allot_err *err)
{
    allot_gguf_text *names = NULL;
    size_t n = 0;
    memset(t, 0, sizeof *t);
    allot_code code = allot_gguf_strings(g, "tokenizer.ggml.tokens", &names, &n, err);
    if (code == ALLOT_OK) code = load(g, t, names, n, err);
    free(names);
    if (code != ALLOT_OK) allot_tokenizer_clear(t);
    return code;
}

void allot_tokenizer_clear(allot_tokenizer *t)
{
    for (int32_t i = 0; t->tokens != NULL && i < t->n; i++)
        free(t->tokens[i].name);
    free(t->tokens);
    free(t->hash);
    memset(t, 0, sizeof *t);
}

size_t allot_tokenizer_max(size_t n)
{
    return n + 2;
}

/* The special token whose name stands at text, or -1: all begin with '<', so this is rarely run. */
static int32_t special_at(const allot_tokenizer *t, const char *text, size_t n)
{
    for (int32_t id = 0; id < t->n; id++) {
        const allot_token *token = &t->tokens[id];
        if (!token->special) continue;
        size_t size = strlen(token->name);
        if (size <= n && memcmp(token->name, text, size) == 0) return id;
    }
    return -1;
}

size_t allot_tokenizer_encode(const allot_tokenizer *t, const char *text, size_t n, int add_bos,
                              int32_t *out)
{
    size_t count = 0;
    if (add_bos) out[count++] = t->bos;
    if (t->add_space_prefix && n > 0) {
        int32_t id = find(t, " ", 1);
        out[count++] = id >= 0 ? id : t->bytes[' '];
    }
    for (size_t i = 0; i < n;) {
        int32_t id = text[i] == '<' ? special_at(t, text + i, n - i) : -1;
        if (id >= 0) {
            if (id == t->step && t->newline >= 0) out[count++] = t->newline;
            out[count++] = id;
            i += strlen(t->tokens[id].name);
            continue;
        }
        size_t size = char_size(text + i, n - i);
        id = find(t, text + i, size);
        if (id >= 0) {
            out[count++] = id;
        } else {
            for (size_t j = 0; j < size; j++)
                out[count++] = t->bytes[(unsigned char)text[i + j]];
        }
        i += size;
    }
    return count;
}
