//go:build student

package raft_test

import (
	"math/rand"
	"testing"
	"time"
)

// TestRandomFaults2C is not the lab's. It finds what needs an unlucky moment, such as a vote that is not saved: servers
// restart at once, also in the middle of elections, and messages are lost and late.
func TestRandomFaults2C(t *testing.T) {
	run(t, setup{n: 5, unreliable: true}, "Test (2C): random faults", (*config).randomFaults)
}

func (cfg *config) randomFaults() {
	for time.Since(cfg.t0) < 80*time.Second {
		cfg.randomFault(rand.Intn(cfg.n))
		cfg.sleep(time.Duration(rand.Intn(1+rand.Intn(250))) * time.Millisecond)
	}
	cfg.setunreliable(false)
	cfg.setlongreordering(false)
	cfg.restartCrashed()
	cfg.connectEach(cfg.all()...)
	cfg.one(rand.Int(), cfg.n, true)
}

// randomFault cuts off, reconnects, crashes or restarts server i, or changes the network, and starts commands.
func (cfg *config) randomFault(i int) {
	switch up := cfg.raft(i) != nil; rand.Intn(8) {
	case 0:
		cfg.disconnect(i)
	case 1:
		for j := range cfg.n {
			if cfg.raft(j) != nil {
				cfg.connect(j)
			}
		}
	case 2:
		cfg.crash1(i)
	case 3, 4:
		if !up {
			cfg.restartEach(i)
		}
	case 5, 6:
		if up {
			cfg.restartEach(i)
		}
	case 7:
		cfg.setunreliable(rand.Intn(2) == 0)
		cfg.setlongreordering(rand.Intn(2) == 0)
	}
	for range rand.Intn(3) {
		cfg.startEverywhere(func() any { return rand.Int() }, nil)
	}
}
