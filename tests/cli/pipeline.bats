# SPDX-License-Identifier: Apache-2.0
# The README's three uses on the demo server, through the makefile that users copy.

load demoserver

setup_file() {
    start_demo_server '"single","majority@4","bon@4"'
}
teardown_file() {
    stop_demo_server
}
setup() {
    use_demo_server
}

# The pipeline as the README has it, on problems that a command makes.
pipeline() {
    make -s -f "$root/examples/pipeline.mk" BIN="$ALLOT_BIN/" OUT=out STRATEGIES=strategies.json \
        IMPORT="$ALLOT_BIN/allot-datasets tinymath --count 80" FRACTIONS=0.4,0.15,0.15,0.3 \
        BASE_URL="$url" MODEL=tinymath PRM_MODEL=tinymath-prm POOL=8 TIME_QUERIES=3 \
        GENERATION="--prompt-template 'Q: {problem}\n' --max-tokens 200" \
        EMBEDDINGS='tinymath ngram' \
        EMBED_tinymath="--base-url $url --model tinymath --query-prefix 'Q: '" "$@"
}

@test "a probe for a new dataset: one make, then select and run" {
    pipeline > log 2>&1
    jq -e '.queries > 10 and (.statics | length) == 3' out/report-tinymath/eval.json
    grep -q "simultaneous 95 % band" out/report-tinymath/summary.txt
    allot-select --bundle out/ngram.safetensors --lambda-tokens 1e-5 "3+4=?" | grep -q "^strategy"
    allot-run --quiet --bundle out/tinymath.safetensors --base-url "$url" --lambda-tokens 1 \
        --json "3+4=?" > run.json
    jq -e '.strategy == "single" and .measured.tokens > 0' run.json
}

@test "two embeddings are compared on the same outcomes" {
    jq -e '.tokens | length == 2 and .[0].candidate == "tinymath" and .[1].candidate == "ngram"' \
        out/compare/compare.json
}

@test "nothing is done twice, and a changed setting redoes only what hangs on it" {
    run pipeline
    [ "$status" = 0 ]
    [[ "$output" != *allot-* ]]
    before=$(stat -c %Y%i out/run/.done out/outcomes.h5 out/tinymath.probe.h5 out/tinymath.safetensors)
    report=$(stat -c %i out/report-tinymath/eval.json)
    pipeline EVAL_FLAGS="--resamples 200" > log 2>&1
    [ "$before" = "$(stat -c %Y%i out/run/.done out/outcomes.h5 out/tinymath.probe.h5 out/tinymath.safetensors)" ]
    [ "$report" != "$(stat -c %i out/report-tinymath/eval.json)" ]
    jq -e '.tokens.resamples == 200' out/report-tinymath/eval.json
}

@test "new hardware: time, costs and export; nothing else is run again" {
    allot-collect time --quiet --dataset out/problems.h5 --strategies strategies.json \
        --output out/timing-new --base-url "$url" --model tinymath --prm-model tinymath-prm \
        --prompt-template 'Q: {problem}\n' --max-tokens 200 --load 1 --queries 3 \
        --hardware "the new box"
    allot-calibrate costs --quiet out/timing-new --output out/costs-new.json
    allot-export --quiet --probe out/ngram.probe.cal.h5 --costs out/costs-new.json --load 1 \
        --output out/new.safetensors
    allot-datasets inspect --json out/ngram.safetensors > old.json
    allot-datasets inspect --json out/new.safetensors > new.json
    jq -e '.manifest.hardware.hardware == "the new box"' new.json
    # the bundles differ in costs and hardware only
    filter='.manifest | del(.costs, .hardware, .provenance)'
    [ "$(jq -S "$filter" old.json)" = "$(jq -S "$filter" new.json)" ]
}

@test "a context shorter than the limits: what failed, and what to set" {
    short() {
        make -s -f "$root/examples/pipeline.mk" BIN="$ALLOT_BIN/" OUT=short LIMIT=3 POOL=8 \
            STRATEGIES=strategies.json IMPORT="$ALLOT_BIN/allot-datasets tinymath --count 20" \
            BASE_URL="$url" MODEL=tinymath PRM_MODEL=tinymath-prm TIME_QUERIES=2 "$@" labels
    }
    run short
    [ "$status" -eq 2 ]
    [[ "$output" == *"maximum context length is 512 tokens"* ]]
    [[ "$output" == *"GENERATION='--max-tokens N --step-max-tokens N' and remove short/run"* ]]
    [ ! -e short/run/.done ]
    rm -r short/run
    short GENERATION='--max-tokens 200 --step-max-tokens 64'
    [ -s short/outcomes.h5 ]
}
