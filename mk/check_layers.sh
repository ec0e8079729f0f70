#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may know whom: rooms include only what the plan of the house allows, and each third-party
# library has its one adapter.
bad=0
say() { echo "check-layers: $*" >&2; bad=1; }

# room: rooms whose headers it may include. Only net reaches a server: what does not see it cannot.
store='liballot lib/core lib/store'
rules="liballot:
lib/core:liballot
lib/store:liballot lib/core
lib/net:liballot lib/core
lib/grade:liballot lib/core
lib/extract:liballot lib/core lib/grade
lib/methods:$store lib/grade lib/extract
lib/labels:$store lib/grade lib/extract lib/methods
lib/readers:$store
lib/engine:$store lib/net lib/grade lib/extract lib/methods
lib/decide:$store lib/net lib/engine
datasets:$store lib/net lib/grade lib/extract lib/readers
collect:$store lib/net lib/grade lib/extract lib/methods lib/labels lib/engine
run:$store lib/net lib/grade lib/extract lib/methods lib/engine lib/decide
select:$store lib/decide
train:$store
calibrate:$store
export:$store
eval:$store
demo:liballot lib/core"
all=$(echo "$rules" | sed 's/:.*//')
found=$(echo "$rules" | while IFS=: read -r room may; do
  for other in $all; do
    case " $room $may " in *" $other "*) continue ;; esac
    hit=$(grep -nE "^ *# *include +\"$other/" "$room"/*.[ch] 2>/dev/null | head -1)
    [ -n "$hit" ] && echo "check-layers: $room may not know $other: $hit"
  done
done)
[ -n "$found" ] && { echo "$found" >&2; bad=1; }

# header pattern: files that may include it
only() {
  pattern=$1; shift
  hits=$(grep -rlE "^ *# *include +[<\"]$pattern" --include=*.[ch] $all 2>/dev/null)
  for f in $hits; do
    case " $* " in *" $f "*) ;; *) say "$f may not include $pattern (only: $*)" ;; esac
  done
}
only 'hdf5' lib/store/h5file.h
only 'curl/' lib/net/httphandle.h
only 'cblas' train/gemm.c
only 'openssl/' lib/core/hash.c
only 'utf8proc' lib/store/querykey.c
only 'popt' lib/core/options.c
only 'z(lib|std)\.h' lib/readers/instream.c
only 'gmp' $(ls lib/grade/*.[ch] 2>/dev/null)
only 'gsl/' $(ls calibrate/*.[ch] 2>/dev/null)
only 'microhttpd' $(ls demo/*.[ch] 2>/dev/null)
dup=$(ls $(for r in $all; do echo "$r/*.[ch]"; done) 2>/dev/null | grep -v -e '/main\.c$' -e '/build\.mk$' |
  sed 's|.*/||' | sort | uniq -d)
[ -n "$dup" ] && say "file names are unique in the tree, these are not: $dup"
[ $bad = 0 ] && echo "check-layers: ok"
exit $bad
