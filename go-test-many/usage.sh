# shellcheck shell=bash disable=SC2034
# The help text and the arguments of go-test-many.sh.

usage() {
  cat <<'EOF'
Go-test-many.sh runs a package's tests many times and keeps the output of failed runs.

usage: go-test-many.sh [flags] [RUNS [PARALLELISM [PATTERN]]] [-- TEST_FLAG...]

It builds the test binary of the package in the current directory once, or of
./raft if the current directory has no tests, and runs it RUNS times.

  RUNS         number of runs (default 100)
  PARALLELISM  number of runs at a time (default: the number of CPUs)
  PATTERN      run only the tests whose names match, like go test -run
               (default: all tests)
  TEST_FLAG    a flag for each run: a flag of go test that does not concern the
               build, such as -short or -count=2, or one that the tests define,
               such as -clock=real

Each run starts in the package's directory, is verbose (-test.v), and ends after
ten minutes unless TEST_FLAG sets -timeout.

If run 7 fails, its output is saved as test-7.log in the current directory, or as
test-7-2.log and so on if that file exists. The output of passed and interrupted
runs is not kept.

Ctrl-C kills all runs at once and prints the summary of the finished ones.
Progress goes to standard error, failed runs and the summary go to standard
output.

flags:
  -h, --help  print this text

environment:
  RACE=1      build with the race detector (default 0)

examples:
  ./go-test-many.sh
  ./go-test-many.sh 1000 8 2B
  RACE=1 ./go-test-many.sh 20 2 '' -- -clock=real

exit codes:
  0    every run passed
  1    a run failed
  2    wrong usage, tests that do not build, no tests, or no test that matches
  129, 130, 141, 143
       stopped by SIGHUP, SIGINT (Ctrl-C), SIGPIPE, SIGTERM
EOF
}

# usage_error MESSAGE: prints an error about the arguments and exits with status 2.
usage_error() {
  printf 'go-test-many.sh: %s\n' "$1" >&2
  printf "Try 'go-test-many.sh -h'.\n" >&2
  exit 2
}

number_of_cpus() {
  nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# count NAME VALUE: exits with an error unless VALUE is a whole number from 1 to 9999999.
count() {
  [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] ||
    usage_error "$1 must be a whole number from 1 to 9999999, not '$2'"
}

# parse_arguments ARGUMENT...: sets runs, parallelism, build_flags and test_flags.
parse_arguments() {
  local positional=()
  while (($# > 0)); do
    case $1 in
      -h | --help) usage; exit ;;
      --) shift && break ;;
      -?*) usage_error "flag provided but not defined: $1 (flags for the tests go after --)" ;;
      *) positional+=("$1") && shift ;;
    esac
  done
  ((${#positional[@]} <= 3)) || usage_error "unexpected argument '${positional[3]}'"
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

# translate_flags FLAG...: adds the flags to test_flags. Those of go test get the form that
# the test binary knows: -run becomes -test.run.
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
