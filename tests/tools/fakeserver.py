#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tiny server that answers as vLLM does, or SGLang, llama.cpp's, TGI, OpenAI (--kind), for
command-line tests without a model.

It solves chains of arithmetic ("Q: 12+7*3=?"), step by step; a hash of seed and prompt decides where
it errs, so that a request always gets the same answer. Models: tinymath (texts, embeddings),
tinymath-prm (reward of each step: high where the step's arithmetic is right).
"""
import argparse, hashlib, json, math, os, re, ssl, threading, time
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


# What each kind of server takes besides the common fields; anything else is refused, in order to
# see that nothing is sent blindly.
COMMON = {"model", "prompt", "messages", "temperature", "top_p", "seed", "stop", "stream",
          "stream_options"}
FIELDS = {"vllm": {"max_tokens", "include_stop_str_in_output", "cache_salt", "add_special_tokens",
                   "add_generation_prompt", "continue_final_message", "top_k", "min_p",
                   "repetition_penalty"},
          "sglang": {"max_tokens", "no_stop_trim", "cache_salt", "continue_final_message", "top_k",
                     "min_p", "repetition_penalty"},
          "llama.cpp": {"n_predict", "max_tokens", "cache_prompt", "top_k", "min_p",
                        "repeat_penalty"},
          "tgi": {"max_tokens"},
          "openai": {"max_tokens"}}
BOS = "<s>"


def render(messages):
    """The chat template: the last message may be an answer that is to be continued."""
    system = "".join(f"S: {m['content']}\n" for m in messages if m["role"] == "system")
    user = next(m["content"] for m in messages if m["role"] == "user")
    done = messages[-1]["content"] if messages[-1]["role"] == "assistant" else ""
    return f"{BOS}{system}Q: {user}\n{done}"


def bad(message):
    return 400, {"error": {"message": message, "code": 400}}


def generate(body, chat):
    unknown = set(body) - COMMON - FIELDS[options.kind]
    if body.get("logprobs"):
        return next_token(body, chat)
    if unknown or (options.kind == "tgi" and body.get("top_p") == 1):
        return bad(f"not known here: {sorted(unknown) or 'top_p 1'}")
    prompt = render(body["messages"]) if chat else body["prompt"]
    if not chat and body.get("add_special_tokens", True):
        prompt = BOS + prompt
    if prompt.count(BOS) != 1 and options.bos:
        return bad(f"{prompt.count(BOS)} begin-of-sequence tokens")
    match = re.match(r"(?:S: .*\n)?Q: ([0-9+*\-]+)=\?\n(.*)", prompt.replace(BOS, ""), re.S)
    if not match:
        return bad("malformed")
    problem, done = match.groups()
    texts = steps_of(problem, done, 0 if options.ignore_seed else body.get("seed", 0))
    stopped = "\n\n" in body.get("stop", []) and len(texts) > 1
    text = texts[0] if stopped else "\n\n".join(texts)
    most = body.get("n_predict", body.get("max_tokens"))
    if options.room and len(done) + len(text) >= options.room:
        most = min(most, max(options.room - len(done), 0))
    cut = len(text) >= most  # the end of sequence is a token, too
    if cut:
        text, stopped = text[:most], False
    end = "limit" if cut else "word" if stopped else "eos"
    keeps = {"vllm": "include_stop_str_in_output", "sglang": "no_stop_trim"}.get(options.kind)
    if stopped and (options.kind == "tgi" or body.get(keeps)):
        text += "\n\n"
    return 200, answer_of(body["model"], text, end, chat, len(prompt))


def answer_of(model, text, end, chat, n_prompt):
    """The answer in the shape of the kind of server."""
    n_tokens = len(text) + (end != "limit")
    if options.kind == "llama.cpp" and not chat:
        return {"content": text, "stop": True, "stop_type": end, "truncated": False,
                "stopping_word": "\n\n" if end == "word" else "",
                "tokens_predicted": n_tokens, "tokens_evaluated": n_prompt,
                "timings": {"cache_n": 1}}
    choice = {"index": 0, "finish_reason": "length" if end == "limit" else "stop"}
    if options.kind == "vllm":
        choice["stop_reason"] = "\n\n" if end == "word" else None
    elif options.kind == "sglang":
        choice["matched_stop"] = {"word": "\n\n", "eos": 151645, "limit": None}[end]
    elif options.kind == "tgi" and end != "limit":
        choice["finish_reason"] = ("stop_sequence" if end == "word" else
                                   "stop" if chat else "eos_token")
    choice.update({"message": {"role": "assistant", "content": text}} if chat else {"text": text})
    return {"object": "text_completion", "model": model, "choices": [choice],
            "usage": {"prompt_tokens": n_prompt, "completion_tokens": n_tokens,
                      "total_tokens": n_prompt + n_tokens}}


def tokenize(body):
    if options.kind == "tgi":
        return 200, {"tokenize_response": [], "templated_text": render(body["messages"])}
    if options.kind == "llama.cpp":
        return 200, {"prompt": render(body["messages"])}
    return 200, {"tokens": [ord(c) for c in render(body["messages"])], "count": 1}


def detokenize(body):
    text = "".join(chr(t) for t in body["tokens"])
    if options.kind == "vllm":
        return 200, {"prompt": text}
    return 200, {"text": text if body.get("skip_special_tokens") is False else text.replace(BOS, "")}


def batched(scores, n):
    """Scores of a text among n - 1 others in its request: wrong with --batch-bug lists, or with
    --batch-bug load while other requests are under way."""
    together = n > 1 if options.batch_bug == "lists" else options.batch_bug and running > 1
    return [1 - s for s in scores] if together else scores


def reward(step, i):
    sides = step.split("=")
    right = len(sides) != 2 or str(eval(sides[0])) == sides[1].strip()
    return (0.9 if right else 0.2) + 0.05 * draw(step, i)


def rewards(text, n=1):
    steps = text.split("<extra_0>")[:-1]
    scores = batched([reward(s, i) for i, s in enumerate(steps)], n)
    return [[1 - p, p] for p in scores][options.drop_rows:]


def next_token(body, chat):
    """The reward of the last step as the probabilities of + and - (top_logprobs, logprobs)."""
    if chat:
        turns = [m["content"] for m in body["messages"] if m["role"] == "user"]
        assert [m["content"] for m in body["messages"] if m["role"] == "assistant"] == \
            ["+"] * (len(turns) - 1) and body["messages"][-1]["role"] == "user"
        turns[0] = turns[0].split("=? ")[1]
    else:
        turns = body["prompt"].rsplit("<|im_start|>assistant\n", 1)[-1].split("<extra_0>")[:-1]
    p = batched([reward(turns[-1], len(turns) - 1)], 1)[0]
    # part of the chance goes to other spellings and other words
    chances = {" +": 0.8 * p, "+": 0.1 * p, "-": 0.9 * (1 - p), "maybe": 0.1}
    if options.mute:
        chances = {"maybe": 0.9, "never": 0.1}
    top = [{"token": t, "logprob": math.log(c)} for t, c in chances.items()]
    if chat or options.kind == "llama.cpp":
        logprobs = {"content": [{**top[0], "top_logprobs": top}]}
    else:
        logprobs = {"tokens": [" +"], "top_logprobs": [{t["token"]: t["logprob"] for t in top}]}
    n = len(json.dumps(body))
    return 200, {"choices": [{"index": 0, "text": "+", "finish_reason": "length",
                              "logprobs": logprobs}], "usage": {"prompt_tokens": n}}


def outcome(text, n=1):
    """The reward of a whole answer: raw with --raw, else within 0 and 1."""
    p = batched([reward(text.strip().split("\n\n")[0].split("\n")[-1], 0)], n)[0]
    return math.log(p / (1 - p)) if options.raw else p


def classify(body):
    if options.kind == "sglang":
        return 200, [{"embedding": [outcome(t, len(body["text"]))], "meta_info": {"prompt_tokens": len(t)}}
                     for t in body["text"]]
    texts = body.get("input") or [body["messages"][-1]["content"]]
    texts = [t.rsplit("<|im_start|>assistant\n", 1)[-1].replace("<|im_end|>\n", "") for t in texts]
    good = [outcome(t, len(texts)) for t in texts]
    data = [{"index": i, "label": "GOOD", "num_classes": 2, "probs": [1 - p, p]}
            for i, p in enumerate(good)]
    return 200, {"data": data[::-1][options.drop_rows:], "usage": {"prompt_tokens": 7}}


def rerank(body):
    rows = [{"index": i, "relevance_score": outcome(t, len(body["documents"]))} for i, t in enumerate(body["documents"])]
    rows.sort(key=lambda row: -row["relevance_score"])
    if options.kind == "sglang":
        return 200, [{"index": r["index"], "score": r["relevance_score"]} for r in rows]
    return 200, {"results": rows[options.drop_rows:], "usage": {"total_tokens": 7}}


def pool(body):
    inputs = body.get("input") or [body["messages"][-1]["content"]]
    inputs = [inputs] if isinstance(inputs, str) else inputs
    inputs = [t.rsplit("<|im_start|>assistant\n", 1)[-1] for t in inputs]
    n = sum(len(t) for t in inputs)
    return {"object": "list", "model": body["model"],
            "data": [{"index": i, "object": "pooling", "data": rewards(t, len(inputs))}
                     for i, t in enumerate(inputs)],
            "usage": {"prompt_tokens": n, "total_tokens": n}}


# What the server says of itself: path and answer.
ABOUT = {"vllm": ("/version", {"version": "0.26.0"}),
         "sglang": ("/get_server_info", {"version": "0.5.9", "tp_size": 1}),
         "llama.cpp": ("/props", {"build_info": "b7000", "default_generation_settings": {"n_ctx": 1}}),
         "tgi": ("/info", {"version": "3.3.6", "model_id": "tinymath"}),
         "openai": (None, None)}
ROUTES = {"vllm": {"/tokenize": tokenize, "/detokenize": detokenize,
                   "/reset_prefix_cache": lambda body: (200, {})},
          "sglang": {"/tokenize": tokenize, "/detokenize": detokenize,
                     "/flush_cache": lambda body: (400, {})},
          "llama.cpp": {"/apply-template": tokenize,
                        "/completion": lambda body: generate(body, False)},
          "tgi": {"/chat_tokenize": tokenize},
          "openai": {}}


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

    def setup(self):
        super().setup()
        if options.connections:
            with lock, open(options.connections, "a") as f:
                f.write("connected\n")

    def answer(self, status, body, kind="application/json"):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refused(self):
        """Whether the key is missing, in vLLM's words, or the model is, in those of llama.cpp's server,
        which lists its models all the same."""
        if options.loading and self.path != "/v1/models" and os.path.exists(options.loading):
            with lock, open(options.loading, "a") as f:
                f.write("asked\n")
            self.answer(503, {"error": {"message": "Loading model", "type": "unavailable_error",
                                        "code": 503}})
            return True
        wanted = options.key and f"Bearer {options.key}"
        if wanted and self.headers.get("Authorization") != wanted:
            self.answer(401, {"error": "Unauthorized"})
            return True
        return False

    def do_GET(self):
        if (self.path.startswith("/v1") or options.loading) and self.refused():
            return
        if self.path == "/v1/models":
            names = ["tinymath", "tinymath-prm"]
            self.answer(200, {"object": "list", "data": [{"id": n, "object": "model"} for n in names]})
        elif self.path == ABOUT[options.kind][0]:
            self.answer(200, ABOUT[options.kind][1])
        elif self.path == "/metrics":
            self.answer(200, f"vllm:num_requests_running {running + options.foreign}\n"
                             "vllm:num_requests_waiting 0\n"
                             f"vllm:prefix_cache_queries_total {4 * n_requests}\n"
                             f"vllm:prefix_cache_hits_total {n_requests}\n", "text/plain")
        else:
            self.answer(200 if self.path == "/health" else 404, {})

    def do_POST(self):
        global running, n_requests
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
        if self.refused():
            return
        if self.path == "/reset_prefix_cache" and options.reset_file:
            with open(options.reset_file, "a") as f:
                f.write("reset\n")
            return self.answer(200, {})
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
        work = {"/v1/completions": lambda body: generate(body, False),
                "/v1/chat/completions": lambda body: generate(body, True),
                "/pooling": lambda body: (200, pool(body)),
                "/v1/embeddings": lambda body: (200, embed(body)),
                "/classify": classify, "/v1/rerank": rerank,
                **ROUTES[options.kind]}.get(self.path)
        if not work or (body and body.get("model") not in ("tinymath", "tinymath-prm")):
            return 404, {"error": {"message": "no such model", "code": 404}}
        if options.fail_every and number % options.fail_every == 0:
            return 503, {"error": {"message": "busy", "code": 503}}
        if options.fail_draws and body.get("seed", 0) % options.fail_draws:
            return 500, {"error": {"message": "the bytes drawn are no UTF-8", "code": 500}}
        if options.refuse and options.refuse in json.dumps(body):
            return bad("this query is refused")
        steps = max((t.count("<extra_0>") for t in body.get("input", [])), default=0) \
            if self.path == "/pooling" else sum(m["role"] == "user" for m in body.get("messages", []))
        if options.context and steps > options.context:
            return bad("This model's maximum context length is shorter")
        if options.log:
            with lock, open(options.log, "a") as f:
                f.write(json.dumps({"path": self.path, "body": body,
                                    "headers": dict(self.headers)}) + "\n")
        return work(body)


def main():
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--kind", default="vllm", choices=FIELDS, help="how to answer")
    parser.add_argument("--port", type=int, default=0, help="to listen at (default: a free one)")
    parser.add_argument("--loading", help="while this file exists, answer 503 as llama.cpp's does")
    parser.add_argument("--bos", action="store_true", help="refuse none and two of them")
    parser.add_argument("--log", help="file to which requests are added, JSON lines")
    parser.add_argument("--connections", help="file that gets a line for each connection")
    parser.add_argument("--tls", help="file with certificate and key, for https")
    parser.add_argument("--key", help="answer 401 unless this is the API key")
    parser.add_argument("--delay", type=float, default=0, help="seconds before each answer")
    parser.add_argument("--fail-every", type=int, default=0, help="answer 503 to each so-many-th")
    parser.add_argument("--fail-draws", type=int, default=0,
                        help="answer 500 to a text unless its seed is a multiple of this")
    parser.add_argument("--batch-bug", choices=["lists", "load"],
                        help="wrong scores of texts among others in a request, or beside others")
    parser.add_argument("--refuse", help="answer 400 to requests with this text")
    parser.add_argument("--ignore-seed", action="store_true", help="the same text for every seed")
    parser.add_argument("--drop-rows", type=int, default=0, help="rewards left out of each answer")
    parser.add_argument("--context", type=int, help="steps that the reward model reads at most")
    parser.add_argument("--room", type=int, help="tokens of an answer that the context holds")
    parser.add_argument("--mute", action="store_true", help="the reward model says neither + nor -")
    parser.add_argument("--raw", action="store_true", help="rewards of answers are logits")
    parser.add_argument("--dim", type=int, default=64, help="numbers of an embedding")
    parser.add_argument("--foreign", type=int, default=0, help="other requests that metrics tell of")
    parser.add_argument("--reset-file", help="gets a line when the prefix cache is emptied")
    parser.add_argument("--die-after", type=int, default=0, help="requests until the server is gone")
    options = parser.parse_args()
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(options.port_file + ".tmp", "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(options.port_file + ".tmp", options.port_file)
    server.serve_forever()


main()
