# SPDX-License-Identifier: Apache-2.0
"""tinymath: the tokenizer and the transformer (llama architecture), with a batched sampler.

Sizes: V tokens, D model width, L layers, H heads, F feed-forward width. Weights are [out, in].
"""
import math

import torch

D, L, H, F = 128, 4, 4, 344
EXTRA = 2
HEAD = D // H
CONTEXT = 512
EPS = 1e-5
ROPE_BASE = 10000.0
MAX_SURPRISE = 10.0
SPACE = "\u2581"  # SentencePiece writes a blank like this
UNK, BOS, EOS, STEP = 0, 1, 2, 3
FIRST_BYTE, FIRST_CHARACTER = 4, 260
NEWLINE = FIRST_BYTE + ord("\n")
CHARACTERS = "0123456789+-*=?:Q" + SPACE + "\\{}.Thanswerixbod"


def vocabulary():
    """4 special tokens, 256 bytes, then the characters of the language, each once."""
    return (["<unk>", "<s>", "</s>", "<extra_0>"] + ["<0x%02X>" % b for b in range(256)]
            + list(dict.fromkeys(CHARACTERS)))


TOKENS = vocabulary()
IDS = {t: i for i, t in enumerate(TOKENS)}
V = len(TOKENS)


def encode(text):
    """Character by character; what has no token of its own is written as its UTF-8 bytes."""
    ids = []
    for c in text:
        token = SPACE if c == " " else c
        ids += [IDS[token]] if token in IDS else [FIRST_BYTE + b for b in c.encode()]
    return ids


def decode(ids):
    raw = b""
    for i in ids:
        if i >= FIRST_CHARACTER:
            raw += TOKENS[i].replace(SPACE, " ").encode()
        elif i >= FIRST_BYTE:
            raw += bytes([i - FIRST_BYTE])
    return raw.decode(errors="replace")


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()

        def matrix(out, inner, scale=1.0):
            return torch.nn.Parameter(torch.randn(out, inner) * scale / math.sqrt(inner))
        self.n1 = torch.nn.Parameter(torch.ones(D))
        self.n2 = torch.nn.Parameter(torch.ones(D))
        self.q, self.k, self.v = matrix(D, D), matrix(D, D), matrix(D, D)
        self.o = matrix(D, D, 0.5)
        self.g, self.u = matrix(F, D), matrix(F, D)
        self.d = matrix(D, F, 0.5)

    def heads(self, x):
        """Queries, keys and values of x [B,T,D] as [B,H,T,HEAD], before the rotation."""
        y = norm(x, self.n1)
        return [(y @ w.t()).view(x.shape[0], x.shape[1], H, HEAD).transpose(1, 2)
                for w in (self.q, self.k, self.v)]

    def finish(self, x, attended):
        x = x + attended.transpose(1, 2).reshape(x.shape) @ self.o.t()
        y = norm(x, self.n2)
        return x + (torch.nn.functional.silu(y @ self.g.t()) * (y @ self.u.t())) @ self.d.t()


def norm(x, w):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * w


def rotate(x, position):
    """Rotary embedding over adjacent pairs (llama.cpp's NORM form) of x [B,H,T,HEAD]."""
    freq = ROPE_BASE ** (-torch.arange(0, HEAD, 2).float() / HEAD)
    a = position.float()[:, None] * freq
    c, s = a.cos(), a.sin()
    x0, x1 = x[..., 0::2], x[..., 1::2]
    return torch.stack([x0 * c - x1 * s, x0 * s + x1 * c], -1).flatten(-2)


class Model(torch.nn.Module):
    """classes = 0: the language model; 2: the reward model. That is the language model, whose last
    state of each token gets `surprise` times -log p(the token) added, then EXTRA layers that read
    these states, and a head over (bad, good)."""

    def __init__(self, classes=0):
        super().__init__()
        self.e = torch.nn.Parameter(torch.randn(V, D) * 0.05)
        self.b = torch.nn.ModuleList([Block() for _ in range(L + EXTRA if classes else L)])
        self.n = torch.nn.Parameter(torch.ones(D))
        self.out = torch.nn.Parameter(torch.randn(V, D) / math.sqrt(D))
        if classes:
            self.lm_n = torch.nn.Parameter(torch.ones(D))
            self.surprise = torch.nn.Parameter(torch.randn(D))
            self.cls = torch.nn.Parameter(torch.randn(classes, D) / math.sqrt(D))

    def hidden(self, tokens, keys=None, values=None):
        """[B,T] -> [B,T,D], after the last norm. Fills the caches [L][B,H,.,HEAD] if given."""
        length = tokens.shape[1]
        x = self.e[tokens]
        position = torch.arange(length)
        mask = torch.full((length, length), -1e30).triu(1)
        for i, b in enumerate(self.b):
            if i == L:
                x = norm(x, self.lm_n)
                x = x + self.surprises(x, tokens)[..., None] * self.surprise
            q, k, v = b.heads(x)
            q, k = rotate(q, position), rotate(k, position)
            if keys is not None:
                keys[i][:, :, :length], values[i][:, :, :length] = k, v
            x = b.finish(x, (q @ k.transpose(-1, -2) / math.sqrt(HEAD) + mask).softmax(-1) @ v)
        return norm(x, self.n)

    @torch.no_grad()
    def surprises(self, x, tokens):
        """-log p of each token after those before it, at most MAX_SURPRISE, and 0 in the first
        line, which is the question; x [B,T,D]: the language model's last states."""
        logits = x[:, :-1] @ self.out.t()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(),
                                                 reduction="none").view(len(x), -1)
        said = (tokens[:, :-1] == NEWLINE).cumsum(1) > 0
        return torch.nn.functional.pad(loss.clamp(max=MAX_SURPRISE) * said, (1, 0))

    def forward(self, tokens):
        return self.hidden(tokens) @ self.out.t()

    def next_logits(self, token, t, keys, values):
        """One decoding step: token [B] at position t; keys and values [L][B,H,T,HEAD] grow."""
        x = self.e[token][:, None]
        position = torch.tensor([t])
        for i, b in enumerate(self.b):
            q, k, v = b.heads(x)
            keys[i][:, :, t:t + 1], values[i][:, :, t:t + 1] = rotate(k, position), v
            a = rotate(q, position) @ keys[i][:, :, :t + 1].transpose(-1, -2) / math.sqrt(HEAD)
            x = b.finish(x, a.softmax(-1) @ values[i][:, :, :t + 1])
        return norm(x, self.n)[:, 0] @ self.out.t()


@torch.no_grad()
def sample(model, prompts, max_new, temperature, generator=None, block=256):
    """Continuations (ids without EOS, finished?) of prompts (lists of ids with BOS); temperature 0
    is greedy. Prompts of like length share a block."""
    out = [None] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for start in range(0, len(order), block):
        rows = order[start:start + block]
        results = sample_block(model, [prompts[i] for i in rows], max_new, temperature, generator)
        for i, r in zip(rows, results):
            out[i] = r
    return out


def sample_block(model, prompts, max_new, temperature, generator):
    """What all prompts have goes in at once; then all rows step together, position by position, the
    rest of the longer prompts forced."""
    first = torch.tensor([len(p) for p in prompts])
    end = (first + max_new).clamp(max=CONTEXT)  # one past the last token that is kept
    total = int(end.max())
    text = torch.zeros(len(prompts), total, dtype=torch.long)
    for i, p in enumerate(prompts):
        text[i, :len(p)] = torch.tensor(p)
    finished = torch.zeros(len(prompts), dtype=torch.bool)
    rows = torch.arange(len(prompts))  # those still in the batch
    keys, values = ([torch.zeros(len(prompts), H, total, HEAD) for _ in range(L)]
                    for _ in range(2))
    start = int(first.min()) - 1
    if start > 0:
        model.hidden(text[:, :start], keys, values)
    for t in range(start, total - 1):
        logits = model.next_logits(text[rows, t], t, keys, values)
        drawn = logits.argmax(-1) if temperature == 0 else torch.multinomial(
            (logits / temperature).softmax(-1), 1, generator=generator)[:, 0]
        asked = (t + 1 >= first[rows]) & ~finished[rows] & (t + 1 < end[rows])
        text[rows[asked], t + 1] = drawn[asked]
        stopped = rows[asked & (drawn == EOS)]
        end[stopped], finished[stopped] = t + 1, True
        alive = ~finished[rows] & (t + 2 < end[rows])
        if not bool(alive.any()):
            break
        if alive.sum() < 0.8 * len(rows):
            rows = rows[alive]
            keys, values = [k[alive] for k in keys], [v[alive] for v in values]
    return [(text[i, len(p):int(end[i])].tolist(), bool(finished[i]))
            for i, p in enumerate(prompts)]
