# SPDX-License-Identifier: Apache-2.0
# The demo server, one for all tests of a file; they work in its folder, next to strategies.json.

# Starts it; $1: the strategies, as JSON strings behind commas.
start_demo_server() {
    local root="$BATS_TEST_DIRNAME/../.."
    cd "$BATS_FILE_TMPDIR" || exit 1
    "$ALLOT_BIN/allot-demo-server" --port 0 --port-file port --quiet \
        --model "$root/demo/tinymath.gguf" --prm "$root/demo/tinymath-prm.gguf" 3>&- &
    echo $! > pid
    for _ in $(seq 100); do
        [ -s port ] && break
        sleep 0.1
    done
    echo "{\"schema\":\"allot-strategies\",\"version\":1,\"strategies\":[$1]}" > strategies.json
}
stop_demo_server() {
    kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}
# For each test: root, url, and the programs.
use_demo_server() {
    root="$BATS_TEST_DIRNAME/../.."
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_FILE_TMPDIR" || exit 1
    url=http://127.0.0.1:$(cat port)/v1
}
