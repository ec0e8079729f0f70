# SPDX-License-Identifier: Apache-2.0
# A run of 20,000 queries with 64 samples each, 2 GB of journal: how much memory it needs, how long a
# resume takes to start, and the labels. Takes some minutes and 2 GB of BATS_TMPDIR.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    echo '{"schema": "allot-strategies", "version": 1,
           "strategies": ["single", "majority@4", "majority@32"]}' > s.json
}
teardown() {
    [ -z "$SERVER" ] || kill "$SERVER"
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
    mkdir run
    make_long_run run 20000 64 1250
    [ "$(stat -c %s run/journal.jsonl)" -gt 2000000000 ]
    cp run/problems.h5 p.h5
    measure allot-collect sample --dry-run --json --dataset p.h5 --strategies s.json --output run \
        --base-url http://127.0.0.1:1
    [ "$(jq '.samples.done' out)" = 1280000 ]
    [ "$S" -lt 20 ]
    [ "$MB" -lt 200 ]
    measure allot-collect label --quiet --json run o.h5
    [ "$(jq -r '[.queries, .samples] | join(" ")' out)" = "20000 1280000" ]
    [ "$MB" -lt 200 ]
}

@test "sampling 20,000 queries 64 times each needs less than 200 MB" {
    seq 20000 | sed 's/.*/{"problem": "&+1=?", "answer": "2"}/' > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5
    delay_server port 0.05 3>&- &
    SERVER=$!
    while [ ! -s port ]; do sleep 0.1; done
    measure allot-collect sample --quiet --json --dataset p.h5 --strategies s.json --output run \
        --pool 64 --model m --prompt-template 'Q: {problem}\n' --max-concurrency 512 \
        --base-url "http://127.0.0.1:$(cat port)"
    [ "$(wc -l < run/journal.jsonl)" -eq 1280000 ]
    [ "$MB" -lt 200 ]
}
