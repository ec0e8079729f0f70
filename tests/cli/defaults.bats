# SPDX-License-Identifier: Apache-2.0
# A default stands once: --help prints what the program uses, and no help text says it by hand.

load fakeserver

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
}
teardown() {
    stop_server
}

# Every program and each of its commands, one a line.
commands() {
    local program command
    for program in allot-datasets allot-collect allot-train allot-calibrate allot-export allot-select \
        allot-run allot-eval; do
        if $program --help | grep -q '^Commands:'; then
            for command in $($program --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
                echo "$program $command"
            done
        else
            echo "$program"
        fi
    done
}
# The options of a command, one a line, however long their names.
options_of() {
    "$@" --help | sed '/^Examples:/,$d' | sed -e ':a' -e '/^  --[^ ]*$/{N;s/\n */  /;ba' -e '}' | grep '^  --'
}
# Options whose default is told, given with it: one word a line. $1: an expression of their names.
explicit() {
    local names=$1
    shift
    options_of "$@" | sed -n "s/^  --\($names\)=[^ ]* .*(default: \(.*\))\$/--\1\n\2/p"
}

@test "no help text holds a typed default" {
    commands > all
    [ "$(wc -l < all)" -ge 20 ]
    while read -r program command; do
        options_of "$program" $command
    done < all > options
    # only the one that is printed behind the text
    run grep -nE 'default.*\(default: |\([0-9.,]+\)|\(default\)|default [0-9a-z]|default: [^()]*[^()]$' options
    echo "$output"
    [ "$status" = 1 ]
    [ "$(grep -c '(default: [^()]*)$' options)" -ge 100 ]
    # not in the source either: a text in a table of options
    cd "$BATS_TEST_DIRNAME/../.." || exit 1
    run grep -rnE '"[^"]*\(?default[ :)][^"]*"' --include='*.c' --include='*.h' datasets collect train \
        calibrate export select run eval demo lib/engine lib/extract lib/decide
    echo "$output"
    [ "$status" = 1 ]
}

@test "help tells the default, not what the line says" {
    allot-train --epochs 3 --help | grep -q 'at most (default: 200)$'
    allot-collect time --num-warmups 9 --load 7 --help > help
    grep -q 'before each load (default: 4)$' help
    grep -q 'e.g. 1,8 (default: 1)$' help
}

@test "what help tells of sampling is what a run uses, each setting in its place" {
    local words
    start_server
    echo '{"problem": "1+1=?", "answer": "2"}' > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > log
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single", "beam@4x2x6"]}' > s.json
    common=(--quiet --dataset p.h5 --strategies s.json --base-url "$URL" --model tinymath
        --prm-model tinymath-prm --prompt-template 'Q: {problem}\n' --prm-template 'Q: {problem}\n')
    allot-collect sample "${common[@]}" --output run > log
    mapfile -t words < <(explicit '[a-z-]*' allot-collect sample | sed '/^--price/,+1d')
    [ "${#words[@]}" -ge 30 ] # pairs
    allot-collect sample "${common[@]}" --output told "${words[@]}" > log
    cmp run/manifest.json told/manifest.json
    [ "$(wc -l < run/journal.jsonl)" = "$(wc -l < told/journal.jsonl)" ]
    # docs/formats.md names each field of the fingerprint, and no other
    fields=$(sed -n '/^\*\*Fingerprint/,/^\*\*Grading/p' "$BATS_TEST_DIRNAME/../../docs/formats.md" |
        sed '/^Outcomes measured/,$d' | grep -o '`[a-z_]*`' | tr -d '`' | sort)
    [ "$fields" = "$(jq -r '.fingerprint | keys[]' run/manifest.json | sort)" ]
}

@test "what help tells of the other programs is what they use" {
    local words
    make_run run run
    make_run timing timing
    make_tables . 60
    # same COMMAND -- ARGUMENTS: the same bytes at the place OUT, with defaults and with them told
    same() {
        local at=1 command=() words
        while [ "${!at}" != -- ]; do command+=("${!at}"); at=$((at + 1)); done
        shift "$at"
        mapfile -t words < <(explicit "[a-z-]*" "${command[@]}")
        [ "${#words[@]}" -ge 4 ]
        "${command[@]}" --quiet "${@//OUT/one}" > log
        "${command[@]}" --quiet "${words[@]}" "${@//OUT/two}" > log
        cmp one two
        rm one two
    }
    same allot-datasets tinymath -- OUT
    allot-datasets tinymath --quiet --count 50 p.h5 > log
    same allot-datasets split -- p.h5 OUT
    same allot-collect label -- --timing timing run OUT
    tables=(--outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5)
    same allot-train -- "${tables[@]}" --output OUT
    allot-train --quiet "${tables[@]}" --epochs 2 --hidden 8 --output probe.h5 > log
    same allot-calibrate platt -- --probe probe.h5 "${tables[@]}" --output OUT
}

@test "the pipeline leaves to the programs what its user does not set" {
    echo '{"problem": "1+1=?", "answer": "2"}' > p.jsonl
    dry() {
        make -n -f "$BATS_TEST_DIRNAME/../../examples/pipeline.mk" OUT=out DATASET=p.jsonl MODEL=m "$@"
    }
    dry > plain
    [ "$(grep -c 'allot-collect time' plain)" = 1 ]
    run grep -nE -- '--(fractions|queries|runs|load|seed|threads|preset|max-concurrency)' plain
    echo "$output"
    [ "$status" = 1 ]
    dry FRACTIONS=0.4,0.2,0.2,0.2 TIME_QUERIES=5 LOAD=2,8 SEED=3 > set
    grep -q -- '--fractions 0.4,0.2,0.2,0.2 --seed 3' set
    grep -q -- '--load 2,8 --queries 5' set
    grep -q 'allot-collect label .*--load 2 ' set
}
