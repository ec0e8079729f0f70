#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: deps.sh [--check] PACKAGE...   install the missing ones (or only name them)
check=0
[ "$1" = --check ] && { check=1; shift; }
command -v dpkg-query >/dev/null 2>&1 || {
  # Not a Debian system: the build itself says what it lacks.
  [ $check = 1 ] && exit 0
  echo "make deps: this system has no dpkg; install the equivalents of: $*" >&2; exit 1; }
missing=
for p in "$@"; do
  case $(dpkg-query -W -f='${Status}' "$p" 2>/dev/null) in
    "install ok installed") ;;
    *) missing="$missing $p" ;;
  esac
done
[ -z "$missing" ] && exit 0
if [ $check = 1 ]; then
  echo "missing packages:$missing (run 'make deps')" >&2; exit 1
fi
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $missing >&2
