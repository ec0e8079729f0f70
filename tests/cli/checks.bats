# SPDX-License-Identifier: Apache-2.0
# The checks of the plan of the house can fail: each is shown what it is there to find.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || exit 1
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir "$tree"
    cp -r liballot lib datasets collect train calibrate export select run eval demo mk Makefile .clang-format \
        .clang-tidy "$tree"
    cd "$tree" || exit 1
}
# finds TEXT FILE LINE: with this line in this file check-layers fails and says so
finds() {
    local rc=0
    cp "$2" kept
    echo "$3" >> "$2"
    sh mk/check_layers.sh > out 2>&1 || rc=$?
    mv kept "$2"
    [ "$rc" = 1 ] || { echo "exit $rc: $(cat out)"; return 1; }
    grep -qF -- "$1" out || { cat out; return 1; }
}

@test "check-layers finds who includes what it may not know" {
    sh mk/check_layers.sh
    finds "lib/labels may not know lib/engine" lib/labels/label.c '#include "lib/engine/engine.h"'
    for room in train calibrate export eval lib/labels lib/store; do
        file=$(ls "$room"/*.c | head -1)
        finds "$room may not know lib/net" "$file" '#include "lib/net/http.h"'
    done
    finds "collect may not know train" collect/sample.c '#include "train/fit.h"'
    finds "may not include cblas" train/fit.c '#include <cblas.h>'
    finds "may not include gsl/" train/fit.c '#include <gsl/gsl_math.h>'
    cp train/fit.h eval/fit.h
    ! sh mk/check_layers.sh 2> out
    grep -q "file names are unique in the tree" out
}

# fails TEXT COMMAND...: fails, and says so
fails() {
    local rc=0
    "${@:2}" > out 2>&1 || rc=$?
    [ "$rc" -ne 0 ] || { echo "did not fail: $(cat out)"; return 1; }
    grep -qE -- "$1" out || { cat out; return 1; }
}

@test "check-format finds a file that is formatted otherwise" {
    make check-format > out
    ! grep -q skipped out || skip "$(cat out)"
    echo 'int  odd( void ) ;' >> train/fit.h
    fails "train/fit.h:.*clang-format-violations" make check-format
}

@test "tidy finds functions that are too long or too tangled, and leaks" {
    command -v clang-tidy || skip "there is no clang-tidy"
    tidy() { make tidy JOBS=1 TIDY=export/added.c "$@"; }
    {
        echo 'int long_one(int x); int long_one(int x) {'
        for _ in $(seq 60); do echo '    x++;'; done
        printf 'return x;\n}\n'
    } > export/added.c
    fails "'long_one' exceeds recommended size" tidy
    {
        echo 'int tangled(int x); int tangled(int x) {'
        for _ in 1 2 3 4 5 6 7; do echo 'if (x--) {'; done
        echo 'x++; } } } } } } } return x; }'
    } > export/added.c
    fails "'tangled' has cognitive complexity of 28" tidy
    echo '#include <stdlib.h>
        int leak(void); int leak(void) { int *p = malloc(4); return !p; }' > export/added.c
    fails "Potential leak of memory" tidy
}

@test "WERROR=1 finds a switch that forgets a value, and a cast that drops const" {
    object=build/release/export/added.o
    echo 'enum e { A, B }; int f(enum e); int f(enum e e) { switch (e) { case A: return 1; default: return 0; } }' \
        > export/added.c
    fails "switch-enum" make WERROR=1 $object
    echo 'char *f(const char *); char *f(const char *s) { return (char *)s; }' > export/added.c
    fails "cast-qual" make WERROR=1 $object
}

@test "compile_commands.json compiles what it lists" {
    make compile_commands.json
    [ "$(jq length compile_commands.json)" -gt 150 ]
    eval "$(jq -r '.[] | select(.file == "train/fit.c") | .command' compile_commands.json) -o fit.o"
    [ -s fit.o ]
}

@test "a step of .ci that fails, or counts a failure, is counted" {
    mkdir -p ci && cp "$BATS_TEST_DIRNAME/../../.ci/steps.sh" ci
    ci() { bash -c 'cd ci; . steps.sh; '"$1; finish"; }
    fails '^0 passed, 0 failed' ci :
    fails '^1 passed, 1 failed' ci 'step false; step true'
    fails '^3 passed, 2 failed' ci 'step sh -c "echo 3 passed, 2 failed, 1 skipped; exit 1"'
    fails '^3 passed, 1 failed' ci 'step sh -c "echo 3 passed, 0 failed; exit 7"'
    ci 'step true; step sh -c "echo 7 passed, 0 failed, 2 skipped"' | grep -x '8 passed, 0 failed'
}
