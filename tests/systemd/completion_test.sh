#!/usr/bin/env bash
# What bash, fish and zsh offer is what --help of the program and of each command tells:
# tests/systemd/completion_test.sh BUILD_DIR
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
program=$(readlink -f "${1:?usage: tests/systemd/completion_test.sh BUILD_DIR}/tokensyncd")
folder=$PWD/systemd/completion
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# Each of these prints what the shell offers, a word a line, for each line of standard input ("tokensyncd plan --"),
# which is told before by a line that begins with ':'.
offered_by_bash() {
  bash --norc -c '
    source "$1"
    [ "$(complete -p tokensyncd)" = "complete -F _tokensyncd tokensyncd" ] || exit 1
    while IFS= read -r line; do
      echo ":$line"
      read -ra COMP_WORDS <<<"$line"
      [[ $line != *" " ]] || COMP_WORDS+=("")
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      _tokensyncd tokensyncd
      printf "%s\n" "${COMPREPLY[@]}"
    done' - "$folder/tokensyncd.bash"
}
offered_by_fish() {
  HOME=$work fish --no-config -c '
    source $argv[1]
    while read --local line
      echo ":$line"
      complete --do-complete "$line" | string split --fields 1 \t
    end' "$folder/tokensyncd.fish"
}
offered_by_zsh() {
  zsh -f -c '
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PROMPT= OUT=$2/zsh; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u"
    zpty -w shell "compadd() {
      if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)* ]]; then
        local -a hits
        builtin compadd -A hits \"\$@\"
        print -rl -- \$hits >>\$OUT
      fi
      builtin compadd \"\$@\"
    }"
    zpty -w shell "LISTMAX=-1; unsetopt auto_menu; bindkey \"^A\" kill-whole-line"
    while IFS= read -r line; do
      print -r -- ":$line"
      rm -f "$2/zsh" "$2/done"
      zpty -w -n shell "$line"$'"'\\t\\001'"'
      zpty -w shell " : >$2/done"
      for ((i = 0; i < 2000; ++i)); do
        [[ -e "$2/done" ]] && break
        zpty -r -t shell rest
        sleep 0.01
      done
      [[ -e "$2/done" ]] || exit 1
      [[ ! -e "$2/zsh" ]] || cat "$2/zsh"
    done' - "$folder" "$work"
}

options_of() { # [COMMAND]
  "$program" "$@" --help | sed -n '/^Options:/,/^$/p' | grep -oE -e '--[a-z][a-z-]*' | sort -u
}
mapfile -t commands < <("$program" --help | sed -n '/^Commands:/,/^$/p' | sed -nE 's/^  ([a-z]+) .*/\1/p')
[ ${#commands[@]} -gt 0 ] || fail "no command was found in tokensyncd --help"

touch "$work/a-file.yaml"
cd "$work"
{
  echo ":tokensyncd "
  printf '%s\n' "${commands[@]}" | sort
  echo ":tokensyncd --"
  options_of
  for command in "${commands[@]}"; do
    echo ":tokensyncd $command --"
    options_of "$command"
  done
  # Values, files, and a command behind an option of the program.
  printf '%s\n' ":tokensyncd validate --format " github json text ":tokensyncd plan --config a-" a-file.yaml \
    ":tokensyncd validate a-" a-file.yaml ":tokensyncd backup a-" a-file.yaml ":tokensyncd status a-" \
    ":tokensyncd --config a-file.yaml trigger --w" --wait
} >"$work/wanted"

for shell in bash fish zsh; do
  # An option of one letter is none that anybody needs help with, and a file that is offered under two names is one.
  sed -n 's/^://p' "$work/wanted" | "offered_by_$shell" >"$work/raw.$shell" || fail "$shell did not run"
  awk '/^:/ {group = $0; order[++groups] = group; next}
       NF && !/^-[a-z]$/ && !seen[group, $1]++ {print groups "\t" $1}
       END {for (i = 1; i <= groups; ++i) print i "\t"  "\001" order[i]}' "$work/raw.$shell" |
    sort -t "$(printf '\t')" -k 1,1n -k 2,2 | cut -f 2 | tr -d '\001' >"$work/offered.$shell"
  diff "$work/wanted" "$work/offered.$shell" || fail "$shell offers something else (>) than tokensyncd takes (<)"
  echo "ok: $shell offers what tokensyncd --help tells (${#commands[@]} commands)"
done
