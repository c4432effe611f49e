//go:build student

package raft_test

import (
	"math/rand"
	"testing"
	"time"
)

// TestVoteSurvivesCrash2C is not the lab's. Again and again it cuts off the leader, lets two candidates not hear of each
// other, and crashes and restarts the two voters every few milliseconds. A voter must still know its vote (Figure 2:
// votedFor is persistent), or both candidates win the same term.
func TestVoteSurvivesCrash2C(t *testing.T) {
	run(t, setup{n: 5, unreliable: true}, "Test (2C): voters crash during elections", func(cfg *config) {
		for time.Since(cfg.t0) < 80*time.Second { // a test may take 120
			leader := cfg.checkOneLeader()
			cfg.disconnect(leader)
			a, b := (leader+1)%cfg.n, (leader+2)%cfg.n
			cfg.net.Enable(cfg.endnames[a][b], false)
			cfg.net.Enable(cfg.endnames[b][a], false)
			for begun := time.Now(); time.Since(begun) < RaftElectionTimeout; {
				cfg.restartEach(leader+3, leader+4)
				cfg.sleep(time.Duration(1+rand.Intn(25)) * time.Millisecond)
			}
			cfg.connectEach(leader, a)
		}
		cfg.checkOneLeader()
	})
}
