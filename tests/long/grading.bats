# SPDX-License-Identifier: Apache-2.0
# Ten million pairs of hostile answers, none above 10 ms of processor time.

@test "no pair of ten million hostile answers takes 10 ms" {
    "$ALLOT_BUILD/tests/tools/grade_worst" 10000000
}
