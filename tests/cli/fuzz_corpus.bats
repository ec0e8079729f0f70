#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every input that a fuzzer found, and the seeds, once more with this compiler: no crash.

replay() {
    local target=$1
    run "${ALLOT_BUILD:?}/tests/fuzz/fuzz_$target" "$BATS_TEST_DIRNAME/../fuzz/corpus/$target"/*
    echo "$target: $output"
    [ "$status" -eq 0 ]
    [[ "$output" =~ ^[1-9][0-9]*\ inputs$ ]]
}

@test "each fuzz target survives its corpus" {
    local n=0 source target
    for source in "$BATS_TEST_DIRNAME"/../fuzz/fuzz_*.c; do
        target=$(basename "$source" .c)
        replay "${target#fuzz_}"
        n=$((n + 1))
    done
    [ "$n" -ge 5 ]
}
