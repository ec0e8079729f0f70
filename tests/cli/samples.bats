# SPDX-License-Identifier: Apache-2.0
# allot-datasets import-samples, and the examples that start from outcomes measured elsewhere.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    shared=${ALLOT_SHARED_DATA:-$root/../shared/data}
    cd "$BATS_TEST_TMPDIR" || exit 1
}
# label_of STRATEGY COLUMN: one cell of the table that 'allot-collect label' prints for run/
label_of() {
    rm -f o.h5
    allot-collect label run o.h5 2> err | awk -v s="$1" -v c="$2" '$1 == s { print $c }'
}
# refuses TEXT LINE...: the lines as samples; exit 4, the text in the only line, and no run
refuses() {
    local text=$1 rc=0
    shift
    printf '%s\n' "$@" > in.jsonl
    allot-datasets import-samples in.jsonl run > out 2> err || rc=$?
    [ "$rc" = 4 ] || { echo "exit $rc: $(cat err)"; return 1; }
    [[ "$(tail -n 1 err)" == "allot-datasets: error: "*"$text"* ]] || { cat err; return 1; }
    [ ! -e run ]
}

@test "search-and-learn's columns give single, majority, best-of-N and weighted votes" {
    printf '%s\n' '{"problem": "1+1?", "answer": "2", "completions": ["\\boxed{2}", "\\boxed{3}",
        "\\boxed{3}", "it is \\boxed{2}"], "scores": [[0.2, 0.9], 0.1, [0.3], [0.5]],
        "completion_tokens": [10, 20, 30, 40], "pred": "ignored"}' | tr -d '\n' > in.jsonl
    allot-datasets import-samples --json in.jsonl run > out.json
    jq -e '.queries == 1 and .samples == 4 and .scored and .judged == 0' out.json
    [ "$(label_of single 2)" = 0.5000 ]
    [ "$(label_of single 3)" = 25.0 ]
    [ "$(label_of bon@4 2)" = 1.0000 ]
    [ "$(label_of weighted@4 2)" = 1.0000 ]
    # best of two of four: a right one is in all pairs but the two wrong
    [ "$(label_of bon@2 2)" = 0.8333 ]
}

@test "samples with a judgement keep it, whatever the grader would say" {
    printf '%s\n' \
        '{"query": "a?", "answer": "x", "samples": [{"extracted": "x", "correct": 0, "tokens": 1},
          {"extracted": "y}", "correct": 1, "tokens": 1}, {"extracted": "y}", "correct": 1}]}' |
        tr -d '\n' > in.jsonl
    allot-datasets import-samples --json in.jsonl run > out.json 2> err
    jq -e '.judged == 3 and .judged_otherwise == 3 and .without_tokens == 1' out.json
    grep -q "would judge 3 of 3 samples otherwise" err
    [ "$(label_of single 2)" = 0.6667 ]
}

@test "samples without a judgement are graded" {
    echo '{"query": "a?", "answer": "1/2", "samples": [{"text": "so \\boxed{0.5}"},
          {"extracted": "\\frac{1}{2}"}, {"text": "2"}]}' | tr -d '\n' > in.jsonl
    allot-datasets import-samples in.jsonl run
    [ "$(label_of single 2)" = 0.6667 ]
    rc=0
    allot-datasets import-samples in.jsonl run 2> err || rc=$?
    [ $rc = 4 ]
    grep -q "give a run that does not exist" err
}

@test "packed samples are unpacked; what is cut off leaves nothing" {
    forty ""
    allot-datasets import-samples --name s samples.jsonl plain > out
    gzip samples.jsonl
    allot-datasets import-samples --name s samples.jsonl.gz run > out
    cmp plain/journal.jsonl run/journal.jsonl
    rm -r run
    head -c 400 samples.jsonl.gz > cut.gz
    rc=0
    allot-datasets import-samples cut.gz run 2> err || rc=$?
    [ $rc = 4 ]
    grep -q "cannot unpack 'cut.gz' behind line" err
    [ ! -e run ]
}

@test "malformed samples are refused with their line, and leave nothing" {
    ok='{"query": "a?", "answer": "1", "samples": [{"text": "1"}]}'
    refuses "line 2 of 'in.jsonl': not a JSON object" "$ok" '[1]'
    refuses "line 1 of 'in.jsonl': no \"query\"" '{"samples": []}'
    refuses "either a list \"samples\" or a list \"completions\"" '{"query": "a?"}'
    refuses "it has no samples" '{"query": "a?", "samples": []}'
    refuses "sample 0: it needs either \"text\" or \"extracted\"" '{"query": "a?", "samples": [{}]}'
    refuses "sample 0: \"tokens\" is not a number" \
        '{"query": "a?", "samples": [{"text": "1", "tokens": -1}]}'
    refuses "sample 0: \"tokens\" is 1.5, not a whole number" \
        '{"query": "a?", "samples": [{"text": "1", "tokens": 1.5}]}'
    refuses "sample 1: \"correct\" is 0.5, not a whole number" \
        '{"query": "a?", "samples": [{"text": "1", "correct": 1}, {"text": "1", "correct": 0.5}]}'
    refuses "sample 0: its text is not UTF-8" \
        $'{"query": "a?", "samples": [{"text": "\xff"}]}'
    refuses "\"scores\" is not a list" \
        '{"problem": "a?", "completions": ["1"], "scores": {"a": 1}}'
    refuses "sample 0: a score is not a number" \
        '{"query": "a?", "samples": [{"text": "1", "score": ["x"]}]}'
    refuses "1 completions, but 2 \"scores\"" \
        '{"problem": "a?", "completions": ["1"], "scores": [1, 2]}'
    refuses "1 of 2 samples have no score" "$ok" \
        '{"query": "b?", "samples": [{"text": "1", "score": 1}]}'
    refuses "1 of 2 samples do not tell whether they are correct" "$ok" \
        '{"query": "b?", "samples": [{"text": "1", "correct": true}]}'
    refuses "1 of 2 rows repeat a query" "$ok" "$ok"
    refuses "holds no samples" ''
}

# forty FIELDS: samples.jsonl of 40 queries, each with 4 samples of 1, 2, 3 and 6 seconds and FIELDS
forty() {
    for i in $(seq 40); do
        echo "{\"query\": \"$i+1?\", \"answer\": \"$((i + 1))\", \"samples\": ["
        for s in 1 2 3 6; do
            echo "{\"extracted\": \"$((i + s % 2))\", \"tokens\": 1, \"seconds\": $s$1},"
        done | sed '$ s/,$//'
        echo "]}"
    done | tr -d '\n' | sed 's/]}/&\n/g' > samples.jsonl
}
# costs_of: the cost table of o.h5 into costs.json, its warnings into err
costs_of() {
    allot-datasets split --quiet --fractions 0.5,0.1,0.1,0.3 run/problems.h5 splits.h5 > out
    allot-calibrate costs --outcomes o.h5 --splits splits.h5 --output costs.json > out 2> err
}

@test "seconds of samples are used as told: one by one, at once, or not at all" {
    forty ""
    allot-datasets import-samples samples.jsonl run > out
    allot-collect label run o.h5 > out 2> err
    grep -q '^single .* -$' out
    grep -q 'warning: 160 of 160 samples tell their seconds, which are not used (--sample-seconds' err

    allot-collect label --sample-seconds one-by-one run o.h5 > out 2> err
    grep -q '^single .* 3.000$' out
    grep -q '^majority@2 .* 6.000$' out
    grep -q '^seconds of the samples: 120 cells measured, 0 modelled$' out
    [ "$(grep -c 'sample-seconds' err)" = 0 ]
    costs_of
    jq -e '.loads[0] | .has_seconds and [.strategies[].seconds.mean] == [3, 6, 12]' costs.json

    # the longest of two of 1, 2, 3, 6: (2 + 3 + 6 + 3 + 6 + 6) / 6; a model is no cost
    allot-collect label --sample-seconds at-once run o.h5 > out 2> err
    grep -q '^single .* 3.000$' out
    grep -q '^majority@2 .* 4.333$' out
    grep -q '^seconds of the samples: 40 cells measured, 80 modelled$' out
    costs_of
    grep -q 'warning: not every strategy has measured seconds, e.g. majority@2: .*tokens only' err
    jq -e '.loads[0].has_seconds == false' costs.json
}

@test "samples with seconds go to a bundle that knows prices on seconds" {
    for i in $(seq 160); do
        echo "{\"query_id\": \"q$i\", \"question\": \"What is $i + 1?\", \"answer\": \"$((i + 1))\",
            \"samples\": ["
        for s in 0 1 1 $((i % 2)); do
            echo "{\"extracted\": \"$((i + s))\", \"tokens\": 7, \"seconds\": 1.5},"
        done | sed '$ s/,$//'
        echo "]}"
    done | tr -d '\n' | sed 's/]}/&\n/g' > raw.jsonl
    make -s -f "$root/examples/cruxeval_10samples.mk" RAW=raw.jsonl OUT=out \
        LABEL_FLAGS='--sample-seconds one-by-one' > log 2>&1 || { tail -n 20 log; false; }
    allot-datasets inspect --json out/bundle.safetensors |
        jq -e '[.manifest.costs.strategies[].seconds.mean] == [1.5, 3, 6]'
    allot-select --quiet --bundle out/bundle.safetensors --lambda-seconds 1e-6 "What is 9 + 1?"
    jq -e '.statics[2].seconds == 6' out/report/eval.json
    rm -r out
    make -s -f "$root/examples/cruxeval_10samples.mk" RAW=raw.jsonl OUT=out > log 2>&1
    rc=0
    allot-select --quiet --bundle out/bundle.safetensors --lambda-seconds 1e-6 "a?" 2> err || rc=$?
    [ $rc != 0 ]
    grep -q seconds err
}

@test "a reward model and samples without seconds have none" {
    forty ', "score": 1'
    sed -i '1 s/"seconds": 6,/"seconds": null,/' samples.jsonl
    allot-datasets import-samples samples.jsonl run > out
    allot-collect label --json --sample-seconds one-by-one run o.h5 > out 2> err
    jq -e '[.strategies[] | select(.strategy | startswith("bon")) | .measured] == [0, 0]' out
    jq -e '[.strategies[] | select(.strategy | startswith("maj")) | .measured] == [39, 39]' out
    for args in "--sample-seconds sum" "--sample-seconds at-once --timing run"; do
        rc=0
        allot-collect label $args run p.h5 2> err || rc=$?
        [ $rc = 2 ]
        grep -q "sum' is no way to draw samples\|exclude each other" err
    done
    # a run of our own is sampled as fast as the server goes
    sed -i 's/"imported":[^,]*,//g' run/manifest.json
    rc=0
    allot-collect label --sample-seconds at-once run p.h5 2> err || rc=$?
    [ $rc != 0 ]
    grep -q "drawn many at once (time the strategies: 'allot-collect time'" err
}

@test "samples of the model that was timed take its seconds" {
    make_run timing timing
    forty ""
    allot-datasets import-samples --settings-of timing samples.jsonl run > out
    allot-collect label --timing timing run o.h5 > out 2> err
    grep -q '^seconds: 0 cells measured, 120 modelled' out
    allot-datasets import-samples samples.jsonl other > out
    rc=0
    allot-collect label --timing timing other p.h5 2> err || rc=$?
    [ $rc != 0 ]
    grep -q "do not belong together" err
}

@test "strategies with missing cells are dropped from the labels to the report" {
    for i in $(seq 200); do
        for s in small large holes; do
            [ "$s$((i % 50))" = holes7 ] && continue
            echo "{\"query_id\": \"q$i\", \"strategy\": \"$s\", \"question\": \"What is $i + $i?\",
                \"answer\": \"$((2 * i))\", \"correct\": $((i % 3 > 0)),
                \"tokens\": ${#s}0$((i % 7)), \"time_ms\": ${#s}0}" | tr -d '\n'
            echo
        done
    done > raw.jsonl
    for how in drop-strategy drop-query mask; do
        make -s -f "$root/examples/gsm8k_gpt41mini.mk" RAW=raw.jsonl OUT=$how MISSING=$how \
            > log 2>&1 || { tail -n 20 log; false; }
    done
    jq -e '[.statics[].strategy] == ["named:\"small\"", "named:\"large\""]' \
        drop-strategy/report/eval.json
    jq -e '.statics | length == 3' drop-query/report/eval.json
    jq -e '[.loads[0].strategies[].tokens.n] | .[0] == .[1] and .[2] < .[0]' mask/costs.json
    jq -e '[.loads[0].strategies[].tokens.n] | .[0] == .[1] and .[2] == .[0]' drop-query/costs.json
    inputs=(--bundle drop-strategy/bundle.safetensors --outcomes drop-strategy/outcomes.h5
        --embeddings drop-strategy/ngram.emb.h5 --splits drop-strategy/splits.h5)
    rc=0
    allot-eval report "${inputs[@]}" --missing drop-query --output e 2> err || rc=$?
    [ $rc != 0 ]
    grep -q "do not belong together" err
    rc=0
    allot-eval report "${inputs[@]}" --missing mask --output e 2> err || rc=$?
    [ $rc = 2 ]
    grep -q "'mask' makes no sense" err
}

@test "an example goes from a raw table to an evaluated bundle" {
    for i in $(seq 200); do
        for s in small large; do
            echo "{\"query_id\": \"q$i\", \"strategy\": \"$s\", \"question\": \"What is $i + $i?\",
                \"answer\": \"$((2 * i))\", \"correct\": $(((i % 3 > 0) || (i % 2 && s == 1))),
                \"tokens\": ${#s}00, \"time_ms\": ${#s}0}" | tr -d '\n'
            echo
        done
    done > raw.jsonl
    make -s -f "$root/examples/gsm8k_gpt41mini.mk" RAW=raw.jsonl OUT=out > log 2>&1 ||
        { tail -n 20 log; false; }
    jq -e '.statics | length == 2' out/report/eval.json
}

@test "the examples run on the tables they were written for" {
    [ -e "$shared/outcomes_cruxeval_10samples.jsonl" ] || skip "no $shared"
    for e in cruxeval_10samples gsm8k_gpt41mini gsm8k_42models; do
        make -s -f "$root/examples/$e.mk" RAW="$shared/outcomes_$e.jsonl" OUT="$e" > log 2>&1 ||
            { tail -n 20 log; false; }
        jq -e '.queries > 0' "$e/report/eval.json"
    done
    # of two sampling rules as accurate, a price on tokens buys the one of fewer tokens, a price on
    # seconds never does: it takes longer
    for price in tokens seconds; do
        allot-select --quiet --bundle gsm8k_gpt41mini/bundle.safetensors "--lambda-$price" 1e-6 \
            --jsonl gsm8k_gpt41mini/problems.jsonl | cut -f 1 > "by_$price"
    done
    grep -q 'adaptive' by_tokens
    [ "$(grep -c . by_seconds)" = 1200 ]
    ! grep -q 'adaptive' by_seconds || false
    # 0.342125 of the 8000 samples are right
    allot-collect label cruxeval_10samples/run o.h5 2> err | grep -q '^single  *0.3421 '
}
