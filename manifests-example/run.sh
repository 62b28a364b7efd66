#!/usr/bin/env bash
# The main job on this machine, from nothing: builds the program, makes a git repository of the example manifests, lets
# the daemon create their tokens at a stand-in service on loopback, and pushes one token more. Everything is shown, and
# checked: exit status 0 means that all of it is true. Nothing is left running, and nothing is written outside build/
# and a temporary folder.
#
#   BUILD_DIR=...   use the programs of this build instead of building
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
project=$(dirname "$here")
deadline_s=120

bold='' plain=''
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] && bold=$'\e[1m' plain=$'\e[0m'
heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

work='' daemon='' service=''

# stop PID: asks the program to end, insists on it after a while, and gives its exit status.
stop() {
  local end=$((SECONDS + deadline_s))
  kill -TERM "$1" 2>/dev/null || true
  while kill -0 "$1" 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || kill -KILL "$1"
    sleep 0.05
  done
  wait "$1"
}

clean_up() {
  local status=$? pid
  trap - EXIT
  for pid in $daemon $service; do stop "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ] && [ -s "$work/daemon.log" ]; then
    echo "The daemon's last lines:" >&2
    tail -n 20 "$work/daemon.log" >&2
  fi
  [ -z "$work" ] || rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# until_true WHAT COMMAND...: waits for the command to succeed, for deadline_s at most, as long as both programs live.
until_true() {
  local what=$1 end=$((SECONDS + deadline_s)) pid
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "waiting until $what: not within $deadline_s s"
    for pid in $daemon $service; do
      kill -0 "$pid" 2>/dev/null || fail "waiting until $what: a program ended before"
    done
    sleep 0.05
  done
}

show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; }

# expect STATUS COMMAND...: shows and runs `tokensyncd COMMAND...`, and insists on its exit status.
expect() {
  local wanted=$1 status=0 with_config=(--config "$work/tokensyncd.yaml")
  shift
  show tokensyncd "$@"
  [ "$1" != validate ] || with_config=()
  "$build/tokensyncd" "${with_config[@]}" "$@" || status=$?
  [ "$status" -eq "$wanted" ] || fail "tokensyncd $* ended with $status, not $wanted"
}

heading "Build"
build=${BUILD_DIR:-}
if [ -z "$build" ]; then
  . "$project/tests/setup.sh"
  install_packages "${build_packages[@]}"
  build=$project/build/release
  log=$(mktemp)
  if ! { (cd "$project" && cmake --preset release) &&
         cmake --build "$build" --target tokensyncd standin-metadata; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    fail "the build"
  fi
  rm -f "$log"
fi
build=$(cd "$build" && pwd)
for program in tokensyncd standin-metadata; do
  [ -x "$build/$program" ] || fail "there is no $program in $build"
done
"$build/tokensyncd" --version

heading "A repository of manifests, pushed to a bare one"
work=$(mktemp -d)
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME="Ada Example" GIT_AUTHOR_EMAIL=ada@example.com
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
git init --quiet --bare --initial-branch=main "$work/tokens.git"
git clone --quiet "$work/tokens.git" "$work/tokens" 2>/dev/null
cp -R "$here/collections" "$here"/*.schema.json "$work/tokens/"
cd "$work/tokens"
git checkout --quiet -B main
git add --all
git commit --quiet --message "Add the first season's tokens"
git push --quiet origin main
git ls-files -- collections
expect 0 validate collections

heading "A stand-in for the Sequence Metadata service, and a configuration"
(
  umask 077
  part() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
  printf '%s.%s.%s' "$(printf '{"alg":"HS256","typ":"JWT"}' | part)" \
    "$(printf '{"project":30957,"account":1,"iat":%s}' "$(date +%s)" | part)" \
    "$(head -c 32 /dev/urandom | part)" >"$work/sequence.jwt"
)
"$build/standin-metadata" --token-file "$work/sequence.jwt" --project 30957 >"$work/service.log" 2>&1 &
service=$!
until_true "the service listens" grep -q '^listening on ' "$work/service.log"
url=$(sed -n 's/^listening on //p' "$work/service.log")
cat >"$work/tokensyncd.yaml" <<EOF
source:
  url: $work/tokens.git
  path: collections
api:
  endpoint: $url
  token_file: sequence.jwt
ledger:
  path: $work/state/ledger.db
control:
  socket: $work/control.sock
EOF
mkdir "$work/state"
sed "s|$work|...|" "$work/tokensyncd.yaml"
state() { curl --silent --fail --show-error "$url/standin/state"; }
number() { state | grep -oE "\"$1\": *[0-9]+" | grep -oE '[0-9]+$'; }
holds() { [ "$(number tokens)" = "$1" ]; }

heading "The plan: what a pass would do"
expect 2 plan >"$work/plan.txt"
head -n 7 "$work/plan.txt"
echo "..."
tail -n 3 "$work/plan.txt"
holds 0 || fail "a plan has created something"

heading "The daemon creates what the manifests declare"
show tokensyncd run
"$build/tokensyncd" --config "$work/tokensyncd.yaml" run >"$work/daemon.log" 2>&1 &
daemon=$!
until_true "the service holds 31 tokens" holds 31
tail -n 4 "$work/daemon.log" | cut -c 1-140

heading "One token more: git push, answered by a hook when it exists"
cat >"$work/tokens.git/hooks/post-receive" <<EOF
#!/bin/sh
exec "$build/tokensyncd" --config "$work/tokensyncd.yaml" trigger --wait
EOF
chmod +x "$work/tokens.git/hooks/post-receive"
cat >collections/dragons/206.yaml <<'EOF'
# yaml-language-server: $schema=../../manifest.schema.json
token:
  tokenId: 206
  name: Ledger Dragon
  description: Remembers every coin, and which commit brought it.
  image: https://assets.example.com/dragons/206.png
  properties: {element: Paper, rarity: Epic, age: Ancient}
  attributes: [{trait_type: Rarity, value: Epic}]
EOF
git add collections/dragons/206.yaml
git commit --quiet --message "Add the Ledger Dragon"
show git push
git push origin main 2>&1 | grep -vE '^To '
holds 32 || fail "the push was answered, and the service holds $(number tokens) tokens, not 32"

heading "What was done, and why"
expect 0 history --limit 3
expect 0 history --token 30957/888/206 | tee "$work/history.txt"
grep -q 206 "$work/history.txt" || fail "the history does not know the new token"
expect 0 status

heading "A second pass has nothing to do"
calls=$(number CreateToken)
expect 0 trigger --wait
expect 0 plan
[ "$(number CreateToken)" = "$calls" ] || fail "a pass over an unchanged repository has called the service"

heading "What the service holds"
show "curl $url/standin/state"
state
echo
curl --silent --fail --show-error "$url/standin/tokens" >"$work/tokens.json"
names=$(grep -oE '"name": *"[^"]*"' "$work/tokens.json" | sort)
grep -E 'Ledger Dragon|Eclipse Dragon|Last Key' <<<"$names"
[ "$(number creates_applied)" = 32 ] || fail "the service applied $(number creates_applied) creates, not 32"
state | grep -q '"duplicates": *\[\]' || fail "a token was created twice"
[ "$calls" = 32 ] || fail "CreateToken was called $calls times for 32 tokens"
grep -q 'Ledger Dragon' <<<"$names" || fail "the service does not hold the pushed token"

heading "The end, in order"
status=0
stop "$daemon" || status=$?
daemon=''
[ "$status" -eq 0 ] || fail "the daemon ended with $status on SIGTERM"
secret=$(cat "$work/sequence.jwt")
! grep -rqF -e "$secret" "$work/state" "$work/daemon.log" || fail "the service token is in the ledger or the log"
echo "32 tokens, each created once; the daemon ended with 0."
