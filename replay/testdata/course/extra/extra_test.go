// Package extra uses what only its own labrpc has.
package extra

import (
	"testing"

	"course/labrpc"
)

func TestExtra(t *testing.T) {
	if labrpc.Extra() != 7 {
		t.Fatal("another labrpc")
	}
}
