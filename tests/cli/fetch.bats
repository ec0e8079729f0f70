# SPDX-License-Identifier: Apache-2.0
# allot-datasets fetch, from a server that answers as the hub does.
load fakeserver

setup() {
    PATH="$ALLOT_BIN:$PATH"
    unset HF_TOKEN OPENAI_API_KEY
    cd "$BATS_TEST_TMPDIR" || exit 1
}
teardown() {
    stop_server
}
# hub OPTION...: a server with these faults
hub() {
    stop_server
    rm -f port log
    python3 "$BATS_TEST_DIRNAME/../tools/fakehub.py" --port-file port --log log "$@" 3>&- &
    SERVER=$!
    wait_for_port
}
fetch() {
    allot-datasets fetch --hub 'a/b c' --hub-url "$URL" --json "$@" out.jsonl > out.json 2> err
}
# refuses CODE TEXT OPTION...: and nothing under the final name
refuses() {
    local code=$1 text=$2 rc=0
    shift 2
    rm -f out.jsonl
    fetch "$@" || rc=$?
    [ "$rc" = "$code" ] || { echo "exit $rc, not $code: $(cat err)"; return 1; }
    [[ "$(tail -n 1 err)" == "allot-datasets: error: "*"$text"* ]] || { cat err; return 1; }
    [ ! -e out.jsonl ] && [ -z "$(find . -name '.*.tmp')" ]
}
# All rows FIRST .. FIRST+COUNT-1, in order, whole.
has_rows() {
    jq -es --argjson first "$1" --argjson count "$2" \
        '. == [range($first; $first + $count) | {problem: "what is \(.)?", answer: "\(.)",
        "ä": (. / 8)}]' out.jsonl > equal
}

@test "all rows come, page by page, in order" {
    hub --rows 250
    fetch
    has_rows 0 250
    jq -e '.rows == 250 and .total == 250 and .resumed == 0' out.json
    [ "$(head -1 log)" = "/rows?dataset=a%2Fb%20c&config=default&split=train&offset=0&length=100" ]
    [ "$(grep -c . log)" = 3 ]
    [ ! -e out.jsonl.part ]
    grep -q 'offset=200&length=50$' log
    fetch --limit 130 --offset 30
    has_rows 30 130
    allot-datasets import out.jsonl p.h5 > text
    grep -q '^130 problems written' text
}

@test "failures that pass are tried again" {
    for fault in "--fail-once 429" "--fail-once 503" --hang-up-once; do
        hub --rows 120 $fault
        rm -f out.jsonl
        fetch
        has_rows 0 120
        jq -e '.retries == 2' out.json
    done
}

@test "a stopped fetch goes on, and asks for nothing twice" {
    hub --rows 250 --fail-from 200
    refuses 6 "status 500: Unexpected error." --max-retries 0
    grep -q "200 rows are in 'out.jsonl.part'; the same command goes on" err
    printf '{"problem": "torn' >> out.jsonl.part
    hub --rows 250
    refuses 5 "holds rows of another data set, split or offset (remove it)" --offset 1
    fetch
    has_rows 0 250
    jq -e '.resumed == 200 and .rows == 250' out.json
    [ "$(grep -c . log)" = 1 ]
    hub --rows 250 --fail-from 100
    refuses 6 "status 500" --max-retries 0
    hub --rows 260
    refuses 5 "the data set changed: it had 250 rows, now 260 (remove 'out.jsonl.part'"
}

@test "a kill loses nothing that came" {
    hub --rows 3000
    allot-datasets fetch --hub 'a/b c' --hub-url "$URL" out.jsonl > /dev/null 2>&1 &
    local pid=$!
    while [ "$(grep -c . log 2> /dev/null || true)" -lt 4 ] 2> /dev/null; do sleep 0.01; done
    kill -9 $pid
    wait $pid || true
    fetch
    has_rows 0 3000
}

@test "a data set that is served in part is told" {
    hub --rows 120 --partial
    fetch
    has_rows 0 120
    [ "$(grep -c "warning: the hub serves only the first 120 rows of 'a/b c'" err)" = 1 ]
}

@test "numbers keep their digits" {
    hub --rows 120 --digits
    fetch
    [ "$(tail -n 1 out.jsonl)" = '{"problem":"what is 119?","answer":"119","ä":14.875,'`
        `'"\"1\\":"\\\"2","id":9223372036854775927,"list":[[1.0,-0.0],1e-07,1'"$(printf %030d 0)"']}' ]
    jq -es '[.[].answer] == [range(120) | tostring]' out.jsonl > equal
}

@test "a row that the server cut is an error, not a short text" {
    hub --rows 120 --truncate 110
    refuses 6 "row 110 is not whole: the server cut its cell 'answer'"
}

@test "the key comes from HF_TOKEN alone and is never shown" {
    hub --rows 5 --token hf_secret
    OPENAI_API_KEY=hf_secret refuses 6 "the data set needs a key (export HF_TOKEN=...)"
    HF_TOKEN=hf_wrong refuses 6 "the data set needs a key with access to it"
    HF_TOKEN=hf_secret fetch --verbose
    has_rows 0 5
    ! grep -rq hf_secret out.json err out.jsonl || false
}

@test "answers that are not what they should be are refused" {
    hub --rows 120 --shift 1
    refuses 6 "row 1 came where row 0 was asked for"
    hub --rows 120 --short
    refuses 6 "99 rows came, not 100"
    for body in '' '{}' 'no' '[]' '{"rows": [], "features": []}' '<html>'; do
        hub --garbage "$body"
        refuses 6 "'$URL/rows?"
        [ ! -e out.jsonl.part ]
    done
    hub --garbage '{"features": [], "rows": [{"row_idx": 0, "row": [1], "truncated_cells": []}],
        "num_rows_total": 1}'
    refuses 6 '"row"'
    rm -f out.jsonl.part
    hub --rows 5
    refuses 2 "--offset: the split has only 5 rows" --offset 9
    refuses 6 "status 404: The dataset does not exist." --split test
    stop_server
    refuses 6 "no answer from" --max-retries 0 --split other
    refuses 2 "is not the address of a server" --hub-url ftp://x
}
