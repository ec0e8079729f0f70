# SPDX-License-Identifier: Apache-2.0
# allot-collect label on an invented run (tests/runfixture.h), no server needed.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
}
strategies() {
    local list
    list=$(printf ', "%s"' "$@")
    echo "{\"schema\": \"allot-strategies\", \"version\": 1, \"strategies\": [${list:2}]}" > s.json
}
# Runs a command that must fail: exit code $1, one line on stderr that contains $2.
refused() {
    local want=$1 text=$2 rc=0
    shift 2
    "$@" > out 2> err || rc=$?
    [ "$rc" = "$want" ] || { echo "exit $rc, not $want: $(cat err)"; return 1; }
    grep -qF -- "$text" err || { echo "said: $(cat err)"; return 1; }
    [ ! -s out ]
}

@test "label writes outcomes and a table" {
    make_run run run
    make_run timing timing
    allot-collect label run o.h5 --timing timing > out 2> err
    grep -q '^bon@4 .* 0\.7000 ' out
    grep -q '^seconds: 20 cells measured, 22 modelled' out
    grep -q 'warning: 1 queries without a usable reference answer left out' err
    run grep grader err
    [ "$status" = 1 ]
    [ "$(allot-datasets inspect o.h5 --json | jq -c '[.fingerprint | has("grader")]')" = '[false]' ]
    allot-datasets inspect o.h5 --json | jq -e '.grading | has("grader") and (has("options") | not)'
    allot-collect label --quiet run own.h5 --decimals exact
    allot-datasets inspect own.h5 --json | jq -e '.grading.options == "decimals exact"'
}

@test "label tells what it read in each text" {
    make_run run run
    allot-collect label --quiet run o.h5 --answers read.jsonl --json > out
    jq -es --slurpfile o out '(map(select(.source == "pool")) | length) == $o[0].samples' read.jsonl
    jq -es --slurpfile o out '(map(select(.source == "pool" and .way == "boxed")) | length)
                                  == $o[0].answers_boxed' read.jsonl
    # the share of right ones is the label
    jq -es --slurpfile o out '(map(select(.source == "pool")) | (map(select(.right)) | length) / length)
        - ($o[0].strategies[] | select(.strategy == "single") | .accuracy) | fabs < 1e-9' read.jsonl
    [ "$(grep -c '"source":"beam@2x2x4"' read.jsonl)" -gt 0 ]
    [ "$(jq -s 'map(select(.way == "none" and .answer != null)) | length' read.jsonl)" -eq 0 ]
    refused 1 "cannot write 'nowhere/read.jsonl'" \
        allot-collect label --quiet run p.h5 --answers nowhere/read.jsonl
    [ ! -e p.h5 ]
}

@test "labels that are all 0 or all 1 are said loudly, with a text that shows it" {
    make_run run run
    allot-collect label --json run o.h5 2> err > out
    ! grep -q 'LABELS ARE\|all labels of\|for example' err
    jq -e '.all_labels == null' out
    cp run/journal.jsonl kept
    sed -i 's/boxed{[^}]*}/boxed{-777}/g' run/journal.jsonl
    allot-collect label --json run o.h5 2> err > out
    grep -q 'warning: ALL LABELS ARE 0: on 6 queries no strategy is ever right, .*--prompt-template.*--extract' err
    grep -qF 'warning: for example: the text "Let me see.\n\nThe answer is \\boxed{-777}", what was read in it is "-777" (boxed), the reference is "1"' err
    jq -e '.all_labels == 0' out
    # nothing read at all: no box, no phrase
    sed -i 's/The answer is \\\\boxed{-777}/fine/g' run/journal.jsonl
    allot-collect label run o.h5 2> err > out
    grep -qF 'the text "Let me see.\n\nfine", what was read in it is nothing, the reference is "1"' err
    # beam searches alone, those of others differ
    sed '/"t":"beam"/s/boxed{[^}]*}/boxed{-777}/g' kept > run/journal.jsonl
    allot-collect label --json run o.h5 2> err > out
    grep -q "warning: all labels of 'beam@2x2x4' are 0, on 6 queries, those of others are not" err
    grep -qF '\boxed{-777}", what was read' err
    ! grep -q 'LABELS ARE' err
    jq -e '.all_labels == null' out
    # each text has the answer of its query: 101, 201, ...
    python3 - << 'END'
import json, re
answer, lines = {}, [json.loads(line) for line in open("kept")]
texts = [(r["key"], t["text"]) for r in lines if r["t"] != "score" for t in r.get("gen", [])]
answer = {k: m[1] for k, t in texts if (m := re.search(r"boxed{(\d*01|1)}", t))}
with open("run/journal.jsonl", "w") as out:
    for r in lines:
        for t in r.get("gen", []):
            if "text" in t:
                t["text"] = "\\boxed{" + answer.get(r["key"], "1") + "}"
        out.write(json.dumps(r, separators=(",", ":")) + "\n")
END
    allot-collect label --json run o.h5 2> err > out
    grep -q 'warning: ALL LABELS ARE 1: on 6 queries every strategy is always right' err
    jq -e '.all_labels == 1' out
}

@test "runs that are not there yet are counted" {
    make_run run run
    grep -v '"source":"beam@2x2x4","run":3' run/journal.jsonl > some && mv some run/journal.jsonl
    allot-collect label run o.h5 --json > out 2> err
    jq -e '.short_runs == 12 and .missing_runs == 0' out
    grep -q 'warning: 12 cells of beam searches with fewer runs than asked for' err
}

@test "--json has stable keys" {
    make_run run run
    allot-collect label --json run o.h5 2> err > out
    jq -e '.queries == 6 and .no_reference == 1 and .samples == 48 and .label_rule == "subsets"
           and (.strategies | length) == 7 and .strategies[0].strategy == "single"
           and .strategies[0].seconds == null' out
}

@test "the same run gives the same bytes, a resumed one the same labels" {
    make_run run a
    make_run run b reversed duplicates torn
    allot-collect label --quiet a a.h5 > out
    allot-collect label --quiet a again.h5 > out
    cmp a.h5 again.h5
    allot-collect label b b.h5 > out 2> err
    grep -q 'warning: 120 duplicate records left out (the first counts)' err
    grep -q 'warning: 1 torn last line in the journal left out' err
    outcomes_equal a.h5 b.h5
}

@test "other strategies of the same pool need no new generation" {
    make_run run run
    strategies majority@3 weighted@4
    allot-collect label --quiet run o.h5 --strategies s.json --json > out
    jq -e '[.strategies[].strategy] == ["majority@3", "weighted@4"]' out
    strategies majority@16
    refused 4 "6 of 6 cells are missing" allot-collect label --quiet run p.h5 --strategies s.json
    [ ! -e p.h5 ]
}

@test "labelling again tells what changed, without generating anything" {
    make_run run run
    allot-collect label --quiet run o.h5 > out
    cp o.h5 old.h5
    allot-collect label --quiet run o.h5 > out
    grep -q 'against the old outcomes: 0 labels changed, 0 queries new, 0 gone' out
    # query 5's right samples get a wrong answer: only its labels change
    sed -i 's/boxed{501}/boxed{502}/g' run/journal.jsonl
    allot-collect label --quiet run o.h5 --json > out
    jq -e '.changed | .queries_gone == 0 and .queries_new == 0 and (.strategies | length) == 7
           and all(.strategies[]; .cells == 6 and .changed == 1 and .after < .before)' out
    cp old.h5 o.h5
    allot-collect label --quiet run o.h5 > out
    grep -q '^changed: single  *1 of 6 labels, by at most 0.6250, mean 0.3125 -> 0.2083' out
    # a file that is no outcomes is replaced if that is asked for, and said so
    echo text > o.h5
    refused 2 "cannot write 'o.h5': what is there is not a file of kind 'allot-outcomes'" \
        allot-collect label --quiet run o.h5
    allot-collect label --force run o.h5 > out 2> err
    grep -q 'warning: what changed cannot be told: ' err
    allot-collect label --quiet run o.h5 --json > out
    jq -e '.changed.strategies | all(.changed == 0)' out
}

@test "paper labels say so" {
    make_run run run
    allot-collect label --quiet --paper --json run o.h5 > out
    jq -e '.label_rule == "paper-bootstrap"' out
}

@test "missing cells are refused unless told" {
    make_run run run lost-scores
    refused 4 "3 of 42 cells are missing" allot-collect label --quiet run o.h5
    [ ! -e o.h5 ]
    allot-collect label run o.h5 --missing drop-query > out 2> err
    grep -q 'warning: 3 cells missing: too few reward-model scores' err
    grep -q '^5 queries' out
    allot-collect label --quiet run o.h5 --missing mask --json > out
    jq -e '.queries == 6 and .missing_scores == 3' out
    refused 2 "'perhaps'" allot-collect label --quiet run o.h5 --missing perhaps
}

@test "records of other settings are refused" {
    make_run run run other-cfg
    refused 5 "made with other settings than the manifest's" allot-collect label --quiet run o.h5
}

@test "a timing of other settings is refused" {
    make_run run run
    make_run timing timing
    sed -i 's/"temperature":.*0.8/"temperature": 1/' timing/manifest.json
    # its own records no longer fit its manifest: make them fit
    id=$(printf '{"generator":"invented","grader":"0","temperature":1}' | sha256sum | cut -c1-16)
    sed -i "s/\"cfg\":\"[0-9a-f]*\"/\"cfg\":\"$id\"/" timing/journal.jsonl
    refused 5 "temperature is 0.8 in the one and 1 in the other" \
        allot-collect label --quiet run o.h5 --timing timing
}

@test "bad input gets one clear line" {
    refused 1 "nowhere" allot-collect label nowhere o.h5
    make_run run run
    echo '{"t":"sample"}' >> run/journal.jsonl
    refused 4 "line 121 of 'run/journal.jsonl'" allot-collect label --quiet run o.h5
    make_run run run
    refused 5 "no rows at load 3" sh -c 'make_run timing timing &&
        allot-collect label --quiet run o.h5 --timing timing --load 3'
    head -c 100 run/problems.h5 > cut && mv cut run/problems.h5
    refused 4 "problems.h5" allot-collect label --quiet run o.h5
    refused 2 "" allot-collect label --quiet run
    [ ! -e o.h5 ]
}
