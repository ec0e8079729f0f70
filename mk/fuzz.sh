#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: fuzz.sh MAKE BUILD SECONDS TARGET...   builds the targets with clang and runs each; new inputs
# go to BUILD/corpus/TARGET, an input that crashes to BUILD/crash-TARGET-*, which is then a failure.
set -eu
make=$1 build=$2 seconds=$3
shift 3
if ! echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return !d && n; }' |
    clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null; then
    echo 'fuzz: skipped, there is no clang with libFuzzer (Debian: clang libclang-rt-14-dev)'
    exit 0
fi
bins=
for t in "$@"; do bins="$bins $build/tests/fuzz/fuzz_$t"; done
$make --no-print-directory MODE=fuzz CC=clang $bins
for t in "$@"; do
    echo "== fuzz $t, $seconds s"
    mkdir -p "$build/corpus/$t" "tests/fuzz/corpus/$t"
    dictionary=
    [ ! -f "tests/fuzz/$t.dict" ] || dictionary=-dict=tests/fuzz/$t.dict
    ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1 \
        "$build/tests/fuzz/fuzz_$t" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/crash-$t-" $dictionary \
        "$build/corpus/$t" "tests/fuzz/corpus/$t" 2>"$build/$t.log" || {
        tail -40 "$build/$t.log"
        echo "fuzz $t: failed; keep the input in tests/fuzz/corpus/$t" >&2
        exit 1
    }
    grep -E 'number_of_executed_units|new_units_added' "$build/$t.log"
done
