#!/usr/bin/env bash
# Installs what is needed, builds with both compilers and runs all tests: tests/run.sh [asan|fuzz|tsan|release ...]
#   asan     clang++, address and undefined behaviour sanitizers: unit, contract and sim
#   fuzz     clang++, the same sanitizers: each fuzz target for a short time (tests/fuzz/run.sh runs them for long)
#   tsan     g++, thread sanitizer: what is labelled threads
#   release  g++, everything, end to end and style included
# Exit status 0 only if all of it passed.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
. tests/setup.sh
presets=("$@")
[ ${#presets[@]} -gt 0 ] || presets=(asan fuzz tsan release)

install_packages "${build_packages[@]}" "${test_packages[@]}" || exit 1

# The thread sanitizer of these compilers does not know the address layout of newer kernels.
fixed_layout=()
setarch "$(uname -m)" -R true 2>/dev/null && fixed_layout=(setarch "$(uname -m)" -R)

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
summary=() failed=()
for preset in "${presets[@]}"; do
  started=$SECONDS
  if [ "$preset" = fuzz ]; then
    echo "== fuzz: build and short run"
    tests/fuzz/run.sh 8 2>&1 | tee "$logs/fuzz"
    [ "${PIPESTATUS[0]}" -eq 0 ] || failed+=(fuzz)
    summary+=("fuzz: $(sed -nE 's/^fuzz_[a-z]+: ([0-9]+) executions, .*; (.*)/\1 \2/p' "$logs/fuzz" |
      awk '{executions += $1; good += / no finding$/}
           END {printf "%d of %d targets without a finding, %d executions", good, NR, executions}'
      ); $((SECONDS - started)) s")
    continue
  fi
  echo "== $preset: configure and build"
  if ! cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache >"$logs/build" 2>&1 ||
     ! cmake --build --preset "$preset" >>"$logs/build" 2>&1; then
    tail -n 60 "$logs/build"
    failed+=("$preset")
    summary+=("$preset: the build failed")
    continue
  fi
  built=$SECONDS
  echo "== $preset: tests"
  run=()
  [ "$preset" = tsan ] && run=("${fixed_layout[@]}")
  "${run[@]}" ctest --preset "$preset" 2>&1 | tee "$logs/$preset"
  [ "${PIPESTATUS[0]}" -eq 0 ] || failed+=("$preset")
  result=$(grep -E 'tests passed|No tests' "$logs/$preset" | tail -n 1)
  summary+=("$preset: ${result:-no result}; build $((built - started)) s, tests $((SECONDS - built)) s")
done

echo
echo "== summary"
printf '%s\n' "${summary[@]}"
if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
grep -hE 'tests passed' "$logs/${presets[-1]}" | tail -n 1
