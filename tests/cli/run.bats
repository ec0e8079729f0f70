# SPDX-License-Identifier: Apache-2.0
# allot-run: a bundle of an invented world, a fake server that solves arithmetic.

bats_require_minimum_version 1.5.0
load fakeserver

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 2 --hidden 8 > train.log
    allot-export --quiet --uncalibrated --probe probe.h5 --costs costs.json --output raw.safetensors \
        > export.log
    start_server
    echo '{"problem": "1+1=?", "answer": "2"}' > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > s.json
    allot-collect sample --quiet --dataset p.h5 --strategies s.json --output run --base-url "$URL" \
        --model tinymath --prm-model tinymath-prm --prompt-template 'Q: {problem}\n' > sample.log
    bundle_with '{}' > model.safetensors
}
teardown() {
    stop_server
}

# The bundle as if its outcomes came from the fake server; $1: changes of the manifest.
bundle_with() {
    python3 - "$1" << 'END'
import json, struct, sys
raw = open("raw.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8:8 + n])
manifest = json.loads(header["__metadata__"]["allot"])
manifest["fingerprint"] = json.load(open("run/manifest.json"))["fingerprint"]
for key, value in json.loads(sys.argv[1]).items():
    manifest[key].update(value)
header["__metadata__"]["allot"] = json.dumps(manifest)
header["__metadata__"]["checksum"] = "0" * 16
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
whole = struct.pack("<Q", len(text)) + text + raw[8 + n:]
sum = 0xcbf29ce484222325
for byte in whole:
    sum = (sum ^ byte) * 0x100000001b3 & (1 << 64) - 1
sys.stdout.buffer.write(whole.replace(b'"checksum":"' + b"0" * 16, b'"checksum":"%016x' % sum, 1))
END
}
ask() {
    allot-run --bundle model.safetensors --base-url "$URL" "$@"
}
# The last run failed with this exit code and one line that says these words.
fails_with() {
    [ "$status" -eq "$1" ] && [ "${#lines[@]}" -eq 1 ] && [[ "$output" == "allot-run: error: "*"$2"* ]] &&
        return
    echo "exit code $status, ${#lines[@]} lines; wanted $1 and: $2"
    echo "$output"
    return 1
}

@test "a reward model that scores otherwise in a batch is refused, unless it is not asked or --force" {
    stop_server
    start_server --batch-bug lists
    bundle_with '{"fingerprint": {"prm_template": "chatml"}}' > model.safetensors
    run ask --strategy bon@4 '2+3*4=?'
    fails_with 6 "such scores measure nothing"
    run --separate-stderr ask --strategy majority@16 '2+3*4=?'
    [ "$status" -eq 0 ] && [ "$output" = 20 ]
    ask --force --strategy bon@4 '2+3*4=?' 2> talk
    grep -q "such scores measure nothing" talk
    ask --prm-batch 1 --strategy bon@4 '2+3*4=?'
}

@test "the answer is on stdout, the talk on stderr" {
    ask --strategy majority@16 '2+3*4=?' > answer 2> talk
    [ "$(cat answer)" = 20 ]
    grep -q "majority@16: predicted accuracy 0\.[0-9]*, [0-9]* tokens, [0-9.]* s" talk
    grep -q "took [0-9]* tokens" talk
    ask --quiet --strategy majority@16 '2+3*4=?' 2> talk
    [ ! -s talk ]
}

@test "--json tells what was chosen, predicted and measured" {
    ask --json --lambda-tokens 1e-5 --lambda-seconds 0.01 '2+3*4=?' > o.json
    jq -e '.answer != null and (.text | contains("boxed")) and .measured.tokens > 0
        and .measured.seconds > 0 and .predicted.tokens > 0 and .predicted.accuracy > 0
        and .exchange_rate.tokens == 1000 and .exchange_rate.seconds == 1' o.json
    ask --json '2+3*4=?' | jq -e '.exchange_rate.tokens == null'
}

@test "a high price of seconds ends at the fastest strategy, no price at the most accurate" {
    local fastest best
    fastest=$(jq -r '.loads[0].strategies | min_by(.seconds.mean) | .strategy' costs.json)
    [ "$(ask --json --lambda-seconds 1000 '2+3*4=?' | jq -r .strategy)" = "$fastest" ]
    best=$(ask --json '2+3*4=?' | jq .predicted.accuracy)
    for s in single majority@4 majority@16 bon@4 'bon@16;agg=min' beam@4x2x20; do
        ask --json --strategy "$s" '2+3*4=?' > one.json
        [ "$(jq -r .strategy one.json)" = "$s" ]
        jq -e ".predicted.accuracy <= $best" one.json
    done
}

@test "every strategy is executed; the same seed gives the same answer" {
    for s in single majority@4 bon@4 weighted@4 beam@4x2x20 'beam@4x2x20;final=vote'; do
        ask --quiet --json --strategy "$s" --seed 3 '12+7*3-5=?' | jq 'del(.measured.seconds, .select_seconds)' > a
        ask --quiet --json --strategy "$s" --seed 3 '12+7*3-5=?' | jq 'del(.measured.seconds, .select_seconds)' > b
        [ -s a ]
        cmp a b
        jq -e '.answer != null' a
    done
    # one that the bundle does not know has no prediction
    ask --json --strategy weighted@4 '1+1=?' | jq -e '.predicted.accuracy == null'
}

@test "many queries: JSON lines in and out, a failing one ends nothing" {
    printf '{"problem": "%s"}\n' '1+2=?' 'no arithmetic' '2+3=?' > q.jsonl
    status=0
    ask --quiet --strategy majority@4 --jsonl q.jsonl > out.jsonl 2> talk || status=$?
    [ "$status" -eq 3 ]
    grep -q "1 of 3 queries have no answer" talk
    [ "$(jq -r '.answer' out.jsonl | tr '\n' ' ')" = "3 null 5 " ]
    [ "$(jq -r 'select(.error) | .problem' out.jsonl)" = "no arithmetic" ]
    echo '{"query": "1+2=?"}' | ask --quiet --strategy majority@4 --jsonl - | jq -e '.answer == "3"'
    echo '{"text": 1}' > bad.jsonl
    run ask --jsonl bad.jsonl
    fails_with 4 "line 1 of 'bad.jsonl'"
}

@test "many queries: a server that went away ends them, after it was waited for" {
    for i in {1..9}; do echo "{\"problem\": \"$i+2=?\"}"; done > q.jsonl
    stop_server
    start_server --die-after 6 # two requests for the prompt and one for the text of each
    run ask --quiet --strategy single --max-outage 1 --jsonl q.jsonl
    [ "$status" -eq 6 ]
    [ "$(grep -c '"answer"' <<< "$output")" -ge 1 ]
    [[ "$output" != *'"error"'* ]]
    [[ "${lines[-1]}" =~ "error: line "[2-9]" of 'q.jsonl': no answer from '$URL/".*"; it was away for "[12]" s, longer than --max-outage 1 (the lines before it are done)" ]]
    # and at once, if it is not to be waited for
    start_server --die-after 6
    run ask --quiet --strategy single --max-outage 0 --max-retries 0 --jsonl q.jsonl
    [ "$status" -eq 6 ]
    [[ "${lines[-1]}" =~ "error: line "[2-9]" of 'q.jsonl': no answer from '$URL/" ]]
}

@test "many queries: a server that comes back is waited for, the embedding's, too" {
    local id
    id=$(printf 'tinymath\nlast\n64\n1\n' | sha256sum | cut -c1-16)
    bundle_with "{\"embedding\": {\"model\": \"tinymath\", \"id\": \"$id\", \"pooling\": \"last\"}}" \
        > model.safetensors
    stop_server
    rm -f loading
    start_server --loading loading
    for i in {1..9}; do echo "{\"problem\": \"$i+2=?\"}"; done > q.jsonl
    # the model is not there from the second query on; it is again when we have been told
    mkfifo in
    ask --strategy majority@4 --jsonl in > out 2> talk &
    local job=$!
    exec 7> in
    head -1 q.jsonl >&7
    for ((i = 0; i < 200; i++)); do [ -s out ] && break; sleep 0.05; done
    touch loading
    tail -n +2 q.jsonl >&7
    exec 7>&-
    for ((i = 0; i < 200; i++)); do grep -q 'waiting up to 600 s for it' talk && break; sleep 0.05; done
    grep -q "/v1/embeddings' answered with status 503: Loading model; waiting" talk
    rm loading
    wait "$job"
    [ "$(jq -r .answer out | tr '\n' ' ')" = "3 4 5 6 7 8 9 10 11 " ]
}

@test "caps: nothing fits is an error that names the nearest" {
    run ask --max-tokens 0.5 '1+1=?'
    [ "$status" -eq 4 ]
    ask --json --max-tokens 150 '1+1=?' | jq -e '.predicted.tokens <= 150'
    run ask --cap-on p50x --max-tokens 150 '1+1=?'
    [ "$status" -eq 2 ]
    [[ "$output" == *"--cap-on 'p50x' is none of mean, p50, p90, p95, p99"* ]]
}

@test "an embedding server: its vectors must be those of the bundle" {
    # the id of model, pooling, dimension, normalisation and prefix
    local id
    id=$(printf 'tinymath\nlast\n64\n1\nQ: ' | sha256sum | cut -c1-16)
    local embedding="\"model\": \"tinymath\", \"id\": \"$id\", \"pooling\": \"last\""
    bundle_with "{\"embedding\": {$embedding, \"prefix\": \"Q: \"}}" > model.safetensors
    ask --json '1+1=?' | jq -e '.answer != null'
    bundle_with "{\"embedding\": {$embedding}}" > model.safetensors
    ask --json --embed-prefix 'Q: ' '1+1=?' | jq -e '.answer != null'
    run ask '1+1=?'
    fails_with 5 "trained with another embedding by 'tinymath' than prefix '' and pooling 'last' give"
    run ask --embed-prefix 'Q: ' --embed-base-url http://127.0.0.1:1 --max-retries 0 '1+1=?'
    fails_with 6 "127.0.0.1:1"
    stop_server
    start_server --dim 8
    run ask --embed-prefix 'Q: ' '1+1=?'
    fails_with 5 "embeddings of 'tinymath' have 8 numbers, the bundle was trained with 64"
}

@test "many queries: the connection to the embedding server is kept" {
    local id
    id=$(printf 'tinymath\nlast\n64\n1\n' | sha256sum | cut -c1-16)
    bundle_with "{\"embedding\": {\"model\": \"tinymath\", \"id\": \"$id\", \"pooling\": \"last\"}}" \
        > model.safetensors
    stop_server
    start_server --connections connections --log log
    for i in {1..8}; do echo "{\"problem\": \"$i+2=?\"}"; done > q.jsonl
    ask --quiet --strategy single --jsonl q.jsonl > out
    [ "$(wc -l < out)" = 8 ]
    [ "$(grep -c /v1/embeddings log)" = 8 ]
    [ "$(wc -l < connections)" = 1 ] # that of the texts, too: it is one server
    # and where it is another one
    local generator=$URL first=$SERVER
    start_server --connections of-embeddings
    allot-run --bundle model.safetensors --quiet --strategy single --base-url "$generator" \
        --embed-base-url "$URL" --jsonl q.jsonl > out
    kill "$first"
    [ "$(wc -l < out)" = 8 ]
    [ "$(wc -l < of-embeddings)" = 1 ]
}

@test "an embedding server elsewhere gets no key but its own" {
    local id embedding generator=$URL first=$SERVER
    id=$(printf 'tinymath\nlast\n64\n1\n' | sha256sum | cut -c1-16)
    embedding="\"model\": \"tinymath\", \"id\": \"$id\", \"pooling\": \"last\""
    bundle_with "{\"embedding\": {$embedding}}" > model.safetensors
    start_server --key s3cret-7
    ask_both() {
        allot-run --bundle model.safetensors --base-url "$generator" --embed-base-url "$URL" "$@" '1+1=?'
    }
    OPENAI_API_KEY=s3cret-7 run ask_both
    fails_with 6 "status 401: Unauthorized" || { kill "$first"; false; }
    echo s3cret-7 > key
    OPENAI_API_KEY=other ask_both --embed-api-key-file key
    OPENAI_API_KEY=s3cret-7 ask_both --embed-api-key-env OPENAI_API_KEY
    kill "$first"
}

@test "settings that differ from the bundle's are refused, unless forced" {
    run ask --temperature 1 '1+1=?'
    fails_with 5 "temperature is 0.8 in the one and 1 in the other"
    run ask --temperature 1 --force --quiet --strategy majority@16 '1+1=?'
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = 2 ]
    bundle_with '{"fingerprint": {"generator": "bigmath"}}' > model.safetensors
    run ask '1+1=?'
    fails_with 6 "bigmath"
}

@test "a bundle of when the grader stood among the settings serves as before" {
    bundle_with '{"fingerprint": {"grader": "0"}}' > model.safetensors
    run ask --quiet --strategy majority@16 '1+1=?'
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = 2 ]
}

# Strategies of each sort on a server of this kind, prompts by its own template or $2.
speaks_to() {
    local prompts=${2:-server}
    stop_server
    rm -f log
    start_server --kind "$1" --log log --bos
    bundle_with "{\"fingerprint\": {\"server_kind\": \"$1\", \"prompt_template\": \"$prompts\"}}" \
        > model.safetensors
    for s in single majority@16 bon@4 beam@4x2x20; do
        ask --quiet --json --strategy "$s" '2+3*4=?' > o.json
        jq -e '.answer != null and .measured.tokens > 0 and .measured.seconds > 0' o.json
        [ "$s" != majority@16 ] || [ "$(jq -r .answer o.json)" = 20 ]
    done
    jq -se --arg path "$3" 'map(.path == $path) | any' log
    ask --verbose --strategy single '2+3*4=?' 2> talk > answer || true
    grep -q "'$URL' is $1 .*with 'tinymath', prompts: " talk
    # a bundle that was made on another kind of server says nothing about this one
    bundle_with '{"fingerprint": {"server_kind": "exotic"}}' > model.safetensors
    run ask '2+3*4=?'
    fails_with 5 "server_kind is \"exotic\" in the one and \"$1\" in the other"
}

@test "vLLM" {
    speaks_to vllm server /tokenize
}

@test "SGLang" {
    speaks_to sglang server /detokenize
}

@test "llama.cpp's server" {
    speaks_to llama.cpp server /completion
}

@test "TGI" {
    speaks_to tgi server /chat_tokenize
}

@test "plain OpenAI" {
    speaks_to openai 'Q: {problem}\n' /v1/completions
}

@test "reward models of other kinds, as the bundle tells" {
    local kind
    stop_server
    start_server --log log
    for kind in logprob classify rerank; do
        bundle_with "{\"fingerprint\": {\"prm_kind\": \"$kind\", \"prm_system_prompt\": \"\"}}" \
            > model.safetensors
        ask --quiet --json --strategy bon@4 '2+3*4=?' | jq -e '.answer != null'
    done
    [ "$(jq -r .path log | sort -u | tr '\n' ' ')" = \
        "/classify /v1/chat/completions /v1/completions /v1/rerank " ]
}

@test "mistakes and bad input: one line and the right exit code" {
    run ask
    fails_with 2 "give one query in quotes, or --jsonl FILE"
    run allot-run '1+1=?'
    fails_with 2 "--bundle is missing"
    run allot-run --bundle model.safetensors '1+1=?'
    fails_with 2 "no server to talk to"
    run ask --strategy telepathy '1+1=?'
    fails_with 4 "telepathy"
    run allot-run --bundle nowhere.safetensors --base-url "$URL" '1+1=?'
    [ "$status" -ne 0 ]
    [[ "$output" == *"nowhere.safetensors"* ]]
    run ask --base-url http://127.0.0.1:1 --max-retries 0 '1+1=?'
    fails_with 6 "127.0.0.1:1"
    run ask --strategy single 'no arithmetic'
    fails_with 6 "status 400"
    head -c 1000 model.safetensors > short.safetensors
    run allot-run --bundle short.safetensors --base-url "$URL" '1+1=?'
    fails_with 4 "short.safetensors"
    run allot-run --help
    [ "$status" -eq 0 ] && [[ "$output" == *"Examples:"* ]]
}
