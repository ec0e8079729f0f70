# SPDX-License-Identifier: Apache-2.0
# Files of earlier versions load for ever and say the same (tests/golden/files/README.md).

setup() {
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp -r "$BATS_TEST_DIRNAME/../golden/files/v1" v1
}

@test "version 1: the bundle chooses as it did, and is said to have no checksum" {
    allot-select --bundle v1/model.safetensors --jsonl v1/queries.jsonl --lambda-tokens 1e-5 \
        --lambda-seconds 0.01 --json > choices.jsonl 2> err
    cmp choices.jsonl v1/choices.jsonl
    [ "$(cat err)" = "allot-select: warning: 'v1/model.safetensors' has no checksum: damage to it cannot be seen (export it again)" ]
}

@test "version 1: probe, outcomes and costs become the bundle they became" {
    allot-export --quiet --probe v1/probe.cal.h5 --costs v1/costs.json --output new.safetensors > /dev/null
    allot-select --quiet --bundle new.safetensors --jsonl v1/queries.jsonl --lambda-tokens 1e-5 \
        --lambda-seconds 0.01 --json > choices.jsonl
    cmp choices.jsonl v1/choices.jsonl
    allot-train --quiet --outcomes v1/outcomes.h5 --embeddings v1/ngram.emb.h5 \
        --splits v1/splits.h5 --epochs 1 --hidden 8 --output probe.h5 > /dev/null
    allot-calibrate platt --quiet --probe v1/probe.h5 --outcomes v1/outcomes.h5 \
        --embeddings v1/ngram.emb.h5 --splits v1/splits.h5 --output probe.cal.h5 > /dev/null
}

@test "version 1: a run and its timing give the labels they gave" {
    allot-collect label --quiet v1/run o.h5 --timing v1/timing --json 2> err > label.json
    jq -S .strategies label.json > now
    jq -S .strategies v1/label.json > then
    cmp now then
    allot-datasets inspect v1/problems.h5 > /dev/null
}
