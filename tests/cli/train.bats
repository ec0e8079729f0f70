# SPDX-License-Identifier: Apache-2.0
# allot-train on the small invented world of tests/tools/make_tables.c.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
}

train() {
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 "$@"
}
# refuses CODE MESSAGE COMMAND...: exit code, the one line on stderr, and no output file
refuses() {
    local code=$1 message=$2 got=0
    shift 2
    "$@" > out 2> err || got=$?
    [ "$got" = "$code" ] || { echo "exit $got: $(cat err)"; return 1; }
    [ "$(cat err)" = "allot-train: error: $message" ] || { cat err; return 1; }
    [ ! -s out ] && [ ! -e probe.h5 ]
}

@test "learns more than the mean of each strategy, and says so" {
    make_tables . 400
    run train --json
    [ "$status" = 0 ]
    echo "$output" | jq -e '.validation_loss < .strategy_mean_loss - 0.1'
    echo "$output" | jq -e '.validation_loss < .query_only_loss'
    echo "$output" | jq -e '.train_queries == 200 and .validation_queries == 80'
    echo "$output" | jq -e '.best_epoch <= .epochs and (.validation_curve | length) == .epochs'
    echo "$output" | jq -e '.validation_curve[.best_epoch - 1] == (.validation_curve | min)'
    echo "$output" | jq -e '.validation_curve[.best_epoch - 1] == .raw_loss'
    echo "$output" | jq -e '.validation_loss <= .raw_loss + 0.001 and .interaction > 0.5 and .interaction <= 1'
}

@test "same seed gives same bytes with 1 and 3 threads, another seed others" {
    make_tables . 120
    train --epochs 3 --threads 1
    mv probe.h5 one.h5
    train --epochs 3 --threads 3
    cmp probe.h5 one.h5
    train --epochs 3 --seed 2
    ! cmp -s probe.h5 one.h5
}

@test "the summary is for people" {
    make_tables . 120
    run train --epochs 2
    [ "$status" = 0 ]
    [ "${lines[0]}" = "trained on 60 queries x 6 strategies (360 cells, n_eff 16.0 on average), validated on 24 queries" ]
    [ "${lines[6]}" = "wrote 'probe.h5'" ]
}

@test "cells can be weighted by n_eff" {
    make_tables . 120
    train --epochs 2 --weight-by n-eff --json | jq -e '.weight_by == "n-eff"'
    rm probe.h5
    refuses 2 "--weight-by 'x' is neither n-eff nor none" train --weight-by x
}

@test "the paper's mode refuses strategies that its features do not know" {
    make_tables . 60
    refuses 4 "strategy 'single' has no place in the paper's features (leave it out, or train without --paper)" train --paper
}

@test "missing cells are refused, or treated as told" {
    make_tables . 60 missing-cell
    run train
    [ "$status" = 4 ]
    [[ "$output" == *"outcomes.h5"*"missing"* ]]
    [ ! -e probe.h5 ]
    train --epochs 2 --missing drop-query --json | jq -e '.dropped_queries == 1 and .train_queries == 29'
    train --epochs 2 --missing drop-strategy --json | jq -e '.dropped_strategies == 1 and .strategies == 5'
    train --epochs 2 --missing mask --json | jq -e '.train_cells == 179 and .train_queries == 30'
}

@test "a query without embedding is refused" {
    make_tables . 60 missing-embedding
    run train
    [ "$status" = 5 ]
    [[ "$output" == *"ngram.emb.h5"*"1 "*"allot-datasets embed"* ]]
    [ ! -e probe.h5 ]
}

@test "splits of other queries are refused" {
    make_tables . 60 missing-split
    run train
    [ "$status" = 5 ]
    [[ "$output" == *"splits.h5"*"1 "* ]]
    [ ! -e probe.h5 ]
}

@test "an empty validation split is refused" {
    make_tables . 60 no-validation
    refuses 4 "no labelled query of 'outcomes.h5' is in the validation split of 'splits.h5' (split again with a larger share, or label more queries)" train
}

@test "a training that diverges is refused" {
    make_tables . 60
    refuses 1 "the loss is not finite in epoch 2: the training diverged (lower --lr)" \
        train --lr 1e20 --weight-decay 0
}

@test "wrong options and files are refused" {
    make_tables . 60
    refuses 2 "--outcomes is missing (usage: allot-train [OPTION...] --outcomes FILE \
--embeddings FILE --splits FILE --output FILE)" allot-train
    refuses 2 "the weight decay is 100: it must be 0 or more, and below 1 / learning rate" \
        train --lr 0.1 --weight-decay 100
    head -c 1000 outcomes.h5 > cut.h5
    for f in missing.h5 cut.h5 /dev/null splits.h5; do
        run train --outcomes $f
        [ "$status" != 0 ]
        [ "${#lines[@]}" = 1 ]
        [[ "$output" == "allot-train: error: cannot read '$f'"* ]]
        [ ! -e probe.h5 ]
    done
}
