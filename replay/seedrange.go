package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"6.824/cmd/cli"
)

// seedRange is the range of seeds from first to last, both included.
type seedRange struct{ first, last uint64 }

// size returns the number of seeds, or the largest uint64 for the range of all seeds, which has one more.
func (r seedRange) size() uint64 {
	if n := r.last - r.first; n < math.MaxUint64 {
		return n + 1
	}
	return math.MaxUint64
}

func (r seedRange) String() string {
	if r.first == r.last {
		return strconv.FormatUint(r.first, 10)
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

func parseSeedRange(s string) (seedRange, error) {
	from, to, isRange := strings.Cut(s, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.ParseUint(from, 10, 64)
	last, err2 := strconv.ParseUint(to, 10, 64)
	if err1 != nil || err2 != nil {
		return seedRange{}, cli.Usagef("-seeds %s: not a range of whole numbers such as 1-1000", s)
	}
	if last < first {
		return seedRange{}, cli.Usagef("-seeds %s: the first seed is larger than the last: write %d-%d", s, last, first)
	}
	return seedRange{first, last}, nil
}
