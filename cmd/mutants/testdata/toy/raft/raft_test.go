package raft

import (
	"flag"
	"testing"
)

var (
	_ = flag.Int("chaos.seeds", 1, "as raft's tests have it")
	_ = flag.Duration("chaos.shrink", 0, "this too")
	_ = flag.Bool("watch", true, "this too")
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
