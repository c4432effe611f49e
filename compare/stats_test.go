package main

import (
	"slices"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, c := range []struct {
		name   string
		values []time.Duration
		p      float64
		want   time.Duration
	}{
		{"none", nil, 50, 0},
		{"one", []time.Duration{7}, 99, 7},
		{"lowest", []time.Duration{3, 1, 2}, 0, 1},
		{"middle of three", []time.Duration{3, 1, 2}, 50, 2},
		{"lower middle of four", []time.Duration{4, 3, 1, 2}, 50, 2},
		{"p50 of 1 to 100", hundred, 50, 50},
		{"p99 of 1 to 100", hundred, 99, 99},
		{"highest", hundred, 100, 100},
	} {
		if got := percentile(slices.Clone(c.values), c.p); got != c.want {
			t.Errorf("%s: percentile %v is %d, want %d", c.name, c.p, got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values, unchanged []float64
		want              float64
	}{
		{nil, nil, 0},
		{[]float64{5}, []float64{5}, 5},
		{[]float64{9, 1, 5}, []float64{9, 1, 5}, 5},
		{[]float64{9, 1, 5, 2}, []float64{9, 1, 5, 2}, 3.5},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(c.values, c.unchanged) {
			t.Errorf("median changed its argument to %v", c.values)
		}
	}
}
