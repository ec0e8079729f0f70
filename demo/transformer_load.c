/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a transformer's dimensions and tensors from a GGUF file. Limits keep a hostile file from
 * asking for absurd amounts of memory before its tensors contradict it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/transformer.h"
#include "liballot/mem.h"

static allot_code wrong_shape(const allot_gguf *g, const char *what, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT, "cannot use '%s': %s", g->path, what);
}

static allot_code take_int(const allot_gguf *g, const char *name, long min, long max, int *out,
                           allot_err *err)
{
    char key[64];
    long x = 0;
    snprintf(key, sizeof key, "llama.%s", name);
    allot_code code = allot_gguf_int(g, key, min, max, &x, err);
    *out = (int)x;
    return code;
}

static allot_code take_dimensions(const allot_gguf *g, allot_transformer *m, double *base,
                                  allot_err *err)
{
    allot_gguf_text arch;
    double eps = 0;
    allot_code code = allot_gguf_string(g, "general.architecture", &arch, err);
    if (code != ALLOT_OK) return code;
    if (arch.n != 5 || memcmp(arch.at, "llama", 5) != 0)
        return wrong_shape(g, "its architecture is not 'llama'", err);
    if ((code = take_int(g, "block_count", 1, 256, &m->n_layer, err)) != ALLOT_OK ||
        (code = take_int(g, "embedding_length", 8, 8192, &m->n_embd, err)) != ALLOT_OK ||
        (code = take_int(g, "attention.head_count", 1, 256, &m->n_head, err)) != ALLOT_OK ||
        (code = take_int(g, "feed_forward_length", 1, 65536, &m->n_ff, err)) != ALLOT_OK ||
        (code = take_int(g, "context_length", 1, 16384, &m->n_ctx, err)) != ALLOT_OK)
        return code;
    m->n_kv = m->n_head;
    if (allot_gguf_find(g, "llama.attention.head_count_kv") != NULL)
        code = take_int(g, "attention.head_count_kv", 1, m->n_head, &m->n_kv, err);
    m->head_dim = m->n_embd / m->n_head;
    m->n_rot = m->head_dim;
    if (code == ALLOT_OK && allot_gguf_find(g, "llama.rope.dimension_count") != NULL)
        code = take_int(g, "rope.dimension_count", 2, m->head_dim, &m->n_rot, err);
    *base = 10000;
    if (code == ALLOT_OK && allot_gguf_find(g, "llama.rope.freq_base") != NULL)
        code = allot_gguf_number(g, "llama.rope.freq_base", 1, 1e9, base, err);
    if (code == ALLOT_OK)
        code = allot_gguf_number(g, "llama.attention.layer_norm_rms_epsilon", 0, 1, &eps, err);
    if (code != ALLOT_OK) return code;
    m->eps = (float)eps;
    m->ff_padded = allot_kernels_panels((size_t)m->n_ff) * ALLOT_PANEL;
    if (m->n_embd % m->n_head != 0 || m->head_dim % ALLOT_LANES != 0 || m->n_rot % 2 != 0 ||
        m->n_head % m->n_kv != 0)
        return wrong_shape(g,
                           "its head size must be a multiple of 8, and its heads of its kv "
                           "heads",
                           err);
    return ALLOT_OK;
}

/* Adds tensor `name` [n][k] to a packed matrix from output `first` on. */
static allot_code pack(const allot_gguf *g, const char *name, size_t n, size_t k, size_t first,
                       float *out, allot_err *err)
{
    float *w = NULL;
    allot_code code = allot_gguf_floats(g, name, n, k, &w, err);
    if (code == ALLOT_OK) allot_kernels_pack(w, n, k, first, out);
    free(w);
    return code;
}

/* Room for n outputs of k inputs. */
static float *packed(size_t n, size_t k, allot_err *err)
{
    return allot_kernels_floats((size_t)allot_kernels_panels(n) * ALLOT_PANEL * k, err);
}

static const char *in_layer(char *name, int layer, const char *tensor)
{
    snprintf(name, 64, "blk.%d.%s.weight", layer, tensor);
    return name;
}

static allot_code take_layer(const allot_gguf *g, allot_transformer *m, int i, allot_err *err)
{
    allot_layer *l = &m->layers[i];
    size_t d = (size_t)m->n_embd, f = (size_t)m->n_ff, padded = (size_t)m->ff_padded;
    size_t q = (size_t)m->n_head * (size_t)m->head_dim, kv = (size_t)m->n_kv * (size_t)m->head_dim;
    char name[64];
    allot_code code;
    /* The first tensor of the layer has to exist before the others get memory. */
    code = allot_gguf_floats(g, in_layer(name, i, "attn_norm"), 1, d, &l->attn_norm, err);
    if (code == ALLOT_OK)
        code = allot_gguf_floats(g, in_layer(name, i, "ffn_norm"), 1, d, &l->ffn_norm, err);
    if (code != ALLOT_OK) return code;
    l->qkv = packed(q + 2 * kv, d, err);
    l->attn_out = packed(d, q, err);
    l->gate_up = packed(2 * padded, d, err);
    l->down = packed(d, f, err);
    if (l->qkv == NULL || l->attn_out == NULL || l->gate_up == NULL || l->down == NULL)
        return ALLOT_ERUNTIME;
    const struct {
        const char *tensor;
        size_t n, k, first;
        float *to;
    } parts[] = {{"attn_q", q, d, 0, l->qkv},       {"attn_k", kv, d, q, l->qkv},
                 {"attn_v", kv, d, q + kv, l->qkv}, {"attn_output", d, q, 0, l->attn_out},
                 {"ffn_gate", f, d, 0, l->gate_up}, {"ffn_up", f, d, padded, l->gate_up},
                 {"ffn_down", d, f, 0, l->down}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts && code == ALLOT_OK; p++)
        code = pack(g, in_layer(name, i, parts[p].tensor), parts[p].n, parts[p].k, parts[p].first,
                    parts[p].to, err);
    return code;
}

/* The scoring head of a reward model; a generator has none. */
static allot_code take_score(const allot_gguf *g, allot_transformer *m, allot_err *err)
{
    const allot_gguf_tensor *t = allot_gguf_find_tensor(g, "cls.output.weight");
    float *bias = NULL;
    if (t == NULL) return ALLOT_OK;
    if (t->dims[1] < 2 || t->dims[1] > ALLOT_PANEL)
        return wrong_shape(g, "its scoring head does not have 2 to 16 outputs", err);
    m->n_scores = (int)t->dims[1];
    m->score = packed((size_t)m->n_scores, (size_t)m->n_embd, err);
    if (m->score == NULL) return ALLOT_ERUNTIME;
    allot_code code =
        pack(g, "cls.output.weight", (size_t)m->n_scores, (size_t)m->n_embd, 0, m->score, err);
    if (code != ALLOT_OK || allot_gguf_find_tensor(g, "cls.output.bias") == NULL) return code;
    code = allot_gguf_floats(g, "cls.output.bias", 1, (size_t)m->n_scores, &bias, err);
    if (code == ALLOT_OK) memcpy(m->score_bias, bias, (size_t)m->n_scores * sizeof *bias);
    free(bias);
    return code;
}

/* The language model that a reward model may begin with. */
static allot_code take_lm(const allot_gguf *g, allot_transformer *m, allot_err *err)
{
    const size_t d = (size_t)m->n_embd;
    double most = 0;
    if (allot_gguf_find(g, "allot.lm_block_count") == NULL) return ALLOT_OK;
    if (m->n_scores == 0 || allot_gguf_find(g, "allot.newline_token_id") == NULL)
        return wrong_shape(g,
                           "it has 'allot.lm_block_count', but no scoring head or no "
                           "'allot.newline_token_id'",
                           err);
    long layers = 0;
    allot_code code = allot_gguf_int(g, "allot.lm_block_count", 1, m->n_layer - 1, &layers, err);
    if (code == ALLOT_OK)
        code = allot_gguf_number(g, "allot.lm_max_surprise", 1e-3, 1e3, &most, err);
    if (code == ALLOT_OK)
        code = allot_gguf_floats(g, "lm.output_norm.weight", 1, d, &m->lm_norm, err);
    if (code == ALLOT_OK)
        code = allot_gguf_floats(g, "lm.surprise.weight", 1, d, &m->lm_surprise, err);
    m->lm_layers = (int)layers;
    m->lm_most = (float)most;
    return code;
}

/* The logits' matrix: its own, or the embedding's when the file ties them. */
static allot_code take_output(const allot_gguf *g, allot_transformer *m, allot_err *err)
{
    const char *name =
        allot_gguf_find_tensor(g, "output.weight") ? "output.weight" : "token_embd.weight";
    m->output = packed((size_t)m->n_vocab, (size_t)m->n_embd, err);
    if (m->output == NULL) return ALLOT_ERUNTIME;
    return pack(g, name, (size_t)m->n_vocab, (size_t)m->n_embd, 0, m->output, err);
}

static allot_code make_rope(allot_transformer *m, double base, allot_err *err)
{
    m->rope = allot_mem_array((size_t)m->n_ctx * (size_t)m->n_rot, sizeof *m->rope, err);
    if (m->rope == NULL) return ALLOT_ERUNTIME;
    for (int p = 0; p < m->n_ctx; p++) {
        for (int i = 0; i < m->n_rot; i += 2) {
            double angle = p * pow(base, -(double)i / m->n_rot);
            float *at = m->rope + (size_t)p * (size_t)m->n_rot + i;
            at[0] = (float)cos(angle);
            at[1] = (float)sin(angle);
        }
    }
    return ALLOT_OK;
}

static allot_code load(const allot_gguf *g, allot_transformer *m, allot_err *err)
{
    double base;
    allot_code code = take_dimensions(g, m, &base, err);
    if (code != ALLOT_OK) return code;
    const allot_gguf_tensor *t = allot_gguf_find_tensor(g, "token_embd.weight");
    if (t == NULL || t->dims[1] > 65536)
        return wrong_shape(g, "tensor 'token_embd.weight' is missing or has over 65536 rows", err);
    m->n_vocab = (int)t->dims[1];
    code = allot_gguf_floats(g, "token_embd.weight", (size_t)m->n_vocab, (size_t)m->n_embd,
                             &m->embedding, err);
    if (code == ALLOT_OK)
        code = allot_gguf_floats(g, "output_norm.weight", 1, (size_t)m->n_embd, &m->out_norm, err);
    if (code != ALLOT_OK) return code;
    m->layers = allot_mem_array((size_t)m->n_layer, sizeof *m->layers, err);
    if (m->layers == NULL) return ALLOT_ERUNTIME;
    for (int i = 0; i < m->n_layer && code == ALLOT_OK; i++)
        code = take_layer(g, m, i, err);
    if (code == ALLOT_OK) code = take_score(g, m, err);
    if (code == ALLOT_OK) code = take_lm(g, m, err);
    if (code == ALLOT_OK) code = take_output(g, m, err);
    if (code == ALLOT_OK) code = make_rope(m, base, err);
    return code;
}

allot_code allot_transformer_load(const allot_gguf *g, allot_transformer *m, allot_err *err)
{
    memset(m, 0, sizeof *m);
    m->kernels = allot_kernels_best();
    allot_code code = load(g, m, err);
    if (code != ALLOT_OK) allot_transformer_clear(m);
    return code;
}
