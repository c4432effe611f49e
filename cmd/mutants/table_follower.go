package main

// followers are mistakes about what a leader knows of a peer: its log, what is on its way, and when it must hear something.
var followers = []mutant{
	{
		name:  "heartbeat-takes-room",
		wrong: "heartbeats on their way count as messages with entries",
		edits: []edit{{"follower.go", `case c.bytes > 0: f.entries += n`, `default: f.entries += n`}},
	},
	{
		name:  "data-is-a-heartbeat",
		wrong: "entries that just went out count as a heartbeat, though they may take long to arrive",
		edits: []edit{{"link.go", `if c.isHeartbeat() { // anything`, `if c.sentAt.After(time.Time{}) { // anything`}},
	},
	{
		name:  "answered-data-is-no-heartbeat",
		wrong: "a follower that has just answered to entries gets a heartbeat all the same",
		edits: []edit{{"replication.go", `if f.heartbeatSent.Before(c.sentAt) {`, `if c.isHeartbeat() && f.heartbeatSent.Before(c.sentAt) {`}},
	},
	{
		name:  "call-timeout-ignores-bytes",
		wrong: "a large message on a thin link is given up, and sent again, before it can have arrived",
		edits: []edit{{"follower.go", `bytes := c.bytesInFlight + f.sentBytes - c.sentBytes`, `bytes := 0`}},
	},
	{
		name:  "call-timeout-ignores-others-bytes",
		wrong: "what is on its way beside a message does not count when one asks how long it may take",
		edits: []edit{{"follower.go", `bytes := c.bytesInFlight + f.sentBytes - c.sentBytes`, `bytes := c.bytes`}},
	},
	{
		name:  "call-timeout-ignores-trips",
		wrong: "on a link with long trips every message is sent again",
		edits: []edit{{"follower.go", `2*trip+time.Duration(bytes)`, `time.Duration(bytes)`}},
	},
	{
		name:  "heartbeat-timeout-ignores-trips",
		wrong: "on a link with long trips every heartbeat is given up",
		edits: []edit{{"follower.go", `return max(least, 2*f.heartbeatRTT.shortest())`, `return least`}},
	},
	{
		name:  "longest-trip-counts",
		wrong: "one answer that was held back makes a leader wait long for what is lost",
		edits: []edit{{"follower.go", `return slices.Min(t.last`, `return slices.Max(t.last`}},
	},
	{
		name:  "trips-of-heartbeats-count-for-data",
		wrong: "a large message is expected as soon as a heartbeat",
		edits: []edit{{"replication.go", `f.heartbeatRTT.add(trip) return`, `f.heartbeatRTT.add(trip)
		f.dataRTT.add(trip)
		return`}},
	},
	{
		name:  "trips-forgotten-at-election",
		wrong: "a new leader does not know how long messages take, though it has led before",
		edits: []edit{{"follower.go", `inFlight{lastAnswer: time.Now(), heartbeatRTT: f.heartbeatRTT, dataRTT: f.dataRTT}`, `inFlight{lastAnswer: time.Now()}`}},
	},
	{
		name:  "entries-beside-snapshot",
		wrong: "entries go out beside the snapshot that they follow",
		edits: []edit{{"link.go", `return f.snapshots == 0 && f.entries`, `return f.entries`}},
	},
	{
		name:  "no-bound-to-what-is-on-its-way",
		wrong: "however much is on its way to a follower, a leader without a pool sends more",
		edits: []edit{{"link.go", `, f.bytes >= maxBytesInFlight: return false`, `: return false`}},
	},
	{
		name:  "entries-before-first-answer",
		wrong: "a pool is filled with entries before anything is known of the follower's log",
		edits: []edit{{"link.go", `case !f.hasAnswered && link > 0:`, `case false:`}},
	},
	{
		name:  "given-up-calls-keep-their-room",
		wrong: "to a follower that was out of reach no entries go any more, since lost ones count as on their way",
		edits: []edit{{"follower.go", `f.calls, f.entries, f.snapshots, f.bytes, f.snapshotCall = f.calls[:0], 0, 0, 0, nil`, `f.calls, f.snapshotCall = f.calls[:0], nil`}},
	},
	{
		name:  "snapshot-waits-for-answered-one",
		wrong: "a snapshot waits for the time of the last one to pass, though that was answered",
		edits: []edit{{"replication.go", `if f.snapshotCall == c {`, `if false {`}},
	},
	{
		name:  "snapshot-given-up-like-entries",
		wrong: "a snapshot is sent again after half a heartbeat",
		edits: []edit{{"link.go", `if c == f.snapshotCall {`, `if false {`}},
	},
	{
		name:  "calls-kept-from-earlier-lead",
		wrong: "messages of an earlier term keep new ones waiting",
		edits: []edit{{"follower.go", `f.inFlight = inFlight{lastAnswer: time.Now(), heartbeatRTT: f.heartbeatRTT, dataRTT: f.dataRTT}`, `f.failures, f.lastAnswer, f.answeredSentAt = 0, time.Now(), time.Time{}`}},
	},
	{
		name:  "failures-kept-from-earlier-lead",
		wrong: "a peer that was out of reach in an earlier term is taken for so in the next",
		edits: []edit{{"follower.go", `inFlight{lastAnswer: time.Now(),`, `inFlight{lastAnswer: time.Now(), failures: f.failures,`}},
	},
	{
		name:  "awaited-kept-from-earlier-lead",
		wrong: "a new lead waits for what entries overtook in an earlier one",
		edits: []edit{{"follower.go", `progress{nextIndex: lastLogIndex + 1}`, `progress{nextIndex: lastLogIndex + 1, missingIndex: f.missingIndex}`}},
	},
	{
		name:  "full-kept-from-earlier-lead",
		wrong: "a follower that took no entries in an earlier term gets none before its next heartbeat",
		edits: []edit{{"follower.go", `progress{nextIndex: lastLogIndex + 1}`, `progress{nextIndex: lastLogIndex + 1, backlogFull: f.backlogFull}`}},
	},
}
