#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: run_demo.sh OUT QUERIES TIMED THREADS   (from the repository's root, after 'make all')
# Starts the demo server on a free port and runs examples/pipeline.mk against it, as a user would
# against a server of their own. OUT is kept: running it again goes on where it stopped.
set -eu
out=$1 queries=$2 timed=$3 threads=$4
bin=${ALLOT_BIN:-build/release/bin}
mkdir -p "$out"
started=$(date +%s)

"$bin/allot-demo-server" --port 0 --port-file "$out/port" --quiet \
  --model demo/tinymath.gguf --prm demo/tinymath-prm.gguf &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true; rm -f "$out/port"' EXIT
trap 'exit 130' INT TERM
tries=0
until [ -s "$out/port" ]; do
  tries=$((tries + 1))
  kill -0 $server 2>/dev/null || { echo "demo: the server did not start" >&2; exit 1; }
  [ $tries -lt 100 ] || { echo "demo: the server gave no port within 10 s" >&2; exit 1; }
  sleep 0.1
done
url=http://127.0.0.1:$(cat "$out/port")/v1

make --no-print-directory -f examples/pipeline.mk OUT="$out" BIN="$bin/" \
  IMPORT="$bin/allot-datasets tinymath --count $queries --seed 1" \
  STRATEGIES=collect/strategies/demo.json FRACTIONS=0.45,0.1,0.15,0.3 \
  BASE_URL="$url" MODEL=tinymath PRM_MODEL=tinymath-prm \
  GENERATION="--prompt-template 'Q: {problem}\n' --prm-template 'Q: {problem}\n' --temperature 0.8 --max-tokens 256 --step-max-tokens 64" \
  POOL=32 RUNS="${RUNS:-2}" TIME_QUERIES="$timed" THREADS="$threads" \
  EMBEDDINGS='tinymath ngram' \
  EMBED_tinymath="--base-url $url --model tinymath --query-prefix 'Q: '" \
  HARDWARE="demo server on this machine" >&2

cat "$out/report-tinymath/summary.txt"
echo
cat "$out/compare/summary.txt"
echo
echo "pictures and tables: $out/report-tinymath, $out/compare"
echo "the whole demo took $(($(date +%s) - started)) s for $queries queries"
