# SPDX-License-Identifier: Apache-2.0
# make install and uninstall, and a program of a user's own against the installed library.

setup() {
    unset MODE MAKEFLAGS MFLAGS # what a user installs, whatever is being tested
    root="$BATS_TEST_DIRNAME/../.."
    dest="$BATS_TEST_TMPDIR/root"
}

@test "what install puts there, uninstall takes away" {
    make -s -C "$root" install DESTDIR="$dest" PREFIX=/usr > /dev/null
    [ -x "$dest/usr/bin/allot-select" ]
    [ ! -e "$dest/usr/bin/allot-demo-server" ]
    [ -s "$dest/usr/share/man/man1/allot-select.1" ]
    [ -s "$dest/usr/share/allot/default.json" ]
    [ -s "$dest/usr/share/allot/pipeline.mk" ]
    make -s -C "$root" uninstall DESTDIR="$dest" PREFIX=/usr > /dev/null
    [ -z "$(find "$dest" -type f)" ]
}

@test "a program selects with the installed library alone" {
    make -s -C "$root" install DESTDIR="$dest" PREFIX=/usr > /dev/null
    cd "$BATS_TEST_TMPDIR" || exit 1
    PATH="$ALLOT_BIN:$ALLOT_BUILD/tests/tools:$PATH"
    make_tables . 60
    allot-train --quiet --outcomes outcomes.h5 --embeddings ngram.emb.h5 --splits splits.h5 \
        --output p.h5 --epochs 2 --hidden 8 > train.log
    allot-export --quiet --uncalibrated --probe p.h5 --costs costs.json --output m.safetensors
    cat > choose.c << 'END'
#include <allot/allot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    allot_bundle b;
    allot_err err = {0};
    allot_rule rule;
    int chosen;
    char name[ALLOT_STRATEGY_TEXT];
    if (argc != 3 || allot_bundle_load(argv[1], &b, &err)) return 1;
    float *x = calloc((size_t)b.probe.d, sizeof *x);
    float *scratch = malloc(allot_scratch_floats(&b) * sizeof *scratch);
    double *accuracy = malloc((size_t)b.strategies.count * sizeof *accuracy);
    size_t n = strlen(argv[2]);
    allot_ngram_embed(argv[2], n, b.probe.d, x);
    allot_rule_defaults(&rule);
    rule.lambda_per_token = 1;
    if (allot_bundle_select(&b, &rule, x, allot_features_codepoints(argv[2], n), scratch, accuracy,
                            &chosen, &err))
        return 1;
    allot_strategy_print(&b.strategies.at[chosen], name);
    printf("%s\n", name);
    free(x);
    free(scratch);
    free(accuracy);
    allot_bundle_clear(&b);
    return 0;
}
END
    export PKG_CONFIG_PATH="$dest/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$dest"
    # shellcheck disable=SC2046
    cc -Wall -Werror -o choose choose.c $(pkg-config --cflags --libs allot)
    [ "$(./choose m.safetensors '1 + 2 =')" = single ]
}
