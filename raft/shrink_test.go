package raft

// The search for a small part of a list that fails in the same way as the list.

import (
	"math/rand"
	"slices"
	"testing"
)

// shrinkList returns a part of list, in the same order, for which fails returned true. It returns list itself if it
// finds no such part. It uses delta debugging: it removes smaller and smaller pieces, from the end of the list to its
// beginning. The caller must know that list itself fails; shrinkList does not call fails with it. If fails depends only
// on its argument, no single element can be removed from the result. To end the search early, let fails return false
// from then on: at most a few more calls per element follow. shrinkList modifies neither list nor the lists that it has
// passed to fails.
func shrinkList[T any](list []T, fails func([]T) bool) []T {
	for size := len(list); size > 0; {
		removed := false
		for end := len(list); end > 0; {
			start := max(end-size, 0)
			if shorter := slices.Concat(list[:start], list[end:]); fails(shorter) {
				list, removed = shorter, true
			}
			end = start
		}
		switch {
		case size > 1:
			size = max(min(size, len(list))/2, 1)
		case !removed:
			size = 0
		}
	}
	return list
}

// hasAll returns a function that reports whether a list contains all of these.
func hasAll(these ...int) func([]int) bool {
	return func(list []int) bool {
		return !slices.ContainsFunc(these, func(x int) bool { return !slices.Contains(list, x) })
	}
}

func upTo(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}

func TestShrinkListKeepsWhatFails(t *testing.T) {
	for _, needed := range [][]int{{}, {0}, {249}, {17, 18}, {0, 249}, {3, 80, 81, 200}, upTo(250)} {
		list := upTo(250)
		calls := 0
		got := shrinkList(list, func(list []int) bool {
			calls++
			return hasAll(needed...)(list)
		})
		if !slices.Equal(got, needed) {
			t.Errorf("shrunk to %v, want %v", got, needed)
		}
		if !slices.Equal(list, upTo(250)) {
			t.Errorf("the list was changed: %v", list)
		}
		if limit := 20 + 20*len(needed); calls > limit {
			t.Errorf("%d of 250 needed: %d calls, want at most %d", len(needed), calls, limit)
		}
	}
}

// A list fails here if it contains an odd number of certain elements, so a part of a list that passes may fail.
func TestShrinkListEndsWhereNothingCanGo(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for range 100 {
		needed := random.Perm(30)[:random.Intn(4)]
		odd := random.Perm(30)[:1+2*random.Intn(4)]
		fails := func(list []int) bool {
			count := 0
			for _, x := range list {
				if slices.Contains(odd, x) {
					count++
				}
			}
			return count%2 == 1 && hasAll(needed...)(list)
		}
		got := shrinkList(upTo(30), fails)
		if !fails(got) {
			t.Fatalf("%v does not fail", got)
		}
		for k := range got {
			if shorter := slices.Delete(slices.Clone(got), k, k+1); fails(shorter) {
				t.Errorf("%v fails, too, but %v was returned", shorter, got)
			}
		}
	}
}

func TestShrinkListKeepsTheOrder(t *testing.T) {
	list := []string{"b", "a", "x", "b", "a", "y"}
	got := shrinkList(list, func(list []string) bool {
		k := slices.Index(list, "a")
		return k >= 0 && slices.Contains(list[k:], "b")
	})
	if want := []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("shrunk to %v, want %v", got, want)
	}
	if got := shrinkList([]string(nil), func([]string) bool { t.Error("called for an empty list"); return true }); got != nil {
		t.Errorf("nil was shrunk to %v", got)
	}
}

// The search ends soon after fails returns only false, as it does when the time is over.
func TestShrinkListEndsWithoutBudget(t *testing.T) {
	for _, budget := range []int{0, 1, 5, 20} {
		calls := 0
		got := shrinkList(upTo(1000), func(list []int) bool {
			calls++
			return calls <= budget && hasAll(3, 999)(list)
		})
		if !hasAll(3, 999)(got) {
			t.Errorf("budget %d: shrunk to %d elements, which do not fail", budget, len(got))
		}
		if limit := budget + 2*1000 + 20; calls > limit {
			t.Errorf("budget %d: %d calls, want at most %d", budget, calls, limit)
		}
	}
}
