# SPDX-License-Identifier: Apache-2.0
# What does not belong together or is damaged is refused by every tool that reads it: exit code, one
# line that names the file, the count, an example and the way out, and nothing written.

setup_file() {
    export PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    export WORLD="$BATS_FILE_TMPDIR/world"
    mkdir "$WORLD"
    make_tables "$WORLD" 120
    cd "$WORLD" || exit 1
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 3 --hidden 8 > train.log
    allot-calibrate platt --quiet --probe probe.h5 --outcomes outcomes.h5 \
        --embeddings ngram.emb.h5 --splits splits.h5 --output probe.cal.h5 > platt.log
    allot-export --quiet --probe probe.cal.h5 --costs costs.json --output model.safetensors > e.log
    allot-datasets tinymath --count 20 problems.h5 > t.log
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > strategies.json
    printf 'query,strategy,correct,tokens\n1+1=?,single,1,9\n' > one.csv
    printf '\211HDF\r\n\032\n and nothing else' > nothing.h5
}
setup() {
    cp "$WORLD"/*.h5 "$WORLD"/*.json "$WORLD"/*.safetensors "$WORLD/queries.jsonl" \
        "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || exit 1
}
# change NAME FILE...: these files of the world with this change (see make_tables.c)
change() {
    local name=$1
    shift
    mkdir "$name"
    make_tables "$name" 120 "$name"
    (cd "$name" && cp "$@" ..)
}
# The four tools behind the tables; each would write `result`.
train() {
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --epochs 3 --hidden 8 --output result
}
platt() {
    allot-calibrate platt --quiet --probe probe.h5 --outcomes outcomes.h5 \
        --embeddings ngram.emb.h5 --splits splits.h5 --output result
}
export_bundle() {
    allot-export --quiet --probe probe.cal.h5 --costs costs.json --output result
}
report() {
    allot-eval report --quiet --bundle model.safetensors --outcomes outcomes.h5 --resamples 100 \
        --embeddings ngram.emb.h5 --splits splits.h5 --no-pictures --output result
}
# refused CODE TEXT... -- COMMAND...: this exit code, one line on stderr with all the texts, nothing
# on stdout, and no file more than before.
refused() {
    local want=$1 rc=0 texts=() before said
    before=$(ls -A)
    shift
    while [ "$1" != -- ]; do
        texts+=("$1")
        shift
    done
    shift
    "$@" > "$BATS_FILE_TMPDIR/out" 2> "$BATS_FILE_TMPDIR/err" || rc=$?
    said=$(cat "$BATS_FILE_TMPDIR/err")
    [ "$rc" = "$want" ] || { echo "$*: exit $rc, not $want: $said"; return 1; }
    [ "$(wc -l < "$BATS_FILE_TMPDIR/err")" = 1 ] || { echo "$*: not one line: $said"; return 1; }
    [ ! -s "$BATS_FILE_TMPDIR/out" ] || { echo "$*: wrote to stdout"; return 1; }
    for text in "${texts[@]}"; do
        [[ "$said" == *"$text"* ]] || { echo "$*: '$text' is not in: $said"; return 1; }
    done
    [ "$(ls -A)" = "$before" ] || { echo "$*: left something behind"; return 1; }
}

@test "a table joined by row number instead of key" {
    printf '%s\n' '{"query": 0, "strategy": "single", "correct": 1, "tokens": 9}' \
        '{"query": "q17", "strategy": "single", "correct": 0, "tokens": 9}' \
        '{"query": "1+1=?", "strategy": "single", "correct": 0, "tokens": 9}' > t.jsonl
    refused 4 "t.jsonl': 2 of 3 rows name their query by a row number, e.g. '0' in line 1" \
        "pair different questions" "give the query's text, or its key" -- \
        allot-datasets import-outcomes t.jsonl result
    printf 'query,strategy,correct,tokens\n12,single,1,9\n' > t.csv
    refused 4 "t.csv': 1 of 1 rows" "'12' in line 2" -- \
        allot-datasets import-outcomes t.csv result
}

@test "a problems file whose rows were moved against their keys" {
    h5_poke problems.h5 key 33 7
    refused 4 "problems.h5': the key of row 1 is not the key of its problem" "import it again" -- \
        allot-datasets split problems.h5 result
}

@test "a duplicated query and strategy" {
    printf '%s\n' 'query,strategy,correct,tokens' '1+1=?,single,1,9' '1+2=?,single,1,9' \
        '" 1+1=?",single,0,9' > t.csv
    refused 4 "t.csv': 1 of 3 rows repeat a query and strategy" ", single in lines 2 and 4" \
        "give each pair once, or say --trials" -- \
        allot-datasets import-outcomes t.csv result
}

@test "a query that is twice in a file" {
    for i in $(seq 0 31); do h5_poke outcomes.h5 key $((32 + i)) "@$i"; done
    for tool in train platt report; do
        refused 4 "outcomes.h5'" "1 of 120 rows repeat a query, e.g. key" "in rows 0 and 1" \
            "make the file again" -- $tool
    done
}

@test "a missing cell" {
    change missing-cell outcomes.h5
    for tool in train platt report; do
        refused 4 "outcomes.h5': 1 of 720 cells are missing, e.g. query" ", majority@16" \
            "run 'allot-collect sample' again, or say --missing" -- $tool
    done
}

@test "a split of another dataset" {
    allot-datasets split problems.h5 splits.h5 > split.log 2>&1
    refused 5 "outcomes.h5' and 'splits.h5' do not belong together: 120 of the 120 queries" \
        "e.g. key" "in row 0" "'allot-datasets split'" -- train
    refused 5 "splits.h5" "the split id is 0123456789abcdef" "allot-train" -- platt
    refused 5 "splits.h5" "0123456789abcdef" "give the file that allot-train had" -- report
}

@test "splits that lack a query" {
    change missing-split splits.h5
    for tool in train platt report; do
        refused 5 "1 of the 120 queries of 'outcomes.h5' are not in 'splits.h5', e.g. key" \
            "in row 119" "'allot-datasets split'" -- $tool
    done
}

@test "embeddings that lack a query" {
    change missing-embedding ngram.emb.h5
    refused 5 "1 of the 120 queries of 'outcomes.h5' are not in 'ngram.emb.h5', e.g. key" \
        "in row 119" "'allot-datasets embed'" -- train
}

@test "another strategy set" {
    change other-strategies costs.json
    refused 5 "'probe.cal.h5' and 'costs.json' do not belong together: 1 of 6 strategies differ" \
        "e.g. strategy 5 is beam@4x2x20 in the one and absent in the other" "'allot-collect time'" \
        -- export_bundle
    change fewer-strategies outcomes.h5
    for tool in platt report; do
        refused 5 "outcomes.h5' do not belong together: 1 of 6 strategies differ" \
            "strategy 5 is beam@4x2x20 in the one and absent in the other" "allot-" -- $tool
    done
}

@test "another generation fingerprint" {
    change other-costs costs.json
    refused 5 "costs.json' do not belong together: 1 setting differs" \
        "temperature is 0.8 in the one and 1 in the other" "allot-" -- export_bundle
    change other-outcomes outcomes.h5
    for tool in platt report; do
        refused 5 "outcomes.h5' do not belong together: 1 setting differs" \
            "temperature is 0.8 in the one and 1 in the other" "allot-" -- $tool
    done
}

@test "another embedding model" {
    change other-embedding ngram.emb.h5
    refused 5 "'probe.h5' and 'ngram.emb.h5' do not belong together" "allot-ngram-1" "other" \
        "allot-train" -- platt
    refused 5 "'model.safetensors' and 'ngram.emb.h5' do not belong together" "allot-ngram-1" \
        "'other'" "allot-train" -- report
    refused 5 "'ngram.emb.h5' holds" "other" "allot-ngram-1" "embed with that model" -- \
        select_key
}

@test "another embedding dimension" {
    change other-dimension ngram.emb.h5
    refused 5 "'probe.h5' and 'ngram.emb.h5' do not belong together" "64 numbers" "32 numbers" \
        "allot-train" -- platt
    refused 5 "'model.safetensors' and 'ngram.emb.h5' do not belong together" "64 numbers" \
        "32 numbers" "allot-train" -- report
    refused 5 "'ngram.emb.h5' holds" "64 entries" "32 entries" "embed with that model" -- \
        select_key
}

select_one() { allot-select --quiet --bundle model.safetensors '100+3=?'; }
select_key() {
    allot-select --quiet --bundle model.safetensors --embeddings ngram.emb.h5 '100+3=?'
}
split() { allot-datasets split --quiet problems.h5 result; }
embed() { allot-datasets embed --quiet --ngram problems.h5 result; }
import_keys() {
    allot-datasets import-outcomes --quiet --problems problems.h5 "$WORLD/one.csv" result
}
inspect_bundle() { allot-datasets inspect model.safetensors; }
costs() { allot-calibrate costs --quiet --outcomes outcomes.h5 --splits splits.h5 --output result; }
# Nothing listens on port 9: what is wrong with the files must be found before.
sample() {
    allot-collect sample --quiet --dataset problems.h5 --strategies strategies.json \
        --base-url http://127.0.0.1:9/v1 --model m --output result
}
run_one() { allot-run --quiet --bundle model.safetensors --base-url http://127.0.0.1:9/v1 '1+1=?'; }

# harm CODE COMMAND...: each file in turn after COMMAND; every tool that reads it refuses it by name
harm() {
    local code=$1 file tools tool
    shift
    while read -r file tools; do
        "$@" "$file"
        for tool in $tools; do refused "$code" "'$file'" -- "$tool"; done
        cp "$WORLD/$file" .
    done << 'END'
outcomes.h5 train platt report costs
ngram.emb.h5 train platt report select_key
splits.h5 train platt report costs
problems.h5 split embed import_keys
strategies.json sample
probe.h5 platt
probe.cal.h5 export_bundle
costs.json export_bundle
model.safetensors report select_one run_one inspect_bundle
END
}

@test "missing files" {
    harm 1 rm
}

@test "empty files" {
    harm 4 truncate -s 0
}

@test "files cut off" {
    harm 4 truncate -s -2
    harm 4 truncate -s 30
}

@test "files of another kind" {
    harm 4 cp "$WORLD/nothing.h5"
    harm 4 cp "$WORLD/queries.jsonl"
}

@test "numbers that are not finite or out of range" {
    for array in accuracy variance n_eff tokens seconds; do
        for value in nan inf -1; do
            cp "$WORLD/outcomes.h5" .
            h5_poke outcomes.h5 $array 8 $value
            for tool in train platt report costs; do
                refused 4 "'outcomes.h5': $array of query" ", majority@16 is" "label again" -- $tool
            done
        done
    done
    cp "$WORLD/outcomes.h5" .
    for value in nan inf; do
        h5_poke ngram.emb.h5 embedding 65 $value
        for tool in train platt report select_key; do
            refused 4 "'ngram.emb.h5': entry 1 of the embedding in row 1 is not finite" -- $tool
        done
        cp "$WORLD/probe.cal.h5" .
        h5_poke probe.cal.h5 w1_query 0 $value
        refused 4 "'probe.cal.h5'" "weight 0 of 'w1_query' is $value" -- export_bundle
    done
    cp "$WORLD/probe.cal.h5" .
    sed 's/"mean":[^,]*,/"mean": -1,/' "$WORLD/costs.json" > costs.json
    refused 4 "costs.json" "mean" -- export_bundle
    sed 's/"mean":[^,]*,/"mean": 1e999,/' "$WORLD/costs.json" > costs.json
    refused 4 "costs.json" -- export_bundle
}
