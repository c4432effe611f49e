package mutants

// table holds all mutants: mistakes in what docs/engine.md says of indices, of the disk and of reads.
var table = []mutant{
	// Indices.
	{"no-ops-counted", "command.go", `return e.GetType() == raftpb.EntryNormal && len(e.GetData()) > 0`, `return e.GetType() == raftpb.EntryNormal`, "TestCommand"},
	{"changes-counted", "command.go", `return e.GetType() == raftpb.EntryNormal && len(e.GetData()) > 0`, `return len(e.GetData()) > 0`, "TestCommand"},
	{"overwritten-entries-counted", "positions.go", `p.places = p.places[:index-p.base]`, ``, "TestPositions"},
	{"count-of-the-entry-before", "positions.go", `return p.places[index-p.base].commands`, `return p.places[max(index, 1)-1-min(p.base, max(index, 1)-1)].commands`, "TestPositions"},
	{"compacted-too-far", "positions.go", `p.places = slices.Clone(p.places[index-p.base:])`, `p.places = slices.Clone(p.places[min(index-p.base+1, uint64(len(p.places)-1)):])`, "TestPositions_random"},
	{"snapshot-does-not-count", "newloop.go", `l.positions = newPositions(full.index(), full.header.commands)`, `l.positions = newPositions(full.index(), 0)`, "TestSnapshot_keepsTheLogSmall"},
	{"no-recount-at-restart", "newloop.go", `l.positions.append(e.GetIndex(), isCommand(e), len(e.GetData()))`, `l.positions.append(e.GetIndex(), false, len(e.GetData()))`, "TestNode_restart"},
	{"proposal-behind-others", "propose.go", `l.handleReady() if err := l.raft.Step(m); err != nil {`, `if err := l.raft.Step(m); err != nil {`, "TestPropose_behindOthers"},
	{"forwarding", "newloop.go", `DisableProposalForwarding: true`, `DisableProposalForwarding: false`, "TestPropose_follower"},
	{"refused-change-not-noticed", "change.go", `if e.GetType() == raftpb.EntryNormal {`, `if false {`, "TestChange_refused"},
	{"installed-snapshot-does-not-count", "apply.go", `a.commands = s.header.commands if`, `if`, "TestSnapshot_isSentToAServerThatLagsBehind"},

	// Syncs of the engine's own. Without one, all that it would have synced is lost.
	{"sync-of-the-log-s-directory", "directory.go", `syncDir(d.wal()), `, ``, "TestSync_newDirectory"},
	{"sync-of-the-new-directory", "directory.go", `, syncDir(d.path)); err`, `); err`, "TestSync_newDirectory"},
	{"sync-of-the-directories-above", "directory.go", `return syncDirsUpFrom(filepath.Dir(final))`, `return nil`, "TestSync_newDirectory"},
	{"sync-of-the-first-directory-only", "directory.go", `return syncDirsUpFrom(filepath.Dir(final))`, `return syncDir(filepath.Dir(final))`, "TestSync_newDirectory"},
	{"sync-of-the-new-mark", "mark.go", `return errors.Join(err, fileutil.Fsync(f), f.Close())`, `return errors.Join(err, f.Close())`, "TestSync_newDirectory"},
	{"sync-of-the-lowered-mark", "mark.go", `return fileutil.Fsync(f.file)`, `return nil`, "TestSync_shorterLog"},
	{"sync-of-the-snapshot-s-name", "directory.go", `return syncDir(d.snap())`, `return nil`, "TestSync_takenSnapshot"},
	{"sync-of-an-installed-snapshot", "save.go", `if err := w.wal.Sync(); err != nil { return err }`, ``, "TestSync_installedSnapshot"},

	// Orders on the disk.
	{"answer-before-save", "save.go", `begun := time.Now()`, `for _, t := range tasks {
		w.node.deliver(t.append.GetResponses())
	}
	begun := time.Now()`, "TestWriter_answers"},
	{"answer-before-install", "save.go", `s, hard, entries := t.installed, hardStateOf(t.append), t.append.GetEntries()`, `s, hard, entries := t.installed, hardStateOf(t.append), t.append.GetEntries()
	w.node.deliver(t.append.GetResponses())`, "TestWriter_answers"},
	{"answer-after-failed-save", "save.go", `if err := w.wal.Save(hard, entries); err != nil { return err } w.node`, `if err := w.wal.Save(hard, entries); err != nil {
		w.node.deliver(tasks[0].append.GetResponses())
		return err
	}
	w.node`, "TestWriter_answers"},
	{"installed-record-before-file", "save.go", `if err := w.dir.saveSnapshotFile(s.file()); err != nil { return err } if err := w.wal.SaveSnapshot(recordOf(s.meta)); err != nil { return err } if err := w.wal.Save`, `if err := w.wal.SaveSnapshot(recordOf(s.meta)); err != nil {
		return err
	}
	if err := w.dir.saveSnapshotFile(s.file()); err != nil {
		return err
	}
	if err := w.wal.Save`, "TestWriter_orders"},
	{"taken-record-before-file", "snapshot.go", `if err := l.dir.saveSnapshotFile(s.file()); err != nil {`, `l.writer.tasks.put(write{taken: s, compactTo: compactTo})
	for l.node.kept.Load() != s && l.node.Err() == nil {
	}
	if err := l.dir.saveSnapshotFile(s.file()); err != nil {`, "TestSnapshot_fileFirst"},
	{"record-behind-no-hardstate", "save.go", `if err := w.wal.Save(hard, entries); err != nil { return err } if err := w.wal.Sync(); err != nil {`, `if err := w.wal.Sync(); err != nil {`, "TestWriter_orders"},
	{"purge-before-taken-record", "save.go", `if s.index() <= w.snapshot { return nil // a newer one came from the leader }`, `if s.index() <= w.snapshot {
		return nil
	}
	w.snapshot = s.index()
	if err := w.purge(); err != nil {
		return err
	}
	w.node.running.Wait()`, "TestWriter_orders"},
	{"purge-before-installed-record", "save.go", `if err := w.mark.lower(min(w.last, s.index())); err != nil { return err }`, `if err := w.mark.lower(min(w.last, s.index())); err != nil {
		return err
	}
	w.snapshot = s.index()
	if err := w.purge(); err != nil {
		return err
	}
	w.node.running.Wait()`, "TestWriter_orders"},
	{"mark-not-lowered", "save.go", `if err := w.mark.lower(keep); err != nil { return err }`, `_ = keep`, "TestSaveAll_mark"},
	{"mark-not-lowered-by-a-snapshot", "save.go", `if err := w.mark.lower(min(w.last, s.index())); err != nil { return err }`, ``, "TestWriter_orders"},
	{"mark-raised-before-save", "save.go", `begun := time.Now()`, `if n := len(entries); n > 0 {
		w.last = entries[n-1].GetIndex()
	}
	if err := w.raise(); err != nil {
		return err
	}
	begun := time.Now()`, "TestSaveAll_mark"},
	{"mark-raised-before-taken-record", "save.go", `if err := w.wal.SaveSnapshot(recordOf(s.meta)); err != nil { return err } w.snapshot = s.index() if err := w.raise(); err != nil { return err }`, `w.snapshot = s.index()
	if err := w.raise(); err != nil {
		return err
	}
	if err := w.wal.SaveSnapshot(recordOf(s.meta)); err != nil {
		return err
	}`, "TestWriter_orders"},
	{"nothing-purged", "purge.go", `for _, name := range logs[:max(needed-1, 0)] {`, `for _, name := range logs[:min(needed, 0)] {`, "TestWriter_orders"},
	{"hardstate-not-kept", "recover.go", `err = errors.Join(w.Save(hard, nil), d.removeBroken())`, `err = d.removeBroken()`, "TestWriter_hardState"},
	{"compacted-before-applied", "snapshot.go", `s == nil || s.index() > l.raft.BasicStatus().Applied || l.saving`, `s == nil || l.saving`, "TestSnapshot_inTheMiddleOfABatch"},
	{"failed-save-overlooked", "save.go", `w.node.fail(fmt.Errorf("cannot save: %w", err)) return`, `fmt.Println(err)`, "TestFailedSave"},

	// What is read from the disk.
	{"replaced-entries-come-back", "recover.go", `if len(entries) > 0 && entries[0].GetTerm() < term { return nil, nil }`, ``, "TestLogBehind"},
	{"gap-in-the-log", "recover.go", `if index++; e.GetIndex() != index || e.GetTerm() < term {`, `if index++; e.GetTerm() < term {`, "TestLogBehind"},
	{"mark-not-checked", "recover.go", `if err := mf.mark.check(r.found()); err != nil {`, `if err := mf.mark.check(r.found()); err != nil && false {`, "TestDamage_isRefused"},
	{"newest-snapshot-counts", "recover.go", `if len(records) > 0 { r.snapshot, err = snap.New(d.zap, d.snap()).LoadNewestAvailable(records)`, `if len(records) > 0 {
		r.snapshot, err = snap.New(d.zap, d.snap()).Load()`, "TestWriter_unrecordedSnapshot"},
	{"other-identity", "recover.go", `id != want {`, `id != want && false {`, "TestDirectory_isRefused"},

	// The loop.
	{"pending-snapshot-kept", "loop.go", `l.received, l.pending = nil, nil l.positions`, `l.received = nil
	l.positions`, "TestSnapshot_replacesPending"},
	{"lost-log-overlooked", "loop.go", `if m.GetCommit() > l.positions.last() { l.node.fail`, `if false {
			l.node.fail`, "TestLostDirectory"},
	{"any-answer-to-a-read", "read.go", `if len(s.RequestCtx) != 8 || binary.BigEndian.Uint64(s.RequestCtx) != r.question {`, `if len(s.RequestCtx) != 8 || binary.BigEndian.Uint64(s.RequestCtx) == 0 {`, "TestReads_confirmed"},
	{"read-before-commit", "read.go", `if call.index > l.commit {`, `if false {`, "TestReads_answer"},
	{"only-voter-answers-at-once", "read.go", `if !l.knowsCommit() { return }`, ``, "TestReadIndex_onlyServerRestarts"},
	{"read-overtakes-commit", "linger.go", `if m.GetType() != raftpb.MsgApp { out = append(out, l.held[k]) }`, ``, "TestLinger"},
	{"snapshot-for-others", "peers.go", `state.Learners = append(state.Learners, m.GetTo())`, ``, "TestForReceiver"},
	{"raft-s-snapshot-changed", "peers.go", `m = proto.Clone(m).(*raftpb.Message)`, `_ = proto.Clone(m)`, "TestForReceiver"},
	{"last-voter-removed", "membership.go", `return len(left) > 0`, `return true`, "TestMembership_lastVoter"},
}
