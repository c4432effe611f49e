//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// killGroup gives the command a process group of its own, which the end of its context kills.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// KillLeft kills the processes that a command of Exec has left behind when it ended, on Unix.
func KillLeft(cmd *exec.Cmd) {
	if cmd.Process != nil {
		cmd.Cancel()
	}
}
