#!/usr/bin/env bash
# Runs a package's tests many times over and keeps the output of the runs that fail.
set -uo pipefail

# parts is the directory with the other parts of this script.
parts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/go-test-many
[[ -r $parts/usage.sh && -r $parts/report.sh ]] || {
  printf 'go-test-many.sh: it needs usage.sh and report.sh in %s\n' "$parts" >&2
  exit 2
}
# shellcheck source=go-test-many/usage.sh
. "$parts/usage.sh"
# shellcheck source=go-test-many/report.sh
. "$parts/report.sh"

# has_tests DIRECTORY: succeeds if there are test files.
has_tests() {
  compgen -G "$1/*_test.go" >/dev/null
}

# find_package: sets package.
find_package() {
  if has_tests .; then
    package=.
  elif has_tests ./raft; then
    package=./raft
  else
    usage_error "no Go tests in $PWD: cd to the package that you want to test"
  fi
}

# build: compiles the tests into $scratch. go test is a background job, since bash runs
# a trap during wait, but not during a foreground command.
build() {
  binary=$scratch/tests
  GOTMPDIR=$scratch go test -c "${build_flags[@]}" -o "$binary" "$package" &
  wait $! || finish_badly 2 "the tests of $package do not build"
  [[ -x $binary ]] || finish_badly 2 "no Go tests in $package"
}

# finish_badly STATUS MESSAGE: prints an error and exits.
finish_badly() {
  clear_status
  printf 'go-test-many.sh: %s\n' "$2" >&2
  exit "$1"
}

# start_run NUMBER: starts a run as a job. With set -m a job is a process group, which
# kill can reach as a whole.
start_run() {
  local output=$scratch/$1.out
  (
    cd "$package" || exit
    TMPDIR=$scratch "$binary" "${test_flags[@]}"
    exit $?
  ) >"$output" 2>&1 </dev/null &
  number_of[$!]=$1
  microseconds
  began[$!]=$now
}

# start_ticker: starts a job that ends in a second and so wakes the main loop.
start_ticker() {
  sleep 1 &
  ticker=$!
}

# await_job: waits until a job ends; sets ended (its process id) and status.
await_job() {
  ended=
  wait -n -p ended "${!number_of[@]}" "$ticker"
  status=$?
  [[ -z ${ended-} ]] || return
  # Some versions of wait -n miss a job that a signal has just ended.
  for ended in "${!number_of[@]}" "$ticker"; do
    if ! kill -0 "$ended" 2>/dev/null; then
      wait "$ended"
      status=$?
      return
    fi
  done
}

# take_result: counts the run whose job has the process id $ended and the status $status.
take_result() {
  local n=${number_of[$ended]} output
  unset "number_of[$ended]"
  kill -KILL -- "-$ended" 2>/dev/null # processes that the tests have left
  microseconds
  local took=$((now - began[$ended]))
  output=$scratch/$n.out
  local unusable
  if unusable=$(complaint "$output"); then
    stop_jobs
    finish_badly 2 "${unusable#testing: warning: } (in $package, with ${test_flags[*]:3})"
  fi
  times+=("$took")
  if ((status == 0)); then
    ((passed += 1))
  else
    ((failed += 1))
    keep_log "$n" "$output" "$took"
  fi
  rm -f "$output"
}

# stop_jobs: kills all jobs with the processes that they have started.
stop_jobs() {
  local job
  for job in $(jobs -p); do
    kill -KILL -- "-$job"
  done 2>/dev/null
  wait 2>/dev/null
}

# interrupted STATUS: ends the script after a signal.
interrupted() {
  trap '' HUP INT PIPE TERM
  clear_status
  printf 'go-test-many.sh: stopped; runs killed: %d\n' ${#number_of[@]} >&2
  exec 2>/dev/null                 # bash reports killed jobs
  (($1 != 141)) || exec >/dev/null # nobody reads the output
  stop_jobs
  ((!started)) || summary
  exit "$1"
}

main() {
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) ||
    usage_error "needs bash 5.1 or newer, and this is $BASH_VERSION"
  command -v go >/dev/null || usage_error "cannot find the go command"
  find_package
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/go-test-many.XXXXXX") || finish_badly 2 'cannot create a temporary directory'
  trap 'rm -rf "$scratch"' EXIT
  trap 'interrupted 129' HUP
  trap 'interrupted 130' INT
  trap 'interrupted 141' PIPE
  trap 'interrupted 143' TERM
  set -m
  build

  printf 'testing %s: %d runs, %d at a time\n' "$package" "$runs" "$parallelism" >&2
  ! compgen -G 'test-*.log' >/dev/null ||
    printf 'note: keeping the logs of earlier runs (test-*.log)\n' >&2
  microseconds
  started=$now
  local n=0
  start_ticker
  while ((passed + failed < runs)); do
    while ((n < runs && ${#number_of[@]} < parallelism)); do
      start_run $((n += 1))
    done
    await_job
    if [[ $ended == "$ticker" ]]; then
      start_ticker
      print_status
    elif [[ -n ${number_of[$ended]-} ]]; then
      take_result
    fi
  done
  stop_jobs
  summary
  ((failed == 0))
}

declare -A number_of=() began=() # by process id of the run's job
declare -a times=() failures=() build_flags test_flags
passed=0 failed=0 started=0 next_line=10000000 now=0
ticker='' status=0 ended=''
live=0
[[ ! -t 2 ]] || live=1

parse_arguments "$@"
main
