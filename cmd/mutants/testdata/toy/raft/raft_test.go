package raft

import (
	"flag"
	"testing"
)

var (
	_ = flag.Int("chaos.seeds", 1, "as raft's tests have it")
	_ = flag.Duration("chaos.shrink", 0, "this too")
	_ = flag.Bool("watch", true, "this too")
	_ = flag.Duration("explore.limit", 0, "this too")

	explore = flag.Bool("explore", false, "explore in earnest")
)

func TestFirst(t *testing.T) {}

func TestDouble(t *testing.T) {
	t.Run("of three", func(t *testing.T) {
		if double(3) != 6 {
			t.Error("three and three make six")
		}
	})
}

func TestBasic2A(t *testing.T) {
	if double(1) == 0 {
		t.Fatal("one and one make two")
	}
}

func TestExplore(t *testing.T) {
	if *explore && double(5) != 10 {
		t.Fatalf("\nexplore: found after 12 states, a trace of 3 actions: doubling: five gives %d\n1  ask", double(5))
	}
}
