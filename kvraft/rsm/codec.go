package rsm

import (
	"bytes"
	"fmt"
	"strings"

	"6.824/labgob"
)

// Op is a command in Raft's log.
type Op struct {
	Boot    int64  // the RSM that Submit was called on
	Number  int64  // of its operations, from 1 on
	Request string // the encoded operation
}

func init() { labgob.Register(Op{}) }

// A Codec is a StateMachine that encodes its operations itself. Without it, gob does, which takes ten times as long or more;
// the types of operations must then be registered with labgob.Register.
type Codec interface {
	Encode(req any) string
	Decode(request string) any // what it returns is passed to DoOp
}

// codecOf returns sm if it is a Codec, and otherwise one that uses gob.
func codecOf(sm StateMachine) Codec {
	if c, ok := sm.(Codec); ok {
		return c
	}
	return gobCodec{}
}

// gobCodec encodes an operation as a gob stream of one interface value.
type gobCodec struct{}

func (gobCodec) Encode(req any) string {
	var b bytes.Buffer
	if err := labgob.NewEncoder(&b).Encode(&req); err != nil {
		panic(fmt.Sprintf("rsm: cannot encode an operation of type %T: %v", req, err))
	}
	return b.String()
}

func (gobCodec) Decode(request string) (req any) {
	if err := labgob.NewDecoder(strings.NewReader(request)).Decode(&req); err != nil {
		panic(fmt.Sprintf("rsm: cannot decode an operation: %v", err))
	}
	return req
}
