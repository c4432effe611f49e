package main

// checksums are mistakes about damaged messages: fields that a checksum leaves out.
var checksums = []mutant{
	{
		name:  "checksum-without-prevote",
		wrong: "a damaged flag turns a question into a request for a vote",
		edits: []edit{{"checksum.go", `.addBool(m.PreVote)`, ``}},
	},
	{
		name:  "checksum-without-entries",
		wrong: "damaged commands are taken into the log",
		edits: []edit{{"checksum.go", `s = s.addBytes(bytesOf(piece))`, `_ = piece`}},
	},
	{
		name:  "checksum-without-snapshot",
		wrong: "a damaged snapshot is installed",
		edits: []edit{{"checksum.go", `.mix(uint64(data))`, ``}},
	},
	{
		name:  "checksum-without-vote",
		wrong: "a refusal that was damaged counts as a vote",
		edits: []edit{{"checksum.go", `.addBool(r.VoteGranted)`, ``}},
	},
	{
		name:  "checksum-without-beyond",
		wrong: "a damaged Beyond makes a leader count entries that its follower lacks",
		edits: []edit{{"checksum.go", `add(r.Beyond).`, ``}},
	},
	{
		name:  "checksum-without-kind",
		wrong: "a heartbeat and a vote request of the same numbers have the same checksum",
		edits: []edit{{"checksum.go", `sumRequestVote = iota + 1`, `sumRequestVote = iota*0 + 1`}},
	},
}
