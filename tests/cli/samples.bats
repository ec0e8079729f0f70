# SPDX-License-Identifier: Apache-2.0
# allot-datasets import-samples, and the examples that start from outcomes measured elsewhere.

setup() {
    PATH="$ALLOT_BIN:$PATH"
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
    [ $rc = 4 ] && grep -q "give a run that does not exist" err
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
    [ "$(grep -c . by_seconds)" = 1200 ] && ! grep -q 'adaptive' by_seconds
    # 0.342125 of the 8000 samples are right
    allot-collect label cruxeval_10samples/run o.h5 2> err | grep -q '^single  *0.3421 '
}
