package quiet

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := Logger{Logger: slog.New(slog.NewTextHandler(&out, nil))}
		for k := range 1000 {
			fmt.Fprintf(&l, "stranger %d\n", k)
		}
		if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "stranger 0") {
			t.Errorf("a thousand warnings are logged as %q", got)
		}
		time.Sleep(every)
		out.Reset()
		l.Warn("a minute later")
		if got := out.String(); !strings.Contains(got, "a minute later") || !strings.Contains(got, "more_since_last=999") {
			t.Errorf("after a minute, the log has %q", got)
		}
	})
}
