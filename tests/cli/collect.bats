# SPDX-License-Identifier: Apache-2.0
# allot-collect against a fake server with vLLM's requests and responses (tests/tools/fakeserver.py).

bats_require_minimum_version 1.5.0
load fakeserver
load chance

setup() {
    set -o pipefail
    PATH="$ALLOT_BIN:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
    mkjsonl 12 > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    strategies single majority@4 bon@2 beam@4x2x6 'beam@4x2x6;final=vote' > s.json
}
teardown() {
    stop_server
    umount small 2> /dev/null || true
}

# Problems of 2 to 4 operations, all different.
mkjsonl() {
    for ((i = 0; i < $1; i++)); do
        local text="$((10 + i))+$((3 + i % 5))*$((2 + i % 3))" answer
        answer=$(((10 + i + 3 + i % 5) * (2 + i % 3)))
        if ((i % 2)); then text="$text-7" answer=$((answer - 7)); fi
        echo "{\"problem\": \"$text=?\", \"answer\": \"$answer\"}"
    done
}
strategies() {
    local list
    list=$(printf ', "%s"' "$@")
    echo "{\"schema\": \"allot-strategies\", \"version\": 1, \"strategies\": [${list:2}]}"
}
# The command that samples into directory $1 with more options, in COMMAND.
sample_command() {
    COMMAND=(allot-collect sample --quiet --dataset p.h5 --strategies s.json --output "$1"
        --base-url "$URL" --model tinymath --prm-model tinymath-prm --max-tokens 200
        --prompt-template 'Q: {problem}\n' --prm-template 'Q: {problem}\n' --runs 2 "${@:2}")
}
sample() {
    sample_command "$@"
    "${COMMAND[@]}"
}
timing() {
    local dir=$1
    shift
    allot-collect time --quiet --dataset p.h5 --strategies s.json --output "$dir" --base-url "$URL" \
        --model tinymath --prm-model tinymath-prm --prompt-template 'Q: {problem}\n' --max-tokens 200 \
        --queries 3 "$@"
}
start_demo() {
    local demo="$BATS_TEST_DIRNAME/../../demo"
    [ -x "$ALLOT_BIN/allot-demo-server" ] && [ -f "$demo/tinymath.gguf" ] && [ -f "$demo/tinymath-prm.gguf" ] ||
        skip "no demo server or no model"
    allot-demo-server --quiet --port 0 --port-file port --model "$demo/tinymath.gguf" \
        --prm "$demo/tinymath-prm.gguf" 3>&- &
    SERVER=$!
    wait_for_port
}
records() {
    grep -c "\"t\":\"$2\"" "$1/journal.jsonl" || true
}
# The last run failed with this exit code and one line that says these words.
fails_with() {
    local errors
    errors=$(grep -c '^allot-collect: ' <<< "$output")
    [ "$status" -eq "$1" ] && [ "$errors" -eq 1 ] && [[ "${lines[-1]}" == *"$2"* ]] && return
    echo "exit code $status, $errors lines of talk; wanted $1 and: $2"
    echo "$output"
    return 1
}

@test "sample fills a run: pool, scores, one beam search for both final answers" {
    start_server
    run sample run --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.queries, .samples.done, .scores.done, .beams.done, .errors] | join(" ")' <<< "$output")" \
        = "12 96 96 24 0" ]
    [ "$(records run sample)" = 96 ]
    [ "$(records run score)" = 96 ]
    [ "$(records run beam)" = 24 ]
    run allot-collect status run
    [ "$status" -eq 0 ]
    [[ "$output" == *"samples  96 of 96 (100.0 %)"* ]]
    run allot-collect label --quiet run o.h5
    [ "$status" -eq 0 ] && [ -s o.h5 ]
}

@test "progress: done, requests and tokens per second, time left, errors" {
    start_server --refuse 11+4 --delay 0.01 --log log
    sample_command run --max-concurrency 4
    run --separate-stderr "${COMMAND[@]/--quiet/--threads=1}"
    [ "$status" -eq 3 ]
    local rates='[0-9.]+ requests/s, [0-9]+ tokens/s'
    grep -Eq "^allot-collect: units [0-9]+/216, [0-9.]+/s, [0-9]+ s left, $rates" <<< "$stderr"
    grep -Eq "^allot-collect: units 198/216, [0-9.]+/s, [0-9]+ s left, $rates, 10 errors$" <<< "$stderr"
    # one is to the other as what the server counted to what it said
    sed -nE 's/.*units 198.*, ([0-9.]+) requests.*, ([0-9]+) tokens.*/\1 \2/p' <<< "$stderr" > rates
    jq -s 'map(.n_tokens) | add' run/journal.jsonl > tokens
    paste -d ' ' rates tokens <(wc -l < log) > figures
    awk '{ x = $1 / $2 / (($4 + 10) / $3); exit !(x > 0.95 && x < 1.05) }' figures
}

@test "a finished run asks the server for nothing" {
    start_server
    sample run
    cp run/journal.jsonl before
    run sample run --json
    [ "$status" -eq 0 ]
    cmp before run/journal.jsonl
    [ "$(jq .tokens <<< "$output")" = 0 ]
}

@test "a run grows: strategies, pool, runs, queries; what is done is used again" {
    start_server
    strategies single majority@2 > s.json
    sample run --limit 5
    [ "$(records run sample)" = 20 ]
    [ "$(records run score)" = 0 ]
    cp run/journal.jsonl before
    strategies single majority@2 bon@4 beam@4x2x6 > s.json
    sample run --runs 3
    head -c "$(stat -c %s before)" run/journal.jsonl | cmp - before
    [ "$(records run sample)" = 96 ]
    [ "$(records run score)" = 96 ]
    [ "$(records run beam)" = 36 ]
    # and is the same as if it had been made at once
    sample once --runs 3
    allot-collect label --quiet run a.h5
    allot-collect label --quiet once b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "a smaller --limit is obeyed by a run that has more queries, which it keeps" {
    start_server --refuse 12+5
    run sample run # the third query fails
    [ "$status" -eq 3 ]
    strategies single majority@4 bon@2 beam@4x2x6 'beam@4x2x6;final=vote' 'bon@8' > s.json
    # more samples, but of two queries only: these are whole
    sample_command run --pool 16 --limit 2
    run --separate-stderr "${COMMAND[@]/--quiet/--threads=1}" --json
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.queries, .samples.done, .samples.total, .scores.done, .beams.done, .failed_queries] | join(" ")' <<< "$output")" \
        = "2 32 32 32 4 0" ]
    [[ "$stderr" == *"10 queries of 'run' are not asked for now: they are left as they are"* ]]
    [ "$(records run sample)" = $((88 + 16)) ]
    [ "$(allot-collect status --json run | jq -r '[.queries, .samples.total] | join(" ")')" = "12 192" ]
    # what fails is counted where it is asked for
    run sample run --pool 16 --limit 3
    fails_with 3 "34 of 102 units are missing, on 1 queries"
    stop_server
    start_server
    sample run --pool 16
    [ "$(records run sample)" = 192 ]
}

# ALLOT_KILLS=50 is the long version.
@test "killed at any moment and started again: the same labels, bit by bit" {
    seed_random
    start_server --delay 0.02
    sample calm
    local killed_at_work=0
    for ((kill = 1; kill <= ${ALLOT_KILLS:-5}; kill++)); do
        sample_command killed --max-concurrency 8
        "${COMMAND[@]}" &
        sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
        kill -9 $! && killed_at_work=$((killed_at_work + 1))
        wait $! || true
    done
    [ "$killed_at_work" -ge 3 ]
    sample killed
    [ "$(records killed sample)" = 96 ]
    [ "$(records killed score)" = 96 ]
    allot-collect label --quiet calm a.h5
    allot-collect label --quiet killed b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "a journal with a torn last line goes on" {
    start_server
    sample run
    cp run/journal.jsonl whole
    head -c -100 whole > run/journal.jsonl
    sample run
    [ "$(wc -l < run/journal.jsonl)" = "$(wc -l < whole)" ]
}

@test "SIGINT stops in order and says how to go on" {
    start_server --delay 0.05
    sample_command run
    "${COMMAND[@]}" 2> log &
    local pid=$!
    for ((i = 0; i < 100; i++)); do [ -s run/journal.jsonl ] && break; sleep 0.05; done
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    grep -q "interrupted; what is done is kept, this goes on: .*allot-collect sample .*'Q: {problem}.n'" log
    tail -c 1 run/journal.jsonl | cmp - <(echo)
}

@test "a full disk stops in order; with room again the run goes on" {
    start_server
    sample calm
    sample_command run
    # the shell's limit on file sizes stands for the disk: 90 KB, which the journal outgrows
    status=0
    (trap '' XFSZ; ulimit -f 90; exec "${COMMAND[@]}") > log 2>&1 || status=$?
    [ "$status" -eq 1 ] || { cat log; false; }
    cat log
    grep -q "cannot write 'run/journal.jsonl': .* (make room and run the same command again: whole records are kept)" log
    [ "$(stat -c %s run/journal.jsonl)" -le 92160 ]
    [ "$(stat -c %s run/journal.jsonl)" -gt 80000 ]
    tail -c 1 run/journal.jsonl | cmp - <(echo)
    sample run
    [ "$(records run sample)" = 96 ]
    [ "$(records run score)" = 96 ]
    [ "$(records run beam)" = 24 ]
    allot-collect label --quiet calm a.h5
    allot-collect label --quiet run b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "a full file system stops in order, too" {
    [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=100k none small 2> mount.log ||
        skip "no small file system can be mounted here"
    start_server
    run sample small/run --limit 6
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"No space left on device (make room and run the same command again"* ]]
    mount -o remount,size=10m small
    sample small/run --limit 6
    [ "$(records small/run sample)" = 48 ] && [ "$(records small/run score)" = 48 ]
}

@test "a second collector on the same run is refused" {
    start_server --delay 0.05
    sample_command run --max-concurrency 1
    "${COMMAND[@]}" 2> log &
    local pid=$!
    for ((i = 0; i < 100; i++)); do [ -s run/journal.jsonl ] && break; sleep 0.05; done
    run sample run
    fails_with 1 "cannot write 'run/journal.jsonl': process $pid is writing to it (wait for it, or stop it)"
    kill -INT $pid
    wait $pid || [ $? -eq 130 ]
    # nothing of the first was touched
    sample run
    [ "$(records run sample)" = 96 ]
}

@test "a query that is refused ends nothing: exit 3, counted, tried again" {
    start_server --refuse "12+5"
    run sample run
    fails_with 3 "units are missing, on 1 queries ('allot-collect status run' tells why; the same command tries them again)"
    [ "$(records run sample)" = 88 ]
    run allot-collect status --json run
    [ "$(jq -r '.failed_queries | length' <<< "$output")" = 1 ]
    [[ "$(jq -r '.failed_queries[0].message' <<< "$output")" == *"this query is refused"* ]]
    [ "$(jq -r '.errors[0].code' <<< "$output")" = 6 ]
    # a twelfth is left: an eleventh of the time so far
    [ "$(jq '.seconds_left / .active_seconds * 11 | . > 0.999 and . < 1.001' <<< "$output")" = true ]
    [[ "$(allot-collect status run)" == *"  left     about "*" s, at the rate so far"* ]]
    stop_server
    start_server
    sample run
    [ "$(records run sample)" = 96 ]
    run allot-collect status --json run
    [ "$(jq -r '.failed_queries | length' <<< "$output")" = 0 ]
    [ "$(jq .seconds_left <<< "$output")" = 0 ]
}

@test "a server that dies ends the run with a clear error; the rest is done later" {
    start_server --die-after 60
    run sample run --max-retries 0 --max-concurrency 8 --max-outage 0
    fails_with 6 "the server is gone"
    [ "$(records run sample)" -gt 5 ]
    SERVER=
    start_server
    sample run
    [ "$(records run sample)" = 96 ]
}

@test "a reward model with the wrong number of steps is an error, never a score" {
    start_server --drop-rows 1
    strategies bon@2 > s.json
    run sample run --limit 2
    fails_with 3 "units are missing"
    [ "$(records run sample)" = 8 ]
    [ "$(records run score)" = 0 ]
    run allot-collect status --json run
    [ "$(jq -r '.errors[0].unit' <<< "$output")" = scores ]
    [[ "$(jq -r '.errors[0].example' <<< "$output")" == *"step"* ]]
}

@test "settings that differ, or shrink the run, are refused" {
    start_server
    sample run --limit 2
    run sample run --limit 2 --temperature 1
    fails_with 5 "temperature is 0.8"
    run sample run --limit 2 --pool 5
    fails_with 5 "cannot go on in 'run': it has pool 8, wanted are 5"
    run sample run --limit 2 --seed 2
    fails_with 5 "made with --seed 1, not 2"
    strategies single > s.json
    run sample run --limit 2 --pool 8
    fails_with 5 "its strategy 'majority@4' is not among the wanted ones"
}

# Makes directory $1 one of when the grader's version stood among the settings.
with_grader() {
    local id
    jq '.fingerprint.grader = "0"' "$1/manifest.json" > old.json
    id=$(jq -jSc .fingerprint old.json | sha256sum | cut -c1-16)
    sed -i "s/\"cfg\":\"[0-9a-f]*\"/\"cfg\":\"$id\"/" "$1/journal.jsonl"
    mv old.json "$1/manifest.json"
}
# All records of directory $1 carry one name of its settings.
cfgs() {
    jq -r .cfg "$1/journal.jsonl" | sort -u | wc -l
}

@test "a run of another version of the grader goes on, is labelled and merged" {
    start_server
    sample run --limit 2
    allot-collect label --quiet run before.h5 > log
    with_grader run
    allot-collect label --quiet run after.h5 > log
    "$ALLOT_BUILD/tests/tools/outcomes_equal" before.h5 after.h5
    for limit in 3 4; do # the second time from the manifest that the first has written
        run sample run --limit $limit
        [ "$status" -eq 0 ]
        [ "$(records run sample)" = $((limit * 8)) ]
        [ "$(cfgs run)" = 1 ]
        [ "$(jq '.fingerprint | has("grader")' run/manifest.json)" = false ]
        allot-collect status run > log
        allot-collect label --quiet run o.h5 > log
    done
    for i in 1 2; do sample s$i --shard $i/2; done
    allot-collect merge --quiet --output m s1 s2
    with_grader s2
    allot-collect merge --quiet --output now-first s1 s2
    [ "$(cfgs now-first)" = 1 ]
    cmp m/journal.jsonl now-first/journal.jsonl
    with_grader s1
    sample s2 --shard 2/2 # keeps the name that it has
    allot-collect merge --quiet --output then-both s1 s2
    [ "$(cfgs then-both)" = 1 ]
    allot-collect label --quiet m a.h5 > log
    allot-collect label --quiet then-both b.h5 > log
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "a timing of another version of the grader goes on and gives costs" {
    start_server
    strategies single majority@2 > s.json
    timing t --runs 1
    with_grader t
    run timing t --runs 2
    [ "$status" -eq 0 ]
    [ "$(records t timed)" = 12 ]
    [ "$(cfgs t)" = 1 ]
    allot-calibrate costs --quiet t --output costs.json > log
    [ "$(jq '.fingerprint | has("grader")' costs.json)" = false ]
}

@test "mistakes on the command line: one line, exit 2, nothing left behind" {
    start_server
    run sample run --pool 3
    fails_with 2 "a pool of 3 samples is too small for 'majority@4' (give --pool 8 or more)"
    run allot-collect sample --dataset p.h5 --strategies s.json --output run --base-url "$URL"
    fails_with 2 "strategy 'bon@2' needs a reward model (give --prm-model)"
    run allot-collect sample --dataset p.h5 --strategies s.json --output run
    fails_with 2 "no server to talk to (give --base-url, or set OPENAI_BASE_URL)"
    run allot-collect sample --dataset p.h5 --strategies s.json --base-url "$URL"
    fails_with 2 "--output is missing"
    run sample run --split test
    fails_with 2 "--split and --splits go together"
    run allot-collect sample --bogus
    [ "$status" -eq 2 ]
    [ ! -e run ]
}

@test "bad input: missing files, unknown strategy, server away, model unknown" {
    run allot-collect sample --dataset p.h5 --strategies s.json --output run --prm-model x \
        --base-url http://127.0.0.1:1 --max-retries 0
    fails_with 6 "127.0.0.1:1"
    start_server
    run sample run --dataset nowhere.h5
    [ "$status" -ne 0 ]
    [[ "$output" == *"nowhere.h5"* ]]
    run sample run --strategies nowhere.json
    [ "$status" -ne 0 ]
    [[ "$output" == *"nowhere.json"* ]]
    strategies single telepathy@4 > bad.json
    run sample run --strategies bad.json
    fails_with 4 "telepathy@4"
    run sample run --model bigmath
    [ "$status" -eq 6 ]
    [[ "$output" == *"bigmath"* ]]
    [[ "$output" == *"tinymath"* ]]
    run allot-collect status nowhere
    [ "$status" -ne 0 ]
    [[ "$output" == *"nowhere"* ]]
    [ ! -e run ]
}

@test "bad files are found before the server is asked, whatever it does" {
    start_server
    sample run --limit 2
    stop_server
    URL=http://127.0.0.1:1
    run sample run --limit 2 --max-retries 0
    fails_with 6 "127.0.0.1:1"
    head -c 2000 p.h5 > cut.h5
    run sample new --dataset cut.h5
    fails_with 4 "cut.h5"
    echo '{"schema": "allot-strategies"' > cut.json
    run sample new --strategies cut.json
    fails_with 4 "cut.json"
    [ ! -e new ]
    cp -r run bad
    sed -i 's/"version":.*/"version": 99,/' bad/manifest.json
    run sample bad --limit 2
    fails_with 4 "bad/manifest.json"
    cp run/manifest.json bad/
    echo '{"t":"sample"}' >> bad/journal.jsonl
    run sample bad --limit 2
    fails_with 4 "line 37 of 'bad/journal.jsonl'"
    cp run/journal.jsonl bad/
    cp cut.h5 bad/problems.h5
    run sample bad --limit 2
    fails_with 4 "bad/problems.h5"
    run timing new --dataset cut.h5
    fails_with 4 "cut.h5"
    [ ! -e new ] && cmp run/journal.jsonl bad/journal.jsonl
}

# Eight problems whose texts have more than a hundred tokens (the server counts characters).
mklong() {
    for ((i = 0; i < 8; i++)); do
        echo "{\"problem\": \"9876543$i+1234567+2345678-3456789+4567891=?\", \"answer\": \"1\"}"
    done
}

@test "a server that gives every seed the same text is told of: once, counted, seen by status" {
    mklong > long.jsonl
    allot-datasets import --quiet long.jsonl p.h5 > import.log
    strategies majority@4 > s.json
    start_server --ignore-seed
    sample_command run --json
    COMMAND=("${COMMAND[@]/--quiet/--threads=1}")
    run --separate-stderr "${COMMAND[@]}"
    [ "$status" -eq 0 ]
    [ "$(jq -c '[.compared_queries, .identical_queries]' <<< "$output")" = "[8,8]" ]
    [ "$(grep -c warning <<< "$stderr")" = 1 ]
    [[ "$stderr" == *"warning: on 5 of 5 queries with long texts all samples in 'run' are one and the same text"* ]]
    # and from the journal alone
    run --separate-stderr "${COMMAND[@]}"
    [[ "$stderr" == *"warning: on 8 of 8 queries with long texts"* ]]
    [[ "$(allot-collect status run)" == *"same     on 8 of 8 queries"*"no notice of seeds"* ]]
    [ "$(allot-collect status --json run | jq .identical_queries)" = 8 ]
}

@test "texts may agree that are short, or drawn at temperature 0, or on some query" {
    start_server --ignore-seed
    strategies majority@4 > s.json
    run sample short --json
    [ "$(jq -c '[.compared_queries, .identical_queries]' <<< "$output")" = "[0,0]" ]
    mklong > long.jsonl
    allot-datasets import --quiet long.jsonl p.h5 > import.log
    run sample greedy --json --temperature 0
    [ "$(jq -c '[.compared_queries, .identical_queries]' <<< "$output")" = "[0,0]" ]
    [[ "$(allot-collect status greedy)" != *" same "* ]]
    stop_server
    start_server
    sample_command drawn --json
    run --separate-stderr "${COMMAND[@]/--quiet/--threads=1}"
    [ "$(jq -c '[.compared_queries, .identical_queries]' <<< "$output")" = "[8,0]" ]
    [[ "$stderr" != *warning* ]]
}

@test "texts that the server's context cuts stop the run, unless allowed, and are told of for ever" {
    local said="were cut by the server's context, below the 200 tokens that they may have"
    start_server --room 12
    strategies majority@4 beam@4x2x6 > s.json
    sample_command run --json --pool 12 --max-concurrency 8
    run --separate-stderr "${COMMAND[@]}"
    [ "$status" -eq 6 ]
    [[ "$stderr" == *"error: 1"*" of 1"*" texts (100.0 %) in 'run' $said"*"llama-server -c"*"--max-tokens"*"--allow-context-cuts goes on"* ]]
    [ -z "$output" ]
    local n
    n=$(wc -l < run/journal.jsonl)
    [ "$n" -lt 150 ] # stopped, not all 144 samples and 24 searches
    # and at once, when it is tried again: nothing more is asked for
    run "${COMMAND[@]}"
    [ "$status" -eq 6 ]
    [ "$(wc -l < run/journal.jsonl)" = "$n" ]
    COMMAND=("${COMMAND[@]/--quiet/--threads=1}")
    run --separate-stderr "${COMMAND[@]}" --allow-context-cuts
    [ "$status" -eq 0 ]
    n=$(jq .texts <<< "$output")
    [ "$n" -gt 144 ]
    [ "$(jq .context_cuts <<< "$output")" = "$n" ]
    [[ "$stderr" == *"warning: $n of $n texts (100.0 %) in 'run' $said"* ]]
    [ "$(allot-collect status --json run | jq -c '[.texts, .context_cuts]')" = "[$n,$n]" ]
    [[ "$(allot-collect status run)" == *"cut      $n of $n texts (100.0 %) in 'run' $said"* ]]
    run --separate-stderr allot-collect label --json run o.h5
    [ "$(jq .cut_by_context <<< "$output")" = "$n" ]
    [[ "$stderr" == *"warning: $n of $n texts (100.0 %) in 'run' $said"* ]]
    # samples of a run from before there was the mark
    sed -i 's/,"cut":1//g' run/journal.jsonl
    [ "$(allot-collect status --json run | jq .context_cuts)" = 144 ]
}

@test "a limit that is reached is no cut by the context, and few cut texts stop a run at its end only" {
    start_server
    strategies majority@4 > s.json
    run --separate-stderr sample limit --json --max-tokens 12
    [ "$(jq -c '[.texts, .context_cuts]' <<< "$output")" = "[96,0]" ]
    stop_server
    start_server --room 12
    run --separate-stderr sample few --limit 3
    [ "$status" -eq 6 ]
    [[ "$stderr" == *"24 of 24 texts (100.0 %) in 'few' were cut"* ]]
    [ "$(wc -l < few/journal.jsonl)" = 24 ]
}

@test "time: every strategy at every load, unspoiled, resumable" {
    start_server
    strategies single majority@2 beam@2x2x4 > s.json
    run timing t --load 1,3 --runs 2 --num-warmups 2 --json --hardware 'a box'
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.queries, .done, .total, .errors] | join(" ")' <<< "$output")" = "3 36 36 0" ]
    [ "$(jq '.client_cpu_share > 0 and .client_cpu_share < 1' <<< "$output")" = true ]
    [ "$(records t timed)" = 36 ]
    [ "$(jq -r '.hardware.hardware' t/manifest.json)" = "a box" ]
    # each (query, load) meets the strategies in an order of its own
    [ "$(jq -r 'select(.t == "timed") | [.key, .load, .source, .run] | join(" ")' t/journal.jsonl | sort -u | wc -l)" = 36 ]
    [ "$(jq -r 'select(.t == "timed" and .load == 1) | .source' t/journal.jsonl | uniq | wc -l)" -gt 6 ]
    # nothing again; then more runs
    cp t/journal.jsonl before
    timing t --load 1,3 --runs 2 --hardware 'a box'
    cmp before t/journal.jsonl
    timing t --load 1,3 --runs 3 --hardware 'a box'
    [ "$(records t timed)" = 54 ]
}

@test "time: stops when the means are known well enough, and goes on when they are not" {
    start_server --delay 0.02
    strategies single majority@2 > s.json
    run timing t --queries 12 --precision 50 --json --num-warmups 0
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.done, .total, .failed, .loads[0].left] | join(" ")' <<< "$output")" = "20 24 0 4" ]
    [ "$(jq '.loads[0] | .relative_error < 0.5 and .load == 1' <<< "$output")" = true ]
    # enough was enough: nothing again
    cp t/journal.jsonl before
    timing t --queries 12 --precision 50
    cmp before t/journal.jsonl
    # more is wanted: up to the cap, and said so
    run timing t --queries 12 --precision 0.0001
    [ "$status" -eq 0 ]
    [ "$(records t timed)" = 24 ]
    run allot-collect time --dataset p.h5 --strategies s.json --output t --base-url "$URL" \
        --model tinymath --prm-model tinymath-prm --prompt-template 'Q: {problem}\n' --max-tokens 200 \
        --queries 12 --precision 0.0001
    [ "$status" -eq 0 ]
    [[ "$output" == *"are known to "*" %, not 0.0 % (give more --queries or --runs)"* ]]
}

@test "time: at load 1 on a 50 ms server our own share of the seconds is at most 1 %" {
    "$ALLOT_BUILD/tests/faults/fault_server" port 3>&- &
    SERVER=$!
    wait_for_port
    URL=$URL/delay
    strategies single bon@2 > s.json
    run allot-collect time --json --quiet --dataset p.h5 --strategies s.json --output t \
        --base-url "$URL" --model gen --prm-model prm --prompt-template 'Q: {problem}\n' --precision 0
    [ "$status" -eq 0 ]
    [ "$(jq -s 'map(select(.t == "timed" and .client_s > 0 and .seconds > 0.05)) | length' t/journal.jsonl)" = 24 ]
    [ "$(jq '.loads[0].client_share > 0 and .loads[0].client_share < 0.01' <<< "$output")" = true ] ||
        { echo "$output"; false; }
}

@test "time: with --stream the time to the first piece is noted" {
    "$ALLOT_BUILD/tests/faults/fault_server" port 3>&- &
    SERVER=$!
    wait_for_port
    strategies single majority@3 > s.json
    run allot-collect time --json --quiet --dataset p.h5 --strategies s.json --output t --stream \
        --base-url "$URL/delay" --model gen --prompt-template 'Q: {problem}\n' --queries 2 --precision 0
    [ "$status" -eq 0 ]
    [ "$(jq '.ttft_seconds > 0.04 and .ttft_seconds < 1' <<< "$output")" = true ]
    [ "$(jq -s 'map(select(.ttft_s > 0.04 and .ttft_s <= .seconds)) | length' t/journal.jsonl)" = 4 ]
    # and is in the cost table
    allot-calibrate costs --quiet t --output costs.json > out
    grep -q "strategy .* mean  *median .*(seconds to the first piece of a text, load 1)" out
    [ "$(jq '[.loads[0].strategies[].ttft | select(.n == 2 and .p50 > 0.04 and .mean < 1)] | length' \
        costs.json)" = 2 ]
}

@test "time: what always fails is counted, exit 3, and tried again by each call" {
    start_server --refuse 12+5
    strategies single majority@2 > s.json
    run timing t --queries 12 --precision 0 --json
    [ "$status" -eq 3 ]
    [[ "$output" == *"2 of 24 timings failed ('allot-collect status t' tells why; the same command tries them again)"* ]]
    [ "$(jq -r '[.done, .failed, .errors] | join(" ")' <<< "${lines[0]}")" = "22 2 2" ]
    # also when the means are known well enough without
    run timing t --queries 12 --precision 100 --json
    [ "$status" -eq 3 ]
    [ "$(records t timed) $(records t error)" = "22 4" ]
    [ "$(jq -r '[.done, .failed, .errors] | join(" ")' <<< "${lines[0]}")" = "22 2 2" ]
    run allot-collect status t
    [[ "$output" == *"load 1   22 of at most 24, 2 failed, mean seconds known to "*" % or better"* ]]
    [[ "$output" == *"2 timings failed"*" majority@2 at load 1, tries: 2, last: "*"this query is refused"* ]]
    run allot-collect status --json t
    [ "$(jq -c '.failed | map([.strategy, .load, .tries]) | sort' <<< "$output")" = '[["majority@2",1,2],["single",1,2]]' ]
    [ "$(jq -c '.loads[0] | [.done, .total, .failed]' <<< "$output")" = "[22,24,2]" ]
    # until it succeeds
    stop_server
    start_server
    timing t --queries 12 --precision 100
    [ "$(records t timed)" = 24 ]
    [ "$(allot-collect status --json t | jq -c .failed)" = "[]" ]
}

@test "time: a strategy that fails on every query does not keep the others" {
    start_server --refuse tinymath-prm
    for i in {1..40}; do echo "{\"problem\": \"$i+$i=?\", \"answer\": \"1\"}"; done > p.jsonl
    allot-datasets import --quiet p.jsonl p.h5 > import.log
    strategies single bon@2 > s.json
    run timing t --queries 40 --precision 100 --json
    [ "$status" -eq 3 ]
    [ "$(jq -r '[.done, .failed] | join(" ")' <<< "${lines[0]}")" = "10 10" ]
}

@test "time: a server that does not stream is told of in one line, at once" {
    start_server --log log # this one takes no notice
    strategies single majority@2 > s.json
    run timing t --stream
    fails_with 6 "the server takes no notice of 'stream'"
    [[ "$output" == *"(go on without --stream)" ]]
    [ "$(wc -l < log)" -le 2 ]
    [ "$(records t error)" = 0 ]
    timing t > out
    [ "$(records t timed)" = 6 ]
}

@test "time: on the demo server a streamed text is the text that comes at once" {
    start_demo
    local small=(--max-tokens 48 --step-max-tokens 16 --precision 0)
    timing whole "${small[@]}"
    timing streamed "${small[@]}" --stream
    [ "$(jq -s 'all(.ttft_s > 0 and .ttft_s < .seconds)' streamed/journal.jsonl)" = true ]
    [ "$(jq -s 'all(.ttft_s == null)' whole/journal.jsonl)" = true ]
    local fields='[.t, .key, .source, .n_tokens, .prompt_tokens, [.gen[] | .text, .finish]]'
    cmp <(jq -c "$fields" whole/journal.jsonl | sort) <(jq -c "$fields" streamed/journal.jsonl | sort)
}

@test "time: each timing that runs alone meets an emptied cache" {
    start_server --reset-file resets
    strategies single bon@2 > s.json
    timing t --num-warmups 3
    [ "$(records t timed)" = 6 ]
    [ "$(wc -l < resets)" = 6 ]
}

@test "time: other load on the server is flagged" {
    start_server --foreign 2
    strategies single > s.json
    run timing t --json
    [ "$status" -eq 0 ]
    [ "$(jq .foreign <<< "$(tail -1 <<< "$output")")" = 3 ]
    [ "$(jq -r 'select(.t == "timed") | .foreign' t/journal.jsonl | sort -u)" = 1 ]
}

@test "time: a timing that needed retries is done again, not used" {
    start_server --fail-every 11
    strategies single majority@4 > s.json
    run timing t --json --num-warmups 0
    [ "$status" -eq 0 ]
    [ "$(jq -r '[.done, .done_again > 0] | join(" ")' <<< "$output")" = "6 true" ]
    [ "$(jq -s 'map(select(.t == "timed").retries) | add' t/journal.jsonl)" = 0 ]
}

@test "time: another machine needs another directory" {
    start_server
    strategies single > s.json
    timing t --hardware old
    run timing t --hardware new
    fails_with 5 "cannot go on in 't': it was timed on 'old', this is 'new' (give another --output, or the same --hardware)"
    run timing t --load 8,1
    fails_with 2 "the loads are not in ascending order: 8, 1"
}

@test "--dry-run tells requests, tokens, seconds and money from a pilot, and wastes nothing" {
    URL=http://127.0.0.1:1
    run sample run --dry-run --json
    [ "$status" -eq 0 ]
    [ ! -e run ]
    [ "$(jq -r '[.samples.total, .scores.total, .beams.total, .tokens, .source] | map(tostring) | join(" ")' <<< "$output")" \
        = "96 96 24 null null" ]
    [ "$(jq '.requests == 96 + 96 + 24 * 6 * 5' <<< "$output")" = true ]
    start_server --delay 0.01
    run sample run --dry-run --pilot 4 --json --price 1000000 --price-prompt 1 --max-concurrency 4
    [ "$status" -eq 0 ]
    foretold=$output
    # four whole queries, and others among which they ran
    [ "$(jq -r '[.samples.done, .scores.done, .beams.done] | . >= [32, 32, 8] and . < [96, 96, 24]' <<< "$foretold")" = true ]
    [ "$(jq -r '[.source, .pilot.queries, .pilot.errors] | map(tostring) | join(" ")' <<< "$foretold")" = "pilot 4 0" ]
    [ "$(jq '.price >= .tokens and .prompt_tokens > 0' <<< "$foretold")" = true ]
    [ "$(jq '[.tokens_low, .tokens, .tokens_high, 1e9] as $t | [.seconds_low, .seconds, .seconds_high, 1e9] as $s |
        $t == ($t | sort | unique) and $s == ($s | sort | unique) and .seconds_low > 0' <<< "$foretold")" = true ]
    # what the pilot took is told, and used: the run asks for the rest only
    [ "$(jq -s "map(.n_tokens // 0) | add" run/journal.jsonl)" = "$(jq .pilot.tokens <<< "$foretold")" ]
    run sample run --dry-run --pilot 4
    [[ "$output" == *"the pilot took 0 requests, 0 tokens and 0.0 s, and is kept" ]]
    sample run --json > made
    [ "$(jq -s '.[0].tokens / .[1].tokens | . > 0.77 and . < 1.3' made <(echo "$foretold"))" = true ]
    [ "$(records run sample)" = 96 ]
    run sample run --dry-run --json
    [ "$(jq '.requests == 0 and .tokens == 0 and .seconds == 0' <<< "$output")" = true ]
    run sample new --pilot 3
    fails_with 2 "--pilot, --costs and prices are for --dry-run"
}

@test "--dry-run --pilot on the demo server: tokens within a factor of 1.3 and within the error bar" {
    start_demo
    allot-datasets tinymath --quiet --count 60 --seed 1 p.h5
    for given in "64 beam@4x2x6" "8 beam@4x2x6" "64 majority@8"; do
        read -r concurrency third <<< "$given"
        strategies single majority@4 "$third" > s.json
        for seed in 3 5; do
            options=(run --json --step-max-tokens 64 --seed $seed --max-concurrency "$concurrency")
            rm -rf run
            sample "${options[@]}" --dry-run --pilot 8 > foretold
            sample "${options[@]}" > made
            echo "$given, seed $seed: $(jq -c '[.tokens_low, .tokens, .tokens_high]' foretold), came $(jq .tokens made)"
            [ "$(jq -s '.[0].tokens / .[1].tokens | . > 1 / 1.3 and . < 1.3' foretold made)" = true ]
            [ "$(jq -s '.[0].tokens_low < .[1].tokens and .[1].tokens < .[0].tokens_high' foretold made)" = true ]
        done
    done
}

@test "--dry-run --pilot tells of its own failures" {
    start_server --refuse '14+'
    strategies single > s.json
    run sample run --dry-run --pilot 12 --json
    [ "$status" -eq 0 ]
    [ "$(jq '.pilot.errors > 0 and .tokens > 0' <<< "$output")" = true ]
    COMMAND=(); sample_command run --dry-run --pilot 12
    run "${COMMAND[0]}" sample "${COMMAND[@]:3}"
    [[ "$output" == *"2 requests of the pilot failed ('allot-collect status run' tells why): they are foretold as if they had not"* ]]
}

@test "--dry-run from an old cost table" {
    start_server
    timing t --runs 2
    allot-calibrate costs --quiet t --output c.json > log
    stop_server
    run sample run --dry-run --costs c.json --price-hour 3600
    [ "$status" -eq 0 ]
    [ ! -e run ]
    [[ "$output" == *"run: 12 queries; to come: 96 samples, 96 scores, 24 beam searches"* ]]
    [[ "$output" == *"generated tokens         about "[1-9]* ]]
    [[ "$output" == *"price                    about "* ]]
    strategies single beam@2x2x6 > s.json
    run sample run --dry-run --costs c.json
    [[ "$output" == *"generated tokens         unknown"* ]]
    run sample run --dry-run --costs nowhere.json
    [ "$status" -ne 0 ] && [[ "$output" == *"nowhere.json"* ]]
}

@test "shards, merged, are the run that was made at once, bit by bit" {
    start_demo
    small=(--max-tokens 48 --step-max-tokens 16)
    sample whole "${small[@]}"
    for i in 1 2 3; do sample s$i "${small[@]}" --shard $i/3; done
    run allot-collect merge --output merged s2 s3 s1
    [ "$status" -eq 0 ]
    [[ "$output" == *"merged: 12 queries, 216 of 216 units, 216 records of 3 shards"* ]]
    # texts share requests, and a text's part of the tokens depends on the others; the sum does not
    content='del(.t_start, .seconds, .gen_s, .prm_s, .ttft_s, .cached_tokens, .prm_tokens, .rounds)'
    cmp <(jq -c "$content" whole/journal.jsonl | sort) <(jq -c "$content" merged/journal.jsonl | sort)
    cmp <(jq -s 'map(.prm_tokens) | add' whole/journal.jsonl) \
        <(jq -s 'map(.prm_tokens) | add' merged/journal.jsonl)
    cmp whole/manifest.json merged/manifest.json
    allot-collect label --quiet whole a.h5
    allot-collect label --quiet merged b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
    # and goes on like any other
    cp merged/journal.jsonl before
    sample merged "${small[@]}"
    cmp before merged/journal.jsonl
}

@test "merge refuses overlaps, holes and different settings" {
    start_server
    for i in 1 2; do sample s$i --shard $i/2; done
    run allot-collect merge --output m s1
    fails_with 5 "cannot merge 1 directories: 's1' is shard 1 of 2 (give all 2)"
    cp -r s1 copy
    run allot-collect merge --output m s1 copy
    fails_with 5 "cannot merge 's1' and 'copy': both are shard 1 of 2"
    # a record of the other shard's query
    cp -r s2 mixed
    tail -1 s1/journal.jsonl >> mixed/journal.jsonl
    run allot-collect merge --output m s1 mixed
    fails_with 5 "of 'mixed/journal.jsonl' is of a query that is not of shard 2 of 2"
    # a unit less
    cp -r s2 short
    sed -i "$(grep -n '"t":"score"' short/journal.jsonl | tail -1 | cut -d: -f1)d" short/journal.jsonl
    run allot-collect merge --output m s1 short
    fails_with 4 "cannot merge 'short': 1 of its "
    [ ! -e m ]
    # what fails half way leaves nothing that is in the way of the next try
    mkdir -p m/problems.h5
    run allot-collect merge --output m s1 s2
    fails_with 2 "cannot write 'm/problems.h5': it is a directory"
    [ "$(ls -A m)" = problems.h5 ]
    rm -r m
    run allot-collect merge --partial --output m s1 short
    [ "$status" -eq 0 ]
    sample m
    [ "$(records m sample)" = 96 ]
    [ "$(records m score)" = 96 ]
    [ "$(records m beam)" = 24 ]
    run allot-collect merge --output m s1 s2
    fails_with 2 "cannot merge into 'm': it has a manifest.json"
    run allot-collect merge --output n m
    fails_with 5 "cannot merge 'm': it is a whole run, not a shard"
    run allot-collect label --quiet s1 o.h5
    fails_with 5 "cannot label 's1': it is shard 1 of 2"
    # other settings, other queries
    sample hot --shard 2/2 --temperature 1
    run allot-collect merge --output n s1 hot
    fails_with 5 "temperature is 0.8 in the one and 1 in the other"
    sample deep --shard 2/2 --pool 9
    run allot-collect merge --output n s1 deep
    fails_with 5 "pool is 8 in the one and 9 in the other"
    sample less --shard 2/2 --limit 11
    run allot-collect merge --output n s1 less
    fails_with 5 "they were made of different queries"
    [ ! -e n ]
    run sample s1
    fails_with 5 "cannot go on in 's1': it holds shard 1/2, wanted is 0/0"
    run sample x --shard 3/2
    fails_with 2 "--shard"
    run sample x --shard 2
    fails_with 2 "--shard '2' is not of the form 2/8"
}

@test "on the demo server: killed and started again, the same labels" {
    seed_random
    start_demo
    sample calm --limit 4 --max-tokens 48 --step-max-tokens 16
    for ((kill = 1; kill <= 3; kill++)); do
        sample_command killed --limit 4 --max-tokens 48 --step-max-tokens 16 --max-concurrency 16
        "${COMMAND[@]}" &
        sleep "0.$((RANDOM % 2))$((RANDOM % 10))"
        kill -9 $! 2> /dev/null || true
        wait $! 2> /dev/null || true
    done
    sample killed --limit 4 --max-tokens 48 --step-max-tokens 16
    allot-collect label --quiet calm a.h5
    allot-collect label --quiet killed b.h5
    "$ALLOT_BUILD/tests/tools/outcomes_equal" a.h5 b.h5
}

@test "the shipped strategy grids are read" {
    start_server
    for grid in paper default demo; do
        sample "$grid" --limit 1 --pool 64 --runs 1 \
            --strategies "$BATS_TEST_DIRNAME/../../collect/strategies/$grid.json"
    done
    [ "$(jq '.strategies | length' paper/manifest.json)" = 22 ]
}

@test "help tells a newcomer how to start" {
    for command in sample time status label merge; do
        run allot-collect "$command" --help
        [ "$status" -eq 0 ]
        [[ "$output" == *"Usage: allot-collect $command"* ]]
        [[ "$output" == *"Examples:"* ]]
    done
}
