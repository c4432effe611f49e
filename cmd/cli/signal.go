package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// stopped is the signal that ended a command.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string { return fmt.Sprintf("stopped (%v)", s.signal) }

// code returns the exit code that a shell would report.
func (s stopped) code() int {
	if n, ok := s.signal.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return ExitFailed
}

// untilSignal returns a context that a signal ends, with a stopped as its cause.
func untilSignal() context.Context {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	// With SIGPIPE, too, the program must remove its files and end its children.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		s := <-signals
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		stop(stopped{s})
	}()
	return ctx
}
