package mutants

// table holds all mutants: mistakes that people make in a service on Raft.
var table = []mutant{
	// What a Submit waits for.
	{"index-without-identity", "rsm/waiters.go",
		`if w := ws.waiting[number]; w != nil { ws.settleLocked(w, outcome{rpc.OK, result}) return }`,
		`for _, w := range ws.waiting { if w.index == index { ws.settleLocked(w, outcome{rpc.OK, result}); return } }`},
	{"other-command-at-index-overlooked", "rsm/waiters.go",
		`if w.index == index { ws.settleLocked(w, outcome{err: rpc.ErrWrongLeader}) }`, `_ = w`},
	{"other-command-loses-all", "rsm/waiters.go", `if w.index == index {`, `if w.index > 0 {`},
	{"number-of-another-server", "rsm/reader.go", `if op.Boot != r.boot { op.Number = 0 }`, ``},
	{"carried-out-during-start-overlooked", "rsm/waiters.go", `if index <= ws.applied || term <= ws.over {`, `if term <= ws.over {`},
	{"deposed-during-start-overlooked", "rsm/waiters.go", `if index <= ws.applied || term <= ws.over {`, `if index <= ws.applied {`},
	{"waiter-comes-after-start", "rsm/rsm.go",
		`index, term, isLeader := r.rf.Start(Op{r.boot, w.number, r.codec.Encode(req)})`,
		`r.waiters.mu.Lock()
		delete(r.waiters.waiting, w.number)
		r.waiters.mu.Unlock()
		index, term, isLeader := r.rf.Start(Op{r.boot, w.number, r.codec.Encode(req)})
		r.waiters.mu.Lock()
		r.waiters.waiting[w.number] = w
		r.waiters.mu.Unlock()`},
	{"refused-operation-still-waits", "rsm/waiters.go", `if !settled { ws.removeLocked(w) }`, ``},
	{"snapshot-does-not-end-waiting", "rsm/reader.go", `r.waiters.covered(index)`, ``},
	{"snapshot-ends-all-waiting", "rsm/waiters.go", `if 0 < w.index && w.index <= index {`, `if 0 < w.index {`},
	{"snapshot-counts-as-result", "rsm/waiters.go",
		`if 0 < w.index && w.index <= index { ws.settleLocked(w, maybe) }`,
		`if 0 < w.index && w.index <= index { ws.settleLocked(w, outcome{err: rpc.OK}) }`},
	{"unknown-outcome-called-failure", "rsm/waiters.go", `var maybe = outcome{err: rpc.ErrMaybe}`, `var maybe = outcome{err: rpc.ErrWrongLeader}`},

	// Leadership.
	{"lost-leadership-not-noticed", "rsm/reader.go", `case raft.LostLeadership: r.waiters.termOver(e.Term)`, `case raft.LostLeadership:`},
	{"new-term-not-noticed", "rsm/reader.go", `case raft.NewTerm: r.waiters.termOver(e.Term - 1)`, `case raft.NewTerm:`},
	{"new-term-ends-its-own-operations", "rsm/reader.go", `r.waiters.termOver(e.Term - 1)`, `r.waiters.termOver(e.Term)`},
	{"lost-term-ends-later-ones", "rsm/waiters.go", `if 0 < w.term && w.term <= term {`, `if 0 < w.term {`},
	{"poll-looks-only-at-role", "rsm/poll.go", `if s.term < term || s.term == term && !isLeader {`, `if _ = term; !isLeader {`},
	{"poll-looks-only-at-term", "rsm/poll.go", `if s.term < term || s.term == term && !isLeader {`, `if _ = isLeader; s.term < term {`},
	{"poll-gives-up-in-own-term", "rsm/poll.go", `if s.term < term || s.term == term && !isLeader {`, `if _ = isLeader; s.term <= term {`},
	{"no-poll", "rsm/rsm.go", `go r.watchTerm()`, ``},

	// Reads.
	{"read-does-not-wait", "rsm/rsm.go", `case err != nil || !r.waitApplied(index):`, `case err != nil || index < 0:`},
	{"read-ignores-errors", "rsm/rsm.go", `case err != nil || !r.waitApplied(index):`, `case !r.waitApplied(index):`},
	{"read-without-entry-refused", "rsm/rsm.go", `case errors.Is(err, raft.ErrNotReady): return r.Submit(req)`, `case errors.Is(err, raft.ErrNotReady): return rpc.ErrWrongLeader, nil`},
	{"reads-wake-too-early", "rsm/waiters.go", `if w.index > index { kept`, `if w.index > index+1 { kept`},
	{"reads-not-woken-by-snapshot", "rsm/waiters.go", `ws.applied = index ws.wakeReadsLocked(index, outcome{err: rpc.OK}) for`, `ws.applied = index
	for`},
	{"reads-not-woken-by-commands", "rsm/waiters.go", `ws.applied = index ws.wakeReadsLocked(index, outcome{err: rpc.OK}) if`, `ws.applied = index
	if`},
	{"reads-wait-after-the-end", "rsm/waiters.go", `ws.wakeReadsLocked(math.MaxInt, maybe)`, `_ = math.MaxInt`},
	{"read-after-the-end-waits", "rsm/waiters.go", `if ws.closed { ws.n.Add(-1) w.outcome <- maybe return w }`, ``},

	// The end.
	{"kill-leaves-submits-waiting", "rsm/rsm.go", `close(r.done) r.waiters.close()`, `close(r.done)`},
	{"kill-leaves-raft-running", "rsm/rsm.go", `rf.Kill()`, `_ = rf`},
	{"closed-channel-leaves-submits-waiting", "rsm/reader.go", `defer r.waiters.close()`, ``},
	{"submit-after-the-end-waits", "rsm/waiters.go", `if ws.closed { return nil }`, ``},
	{"killed-reader-goes-on", "rsm/reader.go",
		`case m, ok := <-r.applyCh: return m, ok && !r.killed.Load() case <-r.done: return raft.ApplyMsg{}, false`,
		`case m, ok := <-r.applyCh: return m, ok`},
	{"poll-goes-on-after-reader", "rsm/poll.go", `case <-r.ended: return`, ``},

	// Carrying out.
	{"only-own-operations-carried-out", "rsm/reader.go", `op, ok := command.(Op) if ok {`, `op, ok := command.(Op)
		if ok && op.Boot == r.boot {`},
	{"commands-of-snapshot-carried-out-again", "rsm/reader.go", `case index <= applied: return`, ``},
	{"gap-not-noticed", "rsm/reader.go", `case index > applied+1:`, `case false:`},
	{"foreign-command-not-counted", "rsm/reader.go", `if ok { result = r.sm.DoOp(r.codec.Decode(op.Request)) }`,
		`if !ok { return }
		result = r.sm.DoOp(r.codec.Decode(op.Request))`},

	// Snapshots.
	{"received-snapshot-ignored", "rsm/reader.go", `case m.SnapshotValid: r.restore(m.Snapshot)`, `case m.SnapshotValid:`},
	{"old-snapshot-restored", "rsm/reader.go", `if index <= r.Applied() { return } r.sm.Restore(state)`, `r.sm.Restore(state)`},
	{"saved-snapshot-ignored", "rsm/reader.go", `if len(snapshot) > 0 {`, `if false {`},
	{"restored-index-forgotten", "rsm/reader.go", `r.sm.Restore(state) r.applied.Store(int64(index))`, `r.sm.Restore(state)`},
	{"snapshot-of-one-less", "rsm/snapshot.go", `r.keep(index, encode())`, `r.keep(index-1, encode())`},
	{"snapshot-without-index", "rsm/snapshot.go", `uint64(index))`, `uint64(0*index))`},
	{"log-not-trimmed", "rsm/snapshot.go", `r.rf.PersistBytes() < s.max {`, `r.rf.PersistBytes() < 20*s.max {`},
	{"snapshot-although-never", "rsm/snapshot.go", `if s.max <= 0 || s.since`, `if s.since`},
	{"snapshot-after-each-command", "rsm/snapshot.go", `s.since = 0`, ``},
	{"snapshots-overtake", "rsm/snapshot.go", `|| s.busy.Load()`, ``},
	{"snapshots-end-after-the-first", "rsm/snapshot.go", `defer s.busy.Store(false)`, ``},
	{"captured-too-late", "rsm/snapshot.go", `encode := c.Capture() go func() {`, `go func() {
		encode := c.Capture()`},

	// Exactly once.
	{"duplicates-carried-out", "store.go", `o.request <= last {`, `o.request < 0*last {`},
	{"last-request-carried-out-again", "store.go", `o.request <= last {`, `o.request < last {`},
	{"only-the-very-last-request-known", "store.go", `o.request <= last {`, `o.request == last {`},
	{"requests-of-all-clients-as-one", "store.go", `s.requests.Get(o.client); o.request <= last { return nil } s.requests.Set(o.client, o.request)`,
		`s.requests.Get(0); o.request <= last {
			return nil
		}
		s.requests.Set(0, o.request)`},
	{"requests-outside-of-snapshot", "store.go", `for client, last := range requests.All { b`, `for client, last := range requests.All {
		last = 0
		b`},
	{"requests-kept-by-restore", "store.go", `s.values, s.requests = table.New[string, value](), table.New[int64, int64]()`, `s.values = table.New[string, value]()`},
	{"values-kept-by-restore", "store.go", `s.values, s.requests = table.New[string, value](), table.New[int64, int64]()`, `s.requests = table.New[int64, int64]()`},
	{"append-after-put-finds-old-text", "store.go", `v = value{text: strings.Clone(o.value)}`, `v.text = strings.Clone(o.value)`},
	{"get-of-local-state", "server.go", `err, result := kv.rsm.Read(op{kind: get, key: args.Key})`,
		`var err, result = ErrWrongLeader, any(nil)
		if _, leads := kv.rf.GetState(); leads {
			v, ok := kv.store.values.Get(args.Key)
			err, result = OK, found{v.text, ok}
		}`},
	{"get-of-missing-key-not-told", "server.go", `if !v.exists {`, `if v.exists {`},
	{"clerk-numbers-each-attempt", "client.go", `var reply PutAppendReply return`, `var reply PutAppendReply
		ck.request++
		args.Request = ck.request
		return`},
	{"clerk-does-not-count", "client.go", `ck.request++ args :=`, `ck.request = 1
		args :=`},
	{"clerks-with-one-identity", "client.go", `client: nrand()}`, `client: 1}`},
	{"clerk-takes-maybe-for-done", "client.go", `&args, &reply) && reply.Err == OK`, `&args, &reply) && reply.Err != ErrWrongLeader`},
	{"clerk-takes-any-answer-to-get", "client.go", `return ok && (reply.Err == OK || reply.Err == ErrNoKey)`, `return ok`},

	// Seeking the leader.
	{"leader-forgotten", "seek/seek.go", `for range s.n {`, `s.leader = 0
		for range s.n {`},
	{"no-back-off", "seek/seek.go", `time.Sleep(backOff/2 + time.Duration(rand.Int63n(int64(backOff))))`, `_ = rand.Int
		time.Sleep(0)`},
	{"back-off-without-bound", "seek/seek.go", `min(2*backOff, maxBackOff)`, `2*backOff`},
	{"one-server-asked", "seek/seek.go", `(s.leader + 1) % s.n`, `s.leader % s.n`},

	// Versions.
	{"repeated-put-surely-refused", "versioned/client.go", `case reply.Err == rpc.ErrVersion && maybe:`, `case false && maybe:`},
	{"first-put-maybe", "versioned/client.go", `case reply.Err == rpc.ErrVersion && maybe:`, `case reply.Err == rpc.ErrVersion && (maybe || true):`},
	{"unknown-put-counts-as-not-done", "versioned/client.go", `case !ok || reply.Err == rpc.ErrMaybe: maybe = true`, `case !ok || reply.Err == rpc.ErrMaybe: maybe = !ok`},
	{"refused-put-counts-as-done", "versioned/client.go", `case reply.Err == rpc.ErrWrongLeader:`, `case reply.Err == rpc.ErrWrongLeader: maybe = true`},
	{"version-not-checked", "versioned/server.go", `case args.Version != v.version: return rpc.ErrVersion`, ``},
	{"old-versions-accepted", "versioned/server.go", `case args.Version != v.version:`, `case args.Version > v.version:`},
	{"version-stays", "versioned/server.go", `v.version + 1}`, `max(1, v.version)}`},
	{"version-outside-of-snapshot", "versioned/server.go", `int64(v.version)) } return b`, `1)
		}
		return b`},
	{"missing-key-with-version-stored", "versioned/server.go", `case !ok && args.Version != 0: return rpc.ErrNoKey case args.Version != v.version:`,
		`case ok && args.Version != v.version:`},

	// Captured state.
	{"captured-state-still-changes", "internal/table/table.go", `t.captures++`, ``},
	{"part-copied-once", "internal/table/table.go", `case t.owned[k] < t.captures:`, `case t.owned[k] < t.captures && t.owned[k] == 0:`},
}
