# SPDX-License-Identifier: Apache-2.0
"""What the reward model learns from: solutions sampled from the language model, their steps
labelled by how the samples that share them go on."""
import collections
import concurrent.futures
import json
import random
import urllib.request

import torch

from tinymath_model import BOS, NEWLINE, STEP, decode, encode, sample
from tinymath_problems import demo_problem, prompt, solution_steps, training_problem

MAX_NEW = 256
TEMPERATURE = 0.8


def scored_ids(text, steps, labels=None):
    """Token ids of a problem and its steps, and beside each id the label of the step that ends
    there, or -1. A newline and the step token stand behind each step: to the language model the two
    newlines it writes there."""
    ids = [BOS] + encode(prompt(text))
    out = [-1.0] * len(ids)
    for i, step in enumerate(steps):
        ids += encode(step) + [NEWLINE, STEP]
        out += [-1.0] * (len(ids) - len(out) - 1) + [labels[i] if labels else 1.0]
    return ids, out


def exact_labels(text, steps, truth):
    """Ids of a solution and, at each of its tokens, whether all is right so far; behind the step
    with the first error only at the step tokens."""
    ids = scored_ids(text, steps)[0]
    right, start = scored_ids(text, truth)[0], len(encode(prompt(text))) + 1
    wrong = next((i for i, t in enumerate(ids) if right[i:i + 1] != [t]), len(ids))
    told = ids.index(STEP, wrong) if wrong < len(ids) else wrong
    return ids, [-1.0] * start + [float(i < wrong) if i <= told or ids[i] == STEP else -1.0
                                  for i in range(start, len(ids))]


def split_steps(text):
    return [s for s in text.split("\n\n") if s] or ["?"]


def sample_solutions(lm, problems, n_samples, seed):
    """The texts of n samples for each problem: [problem][sample]."""
    generator = torch.Generator().manual_seed(seed)
    heads = [[BOS] + encode(prompt(p.text)) for p in problems for _ in range(n_samples)]
    texts = [decode(ids) for ids, _ in sample(lm, heads, MAX_NEW, TEMPERATURE, generator)]
    return [texts[i:i + n_samples] for i in range(0, len(texts), n_samples)]


def label_solutions(problem, texts):
    """Every different solution once, each step with its label: of the samples that begin with the
    steps up to this one, the share that ends right and the share whose next step is right, half
    each. (The second half keeps a right step of a chain that is too long for the model apart from a
    wrong one: no continuation of either ends right.)"""
    truth = solution_steps(problem)
    solutions = [split_steps(t) for t in texts]
    count, value = collections.Counter(), collections.Counter()
    for steps in solutions:
        ends_right = steps == truth
        for k in range(1, len(steps) + 1):
            prefix = tuple(steps[:k])
            count[prefix] += 1
            next_right = steps[:k + 1] == truth[:k + 1] and len(steps) > k or ends_right
            value[prefix] += 0.5 * ends_right + 0.5 * next_right
    return [(steps, [value[steps[:k]] / count[steps[:k]] for k in range(1, len(steps) + 1)])
            for steps in sorted(set(map(tuple, solutions)))]


def served_solutions(server, problems, n_samples, seed):
    """As sample_solutions, from allot-demo-server, which is many times faster."""
    def ask(i):
        body = {"model": "tinymath", "prompt": prompt(problems[i].text), "n": n_samples,
                "temperature": TEMPERATURE, "max_tokens": MAX_NEW,
                "seed": seed * 1000003 + i * n_samples}
        request = urllib.request.Request(server + "/v1/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return [choice["text"] for choice in json.load(answer)["choices"]]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        return list(pool.map(ask, range(len(problems))))


def rollout_examples(server, n_problems, n_samples, seed):
    """(problem, steps, labels) of sampled solutions; half the problems are the demo's, half the
    training's."""
    rng = random.Random(seed)
    problems = [demo_problem(rng) if i % 2 else training_problem(rng) for i in range(n_problems)]
    return [(tuple(p), list(steps), labels)
            for p, texts in zip(problems, served_solutions(server, problems, n_samples, seed))
            for steps, labels in label_solutions(p, texts)]
