//go:build linux || darwin

package main

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// terminalWidth returns the number of columns of the terminal w.
func terminalWidth(w io.Writer) int {
	var size struct{ rows, columns, x, y uint16 }
	if f, ok := w.(*os.File); ok {
		syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	}
	if size.columns == 0 {
		return usualWidth
	}
	return int(size.columns)
}
