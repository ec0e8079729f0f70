# SPDX-License-Identifier: Apache-2.0
# allot-calibrate: Platt scaling on a probe trained on an invented world, cost tables of invented
# timings.

setup_file() {
    export PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    export WORLD="$BATS_FILE_TMPDIR/world"
    mkdir "$WORLD"
    make_tables "$WORLD" 200
    allot-train --quiet --outcomes "$WORLD/outcomes.h5" --embeddings "$WORLD/ngram.emb.h5" \
        --splits "$WORLD/splits.h5" --output "$WORLD/probe.h5" > "$WORLD/train.log"
}
setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
}
# platt OUTPUT [OPTION...]: with the world's files, unless an option replaces one.
platt() {
    local output=$1
    shift
    allot-calibrate platt --quiet --probe "$WORLD/probe.h5" --outcomes "$WORLD/outcomes.h5" \
        --embeddings "$WORLD/ngram.emb.h5" --splits "$WORLD/splits.h5" --output "$output" "$@"
}
# refused CODE TEXT COMMAND...: exit code, text in the message, nothing on stdout.
refused() {
    local want=$1 text=$2 rc=0
    shift 2
    "$@" > out 2> err || rc=$?
    [ "$rc" = "$want" ] || { echo "exit $rc, not $want: $(cat err)"; return 1; }
    grep -qF -- "$text" err || { echo "said: $(cat err)"; return 1; }
    [ ! -s out ]
}

@test "platt lowers the loss on its split and keeps the order" {
    platt p.h5 --json > out
    jq -e '.after.log_loss <= .before.log_loss and .before.auc == .after.auc
           and .global.how == "free" and .queries == 20 and .cells == 120 and .missing == 0
           and (.after | has("ece_width_15") and has("ece_mass_30"))' out
}

@test "one fit per method lies below the global one" {
    platt g.h5 --json > global
    platt m.h5 --json --per-method > methods
    jq -e '.methods | keys == ["beam", "bon", "majority", "single"]' methods
    jq -es '.[1].after.log_loss <= .[0].after.log_loss' global methods
    platt s.h5 --json --per-method --shrink 1e9 > shrunk
    jq -es '(.[1].methods.beam.a - .[0].global.a) | . * . < 1e-8' global shrunk
}

@test "same input, same bytes; a calibrated probe can be calibrated again" {
    platt a.h5 > out
    platt b.h5 > out
    cmp a.h5 b.h5
    platt c.h5 --probe a.h5 --json > again
    platt d.h5 --json > once
    cmp again once
}

@test "files that do not belong together are refused" {
    for change in other-embedding other-split other-outcomes missing-embedding missing-cell; do
        mkdir $change
        make_tables $change 200 $change
    done
    refused 5 "trained on embeddings of 'allot-ngram-1'" platt p.h5 --embeddings other-embedding/ngram.emb.h5
    refused 5 "the split id is" platt p.h5 --splits other-split/splits.h5
    refused 5 "temperature is 0.8 in the one and 1 in the other" platt p.h5 \
        --outcomes other-outcomes/outcomes.h5
    refused 4 "1 of 1200 cells are missing" platt p.h5 --outcomes missing-cell/outcomes.h5
    platt m.h5 --outcomes missing-cell/outcomes.h5 --missing mask > out
    refused 5 "do not belong together" platt p.h5 --outcomes missing-cell/outcomes.h5 \
        --missing drop-strategy
    make_run run run
    allot-collect label --quiet run o.h5 > out
    refused 5 "o.h5" platt p.h5 --outcomes o.h5
    [ ! -e p.h5 ]
}

@test "platt names what is missing" {
    refused 2 "--outcomes is missing" allot-calibrate platt --probe "$WORLD/probe.h5"
    refused 1 "nowhere.h5" platt p.h5 --probe nowhere.h5
    refused 2 "'drop' is not a way with missing cells" platt p.h5 --missing drop
    [ ! -e p.h5 ]
}

@test "costs from timings, and new against old" {
    make_run timing slow slower
    make_run timing fast
    allot-calibrate costs slow --output slow.json > out 2> err
    grep -q 'warning: 1 retried rows left out' err
    allot-calibrate costs --quiet fast --output fast.json --compare slow.json --json > out
    jq -e '.compared | length == 7 and all(.tokens == 1 and (.seconds - 0.5 | . * . < 1e-12))' out
    jq -e '.rows == 20 and .retried == 1 and .loads[0].load == 1' out
    jq -e '.schema == "allot-costs"' fast.json
    # the time to the first piece of a text, where both tables have it
    sed -i 's/"ttft_s":[0-9][0-9.]*/"ttft_s":0.01/' slow/journal.jsonl # of single alone
    sed -i 's/"ttft_s":[0-9a-z.]*/"ttft_s":0.0025/' fast/journal.jsonl
    allot-calibrate costs --quiet slow --output slow.json > out
    allot-calibrate costs --quiet fast --output fast.json --compare slow.json --json > out
    jq -e '.compared | map(select(.ttft != null)) | map([.strategy, .ttft]) == [["single", 0.25]]' out
    allot-calibrate costs --quiet fast --output fast.json --compare slow.json > out
    grep -Eq '^single +1 +1.000 +0.500 +0.250$' out
    grep -Eq '^majority@.* 1 +1.000 +0.500 +-$' out
}

@test "costs tells seconds over the load, and how far modelled seconds are off" {
    make_run timing timing
    sed 's/"load":1/"load":5/; s/"seconds":[0-9.]*/"seconds":3/' timing/journal.jsonl > more
    cat more >> timing/journal.jsonl
    tr -d '\n\t ' < timing/manifest.json | sed 's/"loads":\[1\]/"loads":[1,5]/' > m && mv m timing/manifest.json
    allot-calibrate costs --quiet timing --output c.json --json > out
    # at load 1 the fixture's seconds follow the model, but for the beam searches
    jq -e '.loads[0].model_error < 0.01 and .loads[0].held_out_rows == 20 and .loads[1].model_error > 0.015' out
    jq -e '.over_load | length == 7 and all(.worst_relative_error < 1e-9)' out
    jq -e '(.over_load[0] | .at_load_1 + 4 * .per_load - 3 | . * . < 1e-12)' out
    allot-calibrate costs --quiet timing --output c.json > out
    grep -q 'load 5: seconds modelled from tokens are off by [1-9].* % on 20 rows held out' out
    grep -q '(seconds as a line over the load)' out
}

@test "costs tells for what share of queries a new table changes the choice" {
    allot-datasets import --quiet --keep-unanswered "$WORLD/queries.jsonl" problems.h5 > log
    platt p.h5 > log
    allot-export --quiet --probe p.h5 --costs "$WORLD/costs.json" --output b.safetensors > log
    with() {
        allot-calibrate costs --quiet --outcomes "$WORLD/outcomes.h5" --splits "$WORLD/splits.h5" \
            --output new.json "$@"
    }
    with > log
    mv new.json old.json
    bundle=(--bundle b.safetensors --embeddings "$WORLD/ngram.emb.h5" --problems problems.h5)
    # the same table changes nothing, whatever the lambdas
    with --compare old.json "${bundle[@]}" --json > out
    jq -e '.choices | length == 6 and all(.changed == 0 and .queries == 200)' out
    # one strategy a thousand times as dear as before: who chose it at no price on others leaves
    jq '.loads[0].strategies |= map(if .strategy == "single" then . else
        .tokens.mean *= 1000 end)' new.json > dear.json
    with --compare dear.json "${bundle[@]}" --lambda-tokens 1e-5 --json > out
    jq -e '.choices | length == 1 and .[0].changed > 0.2 and .[0].changed <= 1' out
    with --compare dear.json "${bundle[@]}" --lambda-tokens 0 --lambda-seconds 0 > out
    grep -q ' 0.0 %' out
    refused 2 "belong together" with --compare new.json --bundle b.safetensors
    refused 2 "--bundle needs --compare" with "${bundle[@]}"
    refused 2 "lambdas need --bundle" with --lambda-tokens 1
    jq 'del(.loads[0].strategies[0])' new.json > fewer.json
    refused 5 "'single' is in only one of the cost tables" with --compare fewer.json "${bundle[@]}"
}

@test "costs from outcomes measured elsewhere" {
    allot-calibrate costs --quiet --outcomes "$WORLD/outcomes.h5" --splits "$WORLD/splits.h5" \
        --output c.json > out
    jq -e '.loads[0].strategies | length == 6 and all(.seconds.n == 100)' c.json
    make_run run run
    make_run timing timing
    allot-collect label --quiet run o.h5 --timing timing > out
    refused 5 "o.h5" allot-calibrate costs --quiet --outcomes o.h5 --splits "$WORLD/splits.h5" \
        --output d.json
    [ ! -e d.json ]
}

@test "costs refuses what it cannot use" {
    make_run timing timing foreign
    refused 4 "no usable row of 'bon@4' at load 1 (1 were retried, 3 under foreign load" \
        allot-calibrate costs --quiet timing --output c.json
    refused 2 "either a timing directory or --outcomes" allot-calibrate costs --output c.json
    refused 2 "belong together" allot-calibrate costs --outcomes "$WORLD/outcomes.h5" \
        --output c.json
    refused 2 "--output is missing" allot-calibrate costs timing
    make_run run run
    refused 4 "run" allot-calibrate costs --quiet run --output c.json
    [ ! -e c.json ]
}
