#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tiny server with vLLM's requests and responses, for command-line tests without a model.

It solves chains of arithmetic ("Q: 12+7*3=?"), step by step; a hash of seed and prompt decides where
it errs, so that a request always gets the same answer. Models: tinymath (texts, embeddings),
tinymath-prm (reward of each step: high where the step's arithmetic is right).
"""
import argparse, hashlib, json, os, re, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

options = None
lock = threading.Lock()
running = 0
n_requests = 0


def draw(*key):
    digest = hashlib.sha256(repr(key).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def steps_of(problem, done, seed):
    """The steps that are still to come after the text `done`."""
    terms = re.findall(r"[+\-*]?\d+", problem)
    value, texts = int(terms[0]), []
    finished = [s for s in done.split("\n\n") if s]
    for i, term in enumerate(terms[1:]):
        if i < len(finished):
            value = int(finished[i].split("=")[-1])
            continue
        right = eval(f"{value}{term}")
        wrong = draw(seed, problem, i) < 0.08 * len(terms)
        texts.append(f"{value}{term}={right + wrong}")
        value = right + wrong
    if len(finished) < len(terms):
        texts.append(f"The answer is \\boxed{{{value}}}")
    return texts


def complete(body):
    prompt = body["prompt"]
    match = re.match(r"Q: ([0-9+*\-]+)=\?\n(.*)", prompt, re.S)
    if not match:
        return None
    problem, done = match.groups()
    texts = steps_of(problem, done, body.get("seed", 0))
    reason = None
    if "\n\n" in body.get("stop", []) and len(texts) > 1:
        text, reason = texts[0], "\n\n"
        if body.get("include_stop_str_in_output"):
            text += "\n\n"
    else:
        text = "\n\n".join(texts)
    finish = "stop"
    if len(text) > body["max_tokens"]:
        text, finish, reason = text[: body["max_tokens"]], "length", None
    return {"object": "text_completion", "model": body["model"],
            "choices": [{"index": 0, "text": text, "finish_reason": finish, "stop_reason": reason}],
            "usage": {"prompt_tokens": len(prompt), "completion_tokens": len(text) + 1,
                      "total_tokens": len(prompt) + len(text) + 1}}


def rewards(text):
    rows = []
    for i, step in enumerate(text.split("<extra_0>")[:-1]):
        sides = step.split("=")
        right = len(sides) != 2 or str(eval(sides[0])) == sides[1].strip()
        p = (0.9 if right else 0.2) + 0.05 * draw(step, i)
        rows.append([1 - p, p])
    return rows[options.drop_rows:]


def pool(body):
    inputs = body.get("input") or [body["messages"][-1]["content"]]
    inputs = [inputs] if isinstance(inputs, str) else inputs
    inputs = [t.rsplit("<|im_start|>assistant\n", 1)[-1] for t in inputs]
    n = sum(len(t) for t in inputs)
    return {"object": "list", "model": body["model"],
            "data": [{"index": i, "object": "pooling", "data": rewards(t)}
                     for i, t in enumerate(inputs)],
            "usage": {"prompt_tokens": n, "total_tokens": n}}


def embed(body):
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    return {"object": "list", "model": body["model"],
            "data": [{"object": "embedding", "index": i,
                      "embedding": [draw(t, d) - 0.5 for d in range(options.dim)]}
                     for i, t in enumerate(texts)],
            "usage": {"prompt_tokens": 1, "total_tokens": 1}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/v1/models":
            names = ["tinymath", "tinymath-prm"]
            self.answer(200, {"object": "list", "data": [{"id": n, "object": "model"} for n in names]})
        elif self.path == "/version":
            self.answer(200, {"version": "0.26.0"})
        elif self.path == "/metrics":
            self.answer(200, f"vllm:num_requests_running {running + options.foreign}\n"
                             "vllm:num_requests_waiting 0\n", "text/plain")
        else:
            self.answer(200 if self.path == "/health" else 404, {})

    def do_POST(self):
        global running, n_requests
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            running += 1
            n_requests += 1
            number = n_requests
            if number == options.die_after:
                os._exit(0)
        time.sleep(options.delay)
        answer = self.work(body, number)
        with lock:
            running -= 1
        self.answer(*answer)

    def work(self, body, number):
        work = {"/v1/completions": complete, "/pooling": pool, "/v1/embeddings": embed}.get(self.path)
        if not work or body.get("model") not in ("tinymath", "tinymath-prm"):
            return 404, {"error": {"message": "no such model", "code": 404}}
        if options.fail_every and number % options.fail_every == 0:
            return 503, {"error": {"message": "busy", "code": 503}}
        if options.refuse and options.refuse in json.dumps(body):
            return 400, {"error": {"message": "this query is refused", "code": 400}}
        result = work(body)
        return (200, result) if result else (400, {"error": {"message": "malformed", "code": 400}})


def main():
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--delay", type=float, default=0, help="seconds before each answer")
    parser.add_argument("--fail-every", type=int, default=0, help="answer 503 to each so-many-th")
    parser.add_argument("--refuse", help="answer 400 to requests with this text")
    parser.add_argument("--drop-rows", type=int, default=0, help="rewards left out of each answer")
    parser.add_argument("--dim", type=int, default=64, help="numbers of an embedding")
    parser.add_argument("--foreign", type=int, default=0, help="other requests that metrics tell of")
    parser.add_argument("--die-after", type=int, default=0, help="requests until the server is gone")
    options = parser.parse_args()
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with open(options.port_file + ".tmp", "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(options.port_file + ".tmp", options.port_file)
    server.serve_forever()


main()
