#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: sweep.py [--most N] [--kinds write,sync,rename,close,malloc] [STEP]...

Lets each write, fsync, rename, close and allocation of import, label, train, platt, export and select
fail once, one at a time (failpreload.c), and looks at what is left: either the exit code is not 0 and
nothing lies under the final name, or the file is the right one, byte for byte. No temporary file may
stay, no program may crash, and memory that ran out is called that; only where a library crashes over
an allocation of its own (libhdf5 and libcrypto do) the crash is counted, not blamed. --most N: at most N positions of
each kind, spread evenly (all of them without it). Needs ALLOT_BIN and ALLOT_BUILD; works in the
current folder. Prints a line per step and kind; exit 1 when anything was silently wrong."""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

BIN, BUILD = os.environ["ALLOT_BIN"], os.environ["ALLOT_BUILD"]
PRELOAD = BUILD + "/tests/faults/failpreload.so"
KINDS = ["write", "sync", "rename", "close", "malloc"]
ENOSPC, EIO = 28, 5
# step: inputs, output files ("-" is stdout), command
STEPS = {
    "import": (["problems.jsonl"], ["problems.h5"],
               ["allot-datasets", "import", "problems.jsonl", "problems.h5"]),
    "label": (["run", "timing"], ["outcomes.h5", "read.jsonl"],
              ["allot-collect", "label", "run", "outcomes.h5", "--timing", "timing", "--answers",
               "read.jsonl"]),
    "train": (["outcomes.h5", "ngram.emb.h5", "splits.h5"], ["probe.h5"],
              ["allot-train", "--outcomes", "outcomes.h5", "--embeddings", "ngram.emb.h5",
               "--splits", "splits.h5", "--epochs", "2", "--hidden", "16", "--output", "probe.h5"]),
    "platt": (["outcomes.h5", "ngram.emb.h5", "splits.h5", "probe.h5"], ["probe.cal.h5"],
              ["allot-calibrate", "platt", "--probe", "probe.h5", "--outcomes", "outcomes.h5",
               "--embeddings", "ngram.emb.h5", "--splits", "splits.h5", "--output",
               "probe.cal.h5"]),
    "export": (["probe.cal.h5", "costs.json"], ["model.safetensors"],
               ["allot-export", "--probe", "probe.cal.h5", "--costs", "costs.json", "--output",
                "model.safetensors"]),
    "select": (["model.safetensors", "ngram.emb.h5", "queries.jsonl"], ["-"],
               ["allot-select", "--bundle", "model.safetensors", "--jsonl", "queries.jsonl",
                "--lambda-tokens", "1e-5", "--json"]),
}
OUT_OF_MEMORY = re.compile(r"memory|allocate", re.I)


def prepare():
    """The inputs of every step, and what it makes of them undisturbed."""
    shutil.rmtree("given", ignore_errors=True)
    os.makedirs("given")
    tools = BUILD + "/tests/tools/"
    run = lambda *a: subprocess.run(a, check=True, cwd="given", stdout=subprocess.DEVNULL)
    with open("given/problems.jsonl", "w") as f:
        for i in range(20):
            f.write(json.dumps({"id": f"p{i}", "problem": f"What is {i} + {i * i}?",
                                "answer": str(i + i * i), "source": "sums"}) + "\n")
    run(tools + "make_tables", ".", "60")
    run(tools + "make_run", "run", "run")
    run(tools + "make_run", "timing", "timing")
    own = {"problems.h5", "outcomes.h5"}  # made by a step below, by another in make_tables
    wanted = {}
    for step, (inputs, outputs, command) in STEPS.items():
        where = "right-" + step
        place(where, inputs)
        done = subprocess.run([BIN + "/" + command[0]] + command[1:], cwd=where,
                              capture_output=True)
        if done.returncode:
            sys.exit(f"{step} fails undisturbed: {done.stderr.decode()}")
        wanted[step] = contents(where, outputs, done.stdout)
        for name in outputs:
            if name not in own and name != "-":
                shutil.copy(f"{where}/{name}", "given/" + name)
    return wanted


def place(where, inputs):
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    for name in inputs:
        os.symlink(os.path.abspath("given/" + name), f"{where}/{name}")


def contents(where, outputs, stdout):
    out = {}
    for name in outputs:
        path = f"{where}/{name}"
        out[name] = stdout if name == "-" else open(path, "rb").read() if os.path.exists(path) else None
    return out


def attempt(step, where, fail):
    """Runs a step with one failure; the counts of its calls, and what was wrong (None: nothing)."""
    inputs, outputs, command = STEPS[step]
    place(where, inputs)
    env = dict(os.environ, LD_PRELOAD=PRELOAD, ALLOT_FAIL=fail,
               ALLOT_FAIL_COUNT=os.path.abspath(where) + ".count",
               ALLOT_FAIL_WHERE=os.path.abspath(where) + ".where")
    with open(where + ".stdout", "w+b") as out:
        done = subprocess.run([BIN + "/" + command[0]] + command[1:], cwd=where, env=env, stdout=out,
                              stderr=subprocess.PIPE, timeout=120)
        out.seek(0)
        found = contents(where, outputs, out.read())
    left = sorted(set(os.listdir(where)) - set(inputs) - set(outputs))
    return done.returncode, done.stderr.decode(errors="replace"), found, left


def judge(kind, rc, said, found, left, wanted, in_library):
    if rc < 0 and not OUT_OF_MEMORY.search(said) and not in_library:  # GMP aborts, and says why
        return f"killed by signal {-rc}"
    if left and rc >= 0:
        return f"left {left}"
    if rc == 0 and found != wanted:
        return "exit 0, but the output is not right"
    if rc == 0:
        return None
    for name, got in found.items():
        if name != "-" and got is not None and got != wanted[name]:
            return f"exit {rc}, but a wrong file lies under {name}"
    if kind == "malloc" and rc >= 0 and not OUT_OF_MEMORY.search(said):
        return f"out of memory is called: {said.strip()}"
    if rc >= 0 and not said.strip():
        return f"exit {rc} without a word"
    return None


def positions(n, most):
    if not most or n <= most:
        return list(range(1, n + 1))
    return sorted({1 + i * (n - 1) // (most - 1) for i in range(most)})


def sweep(step, kind, most, wanted):
    attempt(step, "count-" + step, "none:0")
    counts = dict(line.split() for line in open(f"count-{step}.count"))
    n, errno_of = int(counts[kind]), lambda k: ENOSPC if k % 2 else EIO
    tried, refused, crashed, wrong = positions(n, most), 0, 0, []

    def one(k):
        where = f"at-{step}-{kind}-{k}"
        rc, said, found, left = attempt(step, where, f"{kind}:{k}:{errno_of(k)}")
        shutil.rmtree(where)
        object = open(where + ".where").read() if os.path.exists(where + ".where") else ""
        in_library = "/bin/allot-" not in object
        for more in (".count", ".stdout", ".where"):
            if os.path.exists(where + more):
                os.unlink(where + more)
        return k, rc, judge(kind, rc, said, found, left, wanted, in_library)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for k, rc, fault in pool.map(one, tried):
            refused += rc > 0
            crashed += rc < 0
            if fault:
                wrong.append(k)
                if len(wrong) <= 10:
                    print(f"# {step} {kind} {k}: {fault}")
    print(f"{step} {kind}: {n} calls, {len(tried)} tried, {refused} refused, "
          f"{crashed} crashed in a library, {len(wrong)} wrong")
    sys.stdout.flush()
    return len(wrong)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--most", type=int, default=0)
    p.add_argument("--kinds", default=",".join(KINDS))
    p.add_argument("steps", nargs="*", default=list(STEPS))
    a = p.parse_args()
    wanted = prepare()
    bad = 0
    for step in a.steps:
        for kind in a.kinds.split(","):
            bad += sweep(step, kind, a.most, wanted[step])
    print(f"{bad} wrong")
    return 1 if bad else 0


sys.exit(main())
