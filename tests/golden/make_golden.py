#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes probe_golden.json: the probe as PyTorch computes it, on materialised rows.

usage: python3 tests/golden/make_golden.py tests/golden/probe_golden.json   (made with torch 1.13)

Inputs are float32; everything is computed in float64, so the stated tolerance (1e-5 relative to the
largest number of an array) is that of the C code's float32; ten times that after steps of Adam,
which divides each gradient by its own size, so that the rounding of small ones shows. Two cases: the default feature layout
and the paper's. Each has embeddings, weights, soft labels and cell weights; logits; the weighted
mean BCE and its gradients; the parameters after 3 steps of Adam (lr 0.01) and of AdamW (lr 0.01,
weight_decay 0.1).
"""
import json
import math
import sys

import numpy as np
import torch

METHODS = {"default": ["single", "majority", "bon", "weighted", "beam"],
           "paper": ["beam", "majority", "bon", "weighted"]}
CASES = {
    "default": ["single", "majority@8", "bon@4;agg=min", "weighted@16", "beam@8x4x20",
                "beam@8x4x20;final=vote", 'named:"other"'],
    "paper": ["majority@2", "bon@32", "weighted@8", "beam@16x2x40"],
}
D, H1, H2, Q = 37, 9, 6, 5


def strategy_features(layout, texts):
    """Rows of strategy features, written from the description in liballot/features.h."""
    named = [t for t in texts if t.startswith("named:")]
    options = ["agg=min", "agg=prod", "agg=mean", "final=vote"]
    options = [o for o in options if any(o in t.split(";") for t in texts)]
    rows = []
    for t in texts:
        method = t.split(":")[0].split("@")[0].split(";")[0]
        numbers = [1, 1, 1]
        if "@" in t:
            for i, n in enumerate(t.split("@")[1].split(";")[0].split("x")):
                numbers[i] = int(n)
        if layout == "default":
            numbers = [math.log2(max(1, n)) for n in numbers]
        rows.append(numbers + [float(method == m) for m in METHODS[layout]]
                    + [float(t == n) for n in named] + [float(o in t.split(";")) for o in options])
    return np.array(rows, dtype=np.float64)


def make_case(layout, texts, rng):
    features = strategy_features(layout, texts)
    S, P = features.shape
    embedding = rng.standard_normal((Q, D)).astype(np.float32)
    codepoints = rng.integers(1, 60, Q)
    norm = {"mean": np.zeros(D), "scale": np.ones(D), "length_norm": np.array([0.0, 1.0])}
    if layout == "default":
        norm = {"mean": rng.standard_normal(D) * 0.3, "scale": rng.uniform(0.5, 2, D),
                "length_norm": np.array([2.5, 1.7])}
    norm = {k: v.astype(np.float32).astype(np.float64) for k, v in norm.items()}
    length = np.log1p(codepoints) if layout == "default" else codepoints.astype(np.float64)
    x = (embedding.astype(np.float64) - norm["mean"]) * norm["scale"]
    length = (length - norm["length_norm"][0]) * norm["length_norm"][1]
    query = np.concatenate([x, length[:, None]], axis=1)
    rows = np.concatenate([np.repeat(query, S, axis=0), np.tile(features, (Q, 1))], axis=1)

    def weights(*shape):
        return rng.uniform(-0.4, 0.4, shape).astype(np.float32).astype(np.float64)

    start = {"w1": weights(H1, D + 1 + P), "b1": weights(H1), "w2": weights(H2, H1),
             "b2": weights(H2), "w3": weights(1, H2), "b3": weights(1)}
    label = rng.uniform(0, 1, Q * S).astype(np.float32)
    label[:3] = [0, 1, 0.5]
    weight = rng.uniform(0.2, 2, Q * S).astype(np.float32)
    loss_of = torch.nn.BCEWithLogitsLoss(weight=torch.tensor(weight, dtype=torch.float64))
    inputs, target = torch.tensor(rows), torch.tensor(label, dtype=torch.float64)

    def network():
        net = torch.nn.Sequential(torch.nn.Linear(D + 1 + P, H1), torch.nn.GELU(),
                                  torch.nn.Linear(H1, H2), torch.nn.GELU(),
                                  torch.nn.Linear(H2, 1)).double()
        with torch.no_grad():
            for p, name in zip(net.parameters(), start):
                p.copy_(torch.tensor(start[name]))
        return net

    def split(values):
        """The C code keeps query and strategy columns of the first layer apart."""
        w1 = values[0]
        parts = [w1[:, :D + 1], w1[:, D + 1:]] + list(values[1:])
        names = ["w1q", "w1s", "b1", "w2", "b2", "w3", "b3"]
        return {n: p.reshape(-1).tolist() for n, p in zip(names, parts)}

    def after_steps(optimiser, **settings):
        net = network()
        opt = optimiser(net.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-8, **settings)
        for _ in range(3):
            opt.zero_grad()
            loss_of(net(inputs)[:, 0], target).backward()
            opt.step()
        return split([p.detach() for p in net.parameters()])

    net = network()
    logits = net(inputs)[:, 0]
    loss = loss_of(logits, target)
    loss.backward()
    return {
        "layout": layout, "strategies": texts, "d": D, "h1": H1, "h2": H2, "queries": Q,
        "embedding": embedding.reshape(-1).tolist(), "codepoints": codepoints.tolist(),
        "features": features.reshape(-1).tolist(), "label": label.tolist(),
        "weight": weight.tolist(), **{k: v.tolist() for k, v in norm.items()},
        "start": split([torch.tensor(v) for v in start.values()]),
        "logits": logits.tolist(), "loss": loss.item(),
        "gradient": split([p.grad for p in net.parameters()]),
        "adam": after_steps(torch.optim.Adam),
        "adamw": after_steps(torch.optim.AdamW, weight_decay=0.1),
    }


def rounded(value):
    """Nine digits hold a float32; the tolerance needs fewer."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return value


def main():
    rng = np.random.default_rng(20250909)
    cases = [make_case(layout, texts, rng) for layout, texts in CASES.items()]
    with open(sys.argv[1], "w") as out:
        json.dump({"tolerance": 1e-5, "adam_tolerance": 1e-4, "cases": rounded(cases)}, out, separators=(",", ":"))
        out.write("\n")


main()
