#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers GET /rows as the Hugging Face hub's dataset viewer does, for command-line tests.

Row i is {"problem": "what is i?", "answer": "i", "ä": i / 8}. Faults are asked for by options; a
fault "once" is gone when the same request comes again. Requests are written to --log, one a line.
"""
import argparse, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse, parse_qs

parser = argparse.ArgumentParser()
parser.add_argument("--port-file", required=True)
parser.add_argument("--log", default="/dev/null")
parser.add_argument("--rows", type=int, default=250)
parser.add_argument("--token", help="without it: status 401")
parser.add_argument("--truncate", type=int, default=-1, help="this row's answer is cut")
parser.add_argument("--fail-once", type=int, default=0, help="this status, once for each request")
parser.add_argument("--fail-from", type=int, default=-1, help="status 500 from this offset on")
parser.add_argument("--hang-up-once", action="store_true", help="half of the body, once each")
parser.add_argument("--shift", type=int, default=0, help="added to each row_idx")
parser.add_argument("--digits", action="store_true", help="rows have numbers that no double holds")
parser.add_argument("--partial", action="store_true", help="there are more rows than are served")
parser.add_argument("--short", action="store_true", help="each page lacks its last row")
parser.add_argument("--garbage", help="this body instead")
options = parser.parse_args()
seen = set()


def page(offset, length):
    rows = [{"row_idx": i + options.shift,
             "row": {"problem": f"what is {i}?", "answer": str(i), "ä": i / 8},
             "truncated_cells": ["answer"] if i == options.truncate else []}
            for i in range(offset, min(offset + length, options.rows))]
    for row in rows if options.digits else []:
        row["row"] |= {'"1\\': "\\\"2", "id": 2**63 + row["row_idx"], "list": [[1.0, -0.0], 1e-7, 10**30]}
    if options.short:
        rows.pop()
    return {"features": [{"feature_idx": 0, "name": "problem", "type": {"dtype": "string"}}],
            "rows": rows, "num_rows_total": options.rows, "num_rows_per_page": 100,
            "partial": options.partial}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, declared=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(declared or len(body)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with open(options.log, "a") as log:
            log.write(self.path + "\n")
        url = urlparse(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        first = self.path not in seen
        seen.add(self.path)
        if url.path != "/rows" or query.get("dataset") != "a/b c" or query["split"] != "train":
            return self.answer(404, b'{"error": "The dataset does not exist."}')
        if options.token and self.headers.get("Authorization") != "Bearer " + options.token:
            return self.answer(401, b'{"error": "The dataset is gated."}')
        offset, length = int(query["offset"]), int(query["length"])
        if not 1 <= length <= 100:
            return self.answer(422, b'{"error": "length must be within 1 and 100"}')
        if options.fail_once and first:
            return self.answer(options.fail_once, b'{"error": "later"}')
        if 0 <= options.fail_from <= offset:
            return self.answer(500, b'{"error": "Unexpected error."}')
        body = json.dumps(page(offset, length)).encode()
        if options.garbage is not None:
            body = options.garbage.encode()
        if options.hang_up_once and first:
            self.answer(200, body[: len(body) // 2], len(body))
            self.close_connection = True
            return
        self.answer(200, body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(options.port_file + ".tmp", "w") as f:
    f.write(str(server.server_port))
os.rename(options.port_file + ".tmp", options.port_file)
server.serve_forever()
