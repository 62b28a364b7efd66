#!/bin/sh
# Checks our webhook signatures with GitHub's own npm library. Everything that it installs or writes goes to WORK, a
# folder outside the source tree.
#
#   run.sh WORK PROBE    exit status 0 when every check passed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1
probe=$2

mkdir -p "$work"
work=$(cd "$work" && pwd)
# Two runs at once would install over each other.
exec 9>"$work/lock"
flock 9
if ! cmp -s "$here/package-lock.json" "$work/installed"; then
  rm -f "$work/installed"
  cp "$here/package.json" "$here/package-lock.json" "$work/"
  (cd "$work" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  cp "$here/package-lock.json" "$work/installed"
fi
# Node looks for packages beside the script.
cp "$here/webhook_check.mjs" "$work/"
flock -u 9

run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
trap 'exit 1' INT TERM
timeout 120 node "$work/webhook_check.mjs" "$probe" "$run"
