#!/usr/bin/env bash
# The long forms of the end-to-end tests with faults: tests/e2e/soak.sh [BUILD [TEST...]]
#   BUILD  folder with tokensyncd and standin-metadata, built in release (default build/release)
#   TEST   of clock disk fault kill machine (default: all of them)
# Takes about an hour. From the environment: TOKENSYNC_KILLS (300), TOKENSYNC_FAULT_STRIDE (1), TOKENSYNC_KILL_STRIDE (7),
# TOKENSYNC_CLOCK_STEPS (1000), TOKENSYNC_MEMORY_ENDS (500). Prints the figures at the end; exit status 0: none failed.
set -u
cd "$(dirname "$(readlink -f "$0")")" || exit 1
export TOKENSYNC_BUILD
TOKENSYNC_BUILD=$(readlink -f "${1:-../../build/release}")
shift
tests=("$@")
[ ${#tests[@]} -gt 0 ] || tests=(clock disk fault kill machine)
export TOKENSYNC_KILLS=${TOKENSYNC_KILLS:-300} TOKENSYNC_FAULT_STRIDE=${TOKENSYNC_FAULT_STRIDE:-1}
export TOKENSYNC_KILL_STRIDE=${TOKENSYNC_KILL_STRIDE:-7} TOKENSYNC_CLOCK_STEPS=${TOKENSYNC_CLOCK_STEPS:-1000}
export TOKENSYNC_MEMORY_ENDS=${TOKENSYNC_MEMORY_ENDS:-500}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=()
for test in "${tests[@]}"; do
  python3 -B "${test}_test.py" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" -eq 0 ] || failed+=("$test")
done

echo
echo "== figures"
sed -nE 's/^(test_[a-z_]+ .* \.\.\. |[A-Z].* \.\.\. )?([a-z][^:]*: .*(duplicates|losses|ended with).*)/\2/p' "$log"
grep -E 'SKIPPED' "$log"
if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
