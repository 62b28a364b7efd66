#!/usr/bin/env bash
# The style rules that a machine can check, over all files that git tracks or would track, but for inputs of fuzz targets.
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
shopt -s lastpipe # so that fail counts in this shell
failures=0
fail() { # what is wrong, then the places, one a line, from standard input; nothing where there are none
  local places
  places=$(cat)
  [ -z "$places" ] && return
  printf '%s:\n%s\n' "$1" "$places"
  failures=$((failures + 1))
}

mapfile -t files < <({ git ls-files -co --exclude-standard 2>/dev/null ||
  find . -path ./build -prune -o -type f -printf '%P\n'; } | sort -u |
  while read -r file; do
    [ -f "$file" ] && [ "$file" != LICENSE ] && [[ $file != tests/fuzz/corpus/* ]] && printf '%s\n' "$file"
  done)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep -E '\.(h|cpp)$')
mapfile -t scripts < <(printf '%s\n' "${files[@]}" | grep -E '\.sh$|^\.ci/run$')
[ ${#sources[@]} -gt 0 ] || { echo "no source files found"; exit 1; }

grep -nIE 'T[O]DO|FIX[M]E|\bX[X]X\b' "${files[@]}" | fail "unfinished by its own words"
grep -nIE '[[:blank:]]+$' "${files[@]}" | fail "white space at the end of a line"
grep -nIP '\t' "${files[@]}" | fail "a tab"
for file in "${files[@]}"; do
  [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ] && grep -qI . "$file" && echo "$file"
done | fail "no newline at the end"

for file in "${sources[@]}"; do
  [[ $file == reconciler/* ]] || continue
  grep -nE '^ *# *include' "$file" | while IFS=: read -r line text; do
    name=$(sed -nE 's/.*"([^"]+)".*/\1/p' <<<"$text")
    if [ -n "$name" ]; then [ -f "reconciler/$name" ] && continue
    elif grep -qE '<[a-z_]+>' <<<"$text"; then continue
    fi
    echo "$file:$line: $text"
  done
done | fail "the reconciler includes what is neither its own nor the standard library's"

for file in "${sources[@]}"; do
  [[ $file == *.h ]] && ! grep -q '^#pragma once$' "$file" && echo "$file"
done | fail "a header without #pragma once"

# The linker merges two types of one name without a word, and each then runs the other's code.
printf '%s\n' "${sources[@]}" | grep -E '^(daemon|reconciler)/' |
  xargs grep -oHE '^(class|struct|enum class) [A-Za-z]+( final)?( :[^:]| \{)' |
  sed -E 's/^([^:]+):(class|struct|enum class) ([A-Za-z]+).*/\3 \1/' | sort -u |
  awk '{files[$1] = files[$1] " " $2; count[$1]++; if ($2 ~ /\.h$/) header[$1] = 1}
       END {for (name in count) if (count[name] > 1 && header[name]) print name ":" files[name]}' |
  fail "a type's name that two files define"

for file in "${scripts[@]}"; do bash -n "$file" 2>&1; done | fail "a script with a syntax error"
clang-format --dry-run -Werror "${sources[@]}" 2>&1 | sed -nE 's/^([^:]+):[0-9]+:.* error: .*/\1/p' | sort -u |
  fail "clang-format would change"

wc -l "${sources[@]}" |
  awk '$2 != "total" && $1 > 450 {print "warning: " $2 ": " $1 " lines; is there a second idea in it?"}'
echo "style: ${#files[@]} files, $failures kinds of fault"
[ "$failures" -eq 0 ]
