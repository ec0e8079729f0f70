# SPDX-License-Identifier: Apache-2.0
# A server with vLLM's requests and responses, for tests without a model; see tools/fakeserver.py.

# Starts it with these options; its address is in URL.
start_server() {
    rm -f port
    python3 "$BATS_TEST_DIRNAME/../tools/fakeserver.py" --port-file port "$@" 3>&- &
    SERVER=$!
    wait_for_port
}
wait_for_port() {
    for ((i = 0; i < 200; i++)); do
        [ -s port ] && break
        sleep 0.05
    done
    URL=http://127.0.0.1:$(cat port)
}
stop_server() {
    [ -z "${SERVER:-}" ] || { kill "$SERVER" && wait "$SERVER"; } 2> /dev/null || true
    SERVER=
}
