#!/usr/bin/env bash
# Measures how long after `git push` a token is at the service: tests/bench/run.sh [OPTION...]
#   options: those of push_latency.py (--pushes N, --transports path,https,ssh,webhook), which also says what is measured
# Builds in release first (BUILD_DIR: a folder that has been built already). Wants an otherwise quiet machine; takes about
# five minutes with 100 pushes for each transport.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
. tests/setup.sh
if [ -z "${BUILD_DIR:-}" ]; then
  install_packages "${build_packages[@]}" "${test_packages[@]}"
  cmake --preset release >/dev/null
  cmake --build --preset release --target tokensyncd standin-metadata >/dev/null
  BUILD_DIR=build/release
fi
TOKENSYNC_BUILD=$(readlink -f "$BUILD_DIR") exec python3 -B tests/bench/push_latency.py "$@"
