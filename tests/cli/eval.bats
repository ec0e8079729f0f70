# SPDX-License-Identifier: Apache-2.0
# allot-eval: reports and comparisons.

setup_file() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_FILE_TMPDIR" || exit 1
    make_tables . 900
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 30 --hidden 32 > train.log
    allot-calibrate platt --quiet --probe probe.h5 --outcomes outcomes.h5 \
        --embeddings ngram.emb.h5 --splits splits.h5 --output probe.cal.h5 > platt.log
    allot-export --quiet --probe probe.cal.h5 --costs costs.json --output model.safetensors > export.log
}

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_FILE_TMPDIR" || exit 1
}

report() {
    allot-eval report --bundle model.safetensors --outcomes outcomes.h5 \
        --embeddings ngram.emb.h5 --splits splits.h5 --resamples 200 "$@"
}

@test "a report holds the table, the curves, the band and the ends of the curve" {
    report --output rep --no-pictures > out.txt
    grep -q "Against the hull of the statics, on tokens" out.txt
    grep -q "Against the hull of the statics, on seconds" out.txt
    grep -q "simultaneous 95 % band" out.txt
    cmp out.txt rep/summary.txt
    jq -e '.schema == "allot-eval" and (.statics | length) == 6
           and .limits.lambda_0_best_predicted == 1
           and .limits.lambda_token_large_cheapest == 1
           and .limits.lambda_second_large_fastest == 1
           and .both_lambdas.pairs == 16
           and .calibration.calibrated.log_loss.value > 0' rep/eval.json
    # 4 rules x 4 fixed lambdas x 25 points and a heading
    [ "$(wc -l < rep/grid-tokens.csv)" = 401 ]
    [ "$(wc -l < rep/grid-seconds.csv)" = 401 ]
    [ "$(wc -l < rep/band-tokens.csv)" = 51 ]
    [ "$(head -1 rep/statics.csv)" = "strategy,accuracy,low,high,tokens,seconds,predicted" ]
}

@test "labels that are all 0 or all 1 are said loudly, with what to check" {
    for change in all-wrong all-right beams-wrong; do
        mkdir -p $change
        make_tables $change 900 $change
        report --outcomes $change/outcomes.h5 --output $change/rep --no-pictures > $change/out 2> $change/err
        grep -q '^WARNING: ' $change/out
        cmp $change/out $change/rep/summary.txt
        grep -q "'allot-collect sample --prompt-template'.*'allot-collect label --extract'" $change/err
    done
    grep -q 'warning: ALL LABELS ARE 0: on [0-9]* test queries no strategy is ever right' all-wrong/err
    grep -q 'warning: ALL LABELS ARE 1: on [0-9]* test queries every strategy is always right' all-right/err
    grep -q "warning: all labels of 'beam@4x2x20' are 0, on [0-9]* test queries" beams-wrong/err
    [ "$(jq -c .all_labels all-*/rep/eval.json beams-wrong/rep/eval.json | tr '\n' ' ')" = "1 0 null " ]
    report --output as-it-is --no-pictures > out 2> err
    ! grep -qi 'all labels' out err
}

@test "the adaptive rule beats the hull where queries differ in what they need" {
    report --output rep2 --no-pictures --json > eval.json
    # the invented world: sampling helps in between, voting hurts where there is a 7
    jq -e '.tokens.points_above > 0 and .tokens.points_below == 0
           and .tokens.mean_difference.low > 0' eval.json
}

@test "the same seed gives the same bytes" {
    report --output a --no-pictures --seed 3 > /dev/null
    report --output b --no-pictures --seed 3 > /dev/null
    diff -r a b
}

@test "pictures are drawn" {
    command -v gnuplot > /dev/null || skip "gnuplot is not installed"
    report --output pics > /dev/null
    for p in accuracy-tokens band-tokens shares-tokens accuracy-seconds reliability; do
        [ "$(head -c 4 pics/$p.png | tail -c 3)" = PNG ]
    done
}

@test "two bundles are compared on the same resamples; one with itself differs by nothing" {
    allot-eval compare --outcomes outcomes.h5 --splits splits.h5 --output cmp --resamples 200 \
        --no-pictures --candidate a=model.safetensors:ngram.emb.h5 \
        --candidate b=model.safetensors:ngram.emb.h5 --json > cmp.json
    jq -e '.tokens[1].against_first | .value == 0 and .low == 0 and .high == 0' cmp.json
    [ -s cmp/summary.txt ]
}

@test "outcomes that were graded differently are told of, by calibrate and eval" {
    for change in graded graded-before; do
        mkdir $change
        make_tables $change 900 $change
    done
    cd graded || exit 1
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 1 --hidden 8 > train.log
    platt() {
        allot-calibrate platt --probe probe.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
            --output probe.cal.h5 "$@" 2>&1 > platt.log | grep 'graded differently' || true
    }
    differently="'probe.h5' and '../graded-before/outcomes.h5' were graded differently: "
    [[ "$(platt --outcomes ../graded-before/outcomes.h5)" == *"$differently"* ]]
    [ "$(platt --outcomes ../outcomes.h5)" = "" ] # does not tell
    [ "$(platt --outcomes outcomes.h5)" = "" ]
    allot-export --quiet --probe probe.cal.h5 --costs costs.json --output model.safetensors > export.log
    [ "$(report --output same --no-pictures 2>&1 > log | grep -c 'graded differently')" = 0 ]
    report --output other --no-pictures --outcomes ../graded-before/outcomes.h5 2> err > log
    grep -q "warning: 'model.safetensors' and '../graded-before/outcomes.h5' were graded differently: grader is \"new\" in the one and \"0\" in the other" err
}

@test "without seconds in the costs nothing is said about seconds" {
    mkdir nosec && (cd nosec && make_tables . 300 no-seconds && allot-train --quiet \
        --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 --output p.h5 \
        --epochs 2 --hidden 8 && allot-export --quiet --uncalibrated --probe p.h5 \
        --costs costs.json --output m.safetensors) > nosec.log
    allot-eval report --bundle nosec/m.safetensors --outcomes nosec/outcomes.h5 \
        --embeddings nosec/ngram.emb.h5 --splits nosec/splits.h5 --output nosec/rep \
        --no-pictures --resamples 100 > /dev/null
    jq -e '.seconds == "absent" and (has("both_lambdas") | not)' nosec/rep/eval.json
}

@test "wrong command lines are usage errors of one line" {
    for args in "report --output x" "compare --outcomes o --splits s --output x" \
        "report --output x --outcomes o --splits s --bundle b --embeddings e --resamples 5" \
        "nothing"; do
        # shellcheck disable=SC2086
        run allot-eval $args
        [ "$status" = 2 ]
        [ "${#lines[@]}" = 1 ]
    done
    run allot-eval compare --outcomes outcomes.h5 --splits splits.h5 --output x \
        --candidate a=b --candidate c=d:e
    [ "$status" = 2 ]
    [[ "$output" == *"'a=b' is not name=model.safetensors:x.emb.h5"* ]]
    [ ! -e x ]
}

@test "dropped queries are those of the test split" {
    mkdir dropped
    make_tables dropped 900 missing-cell
    run allot-eval report --quiet --json --no-pictures --resamples 100 --lambdas 20 \
        --bundle model.safetensors --outcomes dropped/outcomes.h5 --embeddings ngram.emb.h5 \
        --splits splits.h5 --missing drop-query --output dropped/rep
    [ "$status" = 0 ]
    # the one query with a missing cell is in the train split
    jq -e '.queries == 180 and .queries_dropped == 0' dropped/rep/eval.json
}
