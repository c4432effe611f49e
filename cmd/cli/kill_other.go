//go:build !unix

package cli

import "os/exec"

// killGroup does nothing: the end of the command's context kills only the command itself.
func killGroup(*exec.Cmd) {}

// KillLeft kills the processes that a command of Exec has left behind when it ended, on Unix.
func KillLeft(*exec.Cmd) {}
