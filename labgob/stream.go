//go:build go1.25

package labgob

// Stream returns a Message for a whole gob stream, such as a LabEncoder has written, that holds one value. It can come from
// another process. The Message keeps data, which must not be modified afterwards.
func Stream(data []byte) Message { return Message{encoded: encoded{data: data}} }

// StreamBytes returns the gob stream of a Message that Stream has returned, or nil for a Message without a description of
// its type. The caller must not modify it.
func (m Message) StreamBytes() []byte {
	if m.codec != nil {
		return nil
	}
	return m.whole()
}
