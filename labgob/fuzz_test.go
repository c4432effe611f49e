package labgob

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzDecode decodes arbitrary bytes as a stream and as a Message without type descriptions. Neither may panic, and neither
// may affect the messages that follow.
func FuzzDecode(f *testing.F) {
	seeds := []interface{}{
		7, "text", point{1, 2, "p"}, tree{1, []*tree{{Value: 2}}, map[string]tree{"x": {}}},
		holder{3}, opaque{4}, []point{{}, {X: 1}}, map[string]int{"a": 1},
	}
	for _, v := range seeds {
		msg, err := Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		stream, err := marshalStream(reflect.ValueOf(v))
		if err != nil {
			f.Fatal(err)
		}
		for _, data := range [][]byte{msg.data, stream.data} {
			f.Add(data)
			f.Add(data[:len(data)-1])
			f.Add(append(bytes.Clone(data), 1, 0))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range seeds {
			target := reflect.TypeOf(v)
			NewDecoder(bytes.NewReader(data)).Decode(reflect.New(target).Interface())
			message := Message{encoded: encoded{data: data}, codec: describedOrNil(target)}
			message.Unmarshal(reflect.New(target).Interface())
			message.UnmarshalLast(reflect.New(target).Interface())
			if got := through(t, v); !reflect.DeepEqual(got, v) {
				t.Fatalf("after % x, %+v was decoded as %+v", data, v, got)
			}
		}
	})
}

func describedOrNil(t reflect.Type) *codec {
	if c := codecOf(t); c.described {
		return c
	}
	return nil
}
