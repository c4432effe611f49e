package labgob_test

import (
	"bytes"
	"fmt"

	"6.824/labgob"
)

type Op struct {
	Kind, Key, Value string
}

type Entry struct {
	Term    int
	Command interface{}
}

// A Raft server saves its state, and restores it after a crash. The state is encoded and decoded in the same order.
func Example() {
	labgob.Register(Op{}) // sent inside the interface Entry.Command

	var disk bytes.Buffer
	enc := labgob.NewEncoder(&disk)
	term, log := 3, []Entry{{1, Op{"Put", "x", "1"}}, {3, Op{"Append", "x", "2"}}}
	for _, v := range []any{term, log} {
		if err := enc.Encode(v); err != nil {
			fmt.Println(err)
			return
		}
	}

	var restoredTerm int // zero: see the second mistake in the overview
	var restoredLog []Entry
	dec := labgob.NewDecoder(&disk)
	for _, v := range []any{&restoredTerm, &restoredLog} {
		if err := dec.Decode(v); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(restoredTerm, restoredLog)
	// Output: 3 [{1 {Put x 1}} {3 {Append x 2}}]
}

// A Message can be decoded any number of times.
func ExampleMessage() {
	message, err := labgob.Marshal(&Op{"Put", "x", "1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		var op Op
		if err := message.Unmarshal(&op); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(op)
	}
	// Output:
	// {Put x 1}
	// {Put x 1}
}
