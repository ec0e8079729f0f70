# SPDX-License-Identifier: Apache-2.0
# The README's commands: each block marked `sh`, word for word, in one shell, in a folder that looks
# like a built clone. Only the port is another: one that is free.

load chance

@test "the README's commands run as they are printed" {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    cd "$BATS_TEST_TMPDIR"
    mkdir -p build/release
    ln -s "$ALLOT_BIN" build/release/bin
    for folder in demo examples collect; do ln -s "$root/$folder" $folder; done
    {
        echo 'set -e'
        sed -n '/^```sh$/,/^```$/p' "$root/README.md" | sed -e 's/^```sh$//' -e 's/^```$//'
    } > commands
    port=$(free_ports 1)
    grep -q ':8017/v1' commands
    sed -i "s/8017/$port/g" commands
    # the first command starts the server; the others must find it up, as a reader's would
    sed -i 's/allot-demo-server.*&$/&\necho $! > pid; until (exec 9<> \/dev\/tcp\/127.0.0.1\/'$port') 2> \/dev\/null; do sleep 0.1; done/' commands
    [ "$(grep -c build/release/bin/ commands)" -ge 10 ]
    status=0
    timeout 600 bash commands > out.txt 2> log 3>&- || status=$?
    kill "$(cat pid)"
    [ "$status" -eq 0 ] || { tail -20 log; return 1; }
    grep -q '^strategy' out.txt
    grep -q "simultaneous 95 % band" out/report-ngram/summary.txt
    jq -e '.hardware.hardware == "the new box"' out/costs-new.json
    jq -e '.tokens | map(.candidate) == ["ngram", "half"]' out/cmp/compare.json
}
