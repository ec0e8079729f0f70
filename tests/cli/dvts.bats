# SPDX-License-Identifier: Apache-2.0
# A method that came later (diverse verifier tree search), all the way on the demo server.
bats_require_minimum_version 1.5.0

load demoserver

setup_file() {
    start_demo_server '"single","beam@4x2x6","dvts@4x2x6","dvts@4x2x6;final=vote","dvts@4x4x6;agg=min"'
}
teardown_file() {
    stop_demo_server
}
setup() {
    use_demo_server
}

# The command that samples six queries into directory $1, in COMMAND.
sample_command() {
    COMMAND=(allot-collect sample --quiet --dataset few.h5 --strategies strategies.json --output "$1"
        --base-url "$url" --model tinymath --prm-model tinymath-prm --max-tokens 200 --runs 2
        --step-max-tokens 64 --prompt-template 'Q: {problem}\n' --prm-template 'Q: {problem}\n' "${@:2}")
}

# Counts the records of a search in a journal.
searches() {
    grep -c "\"t\":\"beam\".*\"source\":\"$2" "$1/journal.jsonl" || true
}

@test "dvts is sampled beside a beam search of the same numbers, once for both final answers" {
    allot-datasets tinymath --quiet --count 6 few.h5
    sample_command calm --json
    "${COMMAND[@]}" | jq -e '.beams.done == 36 and .errors == 0'
    [ "$(searches calm 'beam@4x2x6"')" = 12 ]
    [ "$(searches calm 'dvts@4x2x6"')" = 12 ]
    [ "$(searches calm 'dvts@4x4x6;agg=min"')" = 12 ]
    # two subtrees of two: both stand among what is finished
    jq 'select(.t == "beam" and .source == "dvts@4x2x6") | .gen | length >= 2' calm/journal.jsonl > lengths
    [ "$(sort -u lengths)" = true ]
}

@test "killed and started again: the same labels, bit by bit" {
    sample_command killed --max-concurrency 1
    "${COMMAND[@]}" &
    for ((i = 0; i < 2000; i++)); do
        [ -e killed/journal.jsonl ] && [ "$(searches killed dvts)" -ge 2 ] && break
        sleep 0.005
    done
    kill -9 $! && wait $! || true
    [ "$(searches killed dvts)" -ge 2 ]
    [ "$(searches killed dvts)" -lt 24 ]
    "${COMMAND[@]}"
    [ "$(searches killed dvts)" = 24 ]
    allot-collect label --quiet calm a.h5 --json > a.json
    allot-collect label --quiet killed b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
    jq -e '[.strategies[].strategy | select(startswith("dvts"))] | length == 3' a.json
}

@test "dvts is timed, trained, calibrated, exported and run" {
    make -s -f "$root/examples/pipeline.mk" BIN="$ALLOT_BIN/" OUT=out STRATEGIES=strategies.json \
        IMPORT="$ALLOT_BIN/allot-datasets tinymath --count 80" FRACTIONS=0.4,0.15,0.15,0.3 \
        BASE_URL="$url" MODEL=tinymath PRM_MODEL=tinymath-prm POOL=4 RUNS=2 TIME_QUERIES=3 \
        GENERATION="--prompt-template 'Q: {problem}\n' --max-tokens 200 --step-max-tokens 64" \
        EMBEDDINGS=ngram > log 2>&1
    jq -e '(.statics | length) == 5' out/report-ngram/eval.json
    allot-datasets inspect --json out/ngram.safetensors > bundle.json
    jq -e '.manifest.calibration.a.dvts != null and .manifest.calibration.b.dvts != null' bundle.json
    jq -e '[.manifest.costs.strategies[] | select(.strategy == "dvts@4x2x6") | .seconds.mean > 0] == [true]' \
        bundle.json
    for s in dvts@4x2x6 'dvts@4x2x6;final=vote'; do
        allot-run --quiet --bundle out/ngram.safetensors --base-url "$url" --strategy "$s" --json \
            "3+4=?" > run.json
        jq -e --arg s "$s" '.strategy == $s and .measured.tokens > 0 and .predicted.accuracy > 0' run.json
    done
    run allot-run --bundle out/ngram.safetensors --base-url "$url" --strategy dvts@6x4x6 "3+4=?"
    [ "$status" -ne 0 ]
    [[ "$output" == *"N must be a multiple of M, as dvts@8x4x6 is"* ]]
}

@test "a set without dvts has no feature and no calibration for it" {
    run --separate-stderr allot-datasets inspect --json "$root/tests/golden/files/v1/model.safetensors"
    jq -e '.manifest.calibration.a | keys == ["beam", "bon", "majority", "named", "single", "weighted"]' <<< "$output"
    allot-export --quiet --probe "$root/tests/golden/files/v1/probe.cal.h5" \
        --costs "$root/tests/golden/files/v1/costs.json" --output again.safetensors
    allot-datasets inspect --json again.safetensors |
        jq -e '.manifest.calibration.a | keys == ["beam", "bon", "majority", "named", "single", "weighted"]'
}
