#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast allot-datasets import reads JSON lines in NuminaMath-CoT's layout, beside Python's own json
# that only parses the same lines; and its memory at 1 and 8 times the rows.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" "${ALLOT_BIN:-build/release/bin}/allot-datasets" << 'END'
import json, os, random, subprocess, sys, time

work, program = sys.argv[1:]
words = ("find the value of an integer triangle angle sum such that for all real numbers let be on "
         "circle probability $x^2+3x$ \\frac{1}{2} \\sqrt{3} \u2264 \u03c0 divisors remainder").split()


def make(path, rows):
    random.seed(1)
    with open(path, "w") as out:
        for i in range(rows):
            problem = " ".join(random.choices(words, k=40)) + f" number {i}?"
            solution = "\n".join(" ".join(random.choices(words, k=20)) for _ in range(7))
            solution += f"\nThe answer is $\\boxed{{{i % 1000}}}$."
            messages = [{"content": problem, "role": "user"},
                        {"content": solution, "role": "assistant"}]
            out.write(json.dumps({"source": "cn_k12", "problem": problem, "solution": solution,
                                  "messages": messages}) + "\n")
    return os.path.getsize(path) / 1e6


def run(*command):
    """CPU seconds, peak memory (MB) and wall-clock seconds of one command."""
    started = time.monotonic()
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3, time.monotonic() - started


small, large = work + "/small.jsonl", work + "/large.jsonl"
make(small, 5000)
megabytes = make(large, 40000)
_, small_rss, _ = run(program, "import", "--preset", "numina", small, work + "/p.h5")
seconds, large_rss, wall = min(run(program, "import", "--preset", "numina", large, work + "/p.h5")
                         for _ in range(3))
with_near, _, _ = run(program, "import", "--preset", "numina", "--near", "0.8", large, work + "/p.h5")
started = time.process_time()
for line in open(large):
    json.loads(line)
python = time.process_time() - started
print(f"import: {megabytes / seconds:.0f} MB/s of CPU time ({megabytes:.0f} MB); Python's json alone "
      f"{megabytes / python:.0f} MB/s: {python / seconds:.2f} times as fast")
print(f"by the clock: {megabytes / wall:.0f} MB/s")
for end, *pack in (".gz", "gzip", "-k"), (".zst", "zstd", "-q", "-k"):
    subprocess.run([*pack, large], check=True)
    packed, _, _ = run(program, "import", "--preset", "numina", large + end, work + "/p.h5")
    print(f"with {pack[0]}: {megabytes / packed:.0f} MB/s of CPU time, unpacked")
print(f"with --near 0.8: {megabytes / with_near:.0f} MB/s")
print(f"peak memory: {small_rss:.0f} MB for 5,000 rows, {large_rss:.0f} MB for 40,000")
END
