/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.h - character-level tokens: one token for each character of the vocabulary, byte tokens
 * for everything else, special tokens where their text stands literally. Every byte string can be
 * written in tokens, and the tokens of a text spell the text again. */
#ifndef ALLOT_TOKENIZER_H
#define ALLOT_TOKENIZER_H
#include <stddef.h>
#include <stdint.h>
#include "demo/gguf.h"
#include "liballot/err.h"

typedef struct {
    char text[12];   /* what the token spells: UTF-8, NUL-terminated, or one raw byte */
    uint8_t n;       /* bytes of text; 0 for special tokens, which spell nothing */
    uint8_t special; /* control or user-defined: left out of generated text */
    char *name;      /* owned; as in the file, e.g. "<extra_0>", for /tokenize */
} allot_token;

typedef struct {
    allot_token *tokens; /* owned [n] */
    int32_t n;
    int32_t bos, eos, unknown; /* ids */
    int32_t step;              /* id of "<extra_0>", or -1 */
    int32_t newline;           /* put in front of each step token; -1: nothing is */
    int32_t bytes[256];        /* id that spells one raw byte */
    int add_space_prefix;
    int32_t *hash;    /* owned [hash_size] of ids or -1: characters by their text */
    size_t hash_size; /* a power of two */
} allot_tokenizer;

ALLOT_MUST_CHECK allot_code allot_tokenizer_load(const allot_gguf *g, allot_tokenizer *t,
                                                 allot_err *err);
void allot_tokenizer_clear(allot_tokenizer *t);

/* The most tokens that a text of n bytes can have, with the one in front. */
size_t allot_tokenizer_max(size_t n);
/* Tokens of text[n] into out[allot_tokenizer_max(n)]; add_bos: the begin token in front. Returns
 * how many. */
size_t allot_tokenizer_encode(const allot_tokenizer *t, const char *text, size_t n, int add_bos,
                              int32_t *out);
#endif
