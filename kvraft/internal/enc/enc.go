// Package enc writes and reads numbers and texts, for the operations and snapshots of the services.
package enc

import (
	"encoding/binary"
	"unsafe"
)

// AppendText appends the length of text and text.
func AppendText(b []byte, text string) []byte {
	return append(binary.AppendVarint(b, int64(len(text))), text...)
}

// A Decoder reads Rest, from its beginning on. If that does not begin with what is asked for, it sets Bad and returns zero,
// now and later.
type Decoder struct {
	Rest string
	Bad  bool
}

// NewDecoder returns a Decoder of b, without a copy: b must not be modified while a text that the Decoder has read is in use.
func NewDecoder(b []byte) Decoder { return Decoder{Rest: unsafe.String(unsafe.SliceData(b), len(b))} }

// Number reads a number that binary.AppendVarint has written.
func (d *Decoder) Number() int64 {
	var head [binary.MaxVarintLen64]byte
	n, size := binary.Varint(head[:copy(head[:], d.Rest)])
	if size <= 0 || d.Bad {
		d.Bad = true
		return 0
	}
	d.Rest = d.Rest[size:]
	return n
}

// Text reads a text that AppendText has written. It shares the memory of Rest.
func (d *Decoder) Text() string {
	n := d.Number()
	if n < 0 || n > int64(len(d.Rest)) || d.Bad {
		d.Bad = true
		return ""
	}
	text := d.Rest[:n]
	d.Rest = d.Rest[n:]
	return text
}
