# SPDX-License-Identifier: Apache-2.0
# One failed write, sync, rename, close or allocation: an exit code, or the right file; never a wrong
# file and exit 0. A sample of the positions; tests/long/sweep.bats goes through all of them.

@test "no failed call of import, label, train, platt, export and select passes silently" {
    case "$ALLOT_BUILD" in
    */release | */debug) ;;
    *) skip "other builds allocate for themselves: $ALLOT_BUILD" ;;
    esac
    cd "$BATS_TEST_TMPDIR" || exit 1
    python3 "$BATS_TEST_DIRNAME/../faults/sweep.py" --most 40 > log || { cat log; false; }
    [ "$(grep -c ' calls, ' log)" = 30 ] # six programs, five kinds of calls
    grep -q '^train write: [1-9][0-9] calls' log
    [ "$(tail -1 log)" = "0 wrong" ]
}
