package cli

import (
	"context"
	"os"
	"os/exec"
	"time"
)

// Exec returns a command like exec.CommandContext, with two differences. The end of ctx also kills the processes that
// the command has started, on Unix. The command and the go tool keep their temporary files in the directory scratch.
func Exec(ctx context.Context, scratch, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch, "GOTMPDIR="+scratch)
	cmd.WaitDelay = time.Second
	killGroup(cmd)
	return cmd
}
