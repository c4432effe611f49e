//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killWhole makes the end of the command's context kill it with all processes that it started.
func killWhole(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
