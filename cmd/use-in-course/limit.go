package main

import "io"

// maxLog bounds what one test may print, in bytes, so that a student's loop does not fill the disk.
const maxLog = 256 << 20

// A limitedWriter calls full and drops the rest when more than left bytes are written.
type limitedWriter struct {
	to   io.Writer
	left int
	full func()
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		w.full()
		return len(p), nil
	}
	return w.to.Write(p)
}
