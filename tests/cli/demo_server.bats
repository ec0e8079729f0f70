# SPDX-License-Identifier: Apache-2.0
# allot-demo-server: every route, its errors, streaming, and the end by a signal.

setup_file() {
    export PATH="$ALLOT_BIN:$PATH"
    [ -f demo/tinymath.gguf ] || skip "demo/tinymath.gguf is missing"
    allot-demo-server --quiet --threads 1 --port 0 --port-file "$BATS_FILE_TMPDIR/port" \
        3>&- > "$BATS_FILE_TMPDIR/log" 2>&1 &
    echo $! > "$BATS_FILE_TMPDIR/pid"
    for _ in $(seq 200); do
        [ -s "$BATS_FILE_TMPDIR/port" ] && break
        sleep 0.05
    done
    URL="http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port")"
    export URL
}
teardown_file() {
    [ -f "$BATS_FILE_TMPDIR/pid" ] || return 0
    kill "$(cat "$BATS_FILE_TMPDIR/pid")" 2> /dev/null || true
}
setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
}
# post ROUTE JSON: the reply is in 'reply', its status in 'status'.
post() {
    curl -sS -m 30 -o reply -w '%{http_code}' -H 'Content-Type: application/json' \
        --data-binary "$2" "$URL$1" > status
}
# ok ROUTE JSON: must answer 200.
ok() {
    post "$1" "$2"
    [ "$(cat status)" = 200 ] || { cat status reply; return 1; }
}
# refused STATUS ROUTE JSON: must answer so, with the nested error object.
refused() {
    post "$2" "$3"
    [ "$(cat status)" = "$1" ] || { echo "$3:"; cat status reply; return 1; }
    jq -e --argjson code "$1" '.error.code == $code and (.error.message | length > 0)' reply
}
# is FILTER: true of the reply.
is() {
    jq -e "$1" reply > /dev/null || { cat reply; return 1; }
}
Q='"prompt":"Q: 2+3=?\n"'

@test "models, version, health" {
    curl -sS "$URL/v1/models" > reply
    is '[.data[].id] == ["tinymath", "tinymath-prm"] and .data[0].max_model_len >= 256'
    curl -sS "$URL/version" > reply
    is '.version | test("^0\\.")'
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL/health")" = 200 ]
}
@test "a greedy completion ends by itself and is the same again, from the cache" {
    ok /v1/completions "{\"model\":\"tinymath\",$Q,\"temperature\":0,\"max_tokens\":150}"
    is '.object == "text_completion" and .choices[0].stop_reason == null'
    is '.usage.total_tokens == .usage.prompt_tokens + .usage.completion_tokens'
    jq .choices reply > first
    ok /v1/completions "{\"model\":\"tinymath\",$Q,\"temperature\":0,\"max_tokens\":150}"
    jq .choices reply | cmp - first
    is '.usage.prompt_tokens_details.cached_tokens > 0'
    curl -sS -X POST "$URL/reset_prefix_cache"
    ok /v1/completions "{\"model\":\"tinymath\",$Q,\"temperature\":0,\"max_tokens\":150}"
    jq .choices reply | cmp - first
    is '.usage.prompt_tokens_details.cached_tokens == 0'
    ok /v1/completions "{$Q,\"temperature\":0,\"max_tokens\":150,\"cache_salt\":\"x\"}"
    jq .choices reply | cmp - first
    is '.usage.prompt_tokens_details.cached_tokens == 0'
}
@test "max_tokens is 16 unless given" {
    ok /v1/completions "{$Q,\"ignore_eos\":true}"
    is '.choices[0].finish_reason == "length" and .usage.completion_tokens == 16'
}
@test "child j of n uses seed + j; the prompt counts once" {
    ok /v1/completions "{$Q,\"seed\":5,\"temperature\":1.5,\"n\":3,\"max_tokens\":30}"
    is '[.choices[].index] == [0, 1, 2]'
    jq -r '.choices[2].text' reply > child
    n=$(jq .usage.prompt_tokens reply)
    ok /v1/completions "{$Q,\"seed\":7,\"temperature\":1.5,\"max_tokens\":30}"
    jq -r '.choices[0].text' reply | cmp - child
    [ "$n" = "$(jq .usage.prompt_tokens reply)" ]
}
@test "stop strings: left out, kept, named" {
    ok /v1/completions "{$Q,\"temperature\":0,\"max_tokens\":99,\"stop\":[\"zz\",\"+\"]}"
    is '.choices[0] | .finish_reason == "stop" and .stop_reason == "+" and .text == "2"'
    ok /v1/completions "{$Q,\"temperature\":0,\"max_tokens\":99,\"stop\":\"+\",
        \"include_stop_str_in_output\":true}"
    is '.choices[0].text == "2+"'
}
@test "several prompts, token ids, logprobs" {
    ok /v1/completions '{"prompt":["Q: 1+1=?\n","Q: 1+2=?\n"],"n":2,"temperature":0,"max_tokens":3}'
    is '[.choices[].index] == [0, 1, 2, 3] and .choices[0].text == .choices[1].text'
    ok /tokenize '{"prompt":"Q: 2+3=?\n","return_token_strs":true}'
    is '.count == (.tokens | length) and (.token_strs | length) == .count'
    ids=$(jq -c .tokens reply)
    ok /detokenize "{\"tokens\":$ids}"
    is '.prompt == "<s>Q: 2+3=?\n"'
    ok /v1/completions "{\"prompt\":$ids,\"temperature\":0,\"max_tokens\":4,\"logprobs\":3}"
    is '.choices[0].logprobs | (.tokens | join("")) == "2+3=" and (.top_logprobs[0] | length) == 3'
    is '.choices[0].logprobs.token_logprobs | all(. <= 0)'
}
@test "chat gives what the rendered prompt gives" {
    ok /v1/completions "{$Q,\"temperature\":0,\"max_tokens\":99}"
    jq -r '.choices[0].text' reply > text
    ok /v1/chat/completions '{"messages":[{"role":"system","content":"think"},
        {"role":"user","content":"2+3=?"}],"temperature":0}'
    is '.object == "chat.completion" and .choices[0].message.role == "assistant"'
    jq -r '.choices[0].message.content' reply | cmp - text
}
@test "streams give the same text, usage and an end" {
    for route in completions chat/completions; do
        body="$Q,\"messages\":[{\"role\":\"user\",\"content\":\"2+3=?\"}],\"seed\":3,\"n\":2"
        body="$body,\"max_tokens\":60,\"stop\":[\"The\"]"
        ok "/v1/$route" "{$body}"
        jq -r '.choices[] | .text // .message.content' reply > whole
        ok "/v1/$route" "{$body,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"
        [ "$(tail -n 2 reply | head -n 1)" = 'data: [DONE]' ]
        grep -v '^data: \[DONE\]' reply | sed -n 's/^data: //p' > events
        for i in 0 1; do
            jq -rj ".choices[] | select(.index == $i) | .text // .delta.content // \"\"" events
            echo
        done | cmp - whole
        tail -n 1 events > reply
        is '.choices == [] and .usage.completion_tokens > 0'
        jq -s -e '[.[].choices[].finish_reason | strings] | length == 2' events
    done
}
@test "embeddings as floats and as base64" {
    ok /v1/embeddings '{"model":"tinymath","input":["Q: 1+1=?\n","Q: 7-9=?\n"]}'
    is '[.data[].index] == [0, 1]'
    is '(.data[0].embedding | length) == (.data[1].embedding | length)'
    first=$(jq '.data[0].embedding[0]' reply)
    ok /v1/embeddings '{"input":"Q: 1+1=?\n","encoding_format":"base64"}'
    value=$(jq -r '.data[0].embedding' reply | base64 -d | od -An -tf4 -N4)
    awk -v a="$first" -v b="$value" 'BEGIN { exit !(a - b < 1e-4 && b - a < 1e-4) }'
}
@test "scores: one pair for each step, the same for text and messages" {
    ok /pooling '{"model":"tinymath-prm",
        "input":["Q: 2+3=?\n2+3=5<extra_0>The answer is \\boxed{5}<extra_0>"]}'
    is '.data[0].data | length == 2 and all(length == 2 and add > 0.999 and add < 1.001)'
    jq -c '[.data[0].data, .usage.prompt_tokens]' reply > first
    ok /pooling '{"model":"tinymath-prm","messages":[{"role":"user","content":"2+3=?"},
        {"role":"assistant","content":"2+3=5<extra_0>The answer is \\boxed{5}<extra_0>"}]}'
    jq -c '[.data[0].data, .usage.prompt_tokens]' reply | cmp - first
}
@test "metrics count" {
    curl -sS "$URL/metrics" > metrics
    before=$(awk '/^vllm:generation_tokens_total.*tinymath"/ { print $2 }' metrics)
    ok /v1/completions "{$Q,\"max_tokens\":9,\"ignore_eos\":true}"
    curl -sS "$URL/metrics" > metrics
    after=$(awk '/^vllm:generation_tokens_total.*tinymath"/ { print $2 }' metrics)
    [ $((after - before)) = 9 ]
    for name in num_requests_running num_requests_waiting kv_cache_usage_perc \
        prefix_cache_queries_total prefix_cache_hits_total num_preemptions_total \
        prompt_tokens_total time_to_first_token_seconds_bucket e2e_request_latency_seconds_sum \
        'request_success_total.*finished_reason="length"'; do
        grep -q "^vllm:$name" metrics || { echo "no $name"; return 1; }
    done
}
# metric NAME: of the generator.
metric() {
    curl -sS "$URL/metrics" | awk -v name="vllm:$1{" \
        'index($1, name) == 1 && /model_name="tinymath"/ && !n++ { print $2 }'
}
# becomes OPERATOR NUMBER NAME: waits for a metric.
becomes() {
    for _ in $(seq 400); do
        [ "$(metric "$3")" "$1" "$2" ] && return
        sleep 0.025
    done
    echo "$3 stays at $(metric "$3")"
    return 1
}
# A client that leaves as soon as its sequences run: the rest of their tokens is not made.
@test "a client that leaves stops its work, streamed or not, chat or not, in the queue or not" {
    local body='"n":256,"max_tokens":200,"ignore_eos":true,"temperature":1' before
    for request in "/v1/completions {$Q,$body}" "/v1/completions {$Q,$body,\"stream\":true}" \
        "/v1/chat/completions {\"messages\":[{\"role\":\"user\",\"content\":\"2+3=?\"}],$body}" \
        "/v1/completions {\"prompt\":[\"1+1=?\",\"1+2=?\",\"1+3=?\"],$body}"; do
        becomes -eq 0 num_requests_running
        before=$(metric engine_rows_total)
        curl -sS -o /dev/null -H 'Content-Type: application/json' --data-binary "${request#* }" \
            "$URL${request%% *}" 2> /dev/null 3>&- &
        client=$!
        becomes -gt 0 num_requests_running
        kill -KILL $client
        wait $client || true
        becomes -eq 0 num_requests_running
        becomes -eq 0 num_requests_waiting
        after=$(metric engine_rows_total)
        echo "$request: $((after - before)) rows of $((256 * 200))"
        [ $((after - before)) -lt $((256 * 100)) ]
    done
    ok /v1/completions "{$Q,\"max_tokens\":9}"
}
@test "wrong values are refused with the field's name" {
    for body in '{}' '[]' '7' '{"prompt":' "{$Q,$Q}" '{"prompt":5}' '{"prompt":[]}' \
        '{"prompt":[1,99999]}' '{"prompt":[1,1.5]}' '{"prompt":["a",{}]}' \
        "{$Q,\"temperature\":\"hot\"}" "{$Q,\"temperature\":-1}" "{$Q,\"temperature\":1e999}" \
        "{$Q,\"top_p\":0}" "{$Q,\"top_p\":1.1}" "{$Q,\"n\":0}" "{$Q,\"n\":1.5}" \
        "{$Q,\"max_tokens\":0}" "{$Q,\"max_tokens\":100000}" "{$Q,\"seed\":\"x\"}" \
        "{$Q,\"stop\":5}" "{$Q,\"stop\":[\"\"]}" "{$Q,\"stream\":1}" "{$Q,\"echo\":true}" \
        "{$Q,\"logprobs\":21}" "{$Q,\"top_k\":5}" "{$Q,\"stream_options\":{}}" \
        "{$Q,\"model\":5}" "{$Q,\"model\":\"tinymath-prm\"}"; do
        refused 400 /v1/completions "$body"
    done
    refused 400 /v1/completions "$(printf '[%.0s' $(seq 300))"
    refused 400 /v1/chat/completions '{"messages":[]}'
    refused 400 /v1/chat/completions '{"messages":[{"role":"robot","content":"x"}]}'
    refused 400 /v1/embeddings '{"input":"a","dimensions":7}'
    refused 400 /v1/embeddings '{"input":"a","encoding_format":"hex"}'
    refused 400 /pooling '{"model":"tinymath","input":"a"}'
    refused 404 /v1/completions "{$Q,\"model\":\"gpt\"}"
    refused 404 /v1/nothing '{}'
    refused 405 /v1/models '{}'
    curl -sS -o reply -w '%{http_code}' --data "{$Q}" "$URL/v1/completions" > status
    [ "$(cat status)" = 400 ]
    head -c 9000000 /dev/zero > large
    refused 413 /v1/completions @large
}
@test "an unusable model, a used port: one line and a code" {
    cd "$OLDPWD"
    rc=0
    head -c 5000 demo/tinymath.gguf > "$BATS_TEST_TMPDIR/cut.gguf"
    allot-demo-server --port 0 --model "$BATS_TEST_TMPDIR/cut.gguf" \
        2> "$BATS_TEST_TMPDIR/err" || rc=$?
    [ "$rc" = 4 ]
    grep -q "cut.gguf': " "$BATS_TEST_TMPDIR/err"
    rc=0
    allot-demo-server --port "${URL##*:}" 2> "$BATS_TEST_TMPDIR/err" || rc=$?
    [ "$rc" = 1 ]
    grep -q "port" "$BATS_TEST_TMPDIR/err"
}
@test "a signal ends it with 0 and removes the port file" {
    cd "$OLDPWD"
    port="$BATS_TEST_TMPDIR/port"
    allot-demo-server --quiet --threads 1 --port 0 --port-file "$port" 3>&- &
    pid=$!
    for _ in $(seq 100); do [ -s "$port" ] && break || sleep 0.05; done
    kill -TERM $pid
    wait $pid
    [ ! -e "$port" ]
}
