#!/usr/bin/env bash
# Installs what is needed, builds the fuzz targets and runs them: tests/fuzz/run.sh [SECONDS [TARGET...]]
#   SECONDS  for each target, 600 if left out
#   TARGET   fuzz_manifest or manifest; all of them if left out
# Starts from tests/fuzz/corpus/TARGET and what earlier runs have found, which is kept in build/fuzz/found/TARGET. As many
# targets as there are processors run at once (FUZZ_JOBS=N: so many). Prints a line for each; exit status 0 only if no
# input was found that breaks a property, crashes, or takes more than 10 s or 2 GiB. Such an input is named.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/setup.sh
seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: tests/fuzz/run.sh [SECONDS [TARGET...]]"; exit 64; }
shift
jobs=${FUZZ_JOBS:-$(nproc)}
build=build/fuzz

install_packages "${build_packages[@]}" "${test_packages[@]}" || exit 1

targets=("${@/#fuzz_/}")
targets=("${targets[@]/#/fuzz_}")
if [ $# -eq 0 ]; then
  mapfile -t targets < <(basename -as .cpp tests/fuzz/fuzz_*.cpp)
fi
for target in "${targets[@]}"; do
  [ -f "tests/fuzz/$target.cpp" ] || { echo "there is no target $target"; exit 64; }
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset fuzz -DCMAKE_CXX_COMPILER_LAUNCHER=ccache && cmake --build "$build" --target "${targets[@]}"; } \
  >"$log" 2>&1; then
  tail -n 60 "$log"
  exit 1
fi

figure() { # NAME TARGET: a figure that libFuzzer gives at its end, 0 where it gave none
  sed -nE "s/^stat::$1: +([0-9]+)$/\1/p" "$build/$2.log" | tail -n 1 | grep . || echo 0
}

fuzz() { # TARGET: one line, and status 1 where there is a finding
  local target=$1 found="$build/found/$1" out="$build/$1.log" dictionary=() status finding line
  mkdir -p "$found" "$build/findings"
  [ -f "tests/fuzz/$target.dict" ] && dictionary=("-dict=tests/fuzz/$target.dict")
  # Symbols are looked up afterwards, for one input: a fuzzer that does it has outlived its limits.
  ASAN_OPTIONS=symbolize=0:malloc_context_size=0:detect_stack_use_after_return=1 UBSAN_OPTIONS=symbolize=0 \
    timeout -k 5 $((seconds + 60)) "$build/$target" "${dictionary[@]}" -max_total_time="$seconds" -max_len=4096 \
    -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/findings/$target-" \
    "$found" "tests/fuzz/corpus/$target" >"$out" 2>&1
  status=$?
  line=$(grep -aoE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$out" | tail -n 1 |
    sed -E 's/cov: (.*) ft: (.*) corp: (.*)/coverage \1, features \2, corpus \3/')
  line="$target: $(figure number_of_executed_units "$target") executions, $(figure average_exec_per_sec "$target")/s, $line"
  if [ "$status" -eq 0 ]; then
    echo "$line; no finding"
    return 0
  fi
  finding=$(sed -nE 's/^.*Test unit written to (.*)$/\1/p' "$out" | tail -n 1)
  echo "$line; FAILED with status $status: ${finding:-see $out}"
  grep -aE 'does not hold:|runtime error:|ERROR: ' "$out" | head -n 3
  if [ -n "$finding" ]; then
    timeout -k 5 60 "$build/$target" -timeout=10 -rss_limit_mb=2048 "$finding" >"$finding.txt" 2>&1
    echo "its stack is in $finding.txt"
  fi
  return 1
}

failed=0
running=0
reap() { wait -n || failed=1; running=$((running - 1)); }
for target in "${targets[@]}"; do
  [ "$running" -lt "$jobs" ] || reap
  fuzz "$target" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do reap; done
exit "$failed"
