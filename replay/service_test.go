package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tests of the services run from a seed. TestServiceFails runs one of package kvraft.
func TestServices(t *testing.T) {
	t.Parallel()
	for pkg, test := range map[string]string{
		"/rsm":       "TestLeaderPartition4A/any_Raft",
		"/versioned": "TestOnePartition4B",
	} {
		line := "-seed 1 -check -run " + test + " ../kvraft" + pkg
		if out, log, _, err := replayed(t, line); err != nil || !strings.Contains(log, "the second run had the same") {
			t.Errorf("%s: %v\n%s%s", line, err, out, log)
		}
	}
}

// A service that carries out repeated requests again fails, always in the same way from one seed. The page opens at the
// failure.
func TestServiceFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source, err := os.ReadFile("../kvraft/store.go")
	mutated := strings.Replace(string(source), "o.request <= last", "o.request < 0*last", 1)
	if err != nil || mutated == string(source) {
		t.Fatalf("no place for the mistake: %v", err)
	}
	for name, text := range map[string]string{
		"store.go":     mutated,
		"overlay.json": fmt.Sprintf(`{"Replace": {"../kvraft/store.go": %q}}`, filepath.Join(dir, "store.go")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	line := "-seed 1 -run TestUnreliableOneKey3A -overlay " + dir + "/overlay.json ../kvraft"
	p, _, _ := recorded(t, line, true)
	if p.Violation < 0 || !strings.Contains(strings.Join(p.Strings, "\n"), "duplicate element") {
		t.Errorf("violation %d, strings %q", p.Violation, p.Strings)
	}
}
