# SPDX-License-Identifier: Apache-2.0
# Outputs never destroy inputs, nor anything else that is not of their kind.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    for i in 1 2 3; do echo "{\"problem\": \"What is $i + $i?\", \"answer\": \"$((2 * i))\"}"; done > a.jsonl
}
# refused TEXT FILE COMMAND...: exit 2, one line with TEXT, FILE as it was, nothing left beside it
refused() {
    local text=$1 file=$2 rc=0 before after
    shift 2
    before=$(sha256sum "$file"; ls -A)
    "$@" > /dev/null 2> ../err || rc=$?
    after=$(sha256sum "$file"; ls -A)
    [ "$rc" = 2 ] || { echo "exit $rc: $(cat ../err)"; return 1; }
    [ "$(wc -l < ../err)" = 1 ]
    grep -qF -- "$text" ../err || { cat ../err; return 1; }
    [ "$before" = "$after" ] || { echo "changed: $before / $after"; return 1; }
}

@test "a file of another kind is not replaced, unless forced" {
    cp a.jsonl b.jsonl
    refused "cannot write 'b.jsonl': what is there is not a file of kind 'allot-problems' (give another name, or --force to replace it)" \
        b.jsonl allot-datasets import a.jsonl b.jsonl
    allot-datasets import --quiet --force a.jsonl b.jsonl > /dev/null
    allot-datasets inspect b.jsonl > /dev/null
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --epochs 1 --output probe.h5 > /dev/null
    refused "cannot write 'queries.jsonl': what is there is not a bundle" queries.jsonl \
        allot-export --uncalibrated --probe probe.h5 --costs costs.json --output queries.jsonl
    # an empty file holds nothing that could be lost
    : > empty.h5
    allot-datasets import --quiet a.jsonl empty.h5 > /dev/null
    [ -s empty.h5 ]
}

@test "a file that was read is not replaced, forced or not" {
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --epochs 1 --output probe.h5 > /dev/null
    allot-calibrate platt --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --probe probe.h5 --output probe.cal.h5 > /dev/null
    cp costs.json c.json
    ln c.json same.json
    for force in "" --force; do
        refused "cannot write 'c.json': it is read by the same command" c.json \
            allot-export $force --probe probe.cal.h5 --costs c.json --output c.json
        refused "cannot write 'same.json': it is read by the same command" same.json \
            allot-export $force --probe probe.cal.h5 --costs c.json --output same.json
        refused "cannot write './probe.h5': it is read by the same command" probe.h5 \
            allot-calibrate platt $force --outcomes outcomes.h5 --embeddings ngram.emb.h5 \
            --splits splits.h5 --probe probe.h5 --output ./probe.h5
        refused "cannot write 'a.jsonl': it is read by the same command" a.jsonl \
            allot-datasets import $force a.jsonl a.jsonl
    done
    make_run run run
    refused "cannot write 'run/journal.jsonl'" run/journal.jsonl \
        allot-collect label --quiet run o.h5 --answers run/journal.jsonl
}

@test "a file of the same kind is replaced, and its mode stays" {
    allot-datasets import --quiet a.jsonl p.h5 > /dev/null
    cp p.h5 first.h5
    chmod 640 p.h5
    head -2 a.jsonl > b.jsonl
    (umask 000; allot-datasets import --quiet b.jsonl p.h5 > /dev/null)
    ! cmp -s p.h5 first.h5
    [ "$(stat -c %a p.h5)" = 640 ]
    (umask 027; allot-datasets import --quiet b.jsonl new.h5 > /dev/null)
    [ "$(stat -c %a new.h5)" = 640 ]
}

@test "links, devices and folders are not written to" {
    echo precious > victim
    ln -s victim p.h5
    refused "cannot write 'p.h5': it is a symbolic link" victim allot-datasets import --force a.jsonl p.h5
    mkfifo pipe
    refused "it is a device or pipe" a.jsonl allot-datasets import --force a.jsonl pipe
    mkdir folder
    refused "it is a directory" a.jsonl allot-datasets import a.jsonl folder
}

@test "a planted link is not written through" {
    echo precious > victim
    # the name of the temporary file was once made of the process number
    sh -c 'ln -s victim .p.h5.$$.tmp; exec allot-datasets import --quiet a.jsonl p.h5' > /dev/null
    [ "$(cat victim)" = precious ]
    allot-datasets inspect p.h5 > /dev/null
}

@test "a journal that is a link is refused" {
    make_run run run
    mv run/journal.jsonl elsewhere.jsonl
    ln -s ../elsewhere.jsonl run/journal.jsonl
    before=$(sha256sum elsewhere.jsonl)
    echo '{"schema": "allot-strategies", "version": 1, "strategies": ["single"]}' > single.json
    rc=0
    allot-collect sample --base-url http://127.0.0.1:9 --model m --dataset run/problems.h5 \
        --strategies single.json --output run 2> err || rc=$?
    [ "$rc" = 4 ] || { cat err; false; }
    grep -qF "cannot write 'run/journal.jsonl': it is a symbolic link" err
    [ "$before" = "$(sha256sum elsewhere.jsonl)" ]
}

@test "a folder of other things becomes no report unasked" {
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --epochs 1 --output probe.h5 > /dev/null
    allot-export --quiet --uncalibrated --probe probe.h5 --costs costs.json --output b.safetensors > /dev/null
    report() {
        allot-eval report --quiet --no-pictures --resamples 100 --bundle b.safetensors --outcomes outcomes.h5 \
            --embeddings ngram.emb.h5 --splits splits.h5 --output "$@"
    }
    mkdir mine empty
    echo precious > mine/summary.txt
    refused "cannot write 'mine': the folder is not empty and holds no eval.json" mine/summary.txt report mine
    report empty > /dev/null
    report empty > /dev/null # it is a report's now
    report mine --force > /dev/null
    [ -s mine/eval.json ]
}
