package main

// checksums are mistakes about damaged messages: fields that the checksum does not cover.
var checksums = []mutant{
	{
		name:  "checksum-without-prevote",
		wrong: "the checksum does not cover the flag that tells PreVote from RequestVote",
		edits: []edit{{"checksum.go", `.addBool(m.PreVote)`, ``}},
	},
	{
		name:  "checksum-without-entries",
		wrong: "the checksum does not cover the entries",
		edits: []edit{{"checksum.go", `s = s.addBytes(bytesOf(piece))`, `_ = piece`}},
	},
	{
		name:  "checksum-without-snapshot",
		wrong: "the checksum does not cover the snapshot",
		edits: []edit{{"checksum.go", `.mix(uint64(data))`, ``}},
	},
	{
		name:  "checksum-without-vote",
		wrong: "the checksum does not cover the vote in a reply",
		edits: []edit{{"checksum.go", `.addBool(r.VoteGranted)`, ``}},
	},
	{
		name:  "checksum-without-beyond",
		wrong: "the checksum does not cover Beyond, so a leader counts entries that its follower lacks",
		edits: []edit{{"checksum.go", `add(r.Beyond).`, ``}},
	},
	{
		name:  "checksum-without-kind",
		wrong: "a heartbeat and a vote request with the same numbers have the same checksum",
		edits: []edit{{"checksum.go", `sumRequestVote = iota + 1`, `sumRequestVote = iota*0 + 1`}},
	},
}
