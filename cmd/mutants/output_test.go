package main

import (
	"strings"
	"testing"
)

func TestReadFailure(t *testing.T) {
	for _, c := range []struct {
		name, output string
		want         string // "" for nil
		round        int
	}{
		{"all pass", "=== RUN   TestA\n    a_test.go:3: by the way\n--- PASS: TestA (0.00s)\nPASS\n", "", 0},
		{"nothing", "", "", 0},
		{"fails", "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\nTest: the lab's ...\n    b_test.go:3: first\n    b_test.go:4: second\n--- FAIL: TestB (0.01s)\n", "TestB: first", 1},
		{"another test's message", "=== RUN   TestA\n    a_test.go:3: by the way\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n--- FAIL: TestB (0.01s)\nFAIL\n", "TestB", 1},
		{"fails without a message at the end", "=== RUN   TestA\n--- FAIL: TestA (0.00s)", "TestA", 1},
		{"subtest", "=== RUN   TestA\n=== RUN   TestA/x\n    config.go:30: wrong: 1\n--- FAIL: TestA (0.01s)\n    --- FAIL: TestA/x (0.01s)\n", "TestA/x: wrong: 1", 1},
		{"panic in the test", "=== RUN   TestA\n--- FAIL: TestA (0.00s)\npanic: oh [recovered, repanicked]\n\ngoroutine 7 [running]:\n", "TestA: oh", 1},
		{"panic in a subtest", "=== RUN   TestA\n=== RUN   TestA/x\n--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\npanic: oh [recovered, repanicked]\n", "TestA/x: oh", 1},
		{"panic elsewhere", "=== RUN   TestA\npanic: raft: no entry 7\n\ngoroutine 9 [running]:\n", "TestA: raft: no entry 7", 1},
		{"fatal error", "=== RUN   TestA\nfatal error: all goroutines are asleep - deadlock!\n", "TestA: all goroutines are asleep - deadlock!", 1},
		{"race", "=== RUN   TestA\n==================\nWARNING: DATA RACE\nRead at 0x00c000\n", "TestA: data race", 1},
		{"timeout", "=== RUN   TestA\npanic: test timed out after 1s\n\trunning tests:\n\t\tTestA (1s)\n", "TestA: hangs", 1},
		{"third round", "=== RUN   TestA\n=== RUN   TestB\n=== RUN   TestA\n=== RUN   TestB\n=== RUN   TestA\n=== RUN   TestB\n--- FAIL: TestB (1s)\n", "TestB", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := readFailure(strings.NewReader(c.output))
			if f == nil {
				if c.want != "" {
					t.Errorf("nothing found, want %q", c.want)
				}
				return
			}
			if f.String() != c.want || f.round != c.round {
				t.Errorf("%q in round %d, want %q in round %d", f, f.round, c.want, c.round)
			}
		})
	}
}
