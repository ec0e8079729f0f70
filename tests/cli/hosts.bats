# SPDX-License-Identifier: Apache-2.0
# Several servers of one model, and samples that are drawn again.

load fakeserver

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    for ((i = 0; i < 8; i++)); do
        echo "{\"problem\": \"$((10 + i))+3*2=?\", \"answer\": \"$((16 + i))\"}"
    done > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single", "bon@4", "beam@4x2x6"]}' > s.json
    PIDS=()
}
teardown() {
    stop_server
    for pid in "${PIDS[@]}"; do { kill "$pid" && wait "$pid"; } 2> /dev/null || true; done
}
# One more server, its log in log$1; addresses in URLS.
another() {
    start_server --log "log$1" "${@:2}"
    PIDS+=("$SERVER")
    SERVER=
    URLS=${URLS:+$URLS,}$URL/v1
}
sample() {
    allot-collect sample --dataset p.h5 --strategies s.json --output "$1" --model "${MODEL:-tinymath}" \
        --prm-model tinymath-prm --prompt-template 'Q: {problem}\n' --prm-template 'Q: {problem}\n' \
        --max-tokens 200 --runs 2 --base-url "$URLS" "${@:2}"
}
same_labels() {
    allot-collect label --quiet "$1" a.h5
    allot-collect label --quiet "$2" b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "two servers share the work, and the labels are those of one" {
    another 1 --delay 0.01
    sample alone --quiet
    another 2 --delay 0.01
    : > log1
    sample both --quiet
    local a b
    a=$(wc -l < log1) b=$(wc -l < log2)
    [ $((a * 4)) -gt $((a + b)) ]
    [ $((b * 4)) -gt $((a + b)) ] # a slow one gets less
    same_labels alone both
}

@test "a server that goes away is done without" {
    another 1 --delay 0.01
    sample alone --quiet
    another 2 --delay 0.01 --die-after 60
    sample both --quiet --max-retries 0
    [ "$(grep -c '"t":"error"' both/journal.jsonl)" = 0 ]
    ! kill -0 "${PIDS[1]}" 2> /dev/null || false
    same_labels alone both
}

@test "a server that is away at the start is told of; none at all is an error" {
    another 1
    URLS=http://127.0.0.1:1,$URLS
    run sample run
    [ "$status" -eq 0 ]
    [[ "$output" == *"no answer from 'http://127.0.0.1:1/v1/models': "*"; going on without it"* ]]
    URLS=http://127.0.0.1:1,http://127.0.0.1:2
    run sample none
    [ "$status" -eq 6 ]
    [[ "${lines[-1]}" == *"no answer from 'http://127.0.0.1:2/v1/models': "* ]]
}

@test "servers that share the work must be alike" {
    another 1
    another 2 --kind sglang
    run sample run
    [ "$status" -eq 2 ]
    [[ "${lines[-1]}" == *"is of kind 'vllm', but 'http://127.0.0.1:"*"' is of kind 'sglang' (servers that share the work must be alike)" ]]
    URLS=$URL/v1,$URL
    run sample run
    [ "$status" -eq 2 ]
    [[ "${lines[-1]}" == *"is given twice" ]]
    URLS=$URL
    rm port
    "$ALLOT_BUILD/tests/faults/fault_server" port 3>&- &
    SERVER=$!
    wait_for_port
    URLS=$URLS,$URL/ok
    run sample run
    [ "$status" -eq 6 ]
    [[ "${lines[-1]}" == *"/ok/v1' does not serve the model 'tinymath' (it serves 'gen', 'prm')" ]]
}

@test "samples that a server fails on are drawn again, counted and warned of" {
    "$ALLOT_BUILD/tests/faults/fault_server" port 3>&- &
    SERVER=$!
    wait_for_port
    URLS=$URL/bad-draw
    MODEL=gen run sample run --prm-model prm --max-retries 1
    [ "$status" -eq 0 ]
    [[ "$output" == *" redraws for "*" texts: the server failed on these for good, and others were drawn in their place"* ]]
    run allot-collect status --json run
    local n
    n=$(jq -s 'map(select(.t == "sample" and .attempt > 0)) | length' run/journal.jsonl)
    [ "$n" -gt 0 ]
    [ "$(jq .redrawn_samples <<< "$output")" = "$n" ]
    run allot-collect status run
    [[ "$output" == *"redrawn  $n of 64 samples ("*": the server fails often)"* ]]
    # seeds that failed were not kept
    [ "$(jq -s 'map(select(.t == "sample" and (.seed | tonumber) % 8 == 0)) | length' run/journal.jsonl)" = 0 ]
}

# Samples until nothing is missing, 10 calls at most.
sample_all() {
    for ((call = 1; call <= 10; call++)); do
        sample "$@" --quiet --max-retries 0 > out 2> log && return
        grep -q "units are missing" log || { cat log; return 1; }
    done
    return 1
}
# Those of directory $1 as key, slot, attempt and seed, in order.
draws() {
    jq -r 'select(.t == "sample") | [.key, .slot, .attempt, .seed] | join(" ")' "$1/journal.jsonl" | sort
}

@test "samples on whose every draw a server failed are drawn with new seeds by the next call" {
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single", "bon@4"]}' > s.json
    another 1 --fail-draws 4
    sample run --quiet --max-retries 0 > out 2> first || true
    grep -q "units are missing" first
    jq -se 'map(select(.t == "error")) | length > 0 and all(.draws == 4 and .attempt == 3)' run/journal.jsonl
    sample_all run
    jq -se 'map(select(.t == "error" and .draws == 8)) | length > 0' run/journal.jsonl
    draws run > one
    [ "$(wc -l < one)" = 64 ]
    awk '$4 % 4 != 0 { exit 1 } $3 > 3 { n++ } END { exit n == 0 }' one
    # no draw is asked for twice
    [ "$(jq -s 'map(select(.path == "/v1/completions") | .body | [.prompt, .seed]) | length == (unique | length)' log1)" = true ]
    # by another way to the same end
    sample_all again --max-concurrency 3
    draws again | cmp one -
    # older journals do not tell the number
    mkdir old
    cp run/manifest.json run/problems.h5 old
    head -n "$(grep -n '"t":"error"' run/journal.jsonl | head -1 | cut -d: -f1)" run/journal.jsonl |
        sed 's/,"draws":[0-9]*//' > old/journal.jsonl
    sample_all old
    draws old | cmp one -
}

@test "beam searches, too, begin anew with other seeds" {
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["beam@4x2x6"]}' > s.json
    another 1 --fail-draws 2
    sample_all run
    [ "$(jq -s 'map(select(.t == "beam")) | length' run/journal.jsonl)" = 16 ]
    jq -se 'map(select(.t == "error")) | length > 0 and all(.draws >= 4)' run/journal.jsonl
    jq -se 'map(select(.t == "beam" and .draws >= 4)) | length > 0' run/journal.jsonl
}

@test "time: what is drawn again is timed with the draws that went well, or by the next call" {
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single", "majority@4"]}' > s.json
    another 1 --fail-draws 2
    for ((call = 1; call <= 10; call++)); do
        allot-collect time --quiet --dataset p.h5 --strategies s.json --output t --model tinymath \
            --prompt-template 'Q: {problem}\n' --base-url "$URLS" --precision 0 --max-retries 0 > out 2> log &&
            break
        grep -q "timings failed" log
    done
    [ "$call" -gt 1 ] && [ "$call" -le 10 ]
    [ "$(jq -s 'map(select(.t == "timed")) | length' t/journal.jsonl)" = 16 ]
    jq -se 'map(select(.t == "timed")) | all(.retries == 0) and any(.attempt > 0) and any(.draws >= 4)' t/journal.jsonl
    [ "$(grep -c "retried in every try" t/journal.jsonl)" = 0 ]
}
