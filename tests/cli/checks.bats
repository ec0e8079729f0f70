# SPDX-License-Identifier: Apache-2.0
# The checks of the plan of the house can fail: each is shown what it is there to find.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || exit 1
    tree="$BATS_TEST_TMPDIR/tree"
    mkdir "$tree"
    cp -r liballot lib datasets collect train calibrate export select run eval demo mk Makefile "$tree"
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
