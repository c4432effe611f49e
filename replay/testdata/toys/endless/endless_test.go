// Package endless never ends, in three ways.
package endless

import (
	"math/big"
	"testing"
	"time"
)

// TestExp computes in the standard library, where nothing yields, for longer than anybody waits.
func TestExp(t *testing.T) {
	one := big.NewInt(1)
	exponent := new(big.Int).Lsh(one, 1<<22)
	modulus := new(big.Int).Sub(new(big.Int).Lsh(one, 4096), one)
	new(big.Int).Exp(big.NewInt(3), exponent, modulus)
}

// TestTicks goes on for ever, but blocks.
func TestTicks(t *testing.T) {
	for {
		time.Sleep(time.Microsecond)
	}
}

// TestDeadlock waits for something that nobody sends.
func TestDeadlock(t *testing.T) {
	<-make(chan int)
}
