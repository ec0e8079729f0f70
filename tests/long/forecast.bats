# SPDX-License-Identifier: Apache-2.0
# 'allot-collect sample --dry-run --pilot' against the runs that follow: seconds within a factor of
# 1.5 on the demo server, which computes, and on a fake one, which waits. Some minutes; wants the
# processors for itself.

bats_require_minimum_version 1.5.0
load ../cli/fakeserver

setup() {
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    DEMO="$BATS_TEST_DIRNAME/../../demo"
    allot-datasets tinymath --quiet --count 200 --seed 1 p.h5 2> log
    POOL='"single", "majority@8"' SCORED='"single", "majority@8", "bon@8"'
    BEAMS='"single", "majority@8", "bon@4", "beam@4x2x8"' ONLY_BEAMS='"beam@4x2x12", "beam@8x4x6"'
}
teardown() {
    stop_server
}
# foretell LIMIT PILOT CONCURRENCY STRATEGIES: prints both ratios, and checks them.
foretell() {
    echo "{\"schema\": \"allot-strategies\", \"version\": 1, \"strategies\": [$4]}" > s.json
    rm -rf run
    local command=(allot-collect sample --quiet --json --dataset p.h5 --strategies s.json --output run
        --base-url "$URL" --model tinymath --prm-model tinymath-prm --prompt-template 'Q: {problem}\n'
        --prm-template 'Q: {problem}\n' --step-max-tokens 64 --max-tokens 256 --runs 2 --limit "$1"
        --max-concurrency "$3")
    "${command[@]}" --dry-run --pilot "$2" > foretold
    "${command[@]}" > made
    echo "# $*: $(jq -rs '"tokens x\(.[0].tokens / .[1].tokens * 100 | round / 100) seconds x\(.[0].seconds / .[1].seconds * 100 | round / 100) (\(.[0].seconds_low) to \(.[0].seconds_high), came \(.[1].seconds))"' foretold made)" >&3
    [ "$(jq -s '[.[0].tokens / .[1].tokens, 1 / 1.3, 1.3] | .[1] < .[0] and .[0] < .[2]' foretold made)" = true ]
    [ "$(jq -s '[.[0].seconds / .[1].seconds, 1 / 1.5, 1.5] | .[1] < .[0] and .[0] < .[2]' foretold made)" = true ]
}

@test "on the demo server" {
    allot-demo-server --quiet --port 0 --port-file port --model "$DEMO/tinymath.gguf" \
        --prm "$DEMO/tinymath-prm.gguf" 3>&- &
    SERVER=$!
    wait_for_port
    foretell 200 8 64 "$POOL"
    foretell 200 8 8 "$POOL"
    foretell 150 8 64 "$SCORED"
    foretell 150 8 64 "$BEAMS"
    foretell 100 8 8 "$BEAMS"
    foretell 60 16 64 "$BEAMS"
    foretell 60 4 8 "$ONLY_BEAMS"
}

@test "on a server that answers after a while, whatever else it does" {
    start_server --delay 0.2
    foretell 200 8 16 "$POOL"
    foretell 60 4 32 "$BEAMS"
    foretell 40 8 8 "$POOL"
}
