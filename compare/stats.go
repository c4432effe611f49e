package main

import (
	"cmp"
	"math"
	"slices"
)

type number interface{ ~int64 | ~float64 }

// percentile returns the smallest value that is not less than p percent of the values (nearest rank). It sorts values, and
// returns 0 if there are none.
func percentile[T number](values []T, p float64) T {
	if len(values) == 0 {
		return 0
	}
	slices.SortFunc(values, cmp.Compare[T])
	rank := int(math.Ceil(p / 100 * float64(len(values))))
	return values[max(rank, 1)-1]
}

// median returns the middle value, or the mean of the two middle ones. It does not change values, and returns 0 if there
// are none.
func median[T number](values []T) T {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
