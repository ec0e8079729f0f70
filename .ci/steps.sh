# SPDX-License-Identifier: Apache-2.0
# What .ci/run and .ci/nightly share: steps are run and counted; `finish` says 'N passed, N failed' over
# all of them. A step that counts its own tests adds these, any other counts as one.
set -u
cd "$(dirname "$0")/.." || exit 1
unset OPENBLAS_CORETYPE
passed=0 failed=0

step() {
    local log status counts bad started=$SECONDS
    echo "== $*"
    log=$(mktemp)
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -1)
    rm -f "$log"
    bad=$(echo "${counts:-0 passed, 0 failed}" | sed -E 's/^[0-9]+ passed, ([0-9]+) failed.*/\1/')
    [ "$status" -eq 0 ] || echo "FAILED ($status): $*"
    # what ended badly and did not say how many failed is one failure
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    failed=$((failed + bad))
    if [ -n "$counts" ]; then passed=$((passed + ${counts%% passed*}))
    elif [ "$status" -eq 0 ]; then passed=$((passed + 1)); fi
    echo "== $((SECONDS - started)) s"
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
