#!/bin/sh
# Runs the vendor's npm client. Everything that it installs or writes goes to WORK, a folder outside the source tree.
#
#   run.sh WORK PROGRAM                 drives PROGRAM (standin-metadata) with it; exit status 0 when every check passed
#   run.sh WORK --print-request FILE    prints the body that it sends to create the token of FILE (a request in JSON)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1
shift

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
cp "$here/vendor_client.mjs" "$work/"
flock -u 9

if [ "$1" = --print-request ]; then
  exec timeout 60 node "$work/vendor_client.mjs" --print-request "$2"
fi

run=$(mktemp -d)
pid=
finish() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 1' INT TERM

head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$run/token"
"$1" --port 0 --port-file "$run/port" --token-file "$run/token" --lifetime 300 >"$run/log" 2>&1 9>&- &
pid=$!
tries=0
while ! [ -e "$run/port" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ] || ! kill -0 "$pid" 2>/dev/null; then
    echo "starting $1: it did not tell its port" >&2
    cat "$run/log" >&2
    exit 1
  fi
  sleep 0.05
done
timeout 120 node "$work/vendor_client.mjs" "http://127.0.0.1:$(cat "$run/port")" "$run/token"
