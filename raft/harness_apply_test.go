package raft

// The readers of applyCh and the rules that each message must obey. The course's readers end the process at an error;
// these record it, continue reading, and fail the test.

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"6.824/labgob"
)

// SnapShotInterval is the number of commands that a reader applies between two snapshots.
const SnapShotInterval = 10

// record keeps the first error of server i's readers and interrupts the test's pauses.
func (cfg *config) record(i int, err string) {
	if err == "" {
		return
	}
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	if cfg.applyErr[i] == "" {
		cfg.applyErr[i] = "apply error: " + err
	}
	rule := "apply error"
	if strings.Contains(err, "!=") {
		rule = "two servers apply different commands at one index (Figure 3, State Machine Safety)"
	}
	cfg.recording.violation(rule, i, 0, 0, err)
	select {
	case <-cfg.broken:
	default:
		close(cfg.broken)
	}
}

// applyError returns the errors that the watch or the readers have recorded. Any goroutine may call it.
func (cfg *config) applyError() error {
	if err := cfg.watch.violation(); err != nil {
		return err
	}
	select {
	case <-cfg.broken:
	default:
		return nil
	}
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	var found []string
	for _, err := range cfg.applyErr {
		if err != "" {
			found = append(found, err)
		}
	}
	return errors.New(strings.Join(found, "\n"))
}

// checkLogsLocked compares a command with those that all servers have applied at its index, and stores it. prevok
// reports whether server i has applied the index before it.
func (cfg *config) checkLogsLocked(i int, m ApplyMsg) (err string, prevok bool) {
	for j, log := range cfg.logs {
		if old, ok := log[m.CommandIndex]; ok && old != m.Command {
			err = fmt.Sprintf("commit index=%v server=%v %v != server=%v %v",
				m.CommandIndex, i, m.Command, j, old)
		}
	}
	_, prevok = cfg.logs[i][m.CommandIndex-1]
	cfg.logs[i][m.CommandIndex] = m.Command
	cfg.maxIndex = max(cfg.maxIndex, m.CommandIndex)
	return err, prevok
}

// applyLocked stores a command that server i applies and returns its error, or "".
func (cfg *config) applyLocked(i int, m ApplyMsg) string {
	err, prevok := cfg.checkLogsLocked(i, m)
	if m.CommandIndex > 1 && !prevok {
		return fmt.Sprintf("server %v apply out of order %v", i, m.CommandIndex)
	}
	return err
}

// applier reads commands until the server is killed.
func (cfg *config) applier(i int, applyCh applyChannel) {
	for m := range cfg.messages(applyCh) {
		if m.CommandValid {
			cfg.mu.Lock()
			err := cfg.applyLocked(i, m)
			cfg.mu.Unlock()
			cfg.record(i, err)
		}
	}
}

// applierSnap reads commands and snapshots until the server is killed. Every SnapShotInterval commands it takes a snapshot
// on this goroutine: Raft must accept a call of Snapshot between two sends.
func (cfg *config) applierSnap(i int, applyCh applyChannel) {
	rf := cfg.raft(i)
	if rf == nil {
		return // killed before this goroutine ran
	}
	for m := range cfg.messages(applyCh) {
		switch {
		case m.SnapshotValid:
			if rf.CondInstallSnapshot(m.SnapshotTerm, m.SnapshotIndex, m.Snapshot) {
				cfg.record(i, cfg.installSnap(i, m))
			}
		case m.CommandValid:
			snapshot, err := cfg.applyNext(i, m)
			cfg.record(i, err)
			if snapshot != nil {
				rf.Snapshot(m.CommandIndex, snapshot)
			}
		}
	}
}

// applyNext stores a command, which must follow the last one that server i applied, and returns the snapshot that is
// due after it, or nil.
func (cfg *config) applyNext(i int, m ApplyMsg) (snapshot []byte, err string) {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	if want := cfg.lastApplied[i] + 1; m.CommandIndex != want {
		err = fmt.Sprintf("server %v apply out of order, expected index %v, got %v",
			i, want, m.CommandIndex)
	} else {
		err = cfg.applyLocked(i, m)
	}
	cfg.lastApplied[i] = m.CommandIndex
	if (m.CommandIndex+1)%SnapShotInterval == 0 {
		snapshot = cfg.encodeLogLocked(i, m.CommandIndex)
	}
	return snapshot, err
}

// encodeLogLocked returns a snapshot: index, then server i's commands from index 0, which is nil, to index.
func (cfg *config) encodeLogLocked(i, index int) []byte {
	commands := make([]any, index+1)
	for j := range commands {
		commands[j] = cfg.logs[i][j]
	}
	return encodeAll(index, commands)
}

func encodeAll(values ...any) []byte {
	var w bytes.Buffer
	enc := labgob.NewEncoder(&w)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			panic(fmt.Sprintf("harness cannot encode a snapshot: %v", err))
		}
	}
	return w.Bytes()
}

// installSnap stores a snapshot that server i applies and returns its error, or "". A snapshot that goes back is an
// error at once; the course's readers notice it only at the next command.
func (cfg *config) installSnap(i int, m ApplyMsg) string {
	cfg.mu.Lock()
	defer cfg.mu.Unlock()
	if last := cfg.lastApplied[i]; m.SnapshotIndex < last {
		return fmt.Sprintf("server %v snapshot at index %v after index %v was applied",
			i, m.SnapshotIndex, last)
	}
	return cfg.ingestSnapLocked(i, m.Snapshot, m.SnapshotIndex)
}

// ingestSnapLocked replaces server i's log by that of a snapshot, which must end at index, or anywhere if index is -1.
func (cfg *config) ingestSnapLocked(i int, snapshot []byte, index int) string {
	if snapshot == nil {
		return "nil snapshot"
	}
	var lastIncluded int
	var commands []any
	dec := labgob.NewDecoder(bytes.NewReader(snapshot))
	if dec.Decode(&lastIncluded) != nil || dec.Decode(&commands) != nil {
		return "snapshot decode error"
	}
	if index != -1 && index != lastIncluded {
		return fmt.Sprintf("server %v snapshot doesn't match m.SnapshotIndex", i)
	}
	cfg.logs[i] = make(map[int]any, len(commands))
	for j, command := range commands {
		cfg.logs[i][j] = command
	}
	cfg.lastApplied[i] = lastIncluded
	return ""
}

// applierSnap2021 reads by the rules of 2021. CondInstallSnapshot is called with the harness locked; commands that were
// applied before are skipped; a snapshot holds only the last command.
func (cfg *config) applierSnap2021(i int, applyCh applyChannel) {
	rf := cfg.raft(i)
	if rf == nil {
		return // killed before this goroutine ran
	}
	lastApplied := 0
	for m := range cfg.messages(applyCh) {
		switch {
		case m.SnapshotValid:
			cfg.mu.Lock()
			err := ""
			if rf.CondInstallSnapshot(m.SnapshotTerm, m.SnapshotIndex, m.Snapshot) {
				err = cfg.ingestCommandLocked(i, m)
				lastApplied = m.SnapshotIndex
			}
			cfg.mu.Unlock()
			cfg.record(i, err)
		case m.CommandValid && m.CommandIndex > lastApplied:
			cfg.mu.Lock()
			err := cfg.applyLocked(i, m)
			cfg.mu.Unlock()
			cfg.record(i, err)
			lastApplied = m.CommandIndex
			if (m.CommandIndex+1)%SnapShotInterval == 0 {
				rf.Snapshot(m.CommandIndex, encodeAll(m.Command))
			}
		}
	}
}

// ingestCommandLocked replaces server i's log by a snapshot that holds one command.
func (cfg *config) ingestCommandLocked(i int, m ApplyMsg) string {
	var command int
	if labgob.NewDecoder(bytes.NewReader(m.Snapshot)).Decode(&command) != nil {
		return "decode error"
	}
	cfg.logs[i] = map[int]any{m.SnapshotIndex: command}
	return ""
}
