#!/bin/sh
# Runs a package's tests many times. It builds cmd/go-test-many, whose -h says more, and becomes that command.
set -eu
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
root=$(cd "$(dirname "$self")" && pwd -P)
command -v go >/dev/null || {
  echo 'go-test-many.sh: Go is missing: see https://go.dev/doc/install' >&2
  exit 2
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/go-test-many.XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# The caller's settings are for its tests only.
(cd "$root" && GO111MODULE=on GOFLAGS=-trimpath=false GOWORK=off GOTOOLCHAIN=auto GOOS='' GOARCH='' \
  go build -buildvcs=false -o "$scratch/go-test-many" ./cmd/go-test-many) || exit 2
trap - EXIT HUP INT TERM
# The command replaces this shell, so that it gets the signals to this process. It removes its own executable.
exec env GO_TEST_MANY_TEMPORARY=1 "$scratch/go-test-many" "$@"
