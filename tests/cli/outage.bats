# SPDX-License-Identifier: Apache-2.0
# Servers that go away in the middle of the work, and come back or not.

load fakeserver

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    for ((i = 0; i < 12; i++)); do
        echo "{\"problem\": \"$((10 + i))+3*2=?\", \"answer\": \"$((16 + i))\"}"
    done > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single", "bon@4", "beam@4x2x6"]}' > s.json
    OPTIONS=(--dataset p.h5 --strategies s.json --model tinymath --prm-model tinymath-prm
        --prompt-template 'Q: {problem}\n' --prm-template 'Q: {problem}\n' --max-tokens 200
        --max-concurrency 8 --max-retries 1)
    PIDS=()
}
teardown() {
    stop_server
    for pid in "${PIDS[@]}"; do { kill "$pid" && wait "$pid"; } 2> /dev/null || true; done
}
# until COMMAND...: waits for it to succeed, half a minute at most.
until_true() {
    for ((i = 0; i < 600; i++)); do
        "$@" && return
        sleep 0.05
    done
    echo "never: $*"
    return 1
}
# The server is killed, and is to come back at its port.
server_dies() {
    kill -9 "$SERVER"
    wait "$SERVER" 2> /dev/null || true
}
server_returns() {
    start_server --port "${URL##*:}" "$@"
}
# In the background, stderr in log: allot-collect COMMAND with more options; is under way when this returns.
collect() {
    allot-collect "$1" "${OPTIONS[@]}" --output "$2" --base-url "${URLS:-$URL}" "${@:3}" > out 2> log &
    JOB=$!
    PIDS+=("$JOB")
    until_true test -s "$2/journal.jsonl"
}
ends_with() {
    local status=0
    wait "$JOB" || status=$?
    [ "$status" = "$1" ] && return
    echo "exit code $status, not $1"
    cat log
    return 1
}
records() {
    grep -c "\"t\":\"$2\"" "$1/journal.jsonl" || true
}
is_waiting() {
    grep -q "; waiting up to .* for it (--max-outage)" log
}

@test "a server that is killed and comes back is waited for: nothing failed, the labels are the same" {
    start_server --delay 0.02
    collect sample calm
    ends_with 0
    collect sample run
    server_dies
    until_true is_waiting
    grep -q "no answer from '$URL/.*Could.*connect.*; waiting up to 600 s for it (--max-outage)" log
    server_returns
    ends_with 0
    grep -q "the server is back" log
    [ "$(records run error)" = 0 ]
    allot-collect label --quiet calm a.h5
    allot-collect label --quiet run b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "a server that loads its model is asked by one request at a time" {
    start_server --delay 0.02 --loading loading
    collect sample run
    touch loading
    until_true is_waiting
    grep -q "answered with status 503: Loading model; waiting up to 600 s for it" log
    # 8 in flight, each once or twice, then one after 1 s, 2 s, 4 s
    [ "$(wc -l < loading)" -le 24 ]
    rm loading
    ends_with 0
    [ "$(records run error)" = 0 ]
}

@test "an outage that is longer than --max-outage ends the run in order; the rest is done later" {
    start_server --delay 0.02
    collect sample run --max-outage 2
    server_dies
    ends_with 6
    grep -Eq "units [0-9]+/[0-9]+.*, server away for [2-4] s, waiting up to 2 s" log
    grep -Eq "error: no answer from '$URL.*; it was away for [2-4] s, longer than --max-outage 2 \(what is done is kept: start the server and run the same command again\)" log
    [ "$(records run error)" = 0 ]
    [ "$(records run sample)" -lt 96 ]
    server_returns
    collect sample run --max-outage 2
    ends_with 0
    [ "$(records run sample) $(records run error)" = "96 0" ]
}

@test "on a terminal the progress line counts the seconds, and other lines do not run into it" {
    command -v script > where || skip "there is no script command"
    script -qec true tried > /dev/null 2>&1 < /dev/null || skip "there are no terminals here (/dev/pts)"
    start_server --delay 0.02 --die-after 60
    status=0
    script -qec "$(printf '%q ' allot-collect sample "${OPTIONS[@]}" --output run --base-url "$URL" --max-outage 3)" tty.log \
        > out < /dev/null || status=$?
    [ "$status" -eq 6 ]
    tr '\r' '\n' < tty.log > lines
    grep -q "units .*, server away for 1 s, waiting up to 3 s" lines
    grep -q "units .*, server away for 2 s, waiting up to 3 s" lines
    grep -aq "^.\[Kallot-collect: no answer from .*; waiting up to 3 s for it" lines
}

@test "waiting is interrupted by a signal, at once" {
    start_server --delay 0.02
    collect sample run
    server_dies
    until_true is_waiting
    kill -INT "$JOB"
    SECONDS=0
    ends_with 130
    [ "$SECONDS" -le 2 ]
    grep -q "interrupted; what is done is kept" log
}

@test "of two servers that went away one is enough" {
    start_server --delay 0.02
    local first=$SERVER
    PIDS+=("$first")
    URLS=$URL
    start_server --delay 0.02
    URLS=$URLS,$URL
    collect sample run --max-outage 60
    kill -9 "$first"
    server_dies
    until_true is_waiting
    server_returns
    ends_with 0
    [ "$(records run error)" = 0 ]
}

@test "an address at which nobody has ever answered is not waited for" {
    SECONDS=0
    run allot-collect sample "${OPTIONS[@]}" --output run --base-url http://127.0.0.1:1
    [ "$status" -eq 6 ]
    [ "$SECONDS" -le 2 ]
    [ ! -e run ]
    run allot-datasets embed --max-retries 0 --base-url http://127.0.0.1:1 --model m p.h5 x.h5
    [ "$status" -eq 6 ]
    [ "$SECONDS" -le 4 ]
}

@test "time: what met an outage is timed again, and is no part of the seconds" {
    start_server --delay 0.02
    collect time t --precision 0 --queries 6 --load 2 --num-warmups 0
    server_dies
    until_true is_waiting
    server_returns --delay 0.02
    ends_with 0
    [ "$(jq -s 'map(select(.t == "timed")) | length' t/journal.jsonl)" = 18 ]
    jq -se 'all(.t == "timed" and .retries == 0 and .seconds < 4)' t/journal.jsonl
    grep -Eq ", [1-9][0-9]* timings done again after retries" out
}

@test "embeddings: a server that loads is waited for, one that stays away ends it, and it goes on later" {
    start_server --delay 0.02 --loading loading
    embed() {
        allot-datasets embed --base-url "$URL" --model tinymath --batch 1 --max-concurrency 1 \
            --max-retries 0 "$@" p.h5 "$OUTPUT"
    }
    OUTPUT=calm.h5 embed > out
    touch loading
    OUTPUT=x.h5 embed > out 2> log &
    JOB=$!
    PIDS+=("$JOB")
    until_true is_waiting
    rm loading
    ends_with 0
    cmp calm.h5 x.h5
    # none of the texts after the fifth
    server_dies
    server_returns --delay 0.02 --die-after 6
    OUTPUT=y.h5 run embed --max-outage 1
    [ "$status" -eq 6 ]
    OUTPUT=y.h5 run embed --max-outage 1
    [ "$status" -eq 6 ]
    [[ "${lines[-1]}" == *"no answer from"* ]]
    [ ! -e y.h5 ]
    wait "$SERVER" 2> /dev/null || true
    server_returns --log asked
    OUTPUT=y.h5 embed > out
    [ "$(wc -l < asked)" = 7 ]
    cmp calm.h5 y.h5
}

@test "a server that is still loading at the start is told for what it is" {
    touch loading
    start_server --kind llama.cpp --loading loading
    allot-collect sample "${OPTIONS[@]}" --prm-kind logprob --output run --base-url "$URL" > out 2> log &
    JOB=$!
    PIDS+=("$JOB")
    until_true is_waiting
    rm loading
    ends_with 0
    [ "$(jq -r .fingerprint.server_kind run/manifest.json)" = llama.cpp ]
}
