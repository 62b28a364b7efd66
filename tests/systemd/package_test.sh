#!/usr/bin/env bash
# Makes the Debian package of a build, and looks at it as Debian does: tests/systemd/package_test.sh BUILD_DIR.
# Leaves it, and the same with a higher version, in BUILD_DIR/packages, for boot_test.py.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(cd "${1:?usage: tests/systemd/package_test.sh BUILD_DIR}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l systemd/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
pack() { # FOLDER
  cpack --config "$build/CPackConfig.cmake" -B "$1" >"$work/cpack.log" 2>&1 || fail "cpack: $(cat "$work/cpack.log")"
}
pack "$work/first"
deb=$(echo "$work"/first/*.deb)
[ -f "$deb" ] || fail "cpack made no package: $(cat "$work/cpack.log")"
field() { dpkg-deb --field "$deb" "$1"; }
version=$(field Version)
[ "$version" = "$(dpkg-parsechangelog -l systemd/debian/changelog -S Version)" ] ||
  fail "systemd/debian/changelog is not about version $version"
[ "${version%-*}" = "$("$build/tokensyncd" --version | sed 's/^tokensyncd //')" ] ||
  fail "the program in the package of version $version calls itself $("$build/tokensyncd" --version)"
for library in libc6 libgit2-1.5 libpoconetssl80 libsqlite3-0 libsystemd0 libyaml-cpp0.7; do
  grep -qF "$library" <<<"$(field Depends)" || fail "the package does not depend on $library: $(field Depends)"
done
echo "ok: cpack: $(basename "$deb"), $(stat -c %s "$deb") bytes"

pack "$work/second"
cmp "$deb" "$work"/second/*.deb || fail "two packages of one build differ"
echo "ok: made again, it is the same to the byte"

report=$(lintian --allow-root --fail-on error,warning "$deb" 2>&1) || fail "lintian: $report"
[ -z "$report" ] || fail "lintian: $report"
echo "ok: lintian has nothing to say"

dpkg-deb --raw-extract "$deb" "$work/root"
# What an installation from source has is in the package: compressed, under Debian's name, or left out for a reason.
DESTDIR=$work/plain cmake --install "$build" --prefix /usr >/dev/null
(cd "$work/plain" && find usr -type f) |
  sed -E 's|(share/man/.*)|\1.gz|; s|zsh/site-functions|zsh/vendor-completions|; /LICENSE$/d' | sort >"$work/plain.list"
(cd "$work/root" && find usr -type f) | grep -vE '/(copyright|changelog\.Debian\.gz|lintian/overrides/tokensyncd)$' |
  sort >"$work/package.list"
diff "$work/plain.list" "$work/package.list" || fail "the package holds something else than cmake --install installs"
for unit in "$work/plain"/usr/lib/systemd/system/*; do
  cmp "$unit" "$work/root${unit#"$work/plain"}" || fail "$(basename "$unit") is another one in the package"
done
others=$(cd "$work/root" && find . -path ./DEBIAN -prune -o -type f ! -path './usr/*' -print)
[ "$others" = ./etc/tokensyncd/tokensyncd.yaml ] ||
  fail "the package has files outside of /usr beside its configuration"
for script in postinst postrm prerm; do
  sh -n "$work/root/DEBIAN/$script" || fail "$script has a syntax error"
done
! file "$work/root/usr/bin/tokensyncd" | grep -q 'not stripped' || fail "the program is not stripped"
# As it is shipped, the configuration names no repository, and nothing but that is wrong with it.
status=0
said=$("$build/tokensyncd" --config "$work/root/etc/tokensyncd/tokensyncd.yaml" status 2>&1) || status=$?
[ "$status" -eq 78 ] && grep -q "missing 'source.url'" <<<"$said" &&
  [ "$(grep -c '^[^ ].*:[0-9]*:[0-9]*:' <<<"$said")" -eq 1 ] ||
  fail "the shipped configuration: exit status $status: $said"
echo "ok: contents"

sed -i 's/^Version: .*/Version: 0.1.1-1/' "$work/root/DEBIAN/control"
rm -rf "$build/packages"
mkdir "$build/packages"
cp "$deb" "$build/packages/"
dpkg-deb --root-owner-group --build "$work/root" "$build/packages" >/dev/null
