package main

import (
	"strings"
	"testing"
)

// Without -v, the lines of passed tests go away, and those of failed tests follow the result, as with go test.
func TestTestOutput(t *testing.T) {
	const raw = "^=== RUN   TestA\n    a_test.go:1: of A\n        and more\nprinted^--- PASS: TestA (0.00s)\n^=== NAME  \n" +
		"^=== RUN   TestB\n^=== RUN   TestB/sub\n    a_test.go:2: of sub\n^=== NAME  TestB\n    a_test.go:3: of B\n        printed\n" +
		"^=== NAME  TestB\n^--- FAIL: TestB (0.00s)\n^    --- FAIL: TestB/sub (0.00s)\n^=== NAME  \n" +
		"^=== RUN   TestC\n    a_test.go:4: of C\n^--- SKIP: TestC (0.00s)\n^=== RUN   TestD\n    a_test.go:5: of D\npanic: x\n^FAIL\n"
	for verbose, want := range map[bool]string{
		false: "printed--- FAIL: TestB (0.00s)\n    a_test.go:3: of B\n        printed\n    --- FAIL: TestB/sub (0.00s)\n    a_test.go:2: of sub\n" +
			"panic: x\nFAIL\n    a_test.go:5: of D\n",
		true: strings.ReplaceAll(strings.ReplaceAll(raw, "^=== NAME  \n", ""), "^", ""),
	} {
		var out strings.Builder
		to := newTestOutput(&out, verbose)
		for line := range strings.Lines(strings.ReplaceAll(raw, "^", "\x16")) {
			to.Write([]byte(line))
		}
		to.flush()
		if out.String() != want {
			t.Errorf("verbose %v: got\n%s\nwant\n%s", verbose, out.String(), want)
		}
	}
}
