#!/usr/bin/env bash
# Runs a command in every module of this repository.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
Each-module.sh runs a command in every module of this repository.

usage: each-module.sh [flags] COMMAND [ARGUMENT...]
       each-module.sh [flags] test

It runs COMMAND in the directory of each module, beginning with the root, and
stops after the first failure. Each module uses the Go version of its go.mod.

The command "test" runs go test with the module's flags, and with three times the
module's budget as the timeout of each package. It prints how long each module took.

flags:
  -h, --help  print this text

examples:
  ./each-module.sh go vet ./...
  ./each-module.sh test

exit codes:
  0    the command succeeded in every module
  1    the command failed in a module, or the table of modules is wrong
  2    wrong usage
  129, 130, 143
       stopped by SIGHUP, SIGINT (Ctrl-C), SIGTERM
EOF
}

# modules has a line for each module: its directory, the budget of its tests in seconds,
# and flags of go test. The budgets are for two idle cores with a warm build cache and
# without cached test results. The race detector would make replay's WebAssembly about
# ten times slower, and compare's engines so slow that leaders step down.
modules='
.       112 -race
compare  20
kvraft   13
student   3
replay   62
browser  30
engine   50 -race
'

# most bounds the sum of the budgets, in seconds: five minutes less the rest of make test.
most=290

# fail MESSAGE: prints an error and exits with status 1.
fail() {
  printf 'each-module.sh: %s\n' "$1" >&2
  exit 1
}

# check_modules: fails unless the table lists exactly the modules of this repository.
# Modules in testdata are inputs of tests and do not count.
check_modules() {
  local dir budget flags sum=0 known=' '
  while read -r dir budget flags; do
    [[ -n $dir ]] || continue
    [[ -f $dir/go.mod ]] || fail "there is no module $dir: remove it from the table"
    known+="$dir "
    ((sum += budget))
  done <<<"$modules"
  ((sum <= most)) || fail "the budgets add up to $sum s, more than $most"
  while read -r dir; do
    dir=${dir%/go.mod} dir=${dir#./}
    [[ $known == *" $dir "* ]] || fail "the table has no line for module $dir, so nothing would test it"
  done < <(find . -name go.mod ! -path '*/testdata/*' ! -path './.*/*')
}

# test_module BUDGET FLAG...: tests the module in the current directory. A module that takes
# longer than its budget is only reported as late, since a cold cache or other work may
# be the reason. A test that takes three times the budget hangs, and is stopped. The flags are not for the programs in cmd, whose
# tests run other programs most of the time.
test_module() {
  local budget=$1 timeout=$((3 * $1))s begun=$SECONDS took late=
  shift
  # shellcheck disable=SC2046 # import paths have no spaces
  go test -timeout "$timeout" "$@" $(go list ./... | grep -v /cmd/) || return
  [[ ! -d cmd ]] || go test -timeout "$timeout" ./cmd/... || return
  took=$((SECONDS - begun))
  ((took <= budget)) || late='; that is more, as on a busy machine or while Go compiles for the first time'
  printf 'module %s took %d s; two idle cores need at most %d s%s\n' "$(go list -m)" "$took" "$budget" "$late"
}

# usage_error MESSAGE: prints an error about the arguments and exits with status 2.
usage_error() {
  printf "each-module.sh: %s\nTry 'each-module.sh -h'.\n" "$1" >&2
  exit 2
}

# stop STATUS: kills the command and the processes that it has started, and exits.
stop() {
  trap '' HUP INT TERM
  if [[ -n $job ]]; then
    kill -KILL -- "-$job"
    wait "$job"
  fi 2>/dev/null || true
  printf 'each-module.sh: stopped\n' >&2
  exit "$1"
}

case ${1-} in
  '') usage_error 'no command' ;;
  -h | --help) usage; exit ;;
  -*) usage_error "flag provided but not defined: $1" ;;
esac
[[ $1 != test || $# -eq 1 ]] || usage_error "unexpected argument '$2' after test"
job=
scratch=$(mktemp -d "${TMPDIR:-/tmp}/each-module.XXXXXX") || fail 'cannot create a temporary directory'
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch GOTMPDIR=$scratch # a killed go command leaves its files
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
set -m # each job is a process group
check_modules
while read -r dir budget flags; do
  [[ -n $dir ]] || continue
  command=("$@")
  # shellcheck disable=SC2206 # flags are several words
  [[ $* != test ]] || command=(test_module "$budget" $flags)
  (cd "$dir" && "${command[@]}") </dev/null &
  job=$!
  wait "$job" || fail "'$*' failed in module $dir"
  job=
done <<<"$modules"
