//go:build !linux && !darwin

package main

import "io"

// terminalWidth returns a number of columns that every terminal has.
func terminalWidth(io.Writer) int { return usualWidth }
