#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: cov.sh BUILD ROOM...   what the tests before executed, by room, and the least covered files.
set -eu
build=$1
shift
table=$build/coverage.txt
for room in "$@"; do
    find "$build/$room" -name '*.gcno' | while read -r notes; do
        gcov -n -o "$(dirname "$notes")" "$notes" 2> /dev/null
    done | awk -v room="$room" '
        /^File / { file = $2; gsub("\047", "", file) }
        /^Lines executed:/ && index(file, room "/") == 1 && file ~ /\.c$/ {
            split($0, part, /[:% ]+/)
            printf "%s %d %.0f\n", file, part[5], part[3] * part[5] / 100
            file = ""
        }'
done > "$table"
awk '{ split($1, at, "/"); n[at[1]] += $2; hit[at[1]] += $3; all += $2; all_hit += $3 }
    END {
        for (room in n) printf "%-10s %6d lines %5.1f %%\n", room, n[room], 100 * hit[room] / n[room]
        if (!all) { print "cov: nothing was counted"; exit 1 }
        printf "%-10s %6d lines %5.1f %%\n", "~all", all, 100 * all_hit / all
    }' "$table" | sort | sed 's/^~all/all /'
echo 'least covered:'
awk '$2 > 20 { printf "%5.1f %%  %s (%d lines)\n", 100 * $3 / $2, $1, $2 }' "$table" | sort -n | head -10
