# SPDX-License-Identifier: Apache-2.0
# Man pages say what the programs say.

@test "every program and command has a page that is up to date" {
    command -v help2man > /dev/null || skip "help2man is not installed"
    sh "$BATS_TEST_DIRNAME/../../mk/man.sh" "$ALLOT_BIN" "$BATS_TEST_TMPDIR/man"
    # 'make man' makes them again
    diff -r "$BATS_TEST_TMPDIR/man" "$BATS_TEST_DIRNAME/../../man"
}

@test "every page lists the exit codes" {
    for page in "$BATS_TEST_DIRNAME"/../../man/*-*-*.1 "$BATS_TEST_DIRNAME"/../../man/allot-train.1; do
        grep -q "3 partial" "$page"
        grep -q "130 interrupted" "$page"
    done
}
