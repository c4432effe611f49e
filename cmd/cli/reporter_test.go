package cli

import (
	"strings"
	"testing"
)

func TestReporter(t *testing.T) {
	for _, live := range []bool{false, true} {
		var out strings.Builder
		r := &Reporter{W: &out, Live: live}
		if r.Begun() {
			t.Error("it has begun before Begin")
		}
		r.Begin("nothing is done")
		r.Event("server 1 crashed")
		r.Progress("half is done", false) // too soon
		r.Progress("all is done", true)
		r.Close()
		r.Event("too late")
		if !strings.Contains(out.String(), "server 1 crashed\n") || !strings.Contains(out.String(), "all is done") {
			t.Errorf("live %v: the reporter wrote %q", live, out.String())
		}
		if strings.Contains(out.String(), "too late") || strings.Contains(out.String(), "half is done") {
			t.Errorf("live %v: the reporter wrote too much: %q", live, out.String())
		}
		if live != strings.Contains(out.String(), eraseLine) || live != strings.Contains(out.String(), "nothing is done") {
			t.Errorf("live %v, but the reporter wrote %q", live, out.String())
		}
		if !r.Begun() {
			t.Error("it has not begun after Begin")
		}
	}
}
