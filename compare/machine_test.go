package main

import (
	"context"
	"errors"
	"testing"
)

var allKinds = map[string]kind{"int": intCommand, "string": stringCommand, "kv": kvCommand}

func TestEncode_decodesToTheSameValue(t *testing.T) {
	for name, k := range allKinds {
		seen := map[uint64]int{}
		for seq := range 2000 {
			d := digest(k.value(seq))
			if got := k.digestBytes(k.encode(seq)); got != d {
				t.Fatalf("%s %d: digest of the bytes %x, of the value %x", name, seq, got, d)
			}
			if other, ok := seen[d]; ok {
				t.Fatalf("%s: commands %d and %d have the same digest", name, other, seq)
			}
			seen[d] = seq
		}
	}
}

// applied returns machines that have applied these commands, one for each list.
func applied(k kind, lists ...[]int) []*machine {
	ms := newMachines(len(lists), workload{kind: k})
	for i, list := range lists {
		for _, seq := range list {
			ms[i].apply(k.value(seq))
		}
		ms[i].flush()
	}
	return ms
}

func TestVerify(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	good := []int{0, 1, 2, 3}
	for name, k := range allKinds {
		if err := verify(ended, applied(k, good, good), k, 4); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, bad := range map[string][]int{
			"missing":   {0, 1, 2},
			"extra":     {0, 1, 2, 3, 4},
			"reordered": {0, 2, 1, 3},
			"repeated":  {0, 1, 1, 3},
		} {
			if err := verify(ended, applied(k, good, bad), k, 4); err == nil {
				t.Errorf("%s: verify overlooked one server's %s command", name, what)
			}
			if err := verify(ended, applied(k, bad, bad), k, 4); err == nil {
				t.Errorf("%s: verify overlooked all servers' %s command", name, what)
			}
		}
	}
}

func TestAwait_wokenByFlush(t *testing.T) {
	m := newMachines(1, workload{kind: intCommand})[0]
	const n = 10_000
	go func() {
		for seq := range n {
			m.apply(seq)
			m.flush()
		}
	}()
	for i := int64(1); i <= n; i++ {
		if err := m.await(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAwait_endsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStalled)
	if err := newMachines(1, workload{})[0].await(ctx, 1); !errors.Is(err, errStalled) {
		t.Errorf("got %v", err)
	}
}
