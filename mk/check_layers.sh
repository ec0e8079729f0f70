#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may know whom: rooms include only what the plan of the house allows, and each third-party
# library has its one adapter.
bad=0
say() { echo "check-layers: $*" >&2; bad=1; }

# room: rooms whose headers it may include
rules='liballot:
core:liballot
grade:liballot core
engine:liballot core grade
datasets:liballot core grade
collect:liballot core grade engine
run:liballot core grade engine
train:liballot core
calibrate:liballot core
export:liballot core
select:liballot core
eval:liballot core
demo:liballot core'
all='liballot core grade engine datasets collect run train calibrate export select eval demo'
echo "$rules" | while IFS=: read -r room may; do
  for other in $all; do
    case " $room $may " in *" $other "*) continue ;; esac
    hit=$(grep -nE "^ *# *include +\"$other/" "$room"/*.[ch] 2>/dev/null | head -1)
    [ -n "$hit" ] && echo "check-layers: $room may not know $other: $hit" >&2
  done
done | grep . && bad=1

# header pattern: files that may include it
only() {
  pattern=$1; shift
  hits=$(grep -rlE "^ *# *include +[<\"]$pattern" --include=*.[ch] $all 2>/dev/null)
  for f in $hits; do
    case " $* " in *" $f "*) ;; *) say "$f may not include $pattern (only: $*)" ;; esac
  done
}
only 'hdf5' core/h5file.h
only 'curl/' core/httphandle.h
only 'cblas' train/gemm.c
only 'openssl/' core/hash.c
only 'utf8proc' core/querykey.c
only 'popt' core/options.c
only 'z(lib|std)\.h' datasets/instream.c
only 'gmp' $(ls grade/*.[ch] 2>/dev/null)
only 'gsl/' $(ls calibrate/*.[ch] 2>/dev/null)
only 'microhttpd' $(ls demo/*.[ch] 2>/dev/null)
dup=$(ls $(for r in $all; do echo "$r/*.[ch]"; done) 2>/dev/null | grep -v -e '/main\.c$' -e '/build\.mk$' |
  sed 's|.*/||' | sort | uniq -d)
[ -n "$dup" ] && say "file names are unique in the tree, these are not: $dup"
[ $bad = 0 ] && echo "check-layers: ok"
exit $bad
