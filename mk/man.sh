#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: man.sh BINDIR OUTDIR   a page for each program and each of its commands, by help2man
set -eu
bin=$1 out=$2 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# page NAME PROGRAM [COMMAND]: help2man wants one executable of the page's name
page() {
  name=$1
  printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$bin/$2" "${3:-}" > "$work/$name"
  chmod +x "$work/$name"
  # the first sentence behind the usage line
  about=$("$work/$name" --help | awk '/^$/ {if (seen++) exit_now = 1; next}
    seen && !exit_now {text = text (text == "" ? "" : " ") $0}
    END {sub(/[.:] .*/, "", text); print text}')
  # no date: the same programs give the same pages
  help2man --no-info --name="${about%.}" --version-string="$version" --manual=allot \
    --source="allot $version" "$work/$name" |
    sed -e 's/^\(\.TH [^ ]* "1"\) "[^"]*"/\1 ""/' -e '/DO NOT MODIFY THIS FILE/d' > "$out/$name.1"
}

for program in allot-datasets allot-collect allot-train allot-calibrate allot-export allot-select \
  allot-run allot-eval; do
  version=$("$bin/$program" --version | sed 's/.* //')
  page "$program" "$program"
  for command in $("$bin/$program" --help |
    sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
    page "$program-$command" "$program" "$command"
  done
done
