# shellcheck shell=bash disable=SC2034
# Installs what a build or the tests need, as Debian packages, and only what is missing. Sourced by scripts:
#   . tests/setup.sh; install_packages "${build_packages[@]}" "${test_packages[@]}"

build_packages=(
  ca-certificates catch2 cmake curl g++ git libcli11-dev libfmt-dev libgit2-dev libgpgme-dev libpoco-dev libsqlitecpp-dev
  libssl-dev libsystemd-dev libyaml-cpp-dev ninja-build pkg-config
)
test_packages=(
  ccache clang clang-format dbus dpkg-dev fcgiwrap file fish gpg gpg-agent gpgconf libclang-rt-14-dev lintian llvm
  man-db mandoc nginx openssh-client openssh-server openssl procps python3 python3-jsonschema python3-ruamel.yaml
  strace systemd systemd-container tinyproxy-bin zsh
)
# Some machines have node and npm from elsewhere, and Debian's packages do not install beside those.
command -v node >/dev/null || test_packages+=(nodejs)
command -v npm >/dev/null || test_packages+=(npm)

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local package missing=() log
  for package; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing: ${missing[*]}"
  log=$(mktemp)
  if ! { as_root apt-get update &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
           -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "Installing packages failed; the whole of apt's output is in $log" >&2
    return 1
  fi
  rm -f "$log"
}
