# SPDX-License-Identifier: Apache-2.0
"""The problems of tinymath: chains of arithmetic, evaluated left to right, and their solutions.
README.md, "The problems", describes the demo's population; allot-datasets makes it in C."""
import collections
import re

# One problem: the family's name, the text "12+7*3=?", the steps ["12+7=19", ...], the answer.
Problem = collections.namedtuple("Problem", "family text steps answer")

# name, probability, fewest and most operations, with multiplications?
FAMILIES = (("sum", 0.30, 1, 1, False), ("chain", 0.35, 3, 6, True), ("long", 0.35, 8, 11, True))


def apply(value, op, b):
    return value + b if op == "+" else value - b if op == "-" else value * b


def chain(rng, n_ops, multiply, largest=99, family="training"):
    value = rng.randint(1, largest)
    text, steps = str(value), []
    for _ in range(n_ops):
        if multiply and rng.random() < 0.3 and abs(value) <= 200:
            op, b = "*", rng.randint(2, 9)
        else:
            op, b = "+" if rng.random() < 0.5 else "-", rng.randint(1, largest)
        text += op + str(b)
        result = apply(value, op, b)
        steps.append("%d%s%d=%d" % (value, op, b, result))
        value = result
    return Problem(family, text + "=?", steps, value)


def demo_problem(rng):
    u = rng.random()
    for name, share, low, high, multiply in FAMILIES:
        if u < share:
            break
        u -= share
    return chain(rng, rng.randint(low, high), multiply, family=name)


def training_problem(rng):
    """A fifth are single sums, half of those of larger operands; the rest are chains of 1 to 6
    operations: never as long as the demo's `long` family."""
    if rng.random() < 0.2:
        return chain(rng, 1, False, 999 if rng.random() < 0.5 else 99)
    return chain(rng, rng.randint(1, 6), True)


def prompt(text):
    return "Q: " + text + "\n"


def solution_steps(problem):
    """The steps as the solution has them: the operations, then the line with the answer."""
    return problem.steps + ["The answer is \\boxed{%d}" % problem.answer]


def solution(problem):
    return "\n\n".join(solution_steps(problem))


def chain_after_error(rng, problem):
    """The solution with one error, carried on from there, and the index of the first wrong step: a
    wrong result, another operand, or an operation that is left out."""
    at, kind = rng.randrange(len(problem.steps)), rng.choice(("result", "result", "operand", "out"))
    value, steps = None, []
    for i, step in enumerate(problem.steps):
        left, op, b = re.match(r"(-?\d+)(.)(\d+)=", step).groups()
        value, b = int(left) if value is None else value, int(b)
        if i == at and kind == "out":
            continue
        if i == at and kind == "operand":
            b += rng.choice([d for d in range(-20, 21) if d and b + d > 0])
        result = apply(value, op, b)
        if i == at and kind == "result":
            result += rng.choice((-100, -20, -10, -9, -2, -1, 1, 2, 9, 10, 20, 100))
        steps.append("%d%s%d=%d" % (value, op, b, result))
        value = result
    return steps + ["The answer is \\boxed{%d}" % value], at
