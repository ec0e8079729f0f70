# SPDX-License-Identifier: Apache-2.0
"""GGUF files of tinymath, as llama.cpp reads them: version 3, float32 and float16."""
import struct

import numpy as np
import torch

from tinymath_model import (BOS, CONTEXT, D, EOS, EPS, F, FIRST_CHARACTER, H, HEAD, L,
                            MAX_SURPRISE, NEWLINE, ROPE_BASE, TOKENS, UNK, V, Model)

GGUF_U32, GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY, GGUF_I32 = 4, 6, 7, 8, 9, 5
ALIGNMENT = 32


def gguf_string(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(kind, v):
    if kind == GGUF_STRING:
        return gguf_string(v)
    return struct.pack({GGUF_U32: "<I", GGUF_F32: "<f", GGUF_BOOL: "<?", GGUF_I32: "<i"}[kind], v)


def gguf_pair(key, kind, v):
    return gguf_string(key) + struct.pack("<I", kind) + gguf_value(kind, v)


def gguf_list(key, kind, items):
    return (gguf_string(key) + struct.pack("<IIQ", GGUF_ARRAY, kind, len(items))
            + b"".join(gguf_value(kind, v) for v in items))


def tensors_of(model):
    """(name, parameter) of each tensor."""
    out = [("token_embd.weight", model.e), ("output_norm.weight", model.n),
           ("output.weight", model.out)]
    if hasattr(model, "cls"):
        out += [("cls.output.weight", model.cls), ("lm.output_norm.weight", model.lm_n),
                ("lm.surprise.weight", model.surprise)]
    for i, b in enumerate(model.b):
        for name, w in (("attn_norm", b.n1), ("attn_q", b.q), ("attn_k", b.k), ("attn_v", b.v),
                        ("attn_output", b.o), ("ffn_norm", b.n2), ("ffn_gate", b.g),
                        ("ffn_up", b.u), ("ffn_down", b.d)):
            out.append(("blk.%d.%s.weight" % (i, name), w))
    return out


def stored(model, w):
    """The reward model's matrices are float16: with more layers it stays as small."""
    half = hasattr(model, "cls") and w.dim() > 1
    return w.detach().numpy().astype("<f2" if half else "<f4")


def save_gguf(path, model, name):
    # unknown, control, control, user-defined, bytes, normal
    types = [2, 3, 3, 4] + [6] * 256 + [1] * (V - FIRST_CHARACTER)
    pairs = [
        gguf_pair("general.architecture", GGUF_STRING, "llama"),
        gguf_pair("general.name", GGUF_STRING, name),
        gguf_pair("general.license", GGUF_STRING, "apache-2.0"),
        gguf_pair("general.alignment", GGUF_U32, ALIGNMENT),
        gguf_pair("general.file_type", GGUF_U32, 1 if hasattr(model, "cls") else 0),
        gguf_pair("llama.context_length", GGUF_U32, CONTEXT),
        gguf_pair("llama.embedding_length", GGUF_U32, D),
        gguf_pair("llama.block_count", GGUF_U32, len(model.b)),
        gguf_pair("llama.feed_forward_length", GGUF_U32, F),
        gguf_pair("llama.attention.head_count", GGUF_U32, H),
        gguf_pair("llama.attention.head_count_kv", GGUF_U32, H),
        gguf_pair("llama.attention.layer_norm_rms_epsilon", GGUF_F32, EPS),
        gguf_pair("llama.rope.dimension_count", GGUF_U32, HEAD),
        gguf_pair("llama.rope.freq_base", GGUF_F32, ROPE_BASE),
        gguf_pair("llama.vocab_size", GGUF_U32, V),
        gguf_pair("tokenizer.ggml.model", GGUF_STRING, "llama"),
        gguf_list("tokenizer.ggml.tokens", GGUF_STRING, TOKENS),
        gguf_list("tokenizer.ggml.scores", GGUF_F32, [0.0] * V),
        gguf_list("tokenizer.ggml.token_type", GGUF_I32, types),
        gguf_pair("tokenizer.ggml.bos_token_id", GGUF_U32, BOS),
        gguf_pair("tokenizer.ggml.eos_token_id", GGUF_U32, EOS),
        gguf_pair("tokenizer.ggml.unknown_token_id", GGUF_U32, UNK),
        gguf_pair("tokenizer.ggml.add_bos_token", GGUF_BOOL, True),
        gguf_pair("tokenizer.ggml.add_eos_token", GGUF_BOOL, False),
        gguf_pair("tokenizer.ggml.add_space_prefix", GGUF_BOOL, False),
    ]
    if hasattr(model, "cls"):
        pairs += [gguf_pair("allot.lm_block_count", GGUF_U32, L),
                  gguf_pair("allot.lm_max_surprise", GGUF_F32, MAX_SURPRISE),
                  gguf_pair("allot.newline_token_id", GGUF_U32, NEWLINE)]
    tensors = [(n, stored(model, w)) for n, w in tensors_of(model)]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(pairs)) + b"".join(pairs)
    offset, infos, data = 0, b"", b""
    for n, a in tensors:
        infos += gguf_string(n) + struct.pack("<I", a.ndim)
        infos += b"".join(struct.pack("<Q", s) for s in reversed(a.shape))
        infos += struct.pack("<IQ", a.dtype == "<f2", offset)
        raw = a.tobytes()
        raw += b"\0" * (-len(raw) % ALIGNMENT)
        data += raw
        offset += len(raw)
    head += infos
    head += b"\0" * (-len(head) % ALIGNMENT)
    with open(path, "wb") as f:
        f.write(head + data)


def load_gguf(path):
    """Reads what save_gguf writes; returns a Model."""
    raw = open(path, "rb").read()
    magic, version, n_tensors, n_pairs = struct.unpack_from("<4sIQQ", raw)
    assert magic == b"GGUF" and version == 3
    at = 24

    def text():
        nonlocal at
        n, = struct.unpack_from("<Q", raw, at)
        at += 8 + n
        return raw[at - n:at].decode()

    def skip(kind):
        nonlocal at
        if kind == GGUF_STRING:
            text()
        elif kind == GGUF_ARRAY:
            inner, n = struct.unpack_from("<IQ", raw, at)
            at += 12
            for _ in range(n):
                skip(inner)
        else:
            at += 1 if kind == GGUF_BOOL else 4

    for _ in range(n_pairs):
        text()
        kind, = struct.unpack_from("<I", raw, at)
        at += 4
        skip(kind)
    infos = []
    for _ in range(n_tensors):
        name = text()
        ndim, = struct.unpack_from("<I", raw, at)
        shape = struct.unpack_from("<%dQ" % ndim, raw, at + 4)[::-1]
        kind, offset = struct.unpack_from("<IQ", raw, at + 4 + 8 * ndim)
        assert kind in (0, 1)  # float32, float16
        at += 16 + 8 * ndim
        infos.append((name, shape, ("<f4", "<f2")[kind], offset))
    at += -at % ALIGNMENT
    arrays = {n: np.frombuffer(raw, dtype, int(np.prod(s)), at + o).reshape(s).astype("<f4")
              for n, s, dtype, o in infos}
    model = Model(2 if "cls.output.weight" in arrays else 0)
    with torch.no_grad():
        for name, w in tensors_of(model):
            w.copy_(torch.from_numpy(arrays[name]))
    return model
