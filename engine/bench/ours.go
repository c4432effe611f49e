package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"6.824/engine"
	"6.824/engine/internal/disk"
	lab "6.824/raft"
)

// quiet logs nothing below warnings.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// ours is a server of package engine.
type ours struct{ *engine.Node }

func newOurs(c childConfig, apply func([]byte)) (server, error) {
	disk.Wrap = func(l disk.Log) disk.Log { return slowLog{l} }
	applyCh := make(chan lab.ApplyMsg, 128)
	node, err := engine.Open(engine.Config{
		ID: c.ID, Cluster: "bench", Dir: c.Dir, Peers: c.Peers, Dial: slowDial, Logger: quiet,
	}, applyCh)
	if err != nil {
		return nil, err
	}
	go func() {
		for m := range applyCh {
			apply(m.Command.([]byte))
		}
	}()
	return ours{node}, nil
}

func (s ours) state() (term int, leads bool) { return s.GetState() }

func (s ours) propose(command []byte) error {
	if _, _, leads := s.Start(command); !leads {
		return errors.New("the leader has lost its lead")
	}
	return nil
}

func (s ours) read(ctx context.Context) error {
	_, err := s.ReadIndex(ctx)
	return err
}
