package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"6.824/kvraft/rsm"
	"6.824/labgob"
	"go.etcd.io/raft/v3/raftpb"
)

// The first byte of a command's entry says how the rest encodes it. Entries without data are not commands: raft appends
// one when a term begins, and one instead of a change of the membership that it refuses.
const (
	tagBytes  = 'b' // a []byte: its bytes follow
	tagString = 's' // a string: its bytes follow
	tagInt    = 'i' // an int: a signed varint follows
	tagOp     = 'o' // an rsm.Op: its numbers as signed varints, and its request
	tagGob    = 'g' // any other type: a gob stream of one interface value follows
)

// maxCommand bounds an encoded command, in bytes.
const maxCommand = 32 << 20

// encodeCommand returns the data of a command's entry.
func encodeCommand(command any) ([]byte, error) {
	data, err := appendCommand(command)
	if err == nil && len(data) > maxCommand {
		err = fmt.Errorf("it takes %d bytes encoded, more than the limit of %d", len(data), maxCommand)
	}
	return data, err
}

func appendCommand(command any) ([]byte, error) {
	switch c := command.(type) {
	case nil:
		return nil, errors.New("a command must not be nil")
	case []byte:
		return append([]byte{tagBytes}, c...), nil
	case string:
		return append([]byte{tagString}, c...), nil
	case int:
		return binary.AppendVarint([]byte{tagInt}, int64(c)), nil
	case rsm.Op:
		data := make([]byte, 1, 1+2*binary.MaxVarintLen64+len(c.Request))
		data[0] = tagOp
		data = binary.AppendVarint(binary.AppendVarint(data, c.Boot), c.Number)
		return append(data, c.Request...), nil
	}
	var b bytes.Buffer
	b.WriteByte(tagGob)
	if err := labgob.NewEncoder(&b).Encode(&command); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decodeCommand is the inverse of encodeCommand. The command does not share memory with data.
func decodeCommand(data []byte) (command any, err error) {
	if len(data) == 0 {
		return nil, errors.New("it is empty")
	}
	tag, rest := data[0], data[1:]
	switch tag {
	case tagBytes:
		return bytes.Clone(rest), nil
	case tagString:
		return string(rest), nil
	case tagInt:
		n, size := binary.Varint(rest)
		if size != len(rest) || size == 0 {
			return nil, errors.New("its number is damaged")
		}
		return int(n), nil
	case tagOp:
		boot, n := binary.Varint(rest)
		number, m := binary.Varint(rest[max(n, 0):])
		if n <= 0 || m <= 0 {
			return nil, errors.New("its numbers are damaged")
		}
		return rsm.Op{Boot: boot, Number: number, Request: string(rest[n+m:])}, nil
	case tagGob:
		err = labgob.NewDecoder(bytes.NewReader(rest)).Decode(&command)
		return command, err
	}
	return nil, fmt.Errorf("its first byte %q is none that this version knows", tag)
}

// isCommand reports whether an entry holds a command.
func isCommand(e *raftpb.Entry) bool {
	return e.GetType() == raftpb.EntryNormal && len(e.GetData()) > 0
}
