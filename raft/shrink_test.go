package raft

// The search for a small part of a list that still fails.

import (
	"math/rand"
	"slices"
	"testing"
)

// shrinkList returns a part of list for which fails returned true, with the elements in their order. It returns list itself
// if it finds no such part. It uses delta debugging: it tries to leave out smaller and smaller pieces, beginning at the end.
//
// The caller must know that list itself fails; shrinkList does not call fails with it. If fails is a function of its argument,
// no single element can be left out of the result. To end the search, let fails return false from then on: at most a few
// calls for each element of list follow. shrinkList changes neither list nor a list that it has passed to fails.
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

// hasAll returns a predicate: the list contains every one of these.
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

// These lists fail if they contain an odd number of some elements, so that a part of a list that passes may fail.
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
	if got := shrinkList([]string(nil), func([]string) bool { t.Error("called for no list"); return true }); got != nil {
		t.Errorf("nothing was shrunk to %v", got)
	}
}

// The search ends soon once fails only returns false, as it does when there is no time left.
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
