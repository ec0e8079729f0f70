# SPDX-License-Identifier: Apache-2.0
# The collector killed with SIGKILL at random moments, again and again: nothing is lost, nothing is
# there twice, and what comes out is what an undisturbed run gives, bit by bit.

load ../cli/fakeserver
load ../cli/chance

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$ALLOT_BUILD/tests/faults:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    seed_random
    for ((i = 0; i < 200; i++)); do
        echo "{\"problem\": \"$((2 + i % 50))+$((3 + i / 50))=?\", \"answer\": \"$((5 + i % 50 + i / 50))\"}"
    done > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    echo '{"schema": "allot-strategies", "version": 1,
           "strategies": ["single", "majority@4", "bon@4", "weighted@4", "beam@4x2x6"]}' > s.json
}
teardown() {
    stop_server
}

# sample DIR [OPTION...]: sets COMMAND.
sample() {
    COMMAND=(allot-collect sample --quiet --dataset p.h5 --strategies s.json --output "$1" --runs 2
        --base-url "$URL" --prompt-template 'Q: {problem}\n' --max-concurrency 8 "${@:2}")
}
size_of() {
    stat -c %s "$1" 2> /dev/null || echo 0
}
# Starts COMMAND, waits until it has written something of its own to $1, kills it a random part of
# $2 milliseconds later. Fails if it had ended by itself.
kill_at_work() {
    local before pid status=0
    before=$(size_of "$1/journal.jsonl")
    "${COMMAND[@]}" > session.log 2>&1 3>&- &
    pid=$!
    while [ "$(size_of "$1/journal.jsonl")" -le "$before" ] && kill -0 $pid 2> /dev/null; do
        sleep 0.01
    done
    sleep "$(printf '0.%03d' $((RANDOM % $2)))"
    kill -9 $pid 2> /dev/null || true
    wait $pid || status=$?
    [ "$status" = 137 ] && [ "$(size_of "$1/journal.jsonl")" -gt "$before" ]
}
# kill_often TIMES DIR MILLISECONDS
kill_often() {
    local kills=0
    while [ $kills -lt "$1" ] && kill_at_work "$2" "$3"; do
        kills=$((kills + 1))
        cp "$2/journal.jsonl" "journal.$kills"
    done
    [ $kills = "$1" ] && return
    echo "only $kills of $1 kills hit a collector at work; the last one said:"
    cat session.log
    return 1
}
# All that any killed collector had written whole is still there, in its place; each unit is there
# once. $1: directory, $2: units wanted, $3: kills.
nothing_lost_or_twice() {
    local whole
    for ((i = 1; i <= $3; i++)); do
        whole=$(wc -l < "journal.$i")
        cmp <(head -n "$whole" "journal.$i") <(head -n "$whole" "$1/journal.jsonl")
    done
    jq -c 'select(.t != "error") | [.t, .key, .source, .run, .slot]' "$1/journal.jsonl" | sort > units
    [ "$(wc -l < units)" = "$2" ]
    [ "$(uniq units | wc -l)" = "$2" ]
}

@test "50 kills on the demo server: labels, tokens, variances and n_eff bit by bit" {
    demo=$BATS_TEST_DIRNAME/../../demo
    allot-demo-server --quiet --port 0 --port-file port --model "$demo/tinymath.gguf" \
        --prm "$demo/tinymath-prm.gguf" 3>&- &
    SERVER=$!
    wait_for_port
    models=(--model tinymath --prm-model tinymath-prm --max-tokens 96 --step-max-tokens 24)
    sample calm "${models[@]}"
    SECONDS=0
    "${COMMAND[@]}"
    sample killed "${models[@]}"
    kill_often 50 killed $((1 + SECONDS * 1000 / 100))
    "${COMMAND[@]}"
    nothing_lost_or_twice killed $((200 * (8 + 8 + 2))) 50
    allot-collect label --quiet calm a.h5
    allot-collect label --quiet killed b.h5
    outcomes_equal a.h5 b.h5
}

@test "20 kills on a server with faults: no record lost, none there twice" {
    fault_server port 3>&- &
    SERVER=$!
    wait_for_port
    URL=$URL/flaky
    sample run --model gen --prm-model prm
    kill_often 20 run 400
    status=3 sessions=0
    while [ $status = 3 ] && [ $sessions -lt 20 ]; do
        status=0
        "${COMMAND[@]}" || status=$?
        sessions=$((sessions + 1))
    done
    [ $status = 0 ]
    nothing_lost_or_twice run $((200 * (8 + 8 + 2))) 20
    [ "$(jq -c 'select(.t == "error")' run/journal.jsonl | wc -l)" -gt 0 ]
}
