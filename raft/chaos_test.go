package raft

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

var (
	chaosSeed  = flag.Int64("chaos.seed", 1, "first seed of TestChaos")
	chaosSeeds = flag.Int("chaos.seeds", 20, "number of seeds of TestChaos")
)

// TestChaos lets a cluster of random size suffer random faults under random load, all drawn from a seed: crashes of
// one or all, also between saving and answering, links cut one by one and in one direction, leaders cut off, unreliable
// and reordering networks, snapshots that lag behind, slow readers, disks that save everything each time, options of
// Make. What is applied must agree at every moment, and when all is healed every server must get everything, once. The
// seed fixes the faults; how goroutines interleave is in it only on a host that is seeded, too (replay/).
//
// At the first seed that fails, TestChaos looks for a smaller scenario that fails in the same way and prints it as a test.
func TestChaos(t *testing.T) {
	parallel(t)
	failed, shrunk := 0, false
	begin := time.Now()
	for k := range *chaosSeeds {
		seed := *chaosSeed + int64(k)
		errs, done, ok := playSeed(t, seed)
		if !ok {
			failed++
			t.Logf("the same faults again: make chaos SEED=%d N=1", seed)
		}
		chaosProgress(k+1, failed, time.Since(begin))
		if len(errs) > 0 && !shrunk {
			shrunk = true
			shrinkSeed(t, seed, errs[0], done)
		}
	}
}

// playSeed carries out the scenario of a seed in a subtest.
func playSeed(t *testing.T, seed int64) (errs []error, done int, ok bool) {
	ok = t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
		errs, done = scenarioOf(seed).run(t, nil)
		for _, err := range errs {
			t.Error(err)
		}
	})
	return errs, done, ok
}

// chaosProgress shows how far many seeds have come.
func chaosProgress(done, failed int, took time.Duration) {
	if *chaosSeeds > 100 && (done%10 == 0 || done == *chaosSeeds) {
		fmt.Fprintf(os.Stderr, "\rchaos: %d of %d seeds, %d failed, %v ", done, *chaosSeeds, failed, took.Round(time.Second))
		if done == *chaosSeeds {
			fmt.Fprintln(os.Stderr)
		}
	}
}

// playChaos carries out a scenario chaosTries times, or until it fails.
func playChaos(t *testing.T, s scenario) {
	t.Helper()
	for range chaosTries {
		errs, _ := s.run(t, nil)
		for _, err := range errs {
			t.Error(err)
		}
		if t.Failed() {
			return
		}
	}
}

// run carries out the scenario in a bubble of its own. It returns what went wrong, the most telling error first, and how
// many faults were carried out until then. It does not make t fail. If prepare is not nil, run calls it with the cluster
// before the scenario begins.
func (s scenario) run(t *testing.T, prepare func(c *chaos)) (errs []error, done int) {
	left := labErrors(t, func() {
		c := newChaos(s)
		if prepare != nil {
			prepare(c)
		}
		errs, done = c.play()
	})
	for _, text := range left {
		errs = append(errs, errors.New("left behind: "+text))
	}
	return errs, done
}
