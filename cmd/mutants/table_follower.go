package main

// followers are mistakes about what a leader knows of a peer: its log, the messages in flight, and when a heartbeat is due.
var followers = []mutant{
	{
		name:  "heartbeat-takes-room",
		wrong: "heartbeats in flight count as messages with entries",
		edits: []edit{{"follower.go", `case c.bytes > 0: f.entries += n`, `default: f.entries += n`}},
	},
	{
		name:  "data-is-a-heartbeat",
		wrong: "entries that were just sent count as a heartbeat, though they may arrive late",
		edits: []edit{{"link.go", `if c.isHeartbeat() { // anything`, `if c.sentAt.After(time.Time{}) { // anything`}},
	},
	{
		name:  "answered-data-is-no-heartbeat",
		wrong: "a leader sends a heartbeat to a follower that has just answered a message with entries",
		edits: []edit{{"replication.go", `if f.heartbeatSentAt.Before(c.sentAt) {`, `if c.isHeartbeat() && f.heartbeatSentAt.Before(c.sentAt) {`}},
	},
	{
		name:  "call-timeout-ignores-bytes",
		wrong: "a leader gives up a large message on a slow link before it can have arrived",
		edits: []edit{{"follower.go", `bytes := c.bytesInFlight + f.sentBytes - c.sentBytes`, `bytes := 0`}},
	},
	{
		name:  "call-timeout-ignores-others-bytes",
		wrong: "the expected time of a message does not include the bytes in flight beside it",
		edits: []edit{{"follower.go", `bytes := c.bytesInFlight + f.sentBytes - c.sentBytes`, `bytes := c.bytes`}},
	},
	{
		name:  "call-timeout-ignores-trips",
		wrong: "a leader resends every message on a link with long round trips",
		edits: []edit{{"follower.go", `2*trip+time.Duration(bytes)`, `time.Duration(bytes)`}},
	},
	{
		name:  "heartbeat-timeout-ignores-trips",
		wrong: "a leader gives up every heartbeat on a link with long round trips",
		edits: []edit{{"follower.go", `return max(least, 2*f.heartbeatRTT.shortest())`, `return least`}},
	},
	{
		name:  "longest-trip-counts",
		wrong: "one delayed answer makes a leader wait long before it resends lost messages",
		edits: []edit{{"follower.go", `return slices.Min(t.last`, `return slices.Max(t.last`}},
	},
	{
		name:  "trips-of-heartbeats-count-for-data",
		wrong: "a leader expects the answer to a large message as soon as that to a heartbeat",
		edits: []edit{{"replication.go", `f.heartbeatRTT.add(trip) return`, `f.heartbeatRTT.add(trip)
		f.dataRTT.add(trip)
		return`}},
	},
	{
		name:  "trips-forgotten-at-election",
		wrong: "a server that leads again has forgotten how long messages take",
		edits: []edit{{"follower.go", `inFlight{lastAnswer: time.Now(), heartbeatRTT: f.heartbeatRTT, dataRTT: f.dataRTT}`, `inFlight{lastAnswer: time.Now()}`}},
	},
	{
		name:  "entries-beside-snapshot",
		wrong: "a leader sends entries while the snapshot before them is in flight",
		edits: []edit{{"link.go", `return f.snapshots == 0 && f.entries`, `return f.entries`}},
	},
	{
		name:  "no-bound-to-what-is-on-its-way",
		wrong: "a leader without a pool sends more, however many bytes are in flight to a follower",
		edits: []edit{{"link.go", `, f.bytes >= maxBytesInFlight: return false`, `: return false`}},
	},
	{
		name:  "entries-before-first-answer",
		wrong: "a leader fills a pool with entries before it knows anything of the follower's log",
		edits: []edit{{"link.go", `case !f.hasAnswered && link > 0:`, `case false:`}},
	},
	{
		name:  "given-up-calls-keep-their-room",
		wrong: "lost messages count as in flight, so a follower that was unreachable gets no more entries",
		edits: []edit{{"follower.go", `f.calls, f.entries, f.snapshots, f.bytes, f.snapshotCall = f.calls[:0], 0, 0, 0, nil`, `f.calls, f.snapshotCall = f.calls[:0], nil`}},
	},
	{
		name:  "snapshot-waits-for-answered-one",
		wrong: "a leader delays a snapshot although the follower has answered the last one",
		edits: []edit{{"replication.go", `if f.snapshotCall == c {`, `if false {`}},
	},
	{
		name:  "snapshot-given-up-like-entries",
		wrong: "a leader resends a snapshot after half a heartbeat interval",
		edits: []edit{{"link.go", `if c == f.snapshotCall {`, `if false {`}},
	},
	{
		name:  "calls-kept-from-earlier-lead",
		wrong: "messages of an earlier term delay new ones",
		edits: []edit{{"follower.go", `f.inFlight = inFlight{lastAnswer: time.Now(), heartbeatRTT: f.heartbeatRTT, dataRTT: f.dataRTT}`, `f.failures, f.lastAnswer, f.answeredSentAt = 0, time.Now(), time.Time{}`}},
	},
	{
		name:  "failures-kept-from-earlier-lead",
		wrong: "a peer that was unreachable in an earlier term counts as unreachable in the next",
		edits: []edit{{"follower.go", `inFlight{lastAnswer: time.Now(),`, `inFlight{lastAnswer: time.Now(), failures: f.failures,`}},
	},
	{
		name:  "awaited-kept-from-earlier-lead",
		wrong: "a leader waits for entries that were reordered when it led in an earlier term",
		edits: []edit{{"follower.go", `progress{nextIndex: lastLogIndex + 1}`, `progress{nextIndex: lastLogIndex + 1, missingIndex: f.missingIndex}`}},
	},
	{
		name:  "full-kept-from-earlier-lead",
		wrong: "a follower that refused entries in an earlier term gets none before its next heartbeat",
		edits: []edit{{"follower.go", `progress{nextIndex: lastLogIndex + 1}`, `progress{nextIndex: lastLogIndex + 1, backlogFull: f.backlogFull}`}},
	},
}
