#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGINT and SIGTERM end every program that writes files in order: 130, one line, and no file or
# folder that is half written.

setup_file() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_FILE_TMPDIR" || exit 1
    make_tables . 900
    make_run run run
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 5 --hidden 8 > log
    allot-calibrate platt --quiet --probe probe.h5 --outcomes outcomes.h5 \
        --embeddings ngram.emb.h5 --splits splits.h5 --output probe.cal.h5 > log
    allot-export --quiet --probe probe.cal.h5 --costs costs.json --output model.safetensors > log
    for ((i = 0; i < 20000; i++)); do
        printf '{"problem": "What is %d + %d?", "answer": "%d"}\n' $i $i $((i + i))
    done > rows.jsonl
}
setup() {
    PATH="$ALLOT_BIN:$PATH"
    IN=$BATS_FILE_TMPDIR
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkdir out
}
# await COMMAND...: until it succeeds.
await() {
    for ((i = 0; i < 400; i++)); do
        "$@" && return
        sleep 0.025
    done
    echo "awaited in vain: $*"
    return 1
}
begun() { [ -n "$(ls -A out)" ]; }
# ends_clean SIGNAL CONDITION COMMAND...: the command is sent the signal when the condition holds;
# what it leaves in out/ is compared with 'before'.
ends_clean() {
    local signal=$1 condition=$2 status=0
    shift 2
    "$@" > stdout 2> stderr 3>&- &
    local pid=$!
    await "$condition"
    kill "-$signal" $pid
    wait $pid || status=$?
    cat stderr
    [ "$status" -eq 130 ]
    [ "$(grep -c ' error: interrupted' stderr)" = 1 ]
    [ ! -s stdout ]
}
report() {
    allot-eval report --bundle "$IN/model.safetensors" --outcomes "$IN/outcomes.h5" \
        --embeddings "$IN/ngram.emb.h5" --splits "$IN/splits.h5" "$@"
}

@test "allot-datasets tinymath leaves nothing" {
    for signal in INT TERM; do
        ends_clean $signal begun exec allot-datasets tinymath --count 10000000 out/p.h5
        [ -z "$(ls -A out)" ]
        [ "$(wc -l < stderr)" = 1 ]
    done
}

@test "allot-eval report leaves nothing while it computes" {
    for signal in INT TERM; do
        ends_clean $signal begun exec allot-eval report --bundle "$IN/model.safetensors" \
            --outcomes "$IN/outcomes.h5" --embeddings "$IN/ngram.emb.h5" \
            --splits "$IN/splits.h5" --resamples 100000 --output out/rep/
        [ -z "$(ls -A out)" ]
    done
}

# A gnuplot that has drawn one picture and takes its time with the next.
slow_gnuplot() {
    mkdir -p bin
    printf '#!/bin/sh\necho x > half.png\necho $$ > %q/drawing\nexec sleep 60\n' "$PWD" > bin/gnuplot
    chmod +x bin/gnuplot
    PATH="$PWD/bin:$PATH"
}
drawing() { [ -s drawing ]; }

@test "allot-eval report and compare leave nothing while gnuplot draws, and no gnuplot" {
    slow_gnuplot
    ends_clean TERM drawing exec allot-eval report --bundle "$IN/model.safetensors" \
        --outcomes "$IN/outcomes.h5" --embeddings "$IN/ngram.emb.h5" --splits "$IN/splits.h5" \
        --resamples 100 --output out/rep
    [ -z "$(ls -A out)" ]
    ! kill -0 "$(cat drawing)" 2> /dev/null
    rm drawing
    ends_clean INT drawing exec allot-eval compare --outcomes "$IN/outcomes.h5" \
        --splits "$IN/splits.h5" --resamples 100 --output out/cmp \
        --candidate "a=$IN/model.safetensors:$IN/ngram.emb.h5" \
        --candidate "b=$IN/model.safetensors:$IN/ngram.emb.h5"
    [ -z "$(ls -A out)" ]
}

@test "an interrupted report leaves the one before it and what else is in its folder" {
    report --output out/rep --no-pictures --resamples 100 > /dev/null
    echo mine > out/rep/notes.txt
    cp -r out before
    slow_gnuplot
    ends_clean TERM drawing exec allot-eval report --bundle "$IN/model.safetensors" \
        --outcomes "$IN/outcomes.h5" --embeddings "$IN/ngram.emb.h5" --splits "$IN/splits.h5" \
        --resamples 100 --lambdas 20 --output out/rep
    diff -r before out
    # a whole one takes its place, file by file
    report --output out/rep --no-pictures --resamples 100 --lambdas 20 > /dev/null
    [ "$(cat out/rep/notes.txt)" = mine ]
    ! cmp -s before/rep/exact-tokens.csv out/rep/exact-tokens.csv
    ls -A out/rep > files
    ls -A before/rep | cmp - files
}

@test "a report that fails leaves no folder; a file in its place is refused" {
    status=0
    # the bundle's table is longer than the shell allows a file to be: the disk is full
    (trap '' XFSZ; ulimit -f 1; report --output out/rep --no-pictures --resamples 100) 2> stderr ||
        status=$?
    cat stderr
    [ "$status" -eq 1 ]
    [ -z "$(ls -A out)" ]
    echo mine > out/file
    run report --output out/file --no-pictures --resamples 100
    [ "$status" -eq 2 ]
    [[ "$output" == *"cannot write 'out/file': it is not a folder" ]]
    [ "$(cat out/file)" = mine ]
}

# Whenever the signal comes, the program ends within its time with the whole file or with none.
# any_time FILE COMMAND...
any_time() {
    local file=$1 delay code
    shift
    for delay in 0.01 0.012 0.015 0.02 0.03 0.05 0.08 0.12 0.2 0.5; do
        code=0
        timeout --preserve-status -s TERM $delay "$@" > stdout 2> stderr || code=$?
        if [ "$code" = 0 ]; then
            [ "$(ls -A out)" = "$file" ] || { ls -A out; return 1; }
        elif [ "$code" = 143 ] && [ ! -s stderr ]; then
            [ -z "$(ls -A out)" ] # it had not come to its main function
        else
            [ "$code" = 130 ] || { echo "$delay: $code"; cat stderr; return 1; }
            [ -z "$(ls -A out | grep -vx "$file")" ] || { ls -A out; return 1; }
            grep -q 'error: interrupted' stderr
            INTERRUPTED=$((${INTERRUPTED:-0} + 1))
        fi
        rm -f "out/$file"
    done
    echo "$file: ${INTERRUPTED:-0} interrupted up to here"
}

@test "train, calibrate, export, import, label end with the whole file or none" {
    local t=(--outcomes "$IN/outcomes.h5" --embeddings "$IN/ngram.emb.h5" --splits "$IN/splits.h5")
    any_time p.h5 allot-train "${t[@]}" --epochs 20 --output out/p.h5
    any_time c.h5 allot-calibrate platt --probe "$IN/probe.h5" "${t[@]}" --output out/c.h5
    any_time m.safetensors allot-export --probe "$IN/probe.cal.h5" --costs "$IN/costs.json" \
        --output out/m.safetensors
    any_time q.h5 allot-datasets import "$IN/rows.jsonl" out/q.h5
    any_time o.h5 allot-collect label "$IN/run" out/o.h5
    [ "$INTERRUPTED" -ge 5 ]
}
