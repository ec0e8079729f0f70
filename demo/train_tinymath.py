#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the model in a box and measures it. Needs Debian's python3-torch only.

  train_tinymath.py --lm        train the language model           -> tinymath.gguf
  train_tinymath.py --rollouts  sample solutions for the PRM from --server -> rollouts.pt in --work
  train_tinymath.py --prm       train the process reward model     -> tinymath-prm.gguf
  train_tinymath.py --measure   accuracies, shares, curves, AUC, adaptive gain
  train_tinymath.py --golden    references for the C tests -> ../tests/golden/tinymath_*.json

Several stages run in this order. Two processes work together, so 2 cores are used. The clock ends a
training (--lm-seconds and the like): the seed fixes the first weights and the data, not the number
of steps.
"""
import argparse
import copy
import math
import os
import random
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import tinymath_measure
from tinymath_gguf import load_gguf, save_gguf
from tinymath_model import BOS, EOS, L, NEWLINE, STEP, Model, encode
from tinymath_problems import (Problem, chain_after_error, demo_problem, prompt, solution,
                               solution_steps, training_problem)
from tinymath_rollouts import exact_labels, rollout_examples, scored_ids

SEED = 1
WORKERS = 2
TOKENS_PER_BATCH = 2560  # of each worker
HERE = os.path.dirname(os.path.abspath(__file__))


def batches(example, rng):
    """Endless batches of similar length; example(rng) gives (ids, labels) of one sequence."""
    while True:
        block = sorted((example(rng) for _ in range(2048)), key=lambda e: len(e[0]))
        out, current = [], []
        for e in block:
            if current and len(e[0]) * (len(current) + 1) > TOKENS_PER_BATCH:
                out.append(current)
                current = []
            current.append(e)
        out.append(current)
        rng.shuffle(out)
        yield from out


def pad(batch, fill, dtype):
    out = torch.full((len(batch), max(len(x) for x in batch)), fill, dtype=dtype)
    for i, x in enumerate(batch):
        out[i, :len(x)] = torch.tensor(x, dtype=dtype)
    return out


def share_gradients(parameters):
    """Every worker gets the mean of all workers' gradients."""
    flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten()
                      for p in parameters])
    dist.all_reduce(flat)
    at = 0
    for p in parameters:
        p.grad = (flat[at:at + p.numel()] / WORKERS).view_as(p)
        at += p.numel()


def fit(rank, model, example, loss_of, peak, warmup, seconds, folder):
    """One worker: AdamW, the learning rate a cosine over the clock after some steps of warm-up;
    worker 0 saves the weights."""
    torch.set_num_threads(1)
    model = copy.deepcopy(model)  # the one that comes in is in memory that all workers share
    dist.init_process_group("gloo", init_method="file://" + os.path.join(folder, "meet"),
                            rank=rank, world_size=WORKERS)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=peak, betas=(0.9, 0.98), weight_decay=0.01)
    stream = batches(example, random.Random(SEED * 1000 + rank))
    start, step, mean = time.time(), 0, 0.0
    while True:
        done = torch.tensor([(time.time() - start) / seconds])
        dist.broadcast(done, 0)
        if done.item() >= 1:
            break
        cosine = 0.49 * (1 + math.cos(math.pi * done.item())) + 0.02
        for g in optimizer.param_groups:
            g["lr"] = peak * min(1, (step + 1) / warmup) * cosine
        loss = loss_of(model, next(stream))
        optimizer.zero_grad()
        loss.backward()
        share_gradients(parameters)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step, mean = step + 1, mean + max(0.03, 1 / (step + 1)) * (loss.item() - mean)
        if rank == 0 and step % 50 == 0:
            print("step %d, %.0f s, loss %.4f" % (step, time.time() - start, mean), flush=True)
            torch.save(model.state_dict(), os.path.join(folder, "state.pt"))
    if rank == 0:
        print("%d steps" % step, flush=True)
        torch.save(model.state_dict(), os.path.join(folder, "state.pt"))


def run_fit(model, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(fit, args=(model,) + arguments + (folder,), nprocs=WORKERS)
        model.load_state_dict(torch.load(os.path.join(folder, "state.pt")))


def lm_example(rng):
    problem = training_problem(rng)
    head = [BOS] + encode(prompt(problem.text))
    tail = encode(solution(problem)) + [EOS]
    return head + tail, [-100] * (len(head) - 1) + tail  # the labels: the solution's tokens


def lm_loss(model, batch):
    x = pad([e[0] for e in batch], 0, torch.long)
    y = pad([e[1] for e in batch], -100, torch.long)
    return torch.nn.functional.cross_entropy(model(x[:, :-1]).flatten(0, 1), y.flatten())


def train_lm(a):
    torch.manual_seed(SEED)
    model = Model()
    run_fit(model, lm_example, lm_loss, 2.5e-3, 150, a.lm_seconds)
    save_gguf(a.lm_file, model, "tinymath")


class Verify:
    """A solution, sampled or right or with one invented error, labelled exactly at each token: here
    the reward model learns to see errors, before it learns from the rollouts what they cost."""

    def __init__(self, sampled):
        self.sampled = sampled

    def __call__(self, rng):
        if rng.random() < 0.5:
            problem, steps, _ = self.sampled[rng.randrange(len(self.sampled))]
            problem = Problem(*problem)
        else:
            problem = demo_problem(rng) if rng.random() < 0.5 else training_problem(rng)
            steps = solution_steps(problem)
            if rng.random() < 0.6:
                steps, _ = chain_after_error(rng, problem)
        return exact_labels(problem.text, steps, solution_steps(problem))


class Rollouts:
    """A sampled solution, its steps labelled by how the samples that share them go on."""

    def __init__(self, sampled):
        self.sampled = sampled

    def __call__(self, rng):
        problem, steps, labels = self.sampled[rng.randrange(len(self.sampled))]
        return scored_ids(Problem(*problem).text, steps, labels)


def prm_loss(model, batch):
    """Cross entropy against soft labels where there is one (-1 elsewhere): the mean over the step
    tokens, plus the mean over all."""
    x = pad([e[0] for e in batch], 0, torch.long)
    y = pad([e[1] for e in batch], -1.0, torch.float)
    at = y >= 0
    target = torch.stack([1 - y[at], y[at]], 1)
    loss = torch.nn.functional.cross_entropy(model.hidden(x)[at] @ model.cls.t(), target,
                                             reduction="none")
    return loss[x[at] == STEP].mean() + loss.mean()


def make_rollouts(a):
    examples = rollout_examples(a.server, a.rollout_problems, a.rollout_samples, SEED * 7)
    print("%d different solutions with %d steps" % (
        len(examples), sum(len(labels) for _, _, labels in examples)), flush=True)
    torch.save(examples, os.path.join(a.work, "rollouts.pt"))


def prm_from_lm(lm):
    """The language model, whose states and surprises are read as they are; behind it layers that
    begin as the identity, and the head. To the language model a step token is a newline."""
    torch.manual_seed(SEED)
    model = Model(2)
    model.load_state_dict(lm.state_dict(), strict=False)
    with torch.no_grad():
        model.lm_n.copy_(lm.n)
        model.e[STEP] = model.e[NEWLINE]
        for b in model.b[L:]:
            b.o.zero_()
            b.d.zero_()
    for w in [model.e, model.out, model.lm_n] + [w for b in model.b[:L] for w in b.parameters()]:
        w.requires_grad = False
    return model


def train_prm(a):
    """First what is right so far, exactly; then what the rollouts say it is worth."""
    model = prm_from_lm(load_gguf(a.lm_file))
    sampled = torch.load(os.path.join(a.work, "rollouts.pt"))
    run_fit(model, Verify(sampled), prm_loss, 2e-3, 50, a.verify_seconds)
    save_gguf(a.prm_file, model, "tinymath-prm")
    run_fit(model, Rollouts(sampled), prm_loss, 3e-4, 50, a.prm_seconds)
    save_gguf(a.prm_file, model, "tinymath-prm")


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for stage in ("lm", "rollouts", "prm", "measure", "golden"):
        parser.add_argument("--" + stage, action="store_true")
    parser.add_argument("--lm-seconds", type=float, default=1560)
    parser.add_argument("--rollout-problems", type=int, default=6000)
    parser.add_argument("--rollout-samples", type=int, default=8)
    parser.add_argument("--server", default="http://127.0.0.1:8000",
                        help="an allot-demo-server that serves the language model, for --rollouts")
    parser.add_argument("--verify-seconds", type=float, default=330)
    parser.add_argument("--prm-seconds", type=float, default=40)
    parser.add_argument("--problems", type=int, default=1000, help="problems of --measure")
    parser.add_argument("--lm-file", default=os.path.join(HERE, "tinymath.gguf"))
    parser.add_argument("--prm-file", default=os.path.join(HERE, "tinymath-prm.gguf"))
    parser.add_argument("--work", default=".", help="folder for what is kept between stages")
    return parser.parse_args()


def main():
    a = options()
    start = time.time()
    for stage, work in (("lm", train_lm), ("rollouts", make_rollouts), ("prm", train_prm),
                        ("measure", lambda a: tinymath_measure.measure(a, SEED + 4242, WORKERS)),
                        ("golden", lambda a: tinymath_measure.golden(a, SEED + 99))):
        if getattr(a, stage):
            work(a)
            print("%s: done after %.0f s" % (stage, time.time() - start), flush=True)


if __name__ == "__main__":
    main()
