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

// TestChaos runs clusters of random size with random load and random faults, all drawn from a seed. Servers crash, one
// or all, also between saving and answering. Links are cut one by one and in one direction; leaders are isolated; the
// network is unreliable or reorders replies. Snapshots lag behind, readers are slow, disks save the whole state each
// time, and servers have various options of Make. At every moment, servers must agree on the commands that they have
// applied; after all faults are healed, every server must apply every command once. The seed determines the faults. It
// determines the interleaving of goroutines only on a seeded host (replay/). For the first seed that fails, TestChaos
// looks for a smaller scenario that fails in the same way and prints it as a test.
func TestChaos(t *testing.T) {
	parallel(t)
	failed, shrunk := 0, false
	begin := time.Now()
	for k := range *chaosSeeds {
		seed := *chaosSeed + int64(k)
		errs, done, ok := playSeed(t, seed, failed < mostPages)
		if !ok {
			failed++
			t.Logf("to repeat the same faults: make chaos SEED=%d N=1", seed)
		}
		chaosProgress(k+1, failed, time.Since(begin))
		if len(errs) > 0 && !shrunk {
			shrunk = true
			shrinkSeed(t, seed, errs[0], done)
		}
	}
}

// mostPages bounds the failing seeds whose pages TestChaos writes, since there may be thousands.
const mostPages = 3

// playSeed runs the scenario of a seed in a subtest. If page, it writes the page of a failure.
func playSeed(t *testing.T, seed int64, page bool) (errs []error, done int, ok bool) {
	ok = t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
		errs, done = scenarioOf(seed).runRecorded(t, page)
	})
	return errs, done, ok
}

// chaosProgress prints how many seeds have run, if there are more than a hundred.
func chaosProgress(done, failed int, took time.Duration) {
	if *chaosSeeds > 100 && (done%10 == 0 || done == *chaosSeeds) {
		fmt.Fprintf(os.Stderr, "\rchaos: %d of %d seeds, %d failed, %v ", done, *chaosSeeds, failed, took.Round(time.Second))
		if done == *chaosSeeds {
			fmt.Fprintln(os.Stderr)
		}
	}
}

// playChaos runs a scenario chaosTries times, or until it fails.
func playChaos(t *testing.T, s scenario) {
	t.Helper()
	for range chaosTries {
		if s.runRecorded(t, true); t.Failed() {
			return
		}
	}
}

// runRecorded runs the scenario. If it fails, t fails, too, and if page, the page of the run is written.
func (s scenario) runRecorded(t *testing.T, page bool) (errs []error, done int) {
	t.Helper()
	var r *recording
	errs, done = s.run(t, func(c *chaos) {
		r = newRecording(t, s.servers)
		c.recordIn(r)
	})
	for _, err := range errs {
		r.failure(err.Error())
		t.Error(err)
	}
	if page {
		r.show(t)
	}
	return errs, done
}

// run runs the scenario in a bubble. It returns the errors, the watch's first, and the number of faults that were
// injected before them. It does not make t fail. If prepare is not nil, run calls it with the cluster before the
// scenario begins.
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
