// Package quiet logs what strangers can cause, without letting them fill the log.
package quiet

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// every is the least time between two lines of a Logger.
const every = time.Minute

// A Logger logs a warning, and then at most one a minute. Each line has the number of warnings that were left out before
// it. It is safe for concurrent use.
type Logger struct {
	Logger *slog.Logger

	mu      sync.Mutex
	last    time.Time // when a line was logged
	leftOut int
}

// Warn logs a warning, or leaves it out.
func (l *Logger) Warn(text string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.last.IsZero() || now.Sub(l.last) >= every {
		l.Logger.Warn(text, append(args, "more_since_last", l.leftOut)...)
		l.last, l.leftOut = now, 0
		return
	}
	l.leftOut++
}

// Write logs a line. It makes the Logger a writer for a log.Logger.
func (l *Logger) Write(line []byte) (int, error) {
	l.Warn(strings.TrimSpace(string(line)))
	return len(line), nil
}
