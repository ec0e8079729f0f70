# SPDX-License-Identifier: Apache-2.0
# A real llama.cpp server (Debian: llama.cpp-tools) with the demo's model, beside allot-demo-server
# with the same. ALLOT_LLAMA_SERVER: the command, if it is not llama-server.

load ../cli/fakeserver

setup() {
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    read -ra LLAMA <<< "${ALLOT_LLAMA_SERVER:-llama-server}"
    command -v "${LLAMA[0]}" > found || skip "llama-server is not installed"
    demo=$(cd "$BATS_TEST_DIRNAME/../../demo" && pwd)
    allot-datasets tinymath --quiet --count 60 --seed 5 p.h5 > made
    echo '{"schema": "allot-strategies", "version": 1,
           "strategies": ["single", "majority@4", "bon@4", "beam@4x2x12"]}' > s.json
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > one.json
    allot-demo-server --quiet --port 0 --port-file port --model "$demo/tinymath.gguf" \
        --prm "$demo/tinymath-prm.gguf" 3>&- &
    SERVER=$!
    wait_for_port
    start_llama
}
teardown() {
    stop_server
    [ -z "${LLAMA_PID:-}" ] || { kill -9 "$LLAMA_PID" && wait "$LLAMA_PID"; } 2> killed || true
}
# Its address is in LLAMA_URL.
start_llama() {
    : "${LLAMA_PORT:=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}"
    LLAMA_URL=http://127.0.0.1:$LLAMA_PORT
    "${LLAMA[@]}" -m "$demo/tinymath.gguf" --alias tinymath --host 127.0.0.1 --port "$LLAMA_PORT" \
        --ctx-size 8192 --parallel 16 -t 1 3>&- > llama.log 2>&1 &
    LLAMA_PID=$!
    for ((i = 0; i < 200; i++)); do
        curl -sf "$LLAMA_URL/health" > health && return
        sleep 0.1
    done
    tail -5 llama.log
    return 1
}
# sample DIR URL STRATEGIES [OPTION...]
sample() {
    allot-collect sample --quiet --dataset p.h5 --output "$1" --base-url "$2" --strategies "$3" \
        --model tinymath --prompt-template 'Q: {problem}\n' --max-tokens 256 --step-max-tokens 64 \
        --max-concurrency 16 --prm-base-url "$URL" --prm-model tinymath-prm \
        --prm-template 'Q: {problem}\n' "${@:4}"
}
# The texts of a run, how they ended and what they cost.
texts() {
    jq -c 'select(.t == "sample") | [.key, .slot, .gen[0].text, .gen[0].finish, .n_tokens,
                                     .prompt_tokens]' "$1/journal.jsonl" | sort
}

@test "greedy texts, their ends and their tokens are those of the demo server" {
    local options=(--temperature 0 --pool 1)
    sample demo "$URL" one.json "${options[@]}" > out
    sample own "$LLAMA_URL" one.json "${options[@]}" > out
    sample plain "$LLAMA_URL" one.json "${options[@]}" --server-kind openai > out
    [ "$(jq -r .fingerprint.server_kind own/manifest.json)" = llama.cpp ]
    texts demo > demo.texts
    [ "$(wc -l < demo.texts)" -eq 60 ]
    for run in own plain; do
        texts $run > $run.texts
        cmp demo.texts $run.texts
    done
}

@test "votes, rankings and searches are as good as on the demo server" {
    local run strategy
    sample demo "$URL" s.json --pool 16 > out
    sample own "$LLAMA_URL" s.json --pool 16 > out
    for run in demo own; do
        allot-collect status $run --json > $run.status
        jq -e '.done == .total' $run.status > out || { cat $run.status; return 1; }
        allot-collect label --json $run $run.h5 > $run.labels
    done
    # 60 queries of 16 samples, 8 searches each: means differ by chance by .02 or so
    jq -es '[.[0].strategies, .[1].strategies] | transpose
            | map((.[0].accuracy - .[1].accuracy | fabs) < 0.1 and
                  (.[0].tokens / .[1].tokens - 1 | fabs) < 0.1) | length == 4 and all' \
        demo.labels own.labels || { jq -c .strategies demo.labels own.labels; return 1; }
}

@test "the server stops in the middle and comes back: the samples are those of an undisturbed run" {
    local options=(--pool 16 --temperature 0.8)
    sample whole "$LLAMA_URL" one.json "${options[@]}" > out
    sample broken "$LLAMA_URL" one.json "${options[@]}" > out 3>&- &
    local collector=$!
    while [ "$(cat broken/journal.jsonl 2> /dev/null | wc -l)" -lt 2 ] && kill -0 $collector; do
        sleep 0.05
    done
    kill -9 "$LLAMA_PID"
    wait "$LLAMA_PID" || true
    start_llama
    wait $collector
    texts whole > whole.texts
    texts broken > broken.texts
    [ "$(wc -l < whole.texts)" -eq 960 ]
    cmp whole.texts broken.texts
    jq -se 'map(.retries) | add > 0' broken/journal.jsonl
}

@test "timings with and without streaming, embeddings" {
    allot-collect time --quiet --dataset p.h5 --strategies s.json --output t --stream \
        --base-url "$LLAMA_URL" --model tinymath --prompt-template 'Q: {problem}\n' \
        --max-tokens 256 --step-max-tokens 64 --prm-base-url "$URL" --prm-model tinymath-prm \
        --prm-template 'Q: {problem}\n' --queries 8 --precision 0 > out
    jq -se 'map(select(.t == "timed")) | length == 32 and
            (map(.seconds > .ttft_s and .ttft_s > 0) | all)' t/journal.jsonl
    kill -9 "$LLAMA_PID"
    wait "$LLAMA_PID" || true
    LLAMA+=(--embedding --pooling mean)
    start_llama
    allot-datasets embed --quiet --base-url "$LLAMA_URL" --model tinymath --pooling-name mean \
        p.h5 e.h5 > out
    allot-datasets inspect e.h5 --json > e.json
    jq -e '.dimension == 128 and .normalized' e.json || { cat e.json; return 1; }
}
