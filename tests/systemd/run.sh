#!/usr/bin/env bash
# Installs a build into an empty root and checks what lies there as systemd and man will: tests/systemd/run.sh BUILD_DIR
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
build=${1:?usage: tests/systemd/run.sh BUILD_DIR}
exposure_max=1.5
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
silent() { # WHAT COMMAND...: the command succeeds and says nothing
  local what=$1 said
  shift
  said=$("$@" 2>&1) || fail "$what: $said"
  [ -z "$said" ] || fail "$what: $said"
  echo "ok: $what"
}

DESTDIR=$root cmake --install "$build" --prefix /usr >"$root/install.log" ||
  fail "cmake --install: $(cat "$root/install.log")"
unit=$root/usr/lib/systemd/system/tokensyncd.service
for file in bin/tokensyncd lib/systemd/system/tokensyncd.service lib/sysusers.d/tokensyncd.conf \
            lib/tmpfiles.d/tokensyncd.conf share/doc/tokensyncd/tokensyncd.yaml share/doc/tokensyncd/LICENSE \
            share/man/man8/tokensyncd.8 share/man/man5/tokensyncd.yaml.5 share/man/man5/tokensyncd-manifest.5 \
            share/tokensyncd/manifest.schema.json share/tokensyncd/collection.schema.json; do
  [ -f "$root/usr/$file" ] || fail "nothing was installed as /usr/$file"
done
grep -q '^ExecStart=/usr/bin/tokensyncd run$' "$unit" || fail "the unit does not start /usr/bin/tokensyncd"
! grep -q '@' <(grep -v '^#' "$unit" | grep -v '^SystemCallFilter=') ||
  fail "the unit has a place that was not filled in"
echo "ok: cmake --install"

# The unit as it will be, but for where the program lies now. verify exits 0 for unknown keys: any word is a failure.
sed "s|^ExecStart=/usr|ExecStart=$root/usr|" "$unit" >"$root/tokensyncd.service"
silent "systemd-analyze verify" systemd-analyze verify --man=no "$root/tokensyncd.service"
report=$(systemd-analyze security --offline=true --no-pager "$root/tokensyncd.service")
exposure=$(sed -nE 's/.*exposure level for .*: ([0-9.]+) .*/\1/p' <<<"$report")
awk -v is="$exposure" -v max="$exposure_max" 'BEGIN {exit !(is != "" && is + 0 <= max)}' ||
  fail "systemd-analyze security: exposure '$exposure' is above $exposure_max: $report"
echo "ok: systemd-analyze security: exposure $exposure"

mkdir -p "$root/etc"
systemd-sysusers --root="$root" >"$root/sysusers.log" 2>&1 || fail "systemd-sysusers: $(cat "$root/sysusers.log")"
grep -q '^tokensyncd:.*:/var/lib/tokensyncd:' "$root/etc/passwd" && grep -q '^tokensyncd:' "$root/etc/group" ||
  fail "systemd-sysusers made no user and group tokensyncd: $(cat "$root/sysusers.log")"
echo "ok: systemd-sysusers"

if [ "$(id -u)" -eq 0 ]; then
  mkdir -p "$root/etc/tokensyncd"
  : >"$root/etc/tokensyncd/sequence.jwt"
  chmod 0644 "$root/etc/tokensyncd/sequence.jwt"
  # A file system of its own root: the folders above are this user's, which is what --root is for.
  systemd-tmpfiles --root="$root" --create tokensyncd.conf >"$root/tmpfiles.log" 2>&1 ||
    fail "systemd-tmpfiles: $(cat "$root/tmpfiles.log")"
  [ "$(stat -c %a "$root/etc/tokensyncd/sequence.jwt")" = 600 ] || fail "systemd-tmpfiles left a secret readable"
  echo "ok: systemd-tmpfiles"
fi

for page in "$root"/usr/share/man/man?/*; do
  name=$(basename "$page")
  silent "mandoc $name" mandoc -T lint -W warning "$page"
  silent "man $name" bash -c 'man --warnings -l "$1" >/dev/null' - "$page"
done

# Every command and option of the help stands in the man page.
program=$root/usr/bin/tokensyncd
page=$(MANWIDTH=400 man -l "$root/usr/share/man/man8/tokensyncd.8" | col -b)
"$program" --help >"$root/help"
mapfile -t commands < <(sed -n '/^Commands:/,/^$/p' "$root/help" | sed -nE 's/^  ([a-z]+) .*/\1/p')
[ ${#commands[@]} -gt 0 ] || fail "no command was found in tokensyncd --help"
for command in "${commands[@]}"; do
  grep -qE "^ +tokensyncd .*\b$command\b" <<<"$page" || fail "tokensyncd.8 does not have the command $command"
  for option in $("$program" "$command" --help | grep -oE -e '--[a-z][a-z-]*' | sort -u); do
    grep -q -e "$option" <<<"$page" || fail "tokensyncd.8 does not have $option of $command"
  done
done
echo "ok: tokensyncd.8 has all of --help (${commands[*]})"
