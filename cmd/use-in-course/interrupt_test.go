package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// killed is the panic that stands for a kill.
type killed struct{}

// killAt calls f with a disk that is killed before step n, counted from 0. It reports whether f has ended before that.
func killAt(dir string, n int, f func(d *disk) error) (ended bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(killed); !ok {
				panic(p)
			}
		}
	}()
	steps := 0
	err = f(&disk{dir: dir, before: func(string) error {
		if steps++; steps > n {
			panic(killed{})
		}
		return nil
	}})
	return true, err
}

// A killable is a tree of the layout 2023 with an installation to carry out.
type killable struct {
	src    string
	before map[string]string
	plan   *plan
}

func newKillable(t *testing.T) *killable {
	t.Helper()
	k := &killable{src: layoutOf(t, "2023").make(t)}
	k.before = snapshot(t, k.src)
	p, err := planFor(k.src, false)
	if err != nil {
		t.Fatal(err)
	}
	k.plan = p
	return k
}

func (k *killable) install(d *disk) error { return d.apply(k.plan) }

func (k *killable) restore(d *disk) error {
	m, err := readManifest(k.src)
	if err != nil || m == nil {
		return err
	}
	r, err := d.restore(m)
	if len(r.aside)+len(r.lost) > 0 {
		err = errors.Join(err, errors.New(strings.Join(append(r.aside, r.lost...), ", ")))
	}
	return err
}

// repair undoes what a killed run has left, and compares the tree.
func (k *killable) repair(t *testing.T) {
	t.Helper()
	if exists(filepath.Join(k.src, stateDir)) {
		if err := undo(&disk{dir: k.src, before: always}, options{undo: true}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	compare(t, k.src, k.before)
}

// An installation that is killed at any step can be undone and repeated.
func TestKilledInstallation(t *testing.T) {
	k := newKillable(t)
	for n := 0; ; n++ {
		ended, err := killAt(k.src, n, k.install)
		if err != nil {
			t.Fatal(err)
		}
		if n%7 == 0 || ended { // the next run finds it so
			if err := install(t.Context(), &disk{dir: k.src, before: always}, options{}, io.Discard, io.Discard); err != nil {
				t.Fatalf("step %d: %v", n, err)
			}
		}
		k.repair(t)
		if t.Failed() {
			t.Fatalf("killed at step %d", n)
		}
		if ended {
			return
		}
	}
}

// An undo that is killed at any step can be repeated.
func TestKilledUndo(t *testing.T) {
	k := newKillable(t)
	for n := 0; ; n++ {
		if err := k.install(&disk{dir: k.src, before: always}); err != nil {
			t.Fatal(err)
		}
		ended, err := killAt(k.src, n, k.restore)
		if err != nil {
			t.Fatal(err)
		}
		k.repair(t)
		if t.Failed() {
			t.Fatalf("killed at step %d", n)
		}
		if ended {
			return
		}
	}
}

// If a step fails, the command puts everything back by itself.
func TestFailedStep(t *testing.T) {
	k := newKillable(t)
	full := errors.New("the disk is full")
	last := "rename " + stateDir + "/new/raft/vote.go"
	for _, step := range []string{"write", "rename " + stateDir, "rename raft/raft.go", last} {
		d := &disk{dir: k.src, before: func(s string) error {
			if strings.HasPrefix(s, step) {
				return full
			}
			return nil
		}}
		err := d.apply(k.plan)
		if !errors.Is(err, full) {
			t.Fatalf("%s: error %v", step, err)
		}
		if err := d.giveUp(err); !errors.Is(err, full) || !strings.Contains(err.Error(), "the tree is as it was before") {
			t.Errorf("%s: error %v", step, err)
		}
		compare(t, k.src, k.before)
	}
}
