# SPDX-License-Identifier: Apache-2.0
# Every kind of server, each played by the fake server: prompts, steps, ends of sequences.

load fakeserver

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    echo '{"problem": "1+2+3*4=?", "answer": "15"}' > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["beam@2x2x9"]}' > s.json
}
teardown() {
    stop_server
}
# Two beam searches on a server of this kind; $2...: more options. The requests are in log.
search() {
    stop_server
    rm -rf log run
    start_server --kind "$1" --log log --bos
    allot-collect sample --dataset p.h5 --strategies s.json --output run --runs 2 \
        --base-url "$URL" --model tinymath --prm-model tinymath-prm "${@:2}" > sample.out 2> talk
}
# How often this path was asked for.
n_of() {
    jq -s --arg path "$1" 'map(select(.path == $path)) | length' log
}
# The texts of the beams, in order; a step that was not told to be the last has its separator.
texts() {
    jq -c 'select(.t == "beam") | .gen[].text | sub("\\n\\n$"; "")' run/journal.jsonl | sort
}

@test "each kind is detected and shown, renders the prompt once, and gives the same beams" {
    local kind path
    for kind in vllm sglang llama.cpp tgi; do
        search "$kind"
        grep -q "is $kind [0-9b]" talk
        [ "$(jq -r .fingerprint.server_kind run/manifest.json)" = "$kind" ]
        [ "$(jq -r .fingerprint.prompt_template run/manifest.json)" = server ]
        texts > "texts.$kind"
        [ -s "texts.$kind" ]
        cmp texts.vllm "texts.$kind"
        path=/v1/completions
        [ "$kind" != llama.cpp ] || path=/completion
        # 4 beams of 4 steps, nothing asked behind the end of a sequence
        [ "$(n_of $path)" -eq 16 ]
        [ "$(n_of /v1/chat/completions)" -eq 0 ]
    done
    search openai --prompt-template 'Q: {problem}\n'
    texts > texts.openai
    cmp texts.vllm texts.openai
    # this one does not tell the end: one empty step more for each beam
    [ "$(n_of /v1/completions)" -eq 20 ]
}

@test "the server renders a prompt once for each query, and once to see whether it can" {
    search vllm
    [ "$(n_of /tokenize)" -eq 2 ]
    [ "$(n_of /detokenize)" -eq 2 ]
    search llama.cpp
    [ "$(n_of /apply-template)" -eq 2 ]
    search tgi --system-prompt 'Think.'
    [ "$(n_of /chat_tokenize)" -eq 2 ]
    jq -se 'map(select(.path == "/v1/completions").body.prompt | startswith("S: Think.\nQ: 1+2"))
        | all' log
}

@test "chat form: continued where the server can, refused where it cannot" {
    local kind
    search vllm
    texts > texts.vllm
    for kind in vllm sglang tgi; do
        search "$kind" --prompt-template chat
        [ "$(n_of /v1/completions)" -eq 0 ]
        [ "$(n_of /v1/chat/completions)" -eq 16 ]
        texts > "texts.$kind.chat"
        cmp texts.vllm "texts.$kind.chat"
    done
    # in chat form llama.cpp's does not tell an end from a stop
    search llama.cpp --prompt-template chat
    [ "$(n_of /v1/chat/completions)" -eq 20 ]
    texts > texts.chat
    cmp texts.vllm texts.chat
    status=0
    search openai || status=$?
    [ "$status" -ne 0 ]
    grep -q "beam search on a server of kind 'openai' needs a prompt template" talk run/journal.jsonl
}

@test "--server-kind overrides what is detected" {
    search vllm --server-kind openai --prompt-template 'Q: {problem}\n'
    [ "$(jq -r .fingerprint.server_kind run/manifest.json)" = openai ]
    jq -se 'map(.body | has("include_stop_str_in_output") or has("cache_salt")) | any | not' log
    status=0
    search openai --prompt-template server || status=$?
    [ "$status" -eq 2 ]
    grep -q "a server of kind 'openai' does not show its chat template" talk
}
