# SPDX-License-Identifier: Apache-2.0
# A run of 20,000 queries with 64 samples each, 2 GB of journal: how long a resume takes to start, how
# much memory it and the labels need. Takes some minutes and 2 GB of BATS_TMPDIR.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkdir run
    make_long_run run 20000 64 1250
}
teardown() {
    rm -rf run
}
# Runs a command; 'processor seconds' and 'megabytes resident' go into S and MB.
measure() {
    python3 -c 'import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=open("out", "w"))
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print(round(u.ru_utime + u.ru_stime), u.ru_maxrss // 1024)
sys.exit(code)' "$@" > measured
    read -r S MB < measured
    echo "$S s of a processor, $MB MB: $*"
}

@test "a resume from 2 GB starts within 20 s of a processor; 200 MB are enough, for labels, too" {
    [ "$(stat -c %s run/journal.jsonl)" -gt 2000000000 ]
    echo '{"schema": "allot-strategies", "version": 1,
           "strategies": ["single", "majority@4", "majority@32"]}' > s.json
    cp run/problems.h5 p.h5
    measure allot-collect sample --dry-run --json --dataset p.h5 --strategies s.json --output run \
        --base-url http://127.0.0.1:1
    [ "$(jq '.samples.done' out)" = 1280000 ]
    [ "$S" -lt 20 ] && [ "$MB" -lt 200 ]
    measure allot-collect label --quiet --json run o.h5
    [ "$(jq -r '[.queries, .samples] | join(" ")' out)" = "20000 1280000" ]
    [ "$MB" -lt 200 ]
}
