/* SPDX-License-Identifier: Apache-2.0 */
/* transformer.h - a decoder of the llama architecture: RMSNorm, rotary positions (interleaved
 * pairs), grouped attention, SwiGLU. Weights come from a GGUF file and are packed for the kernels.
 * Symbols: D n_embd, F n_ff, V n_vocab. Works on a tile: a few rows, each one token of some
 * sequence at some position, taken through all layers by one thread. */
#ifndef ALLOT_TRANSFORMER_H
#define ALLOT_TRANSFORMER_H
#include <stdint.h>
#include "demo/gguf.h"
#include "demo/kernels.h"
#include "liballot/err.h"

#define ALLOT_TILE_ROWS 64

typedef struct {
    float *attn_norm; /* owned [D], as all below */
    float *qkv;       /* packed: queries, keys, values behind each other */
    float *attn_out;  /* packed */
    float *ffn_norm;  /* [D] */
    float *gate_up;   /* packed: gates, padded to a panel, then ups */
    float *down;      /* packed */
} allot_layer;

typedef struct {
    const allot_kernels *kernels;
    int n_layer, n_embd, n_head, n_kv, head_dim, n_ff, n_vocab;
    int n_ctx;     /* most tokens of a sequence */
    int n_rot;     /* rotated dimensions of a head, even */
    int n_scores;  /* outputs of the scoring head: 2, or 0 when the file has none */
    int ff_padded; /* n_ff rounded up to a panel */
    float eps;
    float *embedding;    /* owned [V][D] */
    allot_layer *layers; /* owned [n_layer] */
    float *out_norm;     /* owned [D] */
    float *output; /* owned, packed: D inputs, V outputs; NULL in a scoring model without it */
    float *score;  /* owned, packed: D inputs, n_scores outputs */
    float score_bias[ALLOT_PANEL];
    int lm_layers;      /* a scoring model may begin as a language model of this many layers, which
                           says how unexpected each token was; 0: none does */
    float *lm_norm;     /* owned [D]: of the language model's last states */
    float *lm_surprise; /* owned [D]: added to these, times the surprise */
    float lm_most;      /* the surprise's limit, > 0 */
    float *rope;        /* owned [n_ctx][n_rot / 2][2]: cosine, sine */
} allot_transformer;

ALLOT_MUST_CHECK allot_code allot_transformer_load(const allot_gguf *g, allot_transformer *m,
                                                   allot_err *err);
void allot_transformer_clear(allot_transformer *m);

/* Floats of a KV block: 8 positions of all layers, and what else is known of them. */
size_t allot_transformer_block_floats(const allot_transformer *m);
/* Of one of a block's positions: [1 + n_scores], its surprise and, at a step token, its scores.
 * Kept there by the engine, so that a text is not read again for what was told of its beginning. */
float *allot_transformer_told(const allot_transformer *m, float *block, int position);
/* Logits are written in rows of this many floats. */
size_t allot_transformer_logits_stride(const allot_transformer *m);

typedef struct {
    int32_t token;
    int position;         /* 0-based; keys and values of all earlier positions exist, or are in
                             earlier rows of the same tile */
    float *const *blocks; /* KV blocks of the sequence up to this position */
    int want;             /* 1: the final hidden state of this row is needed */
    float *surprise;      /* -log p of the token, written by the row before; with lm_layers only */
    int32_t next;         /* the token whose surprise is to be written behind it, or -1 */
} allot_row;

/* Working memory of one thread for one model. */
typedef struct {
    float *memory; /* owned; the rest points into it */
    float *x, *norm, *wide, *heads, *scores;
    float *hidden; /* [ALLOT_TILE_ROWS][D] result: normalised last states of the wanted rows */
    float *logits; /* [ALLOT_TILE_ROWS][logits_stride] room for the caller's use */
} allot_scratch;

ALLOT_MUST_CHECK allot_code allot_scratch_init(allot_scratch *s, const allot_transformer *m,
                                               allot_err *err);
void allot_scratch_clear(allot_scratch *s);

/* Takes rows[n], n <= ALLOT_TILE_ROWS, through all layers: stores their keys and values in their
 * blocks and leaves the hidden states of the wanted rows, in order, in s->hidden. */
void allot_transformer_run(const allot_transformer *m, const allot_row *rows, int n,
                           allot_scratch *s);
/* Logits of the first n rows of s->hidden into s->logits. */
void allot_transformer_logits(const allot_transformer *m, int n, allot_scratch *s);
/* Softmaxed scores of row i of s->hidden into out[n_scores]. */
void allot_transformer_scores(const allot_transformer *m, int i, allot_scratch *s, float *out);
#endif
