#!/usr/bin/env bash
# Installs a build into an empty root and checks what lies there as systemd and man will: tests/systemd/run.sh BUILD_DIR
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
build=${1:?usage: tests/systemd/run.sh BUILD_DIR}
exposure_max=1.3
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
units=$root/usr/lib/systemd/system
for file in bin/tokensyncd lib/sysusers.d/tokensyncd.conf lib/tmpfiles.d/tokensyncd.conf \
            lib/systemd/system/{tokensyncd.{service,socket},tokensyncd@.{service,socket},tokensyncd-http.socket} \
            share/doc/tokensyncd/{tokensyncd.yaml,LICENSE,README.md,examples/drop-in.conf,examples/post-receive} \
            share/man/{man8/tokensyncd.8,man5/tokensyncd.yaml.5,man5/tokensyncd-manifest.5} \
            share/tokensyncd/{manifest,collection}.schema.json share/bash-completion/completions/tokensyncd \
            share/fish/vendor_completions.d/tokensyncd.fish share/zsh/site-functions/_tokensyncd; do
  [ -f "$root/usr/$file" ] || fail "nothing was installed as /usr/$file"
done
grep -q '^ExecStart=/usr/bin/tokensyncd run --config /etc/tokensyncd/tokensyncd.yaml$' "$units/tokensyncd.service" ||
  fail "the unit does not start /usr/bin/tokensyncd"
! grep -hE '@[A-Z_]+@' "$units"/* || fail "a unit has a place that was not filled in"
echo "ok: cmake --install"

# The units as they will be, but for where the program lies now, and an instance of the template, as a file of its own.
# verify exits 0 for unknown keys: any word is a failure.
mkdir "$root/units"
for unit in "$units"/*; do
  name=$(basename "$unit")
  sed "s|^ExecStart=/usr|ExecStart=$root/usr|; s|%i|eu|g" "$unit" >"$root/units/${name/@./@eu.}"
done
for unit in "$root"/units/*; do
  silent "systemd-analyze verify $(basename "$unit")" env SYSTEMD_UNIT_PATH="$root/units:" \
    systemd-analyze verify --man=no "$unit"
done
for unit in tokensyncd.service tokensyncd@eu.service; do
  report=$(systemd-analyze security --offline=true --no-pager "$root/units/$unit")
  exposure=$(sed -nE 's/.*exposure level for .*: ([0-9.]+) .*/\1/p' <<<"$report")
  awk -v is="$exposure" -v max="$exposure_max" 'BEGIN {exit !(is != "" && is + 0 <= max)}' ||
    fail "systemd-analyze security $unit: exposure '$exposure' is above $exposure_max: $report"
  echo "ok: systemd-analyze security $unit: exposure $exposure"
done
# Each line of the example can be taken as it stands.
mkdir "$root/units/tokensyncd.service.d"
sed -E 's/^#([A-Z][A-Za-z]+=)/\1/' "$root/usr/share/doc/tokensyncd/examples/drop-in.conf" \
  >"$root/units/tokensyncd.service.d/override.conf"
[ "$(grep -c '^[A-Z]' "$root/units/tokensyncd.service.d/override.conf")" -ge 8 ] ||
  fail "the example has lost its lines"
silent "systemd-analyze verify with the example drop-in" env SYSTEMD_UNIT_PATH="$root/units:" \
  systemd-analyze verify --man=no "$root/units/tokensyncd.service"
silent "sh -n post-receive" sh -n "$root/usr/share/doc/tokensyncd/examples/post-receive"

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
