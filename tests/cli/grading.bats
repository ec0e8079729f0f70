# SPDX-License-Identifier: Apache-2.0
# Grading by hand: check-answers, compare, the options of grading.

setup() {
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "check-answers counts what is read and lists what is not" {
    printf '%s\n' '{"problem": "a", "answer": "1/2"}' '{"problem": "b", "answer": "(1, \\sqrt{2})"}' \
        '{"problem": "c", "answer": "5 March 2020"}' \
        '{"problem": "d", "answer": "\\mu_{q}(n) \\ne 1 for all \\heartsuit q"}' \
        '{"problem": "e", "answer": "x = 1, \\pm \\sqrt{2}"}' > in.jsonl
    allot-datasets import --quiet in.jsonl p.h5
    allot-datasets check-answers --json p.h5 > out.json
    jq -e '.queries == 5 and .not_read == 1 and .kinds.number == 1 and .kinds.tuple == 1 and
           .kinds["date or time"] == 1 and .kinds["not read"] == 1 and
           (.listed | length == 1) and .listed[0].why == "not read"' out.json
    allot-datasets check-answers p.h5 --limit 1 | grep -q 'heartsuit'
}

@test "check-answers lists references that a boxed prediction loses, and knows the grading options" {
    printf '%s\n' '{"problem": "a", "answer": "1/2"}' '{"problem": "b", "answer": "f(x) } + 1"}' \
        > in.jsonl
    allot-datasets import --quiet in.jsonl p.h5
    allot-datasets check-answers p.h5 --json --extract gsm8k --percent value --order strict \
        --decimals exact --units keep --last-number > out.json
    jq -e '.not_read == 1 and .listed[0].answer == "f(x) } + 1" and
           .listed[0].why == "not found"' out.json
    rc=0
    allot-datasets check-answers --order some p.h5 2> err || rc=$?
    [ $rc = 2 ]
    grep -q "order: 'some' is none of any, strict" err
}

@test "compare explains the rule, the classes and where the answer stood" {
    allot-datasets compare --json '\frac{1}{2}' 0.5 > out.json
    jq -e '.equal and .rule == "the same number" and .reference_class == "1/2" and
           .answer_class == "1/2"' out.json
    allot-datasets compare --json --text --extract gsm8k 18 'she makes 18 a day' > out.json
    jq -e '.equal and .extracted == "last number"' out.json
    allot-datasets compare --json --text 18 'she makes 18 a day' > out.json
    jq -e '(.equal | not) and .extracted == "none" and .rule == ""' out.json
}

@test "policies of equality are options" {
    equal() { [ "$(allot-datasets compare --json "${@:2}" | jq .equal)" = "$1" ]; }
    equal false 0.75 75
    equal true --percent lenient 0.75 75
    equal true 1,2,3 3,2,1
    equal false --order strict 1,2,3 3,2,1
    equal true --decimals rounded '\frac{100}{3}' 33.3
    equal false --units keep 5 '5 cm'
}

@test "an unknown word of an option is refused with the known ones" {
    run allot-datasets compare --extract gsm 1 1
    [ "$status" = 2 ]
    [[ "$output" == *"--extract: 'gsm' is none of math, boxed, gsm8k, choice"* ]]
}
