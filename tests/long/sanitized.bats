#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command-line tests once more with programs that watch their memory and their arithmetic.

under() {
    local root="$BATS_TEST_DIRNAME/../.." status=0
    # bats puts its insides before everything, which do not work through make's sh
    env -u MAKEFLAGS -u MFLAGS PATH="${PATH//"${BATS_LIBEXEC:-/none}":/}" make -s -j"$(nproc)" -C "$root" MODE="$1" test-cli \
        > "$BATS_TEST_TMPDIR/out" 2>&1 3>&- || status=$?
    tail -60 "$BATS_TEST_TMPDIR/out"
    [ "$status" -eq 0 ]
    tail -1 "$BATS_TEST_TMPDIR/out" | grep -Eq '^[1-9][0-9]+ passed, 0 failed'
}

@test "command lines under the address sanitizer" {
    under asan
}
@test "command lines under the sanitizer of undefined behaviour" {
    under ubsan
}
