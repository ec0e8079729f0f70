# SPDX-License-Identifier: Apache-2.0
# allot-datasets embed against the demo server: what arrived is not lost.
load fakeserver

setup() {
    PATH="$ALLOT_BIN:$PATH"
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    cd "$BATS_TEST_TMPDIR" || exit 1
    allot-demo-server --port 0 --port-file port --quiet --model "$root/demo/tinymath.gguf" \
        --prm none 3>&- &
    SERVER=$!
    for ((i = 0; i < 200; i++)); do [ -s port ] && break; sleep 0.05; done
    settings=(--base-url "http://127.0.0.1:$(cat port)/v1" --model tinymath --query-prefix 'Q: ')
    for i in $(seq 400); do
        echo "{\"problem\": \"12+$i=?\", \"answer\": \"$((12 + i))\"}"
    done > p.jsonl
    allot-datasets import p.jsonl p.h5 > out
}
teardown() {
    kill "$SERVER" && wait "$SERVER" || true
}
vectors() { # FILE
    for i in 1 57 111 222 333 400; do
        allot-datasets show --json "$1" "12+$i=?" | jq -c .embedding
    done
}

@test "embed goes on where it was killed, cuts a torn row, and refuses other settings" {
    allot-datasets embed "${settings[@]}" p.h5 whole.emb.h5 > out
    allot-datasets embed "${settings[@]}" --batch 1 --max-concurrency 1 p.h5 x.emb.h5 3>&- &
    pid=$!
    for ((i = 0; i < 2000; i++)); do
        [ "$(stat -c %s x.emb.h5.partial 2> /dev/null || echo 0)" -gt 20000 ] && break
        sleep 0.005
    done
    kill -9 $pid
    wait $pid || true
    [ ! -e x.emb.h5 ]
    truncate -s -10 x.emb.h5.partial
    rc=0
    allot-datasets embed "${settings[@]}" --pooling-name mean p.h5 x.emb.h5 2> err || rc=$?
    [ $rc = 5 ]
    grep -q "another model, pooling or prefix (remove it to begin again)" err
    allot-datasets embed "${settings[@]}" --verbose p.h5 x.emb.h5 > out 2> err
    grep -Eq '[1-9][0-9]* of 400 vectors were in' err
    ! grep -q '400 of 400' err || false
    [ ! -e x.emb.h5.partial ]
    [ "$(vectors whole.emb.h5)" = "$(vectors x.emb.h5)" ]
    [ "$(vectors x.emb.h5 | sort -u | wc -l)" = 6 ]
}

@test "texts of like length share a request, the longest first, within the tokens allowed" {
    for i in 5 400 7 90 6 95 401 8 402 100; do
        echo "{\"problem\": \"$(printf "%0${i}d" 0)\"}"
    done > mixed.jsonl
    allot-datasets import --keep-unanswered mixed.jsonl mixed.h5 > out
    kill "$SERVER" && wait "$SERVER" || true
    start_server --log log
    embed=(allot-datasets embed --base-url "$URL/v1" --model tinymath --max-concurrency 1)
    "${embed[@]}" --batch 4 --batch-tokens 300 mixed.h5 a.emb.h5 > out
    [ "$(jq -c '[.body.input[] | length]' log | tr '\n' ' ')" =         "[402,401] [400,100] [95,90,8,7] [6,5] " ]
    "${embed[@]}" --max-concurrency 8 mixed.h5 b.emb.h5 > out
    cmp a.emb.h5 b.emb.h5
}

@test "headers go along, certificates are checked unless told not to; select has the same options" {
    command -v openssl > where || skip "there is no openssl command"
    kill "$SERVER" && wait "$SERVER" || true
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out ca.pem 2> openssl.log
    cat key.pem ca.pem > both.pem
    start_server --log log --tls both.pem
    embed=(allot-datasets embed --base-url "${URL/http:/https:}/v1" --model tinymath --max-retries 0)
    "${embed[@]}" --cacert ca.pem --header 'X-Team: math' --header 'X-Run: 7' p.h5 a.emb.h5 > out
    jq -se 'length > 1 and (map(.headers["X-Team"] == "math" and .headers["X-Run"] == "7") | all)' log
    "${embed[@]}" --insecure p.h5 b.emb.h5 > out
    rc=0
    "${embed[@]}" p.h5 c.emb.h5 2> err || rc=$?
    [ $rc = 6 ]
    grep -q certificate err
    rc=0
    "${embed[@]}" --insecure --header 'Host: other' p.h5 c.emb.h5 2> err || rc=$?
    [ $rc = 2 ]
    grep -q "the header 'Host' is not to be given" err
    [ ! -e c.emb.h5 ]

    "$ALLOT_BUILD/tests/tools/make_tables" . 40
    allot-datasets import --quiet --keep-unanswered queries.jsonl q.h5 > out
    "${embed[@]}" --insecure q.h5 q.emb.h5 > out
    allot-train --quiet --outcomes outcomes.h5 --embeddings q.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 1 --hidden 8 > out
    allot-export --quiet --uncalibrated --probe probe.h5 --costs costs.json \
        --output model.safetensors > out
    choose=(allot-select --bundle model.safetensors --embed-base-url "${URL/http:/https:}/v1" --json)
    rm log
    "${choose[@]}" --cacert ca.pem --header 'X-Team: math' '12+1=?' > out
    [ "$(jq -r '.headers["X-Team"]' log)" = math ]
    "${choose[@]}" --insecure '12+1=?' > out
    rc=0
    "${choose[@]}" '12+1=?' 2> err || rc=$?
    [ $rc = 6 ]
    grep -q certificate err
}

@test "a server that is not there leaves nothing" {
    rc=0
    allot-datasets embed --base-url http://127.0.0.1:1/v1 --model m --max-retries 0 p.h5 x.emb.h5 \
        2> err || rc=$?
    [ $rc = 6 ]
    [ ! -e x.emb.h5 ] && [ ! -e x.emb.h5.partial ]
}

@test "the documented commands name options that there are" {
    n=0
    while read -r line; do
        rc=0
        (eval "${line//localhost:800[0-9]/127.0.0.1:1} --max-retries 0") 2> err || rc=$?
        [ $rc = 6 ] || { echo "$line: exit $rc, $(cat err)"; false; }
        n=$((n + 1))
    done < <(cp p.h5 problems.h5; grep '^    allot-datasets embed ' "$root/docs/embeddings.md")
    [ $n = 2 ]
}

@test "vectors that come with length 1 are recorded as scaled, others only if asked for" {
    allot-datasets embed "${settings[@]}" --json p.h5 raw.emb.h5 > raw.json
    allot-datasets embed "${settings[@]}" --normalize --json p.h5 one.emb.h5 > one.json
    jq -e .normalized one.json
    length=$(allot-datasets show --json raw.emb.h5 "12+1=?" |
        jq '[.embedding[] | . * .] | add | sqrt | (. - 1) * (. - 1) < 1e-6')
    [ "$length" = "$(jq .normalized raw.json)" ]
    allot-datasets show --json one.emb.h5 "12+1=?" |
        jq -e '[.embedding[] | . * .] | add | sqrt | (. - 1) * (. - 1) < 1e-6'
}
