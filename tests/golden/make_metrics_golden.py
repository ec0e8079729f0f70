#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values of core/metrics.c from scikit-learn (1.2): python3 make_metrics_golden.py > metrics_golden.json

A soft label a is the pair of a positive row of weight a and a negative one of weight 1 - a.
Expected agreement: 1e-12.
"""
import json

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score


def ece(p, a, kind, bins):
    """calibration_curve takes hard labels only: it finds the edges, the rest is by definition."""
    edges = {"width": np.linspace(0, 1, bins + 1),
             "mass": np.percentile(p, np.linspace(0, 1, bins + 1) * 100)}[kind]
    b = np.searchsorted(edges[1:-1], p)
    total = 0.0
    for k in range(bins):
        if (b == k).any():
            total += (b == k).mean() * abs(p[b == k].mean() - a[b == k].mean())
    return total


def case(rng, n, hard):
    z = rng.normal(0, 1.5, n)
    p = np.round(1 / (1 + np.exp(-z)), 2 if hard else 6)
    q = 1 / (1 + np.exp(-0.6 * z + 0.3))
    a = (rng.random(n) < q).astype(float) if hard else np.round(rng.beta(4 * q, 4 * (1 - q)), 6)
    w = np.round(rng.random(n) * 3, 3)
    y = np.repeat([1, 0], n)
    pp = np.concatenate([p, p])
    out = {"p": p.tolist(), "a": a.tolist(), "w": w.tolist()}
    for name, weight in (("plain", np.ones(n)), ("weighted", w)):
        ww = np.concatenate([weight * a, weight * (1 - a)])
        # scikit-learn has no label in {0, 1} with probability exactly 0 or 1 here: no clipping differs
        out[name] = {"log_loss": log_loss(y, pp, sample_weight=ww, labels=[0, 1]),
                     "brier": brier_score_loss(y, pp, sample_weight=ww),
                     "auc": roc_auc_score(y, pp, sample_weight=ww)}
    out["ece_width"] = {str(b): ece(p, a, "width", b) for b in (10, 15, 30)}
    if not hard:  # with many equal p sklearn's percentile edges are another definition
        out["ece_mass"] = {str(b): ece(p, a, "mass", b) for b in (10, 15, 30)}
    if hard:  # and with hard labels calibration_curve itself
        y10, p10 = calibration_curve(a, p, n_bins=10)
        out["curve_width_10"] = {"p": p10.tolist(), "a": y10.tolist()}
    return out


rng = np.random.default_rng(7)
print(json.dumps({"soft": case(rng, 240, False), "hard": case(rng, 200, True)}))
