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
# How often this path was asked for, the check of the reward model aside.
n_of() {
    jq -s --arg path "$1" 'map(select(.path == $path and (.body | tostring | contains("7*3+12=?") | not))) | length' log
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

# Three samples with scores, by this kind of reward model on this kind of server.
score() {
    stop_server
    rm -rf log run
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["bon@2"]}' > bon.json
    start_server --kind "$1" --log log
    allot-collect sample --quiet --dataset p.h5 --strategies bon.json --output run --pool 3 \
        --base-url "$URL" --model tinymath --prm-model tinymath-prm --prm-kind "$2" "${@:3}" \
        > sample.out
}
# The scores of the samples in order, to nine digits.
scores() {
    jq -c 'select(.t == "score") | [.slot, (.gen[0].scores[] * 1e9 | round)]' run/journal.jsonl | sort
}

@test "a reward model that says + or -: the same scores as from pooling, on every server" {
    local kind
    score vllm vllm-pooling
    scores > pooled
    [ "$(jq -s 'map(length) | add' pooled)" -eq 15 ]
    for kind in vllm sglang llama.cpp tgi openai; do
        score "$kind" logprob --prompt-template 'Q: {problem}\n'
        scores > said
        cmp pooled said
        [ "$(n_of /v1/chat/completions)" -eq 12 ]
    done
    for kind in vllm llama.cpp; do
        score "$kind" logprob --prompt-template 'Q: {problem}\n' --prm-template chatml
        scores > said
        cmp pooled said
        [ "$(n_of /v1/chat/completions)" -eq 0 ]
    done
    jq -e 'select(.t == "score").prm_tokens > 0' run/journal.jsonl
}

@test "a template of the reward model: all texts of a search in one request, the same scores" {
    search vllm
    scores_of='select(.t == "beam") | [.run, .gen[].scores]'
    jq -c "$scores_of" run/journal.jsonl | sort > apart
    [ "$(n_of /pooling)" -eq 16 ]
    search vllm --prm-template chatml --prm-batch 2
    jq -c "$scores_of" run/journal.jsonl | sort > together
    cmp apart together
    [ "$(n_of /pooling)" -eq 8 ]
    jq -se 'map(select(.path == "/pooling").body.input[0]) | map(startswith("<|im_start|>system\n")
        and endswith("<extra_0><|im_end|>\n")) | all' log
}

@test "outcome reward models: classify and rerank, scores of whole answers" {
    local kind
    score vllm classify
    scores > classified
    [ "$(jq -s 'map(length) | add' classified)" -eq 6 ]
    score vllm classify --prm-template chatml
    scores | cmp classified -
    score sglang classify --prm-template '{problem}\n{steps}'
    scores | cmp classified -
    for kind in vllm sglang llama.cpp; do
        score "$kind" rerank
        scores | cmp classified -
    done
}

@test "raw rewards are told from probabilities" {
    stop_server
    start_server --raw
    sample=(allot-collect sample --quiet --dataset p.h5 --strategies bon.json --pool 3
        --base-url "$URL" --model tinymath --prm-model tinymath-prm --prm-kind rerank)
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["bon@2"]}' > bon.json
    status=0
    "${sample[@]}" --output raw > sample.out 2> talk || status=$?
    [ "$status" -eq 3 ]
    grep -q "is not within 0 and 1 (give --prm-activation sigmoid for raw scores)" raw/journal.jsonl
    "${sample[@]}" --output run --prm-activation sigmoid > sample.out
    scores > squeezed
    score vllm rerank
    scores | cmp squeezed -
}

@test "a failing reward model is an error, never a score" {
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["bon@2"]}' > bon.json
    fails() { # options of the server, kind, message
        stop_server
        rm -rf run
        start_server $1
        status=0
        allot-collect sample --quiet --dataset p.h5 --strategies bon.json --pool 3 --output run \
            --base-url "$URL" --model tinymath --prm-model tinymath-prm --prm-kind "$2" \
            --prm-template chatml > sample.out 2> talk || status=$?
        [ "$status" -eq 3 ]
        [ -z "$(jq 'select(.t == "score")' run/journal.jsonl)" ]
        jq -r .message run/journal.jsonl | grep -qF -- "$3"
    }
    fails --mute logprob "the reward model's next token is neither '+' nor '-'"
    fails '--drop-rows 1' classify "the reward model scored 0 texts instead of 1"
    fails '--drop-rows 1' rerank "the reward model scored 0 texts instead of 1"
    fails '--drop-rows 1' vllm-pooling "the reward model returned 3 rows for 4 steps"
    # beam search needs steps
    status=0
    search vllm --prm-kind rerank || status=$?
    [ "$status" -ne 0 ]
    grep -q "a reward model of kind 'rerank' scores whole answers" talk run/journal.jsonl
}

@test "a text longer than the reward model's context: scored without its oldest steps, and marked" {
    long() { # kind of reward model
        stop_server
        rm -rf run
        start_server --context 2
        allot-collect sample --quiet --dataset p.h5 --strategies bon.json --pool 3 --output run \
            --base-url "$URL" --model tinymath --prm-model tinymath-prm --prm-kind "$1" "${@:2}" \
            > sample.out
        jq -e 'select(.t == "score").gen[0].prm_truncated' run/journal.jsonl
    }
    score vllm vllm-pooling
    scores > whole
    long vllm-pooling --prm-template chatml
    # of four steps two fit
    [ "$(jq -s 'map(select(.t == "score").gen[0].scores | length) | add' run/journal.jsonl)" -eq 6 ]
    # asked for each step, all have a score; those that fit are as they were
    long logprob
    [ "$(jq -s 'map(select(.t == "score").gen[0].scores | length) | add' run/journal.jsonl)" -eq 12 ]
    scores | jq -c .[:3] > now
    jq -c .[:3] whole | cmp - now
}

@test "replay: scores that were made elsewhere, by query and text" {
    score vllm vllm-pooling
    scores > asked
    python3 - > scores.jsonl << 'END'
import hashlib, json
records = [json.loads(line) for line in open("run/journal.jsonl")]
texts = {r["slot"]: r["gen"][0]["text"] for r in records if r["t"] == "sample"}
for r in records:
    if r["t"] == "score":
        print(json.dumps({"key": r["key"], "scores": r["gen"][0]["scores"],
                          "text": hashlib.sha256(texts[r["slot"]].encode()).hexdigest()}))
END
    sort -u scores.jsonl > unique.jsonl
    score openai replay --prm-scores unique.jsonl --prompt-template 'Q: {problem}\n'
    scores | cmp asked -
    [ "$(n_of /pooling)" -eq 0 ]
    head -n 1 unique.jsonl > one.jsonl
    status=0
    score openai replay --prm-scores one.jsonl --prompt-template 'Q: {problem}\n' || status=$?
    [ "$status" -eq 3 ]
    grep -q "'one.jsonl' has no scores for key [0-9a-f]* and text [0-9a-f]*" run/journal.jsonl
    refused() { # message, lines of the file
        printf "$2" > bad.jsonl
        status=0
        score openai replay --prm-scores bad.jsonl 2> talk || status=$?
        [ "$status" -eq 4 ]
        grep -qF "$1" talk
    }
    local key='"key": "'$(printf '%064d' 1)'", "text": "'$(printf '%064d' 2)'"'
    refused "'bad.jsonl' has no scores" ""
    refused "line 1 of 'bad.jsonl': a score is not a number within 0 and 1" \
        "{$key, \"scores\": [1.5]}\n"
    refused "line 1 of 'bad.jsonl': \"scores\" is empty" "{$key, \"scores\": []}\n"
    refused "the last line of 'bad.jsonl' has no end" "{$key, \"scores\": [1]}\n{"
    refused "bad.jsonl" "{$key, \"scores\": [1]}\n{$key, \"scores\": [1]}\n"
}

# One sample, with these options.
one() {
    rm -rf run
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > one.json
    allot-collect sample --quiet --dataset p.h5 --strategies one.json --pool 2 --output run \
        --base-url "$URL" --model tinymath "$@"
}
# The last command failed with this exit code and these words.
refused() {
    [ "$status" -eq "$1" ] && [[ "$output" == *"$2"* ]] && return
    echo "exit code $status; wanted $1 and: $2"
    echo "$output"
    return 1
}

@test "the certificate of a server is checked, unless told not to" {
    command -v openssl > where || skip "there is no openssl command"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out ca.pem 2> openssl.log
    cat key.pem ca.pem > both.pem
    start_server --tls both.pem
    URL=${URL/http:/https:}
    run one --max-retries 0
    refused 6 "certificate"
    [ ! -e run/journal.jsonl ]
    one --cacert ca.pem > out
    [ "$(jq -r .t run/journal.jsonl | sort -u)" = sample ]
    one --insecure > out
    run one --cacert nowhere.pem
    [ "$status" -ne 0 ]
}

@test "a key that the server sends back is in no file and on no screen; odd counts are in no sample" {
    rm -f port
    "$ALLOT_BUILD/tests/faults/fault_server" port 3>&- &
    SERVER=$!
    wait_for_port
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > s.json
    ask_for() {
        OPENAI_API_KEY=s3cret-7 run allot-collect sample --dataset p.h5 --strategies s.json \
            --output "$1" --base-url "$URL/$1" --model gen --prompt-template '{problem}' \
            --header 'X-Api-Key: s3cret-9' --max-retries 0 "${@:2}"
        echo "$output" > "$1.said"
    }
    ask_for echo-text
    [ "$status" -eq 0 ]
    jq -e '.gen[0].text == "Authorization: Bearer ***, X-Api-Key: ***"' echo-text/journal.jsonl
    ask_for echo-error
    [ "$status" -eq 3 ]
    jq -e '.message | endswith("refused: Authorization: Bearer ***, X-Api-Key: ***")' echo-error/journal.jsonl
    ask_for echo-models
    [ "$status" -eq 6 ]
    ! grep -rq s3cret .
    for fault in count-above count-zero count-negative count-half; do
        ask_for "$fault"
        [ "$status" -eq 3 ]
        [ "$(jq -r .t "$fault/journal.jsonl" | sort -u)" = error ]
    done
}

@test "limits for the first byte of an answer and for silence within it" {
    rm -f port
    "$ALLOT_BUILD/tests/faults/fault_server" port 3>&- &
    SERVER=$!
    wait_for_port
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > s.json
    limited() {
        local fault=$1
        shift
        run allot-collect sample --quiet --dataset p.h5 --strategies s.json --output "$fault" \
            --base-url "$URL/$fault" --model gen --prompt-template '{problem}' --limit 1 \
            --max-retries 0 "$@"
    }
    limited slow --first-byte-timeout 0.3
    [ "$status" -eq 3 ]
    [[ "$(allot-collect status slow)" == *"no byte came in time"* ]]
    limited slow
    [ "$status" -eq 0 ]
    limited idle --idle-timeout 0.3 --first-byte-timeout 0.9
    [ "$status" -eq 3 ]
    [[ "$(allot-collect status idle)" == *"it fell silent"* ]]
    for limit in --first-byte-timeout --idle-timeout; do
        limited ok "$limit" 11 --timeout 10
        [ "$status" -eq 2 ]
        [[ "$output" == *"timeout of 11 s is above the 10 s of a whole request"* ]]
        limited ok "$limit" 0
        [ "$status" -eq 2 ]
    done
    [ ! -e ok ]
}

@test "an address below which there is no such server is refused, unless the kind is given" {
    start_server
    run one --base-url "$URL/nowhere"
    refused 6 "'$URL/nowhere' answers, but not as a server that is known: there is no '/v1/models'"
    [ ! -e run/journal.jsonl ]
    run one --base-url "$URL/nowhere" --server-kind openai
    [ "$status" -eq 3 ]
}

@test "keys come from the environment or a file, one for each server, and are never written" {
    start_server --key s3cret-7
    run one
    refused 6 "status 401: Unauthorized (give a key with --api-key-env or --api-key-file)"
    MY_KEY=s3cret-7 one --api-key-env MY_KEY > out 2> talk
    echo s3cret-7 > key
    one --api-key-file key > out 2>> talk
    OPENAI_API_KEY=s3cret-7 one >> out 2>> talk
    OPENAI_API_KEY=wrong run one
    refused 6 "status 401"
    # the reward model's server has its own
    OPENAI_API_KEY=s3cret-7 one --prm-model tinymath-prm --prm-base-url "$URL" >> out 2>> talk
    OPENAI_API_KEY=s3cret-7 run one --prm-model tinymath-prm --prm-api-key-env NONE
    refused 2 "the environment variable 'NONE' is not set"
    NONE=wrong OPENAI_API_KEY=s3cret-7 run one --prm-model tinymath-prm --prm-api-key-env NONE
    refused 6 "status 401"
    rm key
    ! grep -rq s3cret-7 .
}

@test "--header goes along with every request; what would break a request is refused" {
    start_server --log log
    one --header 'X-Team: math' --header 'X-Run: 7' > out
    jq -se 'length > 0 and (map(.headers["X-Team"] == "math" and .headers["X-Run"] == "7") | all)' log
    run one --header 'Authorization: Bearer me'
    refused 2 "the header 'Authorization' is not to be given (keys: --api-key-env or --api-key-file)"
    run one --header 'no colon'
    refused 2 "a header is not like 'Name: value'"
    run one --header $'X-A: 1\r\nX-B: 2'
    refused 2 "the header 'X-A' holds a line break"
}

@test "--extra-body is merged into generation requests and is part of the fingerprint" {
    start_server --log log
    one --extra-body '{ "top_k": 20 }' > out
    jq -se 'map(select(.path == "/v1/completions").body) | length == 2 and
        (map(.top_k == 20 and .min_p == 0 and .repetition_penalty == 1) | all)' log
    jq -se 'map(select(.path == "/tokenize").body | has("top_k")) | any | not' log
    [ "$(jq -r .fingerprint.extra_body run/manifest.json)" = '{"top_k":20}' ]
    run allot-collect sample --quiet --dataset p.h5 --strategies one.json --pool 2 --output run \
        --base-url "$URL" --model tinymath --extra-body '{"top_k": 21}'
    refused 5 "extra_body"
    run one --extra-body '{"temperature": 0}'
    refused 2 "--extra-body holds 'temperature', which allot sets itself"
    run one --extra-body '[1]'
    refused 2 "--extra-body is not a JSON object"
    run one --extra-body '{"top_k": 1'
    refused 2 "--extra-body"
    # what this server does not know is refused by it, not hidden
    run one --extra-body '{"magic": 1}'
    [ "$status" -eq 3 ]
    grep -q "magic" run/journal.jsonl
}

@test "--preset paper: its models, prompts and limits" {
    start_server
    run one --preset novel
    refused 2 "unknown preset 'novel' (known: paper)"
    run allot-collect sample --dataset p.h5 --strategies s.json --output run --base-url "$URL" \
        --preset paper
    refused 6 "does not serve the model 'Qwen/Qwen2.5-1.5B-Instruct'"
    run one --preset paper --prm-model tinymath-prm --max-tokens 99
    [ "$(jq -c '.fingerprint | [.temperature, .top_p, .max_tokens, .step_max_tokens,
        .prompt_template, .prm_kind, .prm_separator]' run/manifest.json)" = \
        '[0.8,1,99,2048,"chatml","vllm-pooling","<extra_0>"]' ]
}

# Strategies timed at two loads on a server of this kind.
time_on() {
    stop_server
    rm -rf log timing
    start_server --kind "$1" --log log
    allot-collect time --dataset p.h5 --strategies s.json --output timing --load 1,2 --runs 2 \
        --num-warmups 1 --base-url "$URL" --model tinymath --prm-model tinymath-prm > time.out 2> talk
    [ "$(jq -s 'map(select(.t == "timed")) | length' timing/journal.jsonl)" -eq 4 ]
}

@test "time: the prefix cache is cold for each strategy, by the means of each kind of server" {
    time_on vllm
    [ "$(n_of /reset_prefix_cache)" -ge 2 ]
    grep -q "load 1: the server found 25 % of the prompts' tokens in its prefix cache" talk
    [ "$(jq -r '.body.cache_salt // empty' log | sort -u | wc -l)" -ge 4 ]
    time_on sglang
    # one that refuses is asked once
    [ "$(n_of /flush_cache)" -eq 1 ]
    [ "$(jq -r '.body.cache_salt // empty' log | sort -u | wc -l)" -ge 4 ]
    time_on llama.cpp
    jq -se 'map(select(.path == "/completion").body.cache_prompt == false) | all' log
    time_on tgi
}

@test "every set of options in docs/servers.md is understood" {
    local n=0 options given
    cp p.h5 problems.h5
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > strategies.json
    printf '{"key": "%064d", "text": "%064d", "scores": [1]}\n' 1 2 > scores.jsonl
    export OPENAI_API_KEY=none
    while read -r options; do
        # the address of nobody: past all checks of settings, at the server
        options=$(sed -E 's,https?://[a-z.]+(:[0-9]+)?,http://127.0.0.1:1,g' <<< "$options")
        eval "given=($options)"
        run allot-collect sample --dataset problems.h5 --strategies strategies.json --output "run$n" \
            "${given[@]}"
        refused 6 "127.0.0.1:1"
        n=$((n + 1))
    done < <(sed -n '/^```options/,/^```$/{/^```/!p}' "$BATS_TEST_DIRNAME/../../docs/servers.md")
    [ "$n" -ge 13 ]
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
