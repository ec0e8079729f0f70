/* SPDX-License-Identifier: Apache-2.0 */
/* The forward pass over a tile of rows: norms, attention, feed-forward, and what is told of each
 * row. */
#include "demo/transformer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "liballot/mem.h"

static size_t qkv_width(const allot_transformer *m)
{
    return (size_t)(m->n_head + 2 * m->n_kv) * (size_t)m->head_dim;
}

/* Widest row between two products: queries with keys and values, or gates with ups; in panels. */
static size_t wide_width(const allot_transformer *m)
{
    size_t qkv = (size_t)allot_kernels_panels(qkv_width(m)) * ALLOT_PANEL;
    size_t ff = 2 * (size_t)m->ff_padded;
    return qkv > ff ? qkv : ff;
}

static size_t embd_width(const allot_transformer *m)
{
    return (size_t)allot_kernels_panels((size_t)m->n_embd) * ALLOT_PANEL;
}

size_t allot_transformer_logits_stride(const allot_transformer *m)
{
    return (size_t)allot_kernels_panels((size_t)m->n_vocab) * ALLOT_PANEL;
}

/* Of a block: [layer][keys, values][kv head][8 * head_dim], then [8][1 + n_scores]. */
static size_t told_offset(const allot_transformer *m)
{
    return (size_t)m->n_layer * 2 * (size_t)m->n_kv * (size_t)m->head_dim * ALLOT_LANES;
}

static size_t told_width(const allot_transformer *m)
{
    return m->n_scores > 0 ? 1 + (size_t)m->n_scores : 0;
}

size_t allot_transformer_block_floats(const allot_transformer *m)
{
    return told_offset(m) + ALLOT_LANES * told_width(m);
}

float *allot_transformer_told(const allot_transformer *m, float *block, int position)
{
    return block + told_offset(m) + (size_t)(position % ALLOT_LANES) * told_width(m);
}

static size_t kv_offset(const allot_transformer *m, int layer, int values, int head)
{
    size_t heads = ((size_t)layer * 2 + (size_t)values) * (size_t)m->n_kv + (size_t)head;
    return heads * (size_t)m->head_dim * ALLOT_LANES;
}

allot_code allot_scratch_init(allot_scratch *s, const allot_transformer *m, allot_err *err)
{
    const size_t rows = ALLOT_TILE_ROWS;
    size_t heads = (size_t)m->n_head * (size_t)m->head_dim;
    size_t scores = (size_t)m->n_head * (((size_t)m->n_ctx + 31) / 32 * 32);
    size_t per_row = 3 * embd_width(m) + wide_width(m) + heads + allot_transformer_logits_stride(m);
    memset(s, 0, sizeof *s);
    s->memory = allot_kernels_floats(rows * per_row + scores, err);
    if (s->memory == NULL) return ALLOT_ERUNTIME;
    s->x = s->memory;
    s->norm = s->x + rows * embd_width(m);
    s->hidden = s->norm + rows * embd_width(m);
    s->wide = s->hidden + rows * embd_width(m);
    s->heads = s->wide + rows * wide_width(m);
    s->logits = s->heads + rows * heads;
    s->scores = s->logits + rows * allot_transformer_logits_stride(m);
    return ALLOT_OK;
}

void allot_scratch_clear(allot_scratch *s)
{
    free(s->memory);
    memset(s, 0, sizeof *s);
}

/* Rotates the pairs (2i, 2i + 1) of one head by position * base^(-2i / n_rot). */
static void rotate(const allot_transformer *m, float *x, int position)
{
    const float *turn = m->rope + (size_t)position * (size_t)m->n_rot;
    for (int i = 0; i < m->n_rot; i += 2) {
        float a = x[i], b = x[i + 1];
        x[i] = a * turn[i] - b * turn[i + 1];
        x[i + 1] = a * turn[i + 1] + b * turn[i];
    }
}

/* Rotates queries and keys of a row; keys go into the block transposed, values as they are. */
static void store_row(const allot_transformer *m, int layer, const allot_row *row, float *qkv)
{
    const int size = m->head_dim, at = row->position % ALLOT_LANES;
    float *block = row->blocks[row->position / ALLOT_LANES];
    float *k = qkv + m->n_head * size, *v = k + m->n_kv * size;
    for (int h = 0; h < m->n_head; h++)
        rotate(m, qkv + h * size, row->position);
    for (int h = 0; h < m->n_kv; h++, k += size, v += size) {
        float *to = block + kv_offset(m, layer, 0, h) + at;
        rotate(m, k, row->position);
        for (int d = 0; d < size; d++)
            to[d * ALLOT_LANES] = k[d];
        memcpy(block + kv_offset(m, layer, 1, h) + (size_t)(at * size), v,
               (size_t)size * sizeof *v);
    }
}

static void attend_row(const allot_transformer *m, int layer, const allot_row *row,
                       const float *qkv, allot_scratch *s, float *out)
{
    allot_attention a = {.q = qkv,
                         .blocks = row->blocks,
                         .k_offset = kv_offset(m, layer, 0, 0),
                         .v_offset = kv_offset(m, layer, 1, 0),
                         .n_head = m->n_head,
                         .n_kv = m->n_kv,
                         .head_dim = m->head_dim,
                         .n = row->position + 1,
                         .scale = 1.0f / sqrtf((float)m->head_dim),
                         .scores = s->scores,
                         .out = out};
    m->kernels->attend(&a);
}

static void norm_rows(const allot_transformer *m, const float *x, const float *w, int n, float *out)
{
    const size_t width = embd_width(m);
    for (int r = 0; r < n; r++)
        m->kernels->rms_norm(x + (size_t)r * width, w, m->n_embd, m->eps, out + (size_t)r * width);
}

/* The keys and values of all rows of the tile are stored before the first row attends, so rows of
 * one sequence may follow each other in a tile. */
static void attention(const allot_transformer *m, int layer, const allot_row *rows, int n,
                      allot_scratch *s)
{
    const allot_layer *l = &m->layers[layer];
    const allot_kernels *k = m->kernels;
    const size_t width = embd_width(m), wide = wide_width(m);
    const size_t heads = (size_t)m->n_head * (size_t)m->head_dim;
    norm_rows(m, s->x, l->attn_norm, n, s->norm);
    k->product(s->norm, width, n, m->n_embd, l->qkv, allot_kernels_panels(qkv_width(m)), s->wide,
               wide, 0);
    for (int r = 0; r < n; r++)
        store_row(m, layer, &rows[r], s->wide + (size_t)r * wide);
    for (int r = 0; r < n; r++)
        attend_row(m, layer, &rows[r], s->wide + (size_t)r * wide, s, s->heads + (size_t)r * heads);
    k->product(s->heads, heads, n, (int)heads, l->attn_out, (int)(width / ALLOT_PANEL), s->x, width,
               1);
}

static void feed_forward(const allot_transformer *m, int layer, int n, allot_scratch *s)
{
    const allot_layer *l = &m->layers[layer];
    const allot_kernels *k = m->kernels;
    const size_t width = embd_width(m), wide = wide_width(m), ff = (size_t)m->ff_padded;
    norm_rows(m, s->x, l->ffn_norm, n, s->norm);
    k->product(s->norm, width, n, m->n_embd, l->gate_up, (int)(2 * ff / ALLOT_PANEL), s->wide, wide,
               0);
    for (int r = 0; r < n; r++) {
        float *gate = s->wide + (size_t)r * wide;
        k->swiglu(gate, gate + ff, m->ff_padded, gate);
    }
    k->product(s->wide, wide, n, m->n_ff, l->down, (int)(width / ALLOT_PANEL), s->x, width, 1);
}

/* Where the language model of a reward model ends: its last states, each row also saying how
 * unexpected the token behind it is and taking in how unexpected its own was, go on. */
static void take_surprises(const allot_transformer *m, const allot_row *rows, int n,
                           allot_scratch *s)
{
    const size_t width = embd_width(m), stride = allot_transformer_logits_stride(m);
    norm_rows(m, s->x, m->lm_norm, n, s->x);
    m->kernels->product(s->x, width, n, m->n_embd, m->output, (int)(stride / ALLOT_PANEL),
                        s->logits, stride, 0);
    for (int r = 0; r < n; r++) {
        if (rows[r].next < 0) continue;
        float *weights = s->logits + (size_t)r * stride;
        float sum = m->kernels->softmax_weights(weights, m->n_vocab, 1.0f);
        float surprise = -logf(weights[rows[r].next] / sum); /* infinite for a weight of 0 */
        rows[r].surprise[1] = surprise < m->lm_most ? surprise : m->lm_most;
    }
    for (int r = 0; r < n; r++) {
        float *x = s->x + (size_t)r * width;
        for (int i = 0; i < m->n_embd; i++)
            x[i] += *rows[r].surprise * m->lm_surprise[i];
    }
}

void allot_transformer_run(const allot_transformer *m, const allot_row *rows, int n,
                           allot_scratch *s)
{
    const size_t width = embd_width(m), d = (size_t)m->n_embd;
    for (int r = 0; r < n; r++)
        memcpy(s->x + (size_t)r * width, m->embedding + (size_t)rows[r].token * d,
               d * sizeof *s->x);
    for (int layer = 0; layer < m->n_layer; layer++) {
        if (m->lm_layers > 0 && layer == m->lm_layers) take_surprises(m, rows, n, s);
        attention(m, layer, rows, n, s);
        feed_forward(m, layer, n, s);
    }
    float *to = s->hidden;
    for (int r = 0; r < n; r++) {
        if (!rows[r].want) continue;
        m->kernels->rms_norm(s->x + (size_t)r * width, m->out_norm, m->n_embd, m->eps, to);
        to += d;
    }
}

void allot_transformer_logits(const allot_transformer *m, int n, allot_scratch *s)
{
    size_t stride = allot_transformer_logits_stride(m);
    m->kernels->product(s->hidden, (size_t)m->n_embd, n, m->n_embd, m->output,
                        (int)(stride / ALLOT_PANEL), s->logits, stride, 0);
}

void allot_transformer_scores(const allot_transformer *m, int i, allot_scratch *s, float *out)
{
    float x[ALLOT_PANEL];
    m->kernels->product(s->hidden + (size_t)i * (size_t)m->n_embd, (size_t)m->n_embd, 1, m->n_embd,
                        m->score, 1, x, ALLOT_PANEL, 0);
    for (int j = 0; j < m->n_scores; j++)
        x[j] += m->score_bias[j];
    float sum = m->kernels->softmax_weights(x, m->n_scores, 1.0f);
    for (int j = 0; j < m->n_scores; j++)
        out[j] = x[j] / sum;
}

void allot_transformer_clear(allot_transformer *m)
{
    for (int i = 0; m->layers != NULL && i < m->n_layer; i++) {
        allot_layer *l = &m->layers[i];
        free(l->attn_norm);
        free(l->qkv);
        free(l->attn_out);
        free(l->ffn_norm);
        free(l->gate_up);
        free(l->down);
    }
    free(m->layers);
    free(m->embedding);
    free(m->out_norm);
    free(m->output);
    free(m->score);
    free(m->lm_norm);
    free(m->lm_surprise);
    free(m->rope);
    memset(m, 0, sizeof *m);
}
