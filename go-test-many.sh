#!/usr/bin/env bash
# Runs a package's tests many times over and keeps the output of the runs that fail.
set -uo pipefail

usage() {
  cat <<'EOF'
usage: go-test-many.sh [RUNS [PARALLELISM [PATTERN]]] [-- TEST FLAGS]

Builds the test binary of the Go package in the current directory once, runs
it RUNS times, and keeps the output of every run that fails.

  RUNS         how many times to run the tests (default 100)
  PARALLELISM  how many runs at a time (default: the number of CPUs)
  PATTERN      run only the tests whose names match, as go test -run does
               (default: all tests)
  TEST FLAGS   handed to each run. Flags of go test itself, such as -short or
               -count=2, may be written as for go test; flags that the tests
               define, such as -clock=real, go through as they are.

  RACE=1 in the environment builds with the race detector.

Where the current directory has no tests but ./raft has, ./raft is tested.
Every run starts in the package's own directory, as with go test, is verbose
(-test.v), and ends after ten minutes unless TEST FLAGS has a -timeout.

Run number 7, should it fail, leaves its whole output in test-7.log in the
current directory. Logs that are already there are never touched: if test-7.log
exists, the new one is called test-7-2.log, and so on. Output of passing and
of interrupted runs is not kept.

Ctrl-C stops all runs at once and prints the summary of what had finished.

Exit status:
  0    every run passed
  1    at least one run failed
  2    wrong usage: bad arguments, no tests here, or no test matches PATTERN
  3    the tests do not build
  129, 130, 141, 143
       stopped by SIGHUP, SIGINT (Ctrl-C), SIGPIPE, SIGTERM

examples:
  ./go-test-many.sh                         100 runs, one for each CPU at a time
  ./go-test-many.sh 1000 8 2B               part B, 1000 runs, 8 at a time
  RACE=1 ./go-test-many.sh 20 2 '' -- -clock=real
EOF
}

# usage_error MESSAGE: says what was wrong with the call and exits with status 2.
usage_error() {
  printf 'go-test-many.sh: %s\n' "$1" >&2
  printf "Try 'go-test-many.sh -h'.\n" >&2
  exit 2
}

number_of_cpus() {
  nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# count NAME VALUE: fails unless VALUE is a whole number from 1 to 9999999.
count() {
  [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] ||
    usage_error "$1 must be a whole number from 1 to 9999999, not '$2'"
}

parse_arguments() {
  local positional=()
  while (($# > 0)); do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --) shift && break ;;
      -?*) usage_error "unknown option '$1' (flags for the tests go after --)" ;;
      *) positional+=("$1") && shift ;;
    esac
  done
  ((${#positional[@]} <= 3)) || usage_error "too many arguments: '${positional[3]}'"
  runs=${positional[0]-100}
  parallelism=${positional[1]-$(number_of_cpus)}
  count RUNS "$runs"
  count PARALLELISM "$parallelism"
  ((parallelism <= runs)) || parallelism=$runs

  case ${RACE-} in
    1) build_flags=(-race) ;;
    '' | 0) build_flags=() ;;
    *) usage_error "RACE must be 0 or 1, not '$RACE'" ;;
  esac
  test_flags=(-test.v -test.paniconexit0 -test.timeout=10m)
  [[ -z ${positional[2]-} ]] || test_flags+=("-test.run=${positional[2]}")
  translate_flags "$@"
}

# translate_flags FLAG...: adds them to test_flags, those of go test in the form
# that the test binary knows (-run becomes -test.run).
translate_flags() {
  local known='bench|benchmem|benchtime|count|cpu|failfast|fullpath|parallel|run|short|shuffle|skip|timeout|v'
  while (($# > 0)); do
    if [[ $1 == -args || $1 == --args ]]; then
      shift
      test_flags+=("$@")
      return
    elif [[ $1 =~ ^--?(race|tags|cover|covermode|coverpkg|gcflags|ldflags|mod)(=.*)?$ ]]; then
      usage_error "'$1' is a flag of the build, not of the tests (for -race set RACE=1; GOFLAGS takes others)"
    elif [[ $1 =~ ^--?($known)(=.*)?$ ]]; then
      test_flags+=("-test.${BASH_REMATCH[1]}${BASH_REMATCH[2]}")
    else
      test_flags+=("$1")
    fi
    shift
  done
}

# has_tests DIRECTORY
has_tests() {
  compgen -G "$1/*_test.go" >/dev/null
}

find_package() {
  if has_tests .; then
    package=.
  elif has_tests ./raft; then
    package=./raft
  else
    usage_error "no Go tests in $PWD: cd to the package that you want to test"
  fi
}

# build: compiles the tests into $scratch. A background job, since a trap can
# interrupt wait, but not a command in the foreground.
build() {
  binary=$scratch/tests
  go test -c "${build_flags[@]}" -o "$binary" "$package" &
  wait $! || finish_badly 3 "the tests of $package do not build"
  [[ -x $binary ]] || finish_badly 2 "no Go tests in $package"
}

# finish_badly STATUS MESSAGE: ends the script because no run could tell anything.
finish_badly() {
  clear_status
  printf 'go-test-many.sh: %s\n' "$2" >&2
  exit "$1"
}

# microseconds: sets now; a variable, because it is asked for too often to fork.
microseconds() { now=${EPOCHREALTIME/[^0-9]/}; }

# show_duration MICROSECONDS: sets shown, such as 0.31s, 12.0s or 3m05s.
show_duration() {
  local s=$(($1 / 1000000))
  if ((s < 10)); then
    printf -v shown '%d.%02ds' $s $(($1 % 1000000 / 10000))
  elif ((s < 60)); then
    printf -v shown '%d.%ds' $s $(($1 % 1000000 / 100000))
  elif ((s < 3600)); then
    printf -v shown '%dm%02ds' $((s / 60)) $((s % 60))
  else
    printf -v shown '%dh%02dm' $((s / 3600)) $((s % 3600 / 60))
  fi
}

# start_run NUMBER: a job, and so (set -m) a process group of its own, which a
# signal reaches as a whole.
start_run() {
  local output=$scratch/$1.out
  (
    cd "$package" || exit
    "$binary" "${test_flags[@]}"
    exit $?
  ) >"$output" 2>&1 </dev/null &
  number_of[$!]=$1
  microseconds
  began[$!]=$now
}

# start_ticker: a job that ends in a second, to wake the main loop for its status.
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
  # Some versions of wait -n overlook a job that a signal ended just before.
  for ended in "${!number_of[@]}" "$ticker"; do
    if ! kill -0 "$ended" 2>/dev/null; then
      wait "$ended"
      status=$?
      return
    fi
  done
}

# take_result: books the run whose job is ended and status.
take_result() {
  local n=${number_of[$ended]} output
  unset "number_of[$ended]"
  kill -KILL -- "-$ended" 2>/dev/null # what the tests started and left behind
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

# complaint OUTPUT: prints what the test binary found wrong with its arguments, and
# fails if it found nothing. Once a test has begun, such words are the test's own.
complaint() {
  ! grep -qaE '^=== RUN ' "$1" || return
  local pattern='^testing: warning: no tests to run$'
  ((status == 0)) ||
    pattern='^testing: invalid regexp|^flag provided but not defined|^invalid (boolean )?value .* for (flag )?-'
  grep -m 1 -aE "$pattern" "$1"
}

# keep_log NUMBER OUTPUT TOOK: saves the output of a failed run under a free name.
keep_log() {
  local log=test-$1.log k=2
  # noclobber makes the test for a free name and its creation one step.
  until (set -o noclobber && : >"$log") 2>/dev/null; do
    [[ -e $log ]] || finish_badly 1 "run $1 failed, but $PWD/$log cannot be written"
    log=test-$1-$k.log
    ((k += 1))
  done
  cat "$2" >"$log" || finish_badly 1 "run $1 failed, but $PWD/$log cannot be written"
  show_duration "$3"
  local line
  line="run $1 failed after $shown: $(failed_tests "$log") -> $log"
  failures+=("$line")
  clear_status
  printf '%s\n' "$line"
}

# failed_tests LOG: names the tests that failed, or else those that were running
# when the binary died, and why.
failed_tests() {
  awk -v status="$status" '
    /^=== RUN / && $3 !~ /\//        { running[$3]; order[++n] = $3 }
    /^=== PAUSE /                    { delete running[$3] }
    /^=== CONT / && $3 !~ /\//       { running[$3] }
    /^--- (PASS|SKIP|FAIL): /        { delete running[$3] }
    /^--- FAIL: /                    { names = names sep $3; sep = ", " }
    /^panic: test timed out/         { why = "timeout" }
    /^panic: / && why == ""          { why = "panic" }
    /^fatal error: / && why == ""    { why = "fatal error" }
    /^WARNING: DATA RACE/            { why = "data race" }
    END {
      if (names == "") {
        for (i = 1; i <= n; i++)
          if (order[i] in running) { names = names sep order[i]; sep = ", " }
        if (why == "") why = "exit status " status
      }
      printf "%s%s", names == "" ? "no test" : names, why == "" ? "" : " (" why ")"
    }' "$1"
}

# print_status: one live line on a terminal; elsewhere a line every ten seconds.
print_status() {
  local finished=$((passed + failed)) line
  microseconds
  local elapsed=$((now - started))
  ((live || elapsed >= next_line)) || return
  next_line=$((elapsed + 10000000))
  line="$finished/$runs done, ${#number_of[@]} running, $failed failed"
  show_duration "$elapsed"
  line+=", $shown elapsed"
  if ((finished > 0)); then
    show_duration $((elapsed * (runs - finished) / finished))
    line+=", about $shown left"
  fi
  if ((live)); then
    printf '\r\033[K%s' "$line"
  else
    printf '%s\n' "$line"
  fi
}

clear_status() {
  ((!live)) || printf '\r\033[K'
}

summary() {
  microseconds
  show_duration $((now - started))
  clear_status
  local finished=$((passed + failed))
  printf '\n%d of %d runs finished in %s: %d passed, %d failed\n' \
    "$finished" "$runs" "$shown" "$passed" "$failed"
  ((finished == 0)) && return
  local sorted min median
  mapfile -t sorted < <(printf '%s\n' "${times[@]}" | sort -n)
  show_duration "${sorted[0]}" && min=$shown
  show_duration "${sorted[finished / 2]}" && median=$shown
  show_duration "${sorted[finished - 1]}"
  printf 'time of a run: min %s, median %s, max %s\n' "$min" "$median" "$shown"
  ((failed == 0)) || printf '  %s\n' "${failures[@]}"
}

# stop_jobs: kills what still runs, each with all that it started.
stop_jobs() {
  local job
  for job in $(jobs -p); do
    kill -KILL -- "-$job"
  done 2>/dev/null
  wait 2>/dev/null
}

# interrupted STATUS: the end of a script that got a signal.
interrupted() {
  trap '' HUP INT PIPE TERM
  (($1 != 141)) || exec >/dev/null 2>&1 # nobody reads on
  local left=${#number_of[@]}
  stop_jobs
  if ((started)); then
    clear_status
    printf 'stopped; %d unfinished runs killed\n' "$left"
    summary
  fi
  exit "$1"
}

main() {
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) ||
    usage_error "needs bash 5.1 or newer, and this is $BASH_VERSION"
  command -v go >/dev/null || usage_error "cannot find the go command"
  find_package
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/go-test-many.XXXXXX") || exit 3
  trap 'rm -rf "$scratch"' EXIT
  trap 'interrupted 129' HUP
  trap 'interrupted 130' INT
  trap 'interrupted 141' PIPE
  trap 'interrupted 143' TERM
  set -m
  build

  printf 'testing %s: %d runs, %d at a time\n' "$package" "$runs" "$parallelism"
  ! compgen -G 'test-*.log' >/dev/null ||
    printf 'note: logs of earlier runs (test-*.log) are here; they stay\n'
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
[[ ! -t 1 ]] || live=1

parse_arguments "$@"
main
