# SPDX-License-Identifier: Apache-2.0
"""Measures tinymath and its reward model on the demo's population, and writes the reference outputs
for the C tests."""
import json
import os
import random

import numpy as np
import torch
import torch.multiprocessing as mp

from tinymath_gguf import load_gguf
from tinymath_model import BOS, decode, encode, sample
from tinymath_problems import Problem, chain_after_error, demo_problem, prompt, solution_steps
from tinymath_rollouts import MAX_NEW, sample_solutions, scored_ids, split_steps

SAMPLES = 16
COUNTS = (1, 2, 4, 8, 16)
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
MIN_MARGIN = 1e-3


@torch.no_grad()
def step_scores(prm, solutions):
    """P(good) of each step of each (text, steps)."""
    out = []
    for text, steps in solutions:
        ids, labels = scored_ids(text, steps)
        at = [i for i, y in enumerate(labels) if y >= 0]
        p = (prm.hidden(torch.tensor([ids]))[0, at] @ prm.cls.t()).softmax(-1)
        out.append(p[:, 1].tolist())
    return out


def sampled_part(lm_file, problems, seed):
    torch.set_num_threads(1)
    return sample_solutions(load_gguf(lm_file), problems, SAMPLES, seed)


def sampled(a, seed, workers):
    """The problems and SAMPLES texts of each; kept in the work folder, since they take longest."""
    path = os.path.join(a.work, "samples-%d.pt" % a.problems)
    if not os.path.exists(path):
        rng = random.Random(seed)
        problems = [demo_problem(rng) for _ in range(a.problems)]
        with mp.get_context("spawn").Pool(workers) as pool:
            parts = pool.starmap(sampled_part, [(a.lm_file, problems[w::workers], seed + w)
                                                for w in range(workers)])
        texts = [parts[i % workers][i // workers] for i in range(len(problems))]
        torch.save(([tuple(p) for p in problems], texts), path)
    problems, texts = torch.load(path)
    return [Problem(*p) for p in problems], texts


def scored(prm, problem, texts):
    """(steps, scores of the steps, tokens) of each text."""
    known = {}
    for t in texts:
        if t not in known:
            steps = split_steps(t)
            known[t] = (steps, step_scores(prm, [(problem.text, steps)])[0], len(encode(t)) + 1)
    return [known[t] for t in texts]


def auc(good, bad):
    """P(a good score is above a bad one), ties half."""
    values = np.concatenate([good, bad])
    order = np.sort(values)
    low, high = np.searchsorted(order, values), np.searchsorted(order, values, "right")
    rank = (low + high + 1) / 2
    return (rank[:len(good)].sum() - len(good) * (len(good) + 1) / 2) / (len(good) * len(bad))


def print_auc(name, rows):
    """rows: (score of the prefix's last step, right so far?)."""
    good = np.array([s for s, right in rows if right])
    bad = np.array([s for s, right in rows if not right])
    print("AUC %-44s %.4f (%d right, %d wrong)" % (name, auc(good, bad), len(good), len(bad)))


def measure_auc(problems, samples):
    rows, first = {"all": []}, []
    for p, own in zip(problems, samples):
        truth = solution_steps(p)
        for steps, scores, _ in own:
            for k in range(1, len(steps) + 1):
                row = (scores[k - 1], steps[:k] == truth[:k])
                rows["all"].append(row)
                rows.setdefault(p.family, []).append(row)
                if steps[:k - 1] == truth[:k - 1]:
                    first.append(row)
    for name in rows:
        print_auc("of the last score of a prefix, %s:" % name, rows[name])
    print_auc("the same, steps before the last one right:", first)


def answer_of(steps):
    return steps[-1] if "\\boxed{" in steps[-1] else None


def expected(problems, samples, rng):
    """Accuracy of majority@N and bon@N of each problem, over random subsets: {method: [Q, N]}."""
    table = {"majority": np.zeros((len(problems), len(COUNTS))),
             "bon": np.zeros((len(problems), len(COUNTS)))}
    for i, (p, own) in enumerate(zip(problems, samples)):
        answers = [answer_of(steps) for steps, _, _ in own]
        right = [a == solution_steps(p)[-1] for a in answers]
        last = [scores[-1] for _, scores, _ in own]
        for j, n in enumerate(COUNTS):
            draws = 1 if n == SAMPLES else 64
            for _ in range(draws):
                rows = sorted(rng.sample(range(SAMPLES), n))
                votes = [answers[r] for r in rows if answers[r] is not None]
                top = max(votes, key=votes.count) if votes else None
                table["majority"][i, j] += (top is not None and right[answers.index(top)]) / draws
                table["bon"][i, j] += right[max(rows, key=lambda r: last[r])] / draws
    return table


def query_features(p):
    t = p.text
    return [1, len(t)] + [t.count(c) for c in "+-*"] + [t[:2].count("-"), len(p.steps) > 2,
                                                        len(p.steps) > 6]


def ridge_predictions(x, y, folds=10, penalty=1.0):
    """Each row's prediction comes from the other folds."""
    out = np.zeros_like(y)
    for f in range(folds):
        test = np.arange(len(x)) % folds == f
        a, b = x[~test], y[~test]
        w = np.linalg.solve(a.T @ a + penalty * np.eye(x.shape[1]), a.T @ b)
        out[test] = x[test] @ w
    return out


def hull_at(costs, accuracies, at):
    """The least concave non-decreasing function above the points, at a cost."""
    best = 0.0
    for c1, a1 in zip(costs, accuracies):
        if c1 <= at:
            best = max(best, a1)
        for c2, a2 in zip(costs, accuracies):
            if c1 <= at < c2:
                best = max(best, a1 + (a2 - a1) * (at - c1) / (c2 - c1))
    return best


def print_gain(name, x, accuracy, cost):
    """Accuracy of a linear probe's choices above the hull of the static strategies, both [Q, S]."""
    predicted, tokens = ridge_predictions(x, accuracy), ridge_predictions(x, cost)
    rows = np.arange(len(accuracy))
    static = (cost.mean(0), accuracy.mean(0))
    gains = {}
    for weight in np.logspace(-6, -2, 81):
        chosen = (predicted - weight * tokens).argmax(1)
        at = cost[rows, chosen].mean()
        gains[at] = accuracy[rows, chosen].mean() - hull_at(*static, at)
    budgets = sorted(gains)
    spaced = [gains[min(budgets, key=lambda b: abs(b - c))]
              for c in np.geomspace(static[0].min() * 1.1, static[0].max(), 30)]
    print("gain over the static hull, %s: mean %+.4f over log tokens, most %+.4f at %.0f tokens" % (
        name, np.mean(spaced), max(gains.values()), max(gains, key=gains.get)))


@torch.no_grad()
def embeddings(lm, problems):
    return np.array([lm.hidden(torch.tensor([[BOS] + encode(prompt(p.text))]))[0, -1].numpy()
                     for p in problems])


def measure_gain(problems, table, tokens, vectors):
    cost = tokens[:, None] * np.array(COUNTS)
    simple = np.array([query_features(p) for p in problems], dtype=float)
    scaled = (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-6)
    both = np.concatenate([simple, scaled], 1)
    print_gain("majority, length and counts", simple, table["majority"], cost)
    accuracy = np.concatenate([table["majority"], table["bon"][:, 1:]], 1)
    cost = np.concatenate([cost, cost[:, 1:]], 1)
    print_gain("majority and bon, length and counts", simple, accuracy, cost)
    print_gain("majority and bon, with the embedding", both, accuracy, cost)


def report(problems, samples, table):
    share = np.array([np.mean([answer_of(s[0]) == solution_steps(p)[-1] for s in own])
                      for p, own in zip(problems, samples)])
    family = np.array([p.family for p in problems])
    length = np.array([len(p.steps) for p in problems])
    for f in ("sum", "chain", "long"):
        s = share[family == f]
        print("%-6s %4d problems: accuracy of one sample %.3f, always right %.3f, never %.3f" % (
            f, len(s), s.mean(), (s == 1).mean(), (s == 0).mean()))
    print("by operations: " + ", ".join("%d: %.2f" % (n, share[length == n].mean())
                                        for n in sorted(set(length))))
    print("all: accuracy %.3f, always right %.3f, never right %.3f, in between %.3f" % (
        share.mean(), (share == 1).mean(), (share == 0).mean(),
        ((share > 0) & (share < 1)).mean()))
    for method in table:
        print("%-8s " % method + ", ".join("@%d %.3f" % (n, a) for n, a in
                                           zip(COUNTS, table[method].mean(0))))


def measure(a, seed, workers):
    problems, texts = sampled(a, seed, workers)
    prm = load_gguf(a.prm_file)
    samples = [scored(prm, p, own) for p, own in zip(problems, texts)]
    tokens = np.array([np.mean([n for _, _, n in own]) for own in samples])
    table = expected(problems, samples, random.Random(seed))
    report(problems, samples, table)
    measure_auc(problems, samples)
    measure_gain(problems, table, tokens, embeddings(load_gguf(a.lm_file), problems))


def greedy_row(lm, text, with_logits):
    """A greedy completion, or None where the second best token is too close to the best."""
    ids = [BOS] + encode(text)
    out, finished = sample(lm, [ids], MAX_NEW, 0)[0]
    logits = lm(torch.tensor([ids + out]))[0, len(ids) - 1:]
    if not finished:
        logits = logits[:-1]
    best = logits.topk(2, -1)
    margin = (best.values[:, 0] - best.values[:, 1]).min().item()
    if margin < MIN_MARGIN:
        return None
    assert best.indices[:len(out), 0].tolist() == out
    row = {"prompt": text, "text": decode(out), "finished": finished, "tokens": len(out),
           "min_margin": round(margin, 5)}
    if with_logits:
        row["first_logits"] = [round(x, 5) for x in logits[0].tolist()]
    return row


def write_golden(name, value):
    value = dict({"made_by": "demo/train_tinymath.py --golden (torch %s)" %
                  torch.__version__.split("+")[0]}, **value)
    with open(os.path.join(GOLDEN, "tinymath_%s.json" % name), "w") as f:
        json.dump(value, f, indent=0)
        f.write("\n")


@torch.no_grad()
def golden(a, seed):
    torch.set_num_threads(1)
    lm, prm = load_gguf(a.lm_file), load_gguf(a.prm_file)
    rng = random.Random(seed)
    greedy, dropped = [], 0
    while len(greedy) < 200:
        row = greedy_row(lm, prompt(demo_problem(rng).text), len(greedy) < 10)
        dropped += row is None
        greedy += [row] if row else []
    write_golden("greedy", {"max_new_tokens": MAX_NEW, "dropped_for_their_margin": dropped,
                            "logit_tolerance": 1e-3, "rows": greedy})
    texts = [prompt(demo_problem(rng).text) for _ in range(10)]
    texts += ["Q: " + demo_problem(rng).text for _ in range(10)]
    write_golden("embed", {"tolerance": 1e-4, "rows": [
        {"text": t, "vector": [round(x, 6) for x in
                               lm.hidden(torch.tensor([[BOS] + encode(t)]))[0, -1].tolist()]}
        for t in texts]})
    problems = [demo_problem(rng) for _ in range(50)]
    solutions = [(p.text, chain_after_error(rng, p)[0] if i % 2 else solution_steps(p))
                 for i, p in enumerate(problems)]
    write_golden("prm", {"tolerance": 1e-4, "rows": [
        {"text": prompt(t) + "".join(s + "<extra_0>" for s in steps),
         "right_so_far": [steps[:k] == solution_steps(p)[:k] for k in range(1, len(steps) + 1)],
         "scores": [round(x, 6) for x in scores]}
        for p, (t, steps), scores in zip(problems, solutions, step_scores(prm, solutions))]})
