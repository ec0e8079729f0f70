# SPDX-License-Identifier: Apache-2.0
# allot-select on a bundle of the small invented world of tests/tools/make_tables.c.

load fakeserver

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    make_tables . 200
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 5 --hidden 16 > train.log
    allot-export --uncalibrated --probe probe.h5 --costs costs.json --output model.safetensors > export.log
    mkdir plain && make_tables plain 10 no-seconds
    allot-export --uncalibrated --probe probe.h5 --costs plain/costs.json --output plain.safetensors > export.log
}
setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_FILE_TMPDIR" || exit 1
}
teardown() {
    stop_server
}
select_() {
    allot-select --bundle model.safetensors "$@"
}
# refuses CODE MESSAGE ARGUMENT...
refuses() {
    local code=$1 message=$2
    shift 2
    run allot-select "$@"
    echo "$output"
    [ "$status" = "$code" ] && [ "$output" = "allot-select: error: $message" ]
}

@test "text and JSON say the same" {
    run select_ --lambda-tokens 1e-5 --lambda-seconds 1e-3 '100+2+3=?'
    [ "$status" = 0 ]
    [ "${lines[5]}" = "price      0.01 accuracy = 1000 tokens = 10 seconds" ]
    local strategy=${lines[0]#strategy   }
    run select_ --lambda-tokens 1e-5 --lambda-seconds 1e-3 --json '100+2+3=?'
    [ "$(jq -r .strategy <<< "$output")" = "$strategy" ]
    jq -e '.exchange_rate == {accuracy: 0.01, tokens: 1000, seconds: 10}' <<< "$output"
    jq -e '(.utility - (.accuracy - 1e-5 * .tokens - 1e-3 * .seconds)) | fabs < 1e-12' <<< "$output"
    jq -e '.calibrated == false and (.key | length) == 64' <<< "$output"
}

@test "lambda 0 takes the highest accuracy, a large one the cheapest" {
    select_ --verbose --json '100+2+3=?' | jq -e '.accuracy == ([.all[].accuracy] | max)'
    select_ --verbose --json --lambda-seconds 1e6 '100+2+3=?' | jq -e '.seconds == ([.all[].seconds] | min)'
    select_ --verbose --json --lambda-tokens 1e6 '100+2+3=?' | jq -e '.tokens == ([.all[].tokens] | min)'
    select_ --verbose --json --lambda-tokens 1e-4 '100+2+3=?' | jq -e '.utility == ([.all[].utility] | max)'
}

@test "verbose lists all strategies and marks the chosen one" {
    run select_ --verbose '100+2+3=?'
    [ "$(grep -c '@\|single' <<< "${output#*utility*utility}")" = 6 ]
    [ "$(grep -c '^\* ' <<< "$output")" = 1 ]
}

@test "caps hold, and what does not fit is refused" {
    select_ --json --max-tokens 500 '100+2=?' | jq -e '.tokens <= 500'
    select_ --json --max-seconds 1.1 --cap-on p95 '100+2=?' | jq -e '.seconds * 2 <= 1.1'
    refuses 4 "no strategy fits into 100 tokens; the nearest, 'single', needs 120 tokens and 0.51 seconds (mean) (raise the caps)" \
        --bundle model.safetensors --max-tokens 100 '100+2=?'
    refuses 2 "--cap-on 'p80' is none of mean, p50, p90, p95, p99" \
        --bundle model.safetensors --cap-on p80 '100+2=?'
}

@test "seconds that were not measured cannot be weighed" {
    allot-select --bundle plain.safetensors --lambda-tokens 1e-5 '1+2=?' | grep -qx 'seconds    not measured'
    allot-select --bundle plain.safetensors --json '1+2=?' | jq -e '.seconds == null'
    refuses 2 "the cost table has no seconds, so they cannot be weighed or capped (time the strategies with 'allot-collect time', then 'allot-calibrate costs' and 'allot-export'; or use tokens alone)" \
        --bundle plain.safetensors --lambda-seconds 1e-3 '1+2=?'
}

@test "many queries, one line each, as one by one" {
    for i in $(seq 1 300); do echo "{\"problem\": \"$((i * 37))+$i=?\"}"; done > q.jsonl
    select_ --lambda-tokens 1e-5 --json --jsonl q.jsonl > all.jsonl
    [ "$(wc -l < all.jsonl)" = 300 ]
    [ "$(sed -n 277p all.jsonl)" = "$(select_ --lambda-tokens 1e-5 --json "$((277 * 37))+277=?")" ]
    select_ --lambda-tokens 1e-5 --jsonl - < q.jsonl | cut -f 1 > strategies
    [ "$(jq -r .strategy all.jsonl)" = "$(cat strategies)" ]
}

@test "an embeddings file and the built-in n-grams agree" {
    head -50 queries.jsonl > known.jsonl
    select_ --json --jsonl known.jsonl > built-in
    select_ --json --jsonl known.jsonl --embeddings ngram.emb.h5 > looked-up
    cmp built-in looked-up
    mkdir -p other
    make_tables other 50 other-embedding
    run select_ --embeddings other/ngram.emb.h5 '1+2'
    [ "$status" = 5 ]
    [[ "$output" == *"'other/ngram.emb.h5' holds embeddings "*"(other, 64 entries), the bundle was trained on "*"(allot-ngram-1, 64 entries)"* ]]
}

@test "a vector can be given; a query that is not in the file is refused" {
    local query=100+2 key want
    refuses 5 "'ngram.emb.h5' has no embedding of the query with key $(select_ --json "$query" | jq -r .key) (embed it with 'allot-datasets embed', or use --embed-base-url)" \
        --bundle model.safetensors --embeddings ngram.emb.h5 "$query"
    python3 -c "print([0.125] * 64)" > v.json
    want=$(select_ --json --embedding v.json "$query")
    echo "{\"problem\": \"$query\", \"embedding\": $(cat v.json)}" > v.jsonl
    [ "$(select_ --json --jsonl v.jsonl)" = "$want" ]
    key=$(jq -r .key <<< "$want")
    [ "$(select_ --json --embedding v.json --key "$key" --codepoints 5)" = "$want" ]
}

@test "embeddings of another size are refused" {
    echo '[1, 2]' > short.json
    refuses 5 "short.json: the embedding has 2 entries, the bundle needs 64" \
        --bundle model.safetensors --embedding short.json 'x'
    echo '{}' > object.json
    refuses 4 "object.json: the embedding is no list of numbers" \
        --bundle model.safetensors --embedding object.json 'x'
    python3 -c "print([1e300] * 64)" > huge.json
    refuses 4 "huge.json: entry 0 of the embedding is no number that float32 holds" \
        --bundle model.safetensors --embedding huge.json 'x'
}

@test "wrong lines name their number" {
    printf '{"problem": "1+2"}\n\n{"text": "1+2"}\n' > bad.jsonl
    refuses 4 "line 3 of 'bad.jsonl': \"problem\" is missing" --bundle model.safetensors --jsonl bad.jsonl
}

@test "wrong options and files are refused" {
    refuses 2 "--bundle is missing (usage: allot-select [OPTION...] --bundle FILE QUERY)" 'x'
    refuses 2 "give one query: a text (in quotes), --jsonl FILE or --key HEX" --bundle model.safetensors
    refuses 2 "only one of --embedding, --embeddings and --embed-base-url can be used" \
        --bundle model.safetensors --embedding a --embeddings b 'x'
    refuses 1 "cannot read 'none': No such file or directory (allot-export writes it)" --bundle none 'x'
    head -c 3000 model.safetensors > cut.safetensors
    run allot-select --bundle cut.safetensors 'x'
    [ "$status" = 4 ]
    [[ "$output" == "allot-select: error: cannot read 'cut.safetensors': no safetensors file, or cut off: "* ]]
}

@test "an unreachable server is refused" {
    run select_ --embed-base-url http://127.0.0.1:9 --timeout 2 'x'
    [ "$status" = 6 ]
    [ "${#lines[@]}" -ge 1 ]
    [[ "${lines[-1]}" == "allot-select: error: "* ]]
}

@test "an embedding server: vectors as in training, connections are kept" {
    start_server --connections connections --log log
    jq -c "{problem, answer: \"0\"}" queries.jsonl > p.jsonl
    allot-datasets import --quiet p.jsonl problems.h5 > import.log
    allot-datasets embed --quiet --base-url "$URL" --model tinymath --query-prefix 'Q: ' --normalize \
        problems.h5 served.emb.h5 > embed.log
    allot-train --quiet --outcomes outcomes.h5 --embeddings served.emb.h5 --splits splits.h5 \
        --output served.h5 --epochs 2 --hidden 8 > train.log
    allot-export --quiet --uncalibrated --probe served.h5 --costs costs.json --output served.safetensors \
        > export.log
    ask() {
        allot-select --bundle served.safetensors --json --jsonl "$@"
    }
    # four blocks of queries with eight requests at once: what the first opened, the others use
    rm connections log
    cat queries.jsonl queries.jsonl queries.jsonl queries.jsonl > q.jsonl
    ask q.jsonl --embeddings served.emb.h5 > looked-up
    [ ! -e connections ]
    ask q.jsonl --embed-base-url "$URL" > asked
    cmp looked-up asked
    [ "$(wc -l < asked)" = 800 ]
    echo "$(wc -l < connections) connections"
    [ "$(wc -l < connections)" -le 8 ]
    jq -se 'map(.body.input[]) | length == 800 and all(startswith("Q: "))' log
    # a line that brings its vector is not asked for
    rm log
    python3 -c "print('{\"problem\": \"1+1\", \"embedding\": ' + str([0.125] * 64) + '}')" > given.jsonl
    ask given.jsonl --embed-base-url "$URL"
    [ ! -e log ]
}
