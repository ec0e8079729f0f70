# SPDX-License-Identifier: Apache-2.0
# Texts of several queries share requests to the reward model (allot-collect sample --prm-batch).

load fakeserver

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    for ((i = 0; i < 10; i++)); do
        local text="$((10 + i))+3*2" answer=$((16 + i)) # every second problem has a step more
        if ((i % 2)); then text="$text-7" answer=$((answer - 7)); fi
        echo "{\"problem\": \"$text=?\", \"answer\": \"$answer\"}"
    done > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    strategies '"bon@4", "beam@4x2x6"' > s.json
}
teardown() {
    stop_server
}
strategies() {
    echo "{\"schema\": \"allot-strategies\", \"version\": 1, \"strategies\": [$1]}"
}
# Into directory $1 with --prm-batch $2 and more options.
sample() {
    allot-collect sample --quiet --dataset p.h5 --strategies s.json --output "$1" --prm-batch "$2" \
        --base-url "$URL" --model tinymath --prm-model tinymath-prm --runs 2 --max-tokens 200 \
        --step-max-tokens 64 --prompt-template "${TEMPLATE:-Q: {problem\}\\n}" --prm-template chatml "${@:3}"
}
# What a run holds, without what depends on the moment.
content() {
    jq -cS 'del(.t_start, .seconds, .gen_s, .prm_s, .ttft_s, .cached_tokens, .prm_tokens, .rounds, .retries)' \
        "$1/journal.jsonl" | sort
}
prm_tokens() {
    jq -s 'map(.prm_tokens) | add' "$1/journal.jsonl"
}
tokens() {
    jq -c 'select(.t == "score") | [.key, .slot, .prm_tokens]' "$1/journal.jsonl" | sort
}
n_requests() {
    jq -s 'map(select(.path == "/pooling")) | length' log
}

@test "on the demo server: the same scores bit by bit, the same sum of tokens" {
    local demo="$BATS_TEST_DIRNAME/../../demo"
    [ -x "$ALLOT_BIN/allot-demo-server" ] && [ -f "$demo/tinymath-prm.gguf" ] || skip "no demo server or no model"
    allot-demo-server --quiet --port 0 --port-file port --model "$demo/tinymath.gguf" \
        --prm "$demo/tinymath-prm.gguf" 3>&- &
    SERVER=$!
    wait_for_port
    TEMPLATE=chatml
    sample apart 1
    sample together 16
    cmp <(content apart) <(content together)
    [ "$(jq -s 'map(select(.t == "score")) | length' together/journal.jsonl)" = 80 ]
    [ "$(prm_tokens apart)" = "$(prm_tokens together)" ]
    allot-collect label --quiet apart a.h5
    allot-collect label --quiet together b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "fewer requests, and a run that was begun with another batch goes on" {
    start_server --log log --delay 0.02
    sample apart 1 --max-concurrency 32
    [ "$(n_requests)" -gt 80 ]
    : > log
    sample grown 1 --max-concurrency 32 --limit 3
    cp grown/journal.jsonl before
    sample grown 8 --max-concurrency 32
    head -c "$(stat -c %s before)" grown/journal.jsonl | cmp - before
    cmp <(content apart) <(content grown)
    cmp apart/manifest.json grown/manifest.json
    : > log
    sample together 8 --max-concurrency 32
    cmp <(content apart) <(content together)
    local n
    n=$(n_requests)
    [ "$n" -lt 80 ]
    jq -se 'map(select(.path == "/pooling").body.input | length) | (max > 1) and (max <= 8)' log
    # texts of several queries are in one request
    jq -se 'map(select(.path == "/pooling").body.input | map(capture("user\n(?<p>.*)<").p) | unique | length) | max > 1' log
}

@test "texts that are too long among others: the others are as they were" {
    start_server --context 3 --delay 0.01
    sample apart 1
    sample together 8
    cmp <(content apart) <(content together)
    jq -se 'map(select(.t == "score").gen[0].prm_truncated) | any and (all | not)' together/journal.jsonl
}

@test "a text that the reward model refuses fails alone" {
    start_server --refuse '13*2=26<extra_0>' --delay 0.01
    strategies '"bon@4"' > s.json
    run sample run 16
    [ "$status" -eq 3 ]
    local guilty
    guilty=$(jq -s 'map(select(.t == "sample" and (.gen[0].text | contains("13*2=26")))) | length' run/journal.jsonl)
    [ "$guilty" -gt 0 ]
    [ "$(jq -s 'map(select(.t == "error")) | length' run/journal.jsonl)" = "$guilty" ]
    [ "$(jq -s 'map(select(.t == "score")) | length' run/journal.jsonl)" = $((80 - guilty)) ]
    jq -se 'map(select(.t == "error").message | endswith("this query is refused")) | all' run/journal.jsonl
}

@test "classify and its list: the same scores from fewer requests" {
    strategies '"bon@4"' > s.json
    local kind
    for kind in vllm sglang; do
        rm -rf log apart together
        start_server --log log --kind "$kind" --delay 0.02
        sample apart 1 --prm-kind classify
        : > log
        sample together 8 --prm-kind classify
        cmp <(content apart) <(content together)
        [ "$(jq -s 'map(select(.path == "/classify")) | length' log)" -lt 80 ]
        # SGLang tells the tokens of each text
        [ "$kind" = vllm ] || cmp <(tokens apart) <(tokens together)
        stop_server
    done
}

@test "timed strategies share no request with another query, whatever the load" {
    start_server --log log --delay 0.02
    allot-collect time --quiet --dataset p.h5 --strategies s.json --output timing --base-url "$URL" \
        --model tinymath --prm-model tinymath-prm --prompt-template 'Q: {problem}\n' \
        --prm-template chatml --max-tokens 200 --queries 4 --load 4 > time.out
    jq -se 'map(select(.path == "/pooling").body.input | map(capture("user\n(?<p>.*)<").p) | unique | length) | max == 1' log
}

@test "a reward model is checked alone against a batch before anything is sampled" {
    start_server --batch-bug lists
    run sample run 16
    [ "$status" -eq 6 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ "$output" == *"the reward model 'tinymath-prm' at '$URL' gives the same text 0."*" alone, 0."*" among 7 others in one request: such scores measure nothing"*"(use another version of the server, or --prm-batch 1, which is checked, too)"* ]]
    [ ! -e run ]
    run allot-collect time --quiet --dataset p.h5 --strategies s.json --output timing --queries 2 \
        --base-url "$URL" --model tinymath --prm-model tinymath-prm --prm-template chatml
    [ "$status" -eq 6 ]
    [ ! -e timing ]
    # one text in each request: nothing is wrong with that
    sample run 1
    [ "$(jq .prm_checked run/manifest.json)" = 1 ]
    run allot-collect label run o.h5
    [[ "$output" == *"reward model checked alone against a batch: ok"* ]]
    # strategies that ask no reward model do not mind
    strategies '"majority@4"' > s.json
    sample votes 16
    [ "$(jq .prm_checked votes/manifest.json)" = null ]
    [ "$(allot-collect label --json votes o.h5 2> talk | jq .prm_checked)" = null ]
}

@test "each kind of reward model is checked, those without lists beside other requests" {
    local kind
    strategies '"bon@4"' > s.json
    for kind in vllm-pooling classify rerank logprob; do
        for bug in lists load; do
            [ "$kind $bug" != "logprob lists" ] || continue
            start_server --batch-bug $bug --delay 0.05
            run sample run "$([ $bug = lists ] && echo 16 || echo 1)" --prm-kind "$kind"
            [ "$status" -eq 6 ]
            [[ "$output" == *"such scores measure nothing"* ]]
            [ ! -e run ]
            stop_server
        done
        start_server
        sample "$kind" 16 --prm-kind "$kind" --limit 2
        [ "$(jq .prm_checked "$kind/manifest.json")" = 1 ]
        stop_server
    done
}

@test "a run is checked at each start: against another server, too" {
    start_server
    sample run 16 --limit 2
    cp run/journal.jsonl before
    stop_server
    start_server --batch-bug lists
    run sample run 16
    [ "$status" -eq 6 ]
    cmp run/journal.jsonl before
    stop_server
    start_server --log log
    sample run 16
    sample run 16
    # ... with few requests, and not if nothing is to be scored
    [ "$(jq -s 'map(select(.body | tostring | contains("7*3+12=?"))) | length' log)" = 3 ]
    [ "$(jq .prm_checked run/manifest.json)" = 1 ]
    # what was scored without the check is not checked by what comes later
    allot-collect label --quiet run o.h5
    jq 'del(.prm_checked)' run/manifest.json > m.json && mv m.json run/manifest.json
    strategies '"bon@5", "beam@4x2x6", "bon@4"' > s.json
    sample run 16
    [ "$(jq .prm_checked run/manifest.json)" = null ]
    run allot-collect label run o.h5
    [[ "$output" == *"reward model checked alone against a batch: not checked"* ]]
    [ "$(allot-collect label --json run o.h5 2> talk | jq .prm_checked)" = false ]
}

@test "shards, merged, are checked if all of them were" {
    start_server
    for i in 1 2; do sample s$i 16 --shard $i/2; done
    allot-collect merge --quiet --output both s1 s2 > merge.out
    [ "$(jq .prm_checked both/manifest.json)" = 1 ]
    jq 'del(.prm_checked)' s2/manifest.json > m.json && mv m.json s2/manifest.json
    allot-collect merge --quiet --output half s1 s2 > merge.out
    [ "$(jq .prm_checked half/manifest.json)" = null ]
}
