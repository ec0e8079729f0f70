# SPDX-License-Identifier: Apache-2.0
# Every write, sync, rename, close and allocation of import, label, train, platt, export and select
# fails once (tests/faults/sweep.py): some 70,000 runs of programs, ten minutes on two cores.

@test "no failed call passes silently, at every position" {
    cd "$BATS_TEST_TMPDIR" || exit 1
    python3 "$BATS_TEST_DIRNAME/../faults/sweep.py" > log || { cat log; false; }
    [ "$(tail -1 log)" = "0 wrong" ]
}
