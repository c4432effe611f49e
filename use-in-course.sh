#!/bin/sh
# Installs this library in a course tree. It builds cmd/use-in-course, whose -h says more, and runs it.
set -eu
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
root=$(cd "$(dirname "$self")" && pwd -P)
command -v go >/dev/null || {
  echo 'use-in-course.sh: Go is missing: see https://go.dev/doc/install' >&2
  exit 2
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/use-in-course.XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# The caller's settings are for the course tree only.
(cd "$root" && GO111MODULE=on GOFLAGS=-trimpath=false GOWORK=off GOTOOLCHAIN=auto GOOS='' GOARCH='' \
  go build -buildvcs=false -o "$scratch/use-in-course" ./cmd/use-in-course) || exit 2
"$scratch/use-in-course" "$@"
