# SPDX-License-Identifier: Apache-2.0
# What tests draw at random can be drawn again: bats prints the line of a test that failed.

# RANDOM goes on from $ALLOT_TEST_SEED, or from a seed of its own, which is said.
seed_random() {
    local seed=${ALLOT_TEST_SEED:-$RANDOM}
    echo "random kills: ALLOT_TEST_SEED=$seed draws the same again"
    RANDOM=$seed
}
# free_ports N: N ports that nobody listens on, one a line
free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
PY
}
