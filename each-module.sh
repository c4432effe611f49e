#!/usr/bin/env bash
# Runs a command in every module of this repository.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
usage: each-module.sh COMMAND [ARGUMENT...]
       each-module.sh test

Runs COMMAND in the directory of each module, the root's first, and stops at
the first that fails. Each module obeys the Go version of its own go.mod.

The command "test" stands for go test with the module's flags and its budget as
the timeout of each package. It says how long each module took.
EOF
}

# A module a line: its directory, the budget of its tests in seconds, and flags of
# go test. Budgets are for two idle cores, a warm build cache and no test results.
# The race detector would make replay's WebAssembly some ten times slower, and
# compare's engines so slow that leaders lose their lead.
modules='
.       120 -race
compare  45
replay   90
'

# most is how many seconds all modules together may take: five minutes less what
# make test does besides.
most=270

fail() {
  printf 'each-module.sh: %s\n' "$1" >&2
  exit 1
}

# check_modules: fails unless modules names those that are here. Modules in
# testdata are inputs of tests.
check_modules() {
  local dir budget flags sum=0 known=' '
  while read -r dir budget flags; do
    [[ -n $dir ]] || continue
    [[ -f $dir/go.mod ]] || fail "there is no module $dir: take it out of the table"
    known+="$dir "
    ((sum += budget))
  done <<<"$modules"
  ((sum <= most)) || fail "the budgets add up to $sum s, more than $most"
  while read -r dir; do
    dir=${dir%/go.mod} dir=${dir#./}
    [[ $known == *" $dir "* ]] || fail "no line of the table is for module $dir: nothing would test it"
  done < <(find . -name go.mod ! -path '*/testdata/*' ! -path './.*/*')
}

# test_module BUDGET FLAG...: tests the module in the current directory. Building on
# a cold cache and other people's work take time, too, so a module that is late only
# says so; a test that hangs is stopped.
test_module() {
  local budget=$1 begun=$SECONDS took late=
  shift
  go test -timeout "${budget}s" "$@" ./... || return
  took=$((SECONDS - begun))
  ((took <= budget)) || late=': LATE'
  printf 'module %s took %d s of %d%s\n' "$(go list -m)" "$took" "$budget" "$late"
}

case ${1-} in
  '') usage >&2 && exit 2 ;;
  -h | --help) usage && exit 0 ;;
esac
check_modules
while read -r dir budget flags; do
  [[ -n $dir ]] || continue
  command=("$@")
  # shellcheck disable=SC2206 # flags are several words
  [[ $* != test ]] || command=(test_module "$budget" $flags)
  (cd "$dir" && "${command[@]}" </dev/null) || fail "'$*' failed in module $dir"
done <<<"$modules"
