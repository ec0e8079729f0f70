# SPDX-License-Identifier: Apache-2.0
# allot-datasets: import, import-outcomes, split, tinymath, embed, inspect.

setup() {
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    cd "$BATS_TEST_TMPDIR" || exit 1
}
# import LINE... [--OPTION...]: the lines as JSONL into p.h5
import() {
    : > in.jsonl
    while [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; do
        printf '%s\n' "$1" >> in.jsonl
        shift
    done
    rm -f p.h5
    allot-datasets import "$@" in.jsonl p.h5
}
# refuses CODE TEXT COMMAND...: exit code, text in the last line on stderr, no p.h5, no other file
refuses() {
    local code=$1 text=$2 rc=0
    shift 2
    "$@" > out 2> err || rc=$?
    [ "$rc" = "$code" ] || { echo "exit $rc, not $code: $(cat err)"; return 1; }
    [[ "$(tail -n 1 err)" == "allot-datasets: error: "*"$text"* ]] || { cat err; return 1; }
    [ ! -s out ] && [ ! -e p.h5 ] && [ -z "$(find . -name '.*.tmp')" ]
}
# counts JQ COMMAND...: the JSON that the command prints
counts() {
    local filter=$1
    shift
    "$@" --json > out.json 2> err || { cat err; return 1; }
    jq -e "$filter" out.json > /dev/null || { cat out.json; return 1; }
}

@test "import knows the fields of the public data sets" {
    counts '.written == 1' import '{"question": "1+1?", "answer": "so 2\n#### 2"}' --preset gsm8k
    counts '.written == 1' \
        import '{"problem": "1+1?", "solution": "\\boxed{2}", "type": "a", "level": "Level 1"}' \
        --preset math
    counts '.levels == {"Level 1": 1} and .sources == {"a": 1}' allot-datasets inspect p.h5
    counts '.written == 1' \
        import '{"problem": "1+1?", "answer": "2", "subject": "a", "level": 3, "unique_id": "x"}' \
        --preset math500
    counts '.levels == {"3": 1}' allot-datasets inspect p.h5
    counts '.written == 1' import '{"ID": "I-1", "Problem": "1+1?", "Answer": 2}' --preset aime
    counts '.written == 1' \
        import '{"problem": "1+1?", "solution": "\\boxed{2}", "source": "s"}' \
        --preset numina
    counts '.written == 1' import '{"source": "s", "problem": "1+1?", "solution": "so $\\boxed{2}$", '\
'"messages": [{"content": "1+1?", "role": "user"}]}' --preset numina
    counts '.answer == "2" and .source == "s"' allot-datasets show p.h5 '1+1?'
    counts '.written == 1' import '{"id": 3, "question": "1+1?", "final_answer": ["2", "3"], '\
'"solution": ["a", "b"], "subfield": "Algebra"}' --preset olympiad
    counts '.answer == "2, 3" and .solution == "a, b" and .source == "Algebra" and .id == "3"' \
        allot-datasets show p.h5 '1+1?'
    counts '.written == 1' import '{"q": "1+1?", "a": "2"}' --problem-field q --answer-field a
    refuses 2 "'x' is none of jsonl" import '{}' --preset x
}

@test "the same text is kept once, contradictions are left out, all are counted" {
    counts '.written == 2 and .lines == 7 and .bad == 0 and .duplicates == 1
        and .contradictions == 2 and .unanswered == 1
        and .examples.duplicates == [{"line": 2, "as_line": 1, "similarity": 1, "problem": " a  b "}]
        and (.examples.contradictions | map([.line, .as_line])) == [[4, 5], [5, 4]]
        and .examples.unanswered == [{"line": 6, "problem": "d"}]' import \
        '{"problem": "a b", "answer": "1/2"}' '{"problem": " a  b ", "answer": "0.5"}' '' \
        '{"problem": "c", "answer": "1"}' '{"problem": "c", "answer": "2"}' \
        '{"problem": "d"}' '{"problem": "e", "answer": "7"}'
    counts '.written == 3 and .unanswered == 0' \
        allot-datasets import --keep-unanswered in.jsonl k.h5
    counts '.written == 1' allot-datasets import --limit 1 in.jsonl one.h5
}

@test "bad lines are named; they stop the import or are counted" {
    local good='{"problem": "a", "answer": "1"}'
    refuses 4 "line 2 of 'in.jsonl': is not valid JSON at byte 16: no comma" \
        import "$good" '{"problem": "b"'
    refuses 4 "line 3 of 'in.jsonl': not a JSON object (1 of the 3 lines of the file are bad; mend \
them, or leave them out with --skip-bad)" import "$good" '' '[1]'
    refuses 4 'line 1 of '"'in.jsonl'"': no field "problem|question"' import '{"x": 1}'
    refuses 4 "line 1 of 'in.jsonl'" import '{"problem": ["a"], "answer": "1"}'
    refuses 4 "line 1 of 'in.jsonl': a field occurs twice" \
        import '{"problem": "a", "problem": "b", "answer": "1"}'
    refuses 4 "line 1 of 'in.jsonl': a field occurs twice" \
        import '{"problem": "a", "answer": "1", "x": [{"b": 1, "\u0062": 2}]}'
    refuses 4 "line 1 of 'in.jsonl': is not UTF-8 at byte 14" \
        import "$(printf '{"problem": "\xff\xfe", "answer": "1"}')"
    refuses 4 "line 1 of 'in.jsonl': holds a NUL byte" import '{"problem": "a\u0000b", "answer": "1"}'
    counts '.bad == 3 and .written == 1' import '{' "$good" '{"x": 1}' '7' --skip-bad
    counts '.bad == 7 and .written == 1' import 1 2 3 4 5 6 7 "$good" --skip-bad
    [ "$(grep -c "warning: line" err)" = 5 ]
    grep -q "warning: line 5 of 'in.jsonl': not a JSON object" err
}

@test "hostile files are refused and leave nothing" {
    printf '{"problem": "a\0b", "answer": "1"}\n' > in.jsonl
    refuses 4 "line 1 of 'in.jsonl': holds a NUL byte" allot-datasets import in.jsonl p.h5
    { printf '{"x":'; head -c 100000 /dev/zero | tr '\0' '['; } > in.jsonl
    refuses 4 "line 1 of 'in.jsonl': nested deeper than 64 levels" \
        allot-datasets import in.jsonl p.h5
    { head -c 53500000 /dev/zero | tr '\0' 'a'; printf '\n{"problem": "a", "answer": 1}\n'; } \
        > in.jsonl
    refuses 4 "line 1 of 'in.jsonl': longer than 52428800 bytes (53500000)" \
        allot-datasets import in.jsonl p.h5
    counts '.bad == 1 and .lines == 2 and .written == 1' \
        allot-datasets import --skip-bad in.jsonl one.h5
    : > in.jsonl
    refuses 4 "'in.jsonl' holds no problems" allot-datasets import in.jsonl p.h5
    refuses 1 "cannot read 'no.jsonl'" allot-datasets import no.jsonl p.h5
    refuses 4 "no problem is left (unanswered: 2)" \
        import '{"problem": "a"}' '{"problem": "b", "answer": ""}'
}

@test "what is no data set of lines is refused with what makes lines of it" {
    printf '[\n {"problem": "a", "answer": 1}\n]\n' > list.json
    refuses 4 "lines of the file are bad; make lines of it with 'jq -c .', of a list with 'jq -c .[]'" \
        allot-datasets import list.json p.h5
    jq -c .[] list.json > in.jsonl
    counts '.written == 1' allot-datasets import in.jsonl p.h5
    rm p.h5
    printf '{\n"problem": "a", "answer": 1}\n' > one.json
    refuses 4 "make lines of it with 'jq -c .'" allot-datasets import one.json p.h5
    printf 'PAR1\x15\x04' > x.parquet
    refuses 4 "cannot read 'x.parquet': it is a Parquet file, not lines in UTF-8 (in Python: pandas" \
        allot-datasets import x.parquet p.h5
    printf '\xff\xfe{\0' > x.jsonl
    refuses 4 "it is UTF-16 text" allot-datasets import x.jsonl p.h5
    allot-datasets tinymath --quiet --count 5 t.h5 > out
    refuses 4 "'t.h5': it is an HDF5 file" allot-datasets import t.h5 p.h5
    refuses 2 "is no file, and an import reads it twice (save it first)" \
        allot-datasets import <(cat in.jsonl) p.h5
    refuses 4 'no field "question" with a problem in it, but "problem", "a?b", "answer" (name it' \
        import '{"problem": "a", "a\nb": 0, "answer": 1}' --preset gsm8k
    printf 'problem;answer\na;1\n' > t.csv
    refuses 4 'with a problem in it, but "problem;answer" (name' allot-datasets import t.csv p.h5
    refuses 4 "NaN and Infinity are no JSON (write null)" import '{"problem": "a", "answer": NaN}'
}

@test "filters: proofs, multiple choice, length" {
    printf '%s\n' '{"problem": "Prove that 1+1=2.", "answer": "2"}' \
        '{"problem": "How many? (A) 1 (B) 2 (C) 3", "answer": "A"}' \
        '{"problem": "How many?\nA. 1\nB. 2\nC. 3", "answer": "A"}' \
        '{"problem": "f(A)+g(B)+h(C), approve that", "answer": "3"}' \
        '{"problem": "ää?", "answer": "3"}' '{"problem": "äää?", "answer": "4"}' > in.jsonl
    counts '.written == 6' allot-datasets import in.jsonl a.h5
    counts '.written == 2 and .proofs == 1 and .choices == 2 and .lengths == 1
        and .examples.proofs == [{"line": 1, "problem": "Prove that 1+1=2."}]
        and [.examples.choices[].line] == [2, 3] and [.examples.lengths[].line] == [5]' \
        allot-datasets import --no-proofs --no-choice --min-length 4 in.jsonl b.h5
    counts '.written == 2 and .lengths == 4' allot-datasets import --max-length 4 in.jsonl c.h5
    allot-datasets import --no-proofs in.jsonl d.h5 > text
    grep -q '^proofs  *1$' text && grep -q '^  line 1: Prove that 1+1=2.$' text
}

@test "a limit takes the first problems, or with --shuffle any, the same ones for a seed" {
    for i in {1..100}; do echo "{\"problem\": \"what is $i?\", \"answer\": $i}"; done > in.jsonl
    counts '.written == 20 and .behind_limit == 80' allot-datasets import --limit 20 in.jsonl a.h5
    allot-datasets show a.h5 "what is 20?" > out
    counts '.written == 20' allot-datasets import --limit 20 --shuffle --seed 7 in.jsonl b.h5
    cp b.h5 again.h5
    allot-datasets import --quiet --limit 20 --shuffle --seed 7 in.jsonl b.h5 > out
    cmp b.h5 again.h5
    # in the order of the file, from its beginning and its end
    for i in {1..100}; do allot-datasets show --json b.h5 "what is $i?" 2> err || true; done > rows
    jq -es 'length == 20 and ([.[].row] == [range(20)]) and
        (map(.answer | tonumber) | .[4] < 60 and .[15] > 40)' rows
    # another seed draws others; a larger limit only adds
    allot-datasets import --quiet --limit 20 --shuffle --seed 8 in.jsonl c.h5 > out
    allot-datasets import --quiet --limit 30 --shuffle --seed 7 in.jsonl d.h5 > out
    counts '.overlaps[1].count < 20' allot-datasets overlap --against c.h5 b.h5
    counts '.overlaps[1].count == 20' allot-datasets overlap --against d.h5 b.h5
    refuses 2 "--shuffle needs --limit" allot-datasets import --shuffle in.jsonl p.h5
}

@test "near-duplicates and what another file has are left out, with examples" {
    local words='a train leaves the station at noon and drives to the city by the sea with'
    words="$words many people who want to swim how far is it when they arrive at"
    printf '{"problem": "%s", "answer": 1}\n' "$words 2 pm" "Other: what is 1+1" "$words 2 PM!" \
        "$words 3 pm" "$words twelve: how many people swim, and who does not want to go at all?" \
        "Other: what is 1-1" > in.jsonl
    counts '.written == 4 and .near_duplicates == 2
        and (.examples.near_duplicates | map([.line, .as_line]) == [[3, 1], [4, 1]])
        and .examples.near_duplicates[0].similarity == 1
        and (.examples.near_duplicates[1].similarity | . > 0.8 and . < 1)' \
        allot-datasets import --near 0.8 in.jsonl a.h5
    printf '{"question": "%s"}\n' 'Other:  what is 1+1' "$words 5 pm" nothing > test.jsonl
    counts '.written == 2 and .contaminated == 4
        and (.examples.contaminated | map([.line, .as_line]) == [[1, 2], [2, 1], [3, 2]])
        and .examples.contaminated[1].similarity == 1' \
        allot-datasets import --against test.jsonl in.jsonl b.h5
    counts '.written == 1 and .contaminated == 4 and .near_duplicates == 0' allot-datasets import \
        --against test.jsonl --near 0.5 --limit 1 in.jsonl b.h5
    counts '.written == 5 and .contaminated == 1' \
        allot-datasets import --against test.jsonl --against-near 1 in.jsonl b.h5
    counts '.written == 1 and .contaminated == 5' \
        allot-datasets import --against b.h5 --against-near 1 in.jsonl c.h5
    echo '{' >> test.jsonl
    refuses 4 "line 4 of 'test.jsonl'" allot-datasets import --against test.jsonl in.jsonl p.h5
    refuses 2 "--near" allot-datasets import --near 0.1 in.jsonl p.h5
}

@test "overlap: within a file, between its splits, against another file" {
    local words='a train leaves the station at noon and drives to the city by the sea with'
    words="$words many people who want to swim how far is it when they arrive at"
    printf '{"problem": "%s", "answer": 1}\n' "$words 2 pm" "$words 3 pm" "$words 4 pm" \
        "$words 5 pm" "$words 6 pm" "$words 7 pm" "what is 1+1" "what is 2+2" > in.jsonl
    allot-datasets import in.jsonl a.h5 > out
    counts '.overlaps == [.overlaps[0]] and (.overlaps[0]
        | .queries_of == "all" and .count == 5 and .queries == 8 and (.examples | length) == 3
        and .examples[0].similarity > 0.8 and (.examples[0].as | endswith("2 pm")))' \
        allot-datasets overlap a.h5
    for seed in {1..20}; do # until train and test both hold such a problem
        allot-datasets split --seed $seed --fractions 0.4,0.1,0.1,0.4 a.h5 s.h5 > out 2>&1
        counts '.overlaps[4] | .queries_of == "test" and .like == "train"' \
            allot-datasets overlap --splits s.h5 a.h5
        jq -e '.overlaps[4].count > 0 and .overlaps[4].count < .overlaps[4].queries' out.json && break
    done
    jq -e '(.overlaps | length) == 7 and .overlaps[4].count > 0' out.json
    for seed in {1..20}; do # kept together, they never are in two
        allot-datasets split --near 0.6 --seed $seed --fractions 0.4,0.1,0.1,0.4 a.h5 s.h5 > out 2>&1
        counts '[.overlaps[1:][].count] | add == 0' allot-datasets overlap --splits s.h5 a.h5
    done
    counts '.fractions == "0.4,0.1,0.1,0.4;near=0.6"' allot-datasets inspect s.h5
    printf '{"question": "%s"}\n' 'what is  1+1' "$words 9 pm" > test.jsonl
    counts '.overlaps[1] | .like == "test.jsonl" and .count == 7
        and ([.examples[].as_line] == [2, 2, 2])' allot-datasets overlap --against test.jsonl a.h5
    counts '.overlaps[1].count == 1 and .overlaps[1].examples[0].as_line == 1' \
        allot-datasets overlap --against test.jsonl --near 1 a.h5
    allot-datasets overlap --against test.jsonl --near 1 a.h5 > text
    grep -q '^1 of 8 queries of all are like one of test.jsonl$' text
    allot-datasets tinymath --count 5 other.h5 > out
    allot-datasets split other.h5 s.h5 > out 2>&1
    refuses 5 "do not belong together" allot-datasets overlap --splits s.h5 a.h5
}

@test "packed files are known by their first bytes and unpacked as they are read" {
    for i in {1..3000}; do echo "{\"problem\": \"what is $i?\", \"answer\": $i}"; done > in.jsonl
    allot-datasets import in.jsonl plain.h5 > out
    head -1000 in.jsonl | gzip > packed
    tail -n +1001 in.jsonl | gzip >> packed
    counts '.written == 3000 and .lines == 3000' allot-datasets import packed g.h5
    allot-datasets show plain.h5 "what is 2999?" | tail -n +2 > want
    allot-datasets show g.h5 "what is 2999?" | tail -n +2 | cmp want
    head -c 3000 packed > cut
    refuses 4 "cannot unpack 'cut' behind line" allot-datasets import cut p.h5
    grep -q "the file ends too early" err
    { head -c 2000 packed; head -c 2000 /dev/zero; } > damaged
    refuses 4 "cannot unpack 'damaged'" allot-datasets import --skip-bad damaged p.h5
    command -v zstd > /dev/null || skip "no zstd program"
    { head -10 in.jsonl | zstd; tail -n +11 in.jsonl | zstd; } > packed 2> /dev/null
    counts '.written == 3000' allot-datasets import packed z.h5
    head -c 3000 packed > cut
    refuses 4 "cannot unpack 'cut' behind line" allot-datasets import cut p.h5
}

@test "a bomb costs no memory" {
    { head -c 300000000 /dev/zero | tr '\0' ' '; printf '\n{"problem": "a", "answer": 1}\n'; } |
        gzip -1 > bomb.gz
    # the address sanitizer maps terabytes, which it does not fill, and keeps what was freed: it has
    # a limit of its own (91 MB are taken then, 66 MB without it, where the bomb has 300)
    if [[ "$ALLOT_BUILD" == */asan ]]; then
        export ASAN_OPTIONS="quarantine_size_mb=1:hard_rss_limit_mb=250:${ASAN_OPTIONS:-}"
    else
        ulimit -v 250000
    fi
    counts '.bad == 1 and .written == 1' allot-datasets import --skip-bad bomb.gz b.h5
}

@test "CSV and TSV: quoted fields over several lines, packed too" {
    printf 'id,question,answer,level\r\n7,"what is\r\n""1"", and 2?",3,easy\r\n8,plain,4,\r\n' > t.csv
    counts '.written == 2 and .lines == 4' allot-datasets import t.csv c.h5
    counts '.id == "7" and .level == "easy" and .answer == "3"' \
        allot-datasets show c.h5 'what is "1", and 2?'
    printf 'problem\tanswer\n"a\tb,"\t1\nc\t"2"\n' | gzip > t.tsv.gz
    counts '.written == 2' allot-datasets import t.tsv.gz t.h5
    counts '.answer == "1"' allot-datasets show t.h5 'a b,'
    cp t.csv named.txt
    counts '.written == 2' allot-datasets import --format csv named.txt n.h5
    printf 'problem,answer\na,1,2\nb,2\nc "x,3\nd,4\n"e" f,5\n' > t.csv
    refuses 4 "line 4 of 't.csv': a quote is not closed" allot-datasets import t.csv p.h5
    printf 'problem,answer\na,1,2\nb,2\n"e" f,5\n' > t.csv
    refuses 4 "line 2 of 't.csv': has 3 fields, the header has 2 (2 of" \
        allot-datasets import t.csv p.h5
    printf 'problem,answer\na,1\n"b,2\nc,3\n' > t.csv
    refuses 4 "line 3 of 't.csv': a quote is not closed" allot-datasets import --skip-bad t.csv p.h5
    printf 'problem,answer,answer\na,1,1\n' > t.csv
    refuses 4 "the header of 't.csv' has 'answer' twice" allot-datasets import t.csv p.h5
    printf 'x,y\na,1\n' > t.csv
    refuses 4 "line 2 of 't.csv': no field \"problem|question\"" allot-datasets import t.csv p.h5
    printf 'problem,answer\n\xff,1\n' > t.csv
    refuses 4 "line 2 of 't.csv': is not UTF-8 at byte 1" allot-datasets import t.csv p.h5
    printf 'problem,answer\na\0b,1\n' > t.csv
    refuses 4 "line 2 of 't.csv': holds a NUL byte" allot-datasets import t.csv p.h5
}

@test "outcomes from a table: labels, variances and missing cells" {
    cat > t.csv << 'END'
query,strategy,trials,successes,tokens,seconds
"What is 1+1, and ""why""?",single,4,1,10,0.5
"What is 1+1, and ""why""?",majority@4,2,2,40.5,
What is 2+2?,single,8,4,12,1
END
    counts '. == {"queries": 2, "strategies": 2, "missing": 1}' \
        allot-datasets import-outcomes --name logs t.csv o.h5
    counts '.fingerprint == {"imported": "logs"} and .labels == "imported"
        and .strategies == [
        {"strategy": "single", "accuracy": 0.375, "tokens": 11, "seconds": 0.75, "missing": 0},
        {"strategy": "majority@4", "accuracy": 1, "tokens": 40.5, "seconds": null, "missing": 1}]' \
        allot-datasets inspect o.h5
    (head -1 t.csv && tail -n +2 t.csv | tac) > back.csv
    allot-datasets import-outcomes --name logs back.csv p.h5 > out
    cmp <(h5_values p.h5) <(h5_values o.h5)
}
h5_values() {
    allot-datasets inspect --json "$1" | jq -S '.strategies |= sort_by(.strategy) | del(.file)'
}

@test "rows are trials only when told" {
    printf '%s\n' '{"query": "1+1=?", "strategy": "my way", "correct": 1, "tokens": 4}' \
        '{"query": "1+1=?", "strategy": "my way", "correct": false, "tokens": 6}' > t.jsonl
    refuses 4 "line 1 of 't.jsonl': strategy (--named takes any text as a name): " \
        allot-datasets import-outcomes t.jsonl p.h5
    refuses 4 "'t.jsonl': 1 of 2 rows repeat a query and strategy" \
        allot-datasets import-outcomes --named t.jsonl p.h5
    allot-datasets import-outcomes --named --trials t.jsonl p.h5 > out
    counts '.strategies[0] == {"strategy": "named:\"my way\"", "accuracy": 0.5, "tokens": 5,
        "seconds": null, "missing": 0}' allot-datasets inspect p.h5
}

@test "outcomes by key need the problems" {
    import '{"problem": "1+1=?", "answer": "2"}' > out && mv p.h5 problems.h5
    key=$(printf '1+1=?' | sha256sum | cut -c1-64)
    printf 'query,strategy,correct,tokens\n%s,single,1,9\n' "$key" > t.csv
    refuses 4 "line 2 of 't.csv': query ${key:0:16} is given by its key" \
        allot-datasets import-outcomes t.csv p.h5
    allot-datasets import-outcomes --problems problems.h5 t.csv o.h5 > out
    printf '1+2=?,single,1,9\n' >> t.csv
    refuses 5 "1 of the 2 queries of 't.csv' are not in 'problems.h5', e.g. key" \
        allot-datasets import-outcomes --problems problems.h5 t.csv p.h5
}

# table CODE TEXT ROW: a table with this row under a full header is refused
table() {
    printf 'query,strategy,correct,trials,successes,accuracy,tokens,seconds\n%s\n' "$3" > t.csv
    refuses "$1" "$2" allot-datasets import-outcomes t.csv p.h5
}

@test "tables with tabs, packed ones and a byte order mark" {
    printf 'query\tstrategy\tcorrect\ttokens\nwhat is\tsingle\t1\t1\nwhat\tsingle\t0\t1\n' > t.tsv
    counts '.queries == 2' allot-datasets import-outcomes --name t t.tsv a.h5
    gzip -k t.tsv
    counts '.queries == 2' allot-datasets import-outcomes --name t t.tsv.gz b.h5
    [ "$(h5_values a.h5)" = "$(h5_values b.h5)" ]
    printf '\xef\xbb\xbf{"query": "what is", "strategy": "single", "correct": 1, "tokens": 3}\n' > t.jsonl
    counts '.queries == 1' allot-datasets import-outcomes t.jsonl c.h5
    printf 'query,strategy,correct,tokens\na\0b,single,1,1\n' > t.csv
    refuses 4 "line 2 of 't.csv': holds a NUL byte" allot-datasets import-outcomes t.csv p.h5
    { printf '{"query": "'; head -c 53000000 /dev/zero | tr '\0' x; printf '"}\n'; } > t.jsonl
    refuses 4 "line 1 of 't.jsonl': longer than 52428800 bytes" \
        allot-datasets import-outcomes t.jsonl p.h5
}

@test "tables are read strictly" {
    table 4 "line 2 of 't.csv': accuracy: 'nan' is not" '1+1=?,single,,,,nan,1,'
    table 4 "line 2 of 't.csv': accuracy: " '1+1=?,single,,,,1.01,1,'
    table 4 "line 2 of 't.csv': correct: '2' is not 0, 1, true or false" '1+1=?,single,2,,,,1,'
    table 4 "line 2 of 't.csv': trials: 0 is not a whole number" '1+1=?,single,,0,0,,1,'
    table 4 "line 2 of 't.csv': successes: " '1+1=?,single,,3,4,,1,'
    table 4 "line 2 of 't.csv': successes: 1.5 is not a whole" '1+1=?,single,,3,1.5,,1,'
    table 4 "line 2 of 't.csv': a row has correct, or" '1+1=?,single,1,,,0.5,1,'
    table 4 "line 2 of 't.csv': a row has correct, or" '1+1=?,single,,,,,1,'
    table 4 "line 2 of 't.csv': tokens: " '1+1=?,single,1,,,,-1,'
    table 4 "line 2 of 't.csv': it has no tokens" '1+1=?,single,1,,,,,'
    table 4 "line 2 of 't.csv': seconds: " '1+1=?,single,1,,,,1,inf'
    table 4 "line 2 of 't.csv': 9 fields, the header has 8" '1+1=?,single,1,,,,1,,'
    table 4 "line 2 of 't.csv': a quote is not closed" '"1+1=?,single,1,,,,1,'
    table 4 "line 2 of 't.csv': text behind a closing quote" '"1+1"=?,single,1,,,,1,'
    table 4 "line 2 of 't.csv'" "$(printf '\xff\xff\xff\xff,single,1,,,,1,')"
    printf 'query,tokens\n' > t.csv
    refuses 4 "does not name the columns query and strategy" \
        allot-datasets import-outcomes t.csv p.h5
    printf 'query,strategy,query\n' > t.csv
    refuses 4 "the header names column 'query' twice" allot-datasets import-outcomes t.csv p.h5
    printf 'query,strategy\0,x\n' > t.csv
    refuses 4 "line 1 of 't.csv': holds a NUL byte" allot-datasets import-outcomes t.csv p.h5
    : > t.jsonl
    refuses 4 "'t.jsonl'" allot-datasets import-outcomes t.jsonl p.h5
}

@test "tinymath: same seed, same bytes; another seed, others" {
    allot-datasets tinymath --count 200 --seed 5 a.h5 > out
    allot-datasets tinymath --count 200 --seed 5 b.h5 > out
    allot-datasets tinymath --count 200 --seed 6 c.h5 > out
    cmp a.h5 b.h5
    ! cmp -s a.h5 c.h5 || false
    counts '.queries == 200 and .with_answer == 200 and
        (.sources | keys) == ["chain", "long", "sum"]
        and ([.sources[]] | add) == 200' allot-datasets inspect a.h5
    refuses 2 "--count: 0 is not within" allot-datasets tinymath --count 0 p.h5
}

@test "a query stays in its split when others are added" {
    allot-datasets tinymath --count 300 some.h5 > out
    allot-datasets tinymath --count 900 more.h5 > out
    counts '.train + .validation + .calibration + .test == 300' allot-datasets split some.h5 s.h5
    jq -r .split_id out.json > id
    counts '.train + .validation + .calibration + .test == 900 and .train > 480 and .train < 600' \
        allot-datasets split more.h5 m.h5
    [ "$(jq -r .split_id out.json)" = "$(cat id)" ]
    allot-datasets split --seed 2 some.h5 other.h5 > out
    ! cmp -s s.h5 other.h5 || false
}

@test "stratified shares hold in each source; wrong fractions are refused" {
    allot-datasets tinymath --count 1000 some.h5 > out
    counts '(.train - 500 | . * .) <= 9 and (.test - 200 | . * .) <= 9' \
        allot-datasets split --by source --fractions 0.5,0.2,0.1,0.2 some.h5 s.h5
    refuses 2 "add up to 0.9, not 1" allot-datasets split --fractions 0.5,0.2,0.1,0.1 some.h5 p.h5
    for f in 0.5,0.5 0.5,0.5,0,0 a,b,c,d 0.25,0.25,0.25,0.25, nan,0.5,0.25,0.25; do
        refuses 2 "'$f' is not four numbers above 0" \
            allot-datasets split --fractions $f some.h5 p.h5
    done
    refuses 2 "--by: 'x' is neither source nor level" allot-datasets split --by x some.h5 p.h5
}

@test "embed --ngram: same bytes, the dimension asked for" {
    allot-datasets tinymath --count 50 some.h5 > out
    counts '.queries == 50 and .dimension == 96' allot-datasets embed --ngram --dim 96 some.h5 a.h5
    allot-datasets embed --ngram --dim 96 some.h5 b.h5 > out
    cmp a.h5 b.h5
    counts '.dimension == 96 and .model == "allot-ngram-1" and .normalized' \
        allot-datasets inspect a.h5
    refuses 2 "--dim" allot-datasets embed --ngram --dim 0 some.h5 p.h5
}

@test "inspect says what each kind of file holds" {
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output probe.h5 --epochs 2 --hidden 8 > train.log
    allot-export --quiet --uncalibrated --probe probe.h5 --costs costs.json \
        --output model.safetensors > export.log 2>&1
    allot-datasets tinymath --count 5 problems.h5 > out
    for f in problems.h5 splits.h5 outcomes.h5 ngram.emb.h5 probe.h5; do
        counts ".file == \"$f\" and (.schema | startswith(\"allot-\"))" allot-datasets inspect $f
        allot-datasets inspect $f > text
        [ "$(head -1 text)" = "file: $f" ]
    done
    counts '.loads[0].load == 1' allot-datasets inspect costs.json
    counts '.manifest.schema == "allot-bundle"' allot-datasets inspect model.safetensors
}

@test "inspect counts the most frequent sources first, and shows the first queries" {
    for i in $(seq 30); do
        echo "{\"problem\": \"$i\\n$i\", \"answer\": $i, \"source\": \"s$((i % 25))\", \"level\": \"3\"}"
    done > in.jsonl
    printf '{"problem": "x", "answer": 1, "source": "%s"}\n' "$(printf 'ä%.0s' {1..99})" >> in.jsonl
    allot-datasets import in.jsonl p.h5 > out
    counts '.distinct_sources == 26 and (.sources | length) == 20 and .distinct_levels == 1
        and [(.sources | to_entries)[:6][] | .value] == [2, 2, 2, 2, 2, 1]
        and .examples[0].problem == "1 1" and .examples[2].answer == "3"' \
        allot-datasets inspect p.h5
    key=$(jq -r .examples[1].key out.json)
    counts '.answer == "2"' allot-datasets show p.h5 "$key"
    allot-datasets inspect p.h5 | grep -q "^  $key "
    tail -n 1 in.jsonl > one.jsonl
    allot-datasets import one.jsonl one.h5 > out
    counts '.sources | keys == ["'"$(printf 'ä%.0s' {1..30})"'"]' allot-datasets inspect one.h5
}

@test "import-embeddings: vectors of others go where their queries are" {
    printf '%s\n' '{"problem": "1+1?", "answer": "2"}' '{"problem": "2+2?", "answer": "4"}' > p.jsonl
    { printf '\x93NUMPY\1\0\x43\0'
      printf '%-66s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }"
      printf '\0\0\200\77\0\0\0\100'; } > x.npy
    counts '.queries == 2 and .dimension == 1 and .repeated == 0' allot-datasets import-embeddings \
        --npy x.npy --order p.jsonl --model bert --pooling cls x.emb.h5
    counts '.model == "bert" and .pooling == "cls" and (.normalized | not)' \
        allot-datasets inspect x.emb.h5
    refuses 2 "give either --keys or --order" \
        allot-datasets import-embeddings --npy x.npy --model bert p.h5
    refuses 2 "--npy" allot-datasets import-embeddings --order p.jsonl --model bert p.h5
    head -1 p.jsonl > one.jsonl
    refuses 5 "'one.jsonl' names 1 rows, 'x.npy' has 2" \
        allot-datasets import-embeddings --npy x.npy --order one.jsonl --model bert p.h5
}

@test "show finds a query by its key or its text in every kind of file" {
    import '{"problem": "1 + 1?", "answer": "2"}' '{"problem": "a?", "answer": "1/2"}' > out
    mv p.h5 two.h5
    counts '.answer_kinds == {"number": 2}' allot-datasets inspect two.h5
    counts '.row == 0 and .problem == "1 + 1?" and .answer == "2" and .characters == 6' \
        allot-datasets show two.h5 ' 1 +  1?'
    key=$(jq -r .key out.json)
    [ "$key" = "$(printf '1 + 1?' | sha256sum | cut -c1-64)" ]
    counts '.problem == "1 + 1?"' allot-datasets show two.h5 ${key:0:8}
    refuses 4 "'two.h5' has no query with key" allot-datasets show two.h5 ${key:0:7}
    counts '.median_characters == 4 and .shortest_characters == 2
        and .import.written == 2 and .import.lines == 2 and (.splits | not)' \
        allot-datasets inspect two.h5
    allot-datasets split two.h5 two.splits.h5 > out 2>&1
    counts '([.splits[]] | add) == 2 and .near_duplicates == 0' \
        allot-datasets inspect --near 0.8 --splits two.splits.h5 two.h5
    counts '(.files | length) == 2 and .files[0].answer_kind == "number"
        and .files[0].key == .files[1].key and .files[1].split' \
        allot-datasets show two.h5 two.splits.h5 '1 + 1?'
    allot-datasets show two.h5 two.splits.h5 '1 + 1?' > text
    [ "$(grep -c '^file: two' text)" = 2 ]
    grep -q '^split: ' text
    import '{"problem": "a", "answer": "1", "id": "train/7"}' \
        '{"problem": "b", "answer": "2", "id": "x"}' '{"problem": "c", "answer": "3", "id": "x"}' > out
    mv p.h5 ids.h5
    allot-datasets split ids.h5 ids.splits.h5 > out 2>&1
    counts '.files[0].problem == "a" and .files[1].split' \
        allot-datasets show ids.h5 ids.splits.h5 train/7
    refuses 4 "'ids.h5' has no query with key" allot-datasets show ids.h5 x
    refuses 4 "or the id that problems.h5, the first file, has" \
        allot-datasets show ids.splits.h5 train/7
    make_tables . 60
    query=$(head -1 queries.jsonl | jq -r .problem)
    counts '(.split | IN("train", "validation", "calibration", "test")) and .row == 0' \
        allot-datasets show splits.h5 "$query"
    counts '(.embedding | length) == 64 and .length > 0' allot-datasets show ngram.emb.h5 "$query"
    counts '(.strategies | length) == 6 and .strategies[0].strategy == "single"
        and .strategies[0].trials > 0' allot-datasets show outcomes.h5 "$query"
    refuses 4 "'outcomes.h5' has no query with key ${key:0:16} among its 60" \
        allot-datasets show outcomes.h5 "$key"
}
